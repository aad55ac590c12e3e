"""The bound of every query for admins: the pages that somebody's role covers.

An order may be of several pages. Whoever is bound to one of them finds the order, and sees the lines of theirs alone.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import aliased

from shared.contracts.access import PageScope
from shared.models import Debt, Order, OrderLine, Refund


def lines_in(scope: PageScope) -> ColumnElement[bool]:
    """Bound a query to order lines of these pages."""
    # A scope without pages gives IN (), which is true of nothing.
    return true() if scope.everywhere else OrderLine.page_post_id.in_(scope.page_ids)


def orders_in(scope: PageScope) -> ColumnElement[bool]:
    """Bound a query to orders with at least one line of these pages."""
    if scope.everywhere:
        return true()
    return select(OrderLine.id).where(OrderLine.order_id == Order.id, lines_in(scope)).exists()


def debts_in(scope: PageScope) -> ColumnElement[bool]:
    """Bound a query to debts for lines of these pages, or for a whole payment."""
    if scope.everywhere:
        return true()
    line = aliased(OrderLine)  # the query may have lines of its own
    own = select(line.id).where(line.id == Debt.order_line_id, line.page_post_id.in_(scope.page_ids))
    # What is about a whole payment concerns every page that sold a part of the order.
    return or_(Debt.order_line_id.is_(None), own.exists())


def refunds_in(scope: PageScope) -> ColumnElement[bool]:
    """Bound a query of refunds, with their debts if any, to those for a scope's debts or without a debt."""
    return or_(Refund.debt_id.is_(None), debts_in(scope))
