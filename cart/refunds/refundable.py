"""What of an order can still be refunded, and how a wish is made of it: a read and two rules, without any writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cart.debts.given_for import payment_given_for
from shared.contracts.access import PageScope
from shared.contracts.dtos import ZERO
from shared.contracts.errors import BadInput, Conflict, NotFound
from shared.contracts.money import CENT
from shared.models import Debt, Order, OrderLine, Ticket, User

NOTHING_PAID = "Nothing of this order was paid, so nothing can be refunded."


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to refund: lines, or an amount; both: so much of these lines."""

    line_ids: frozenset[int] = frozenset()
    amount: Decimal | None = None
    cancel: bool = False
    """Whether what the lines gave is taken back as well: seats, times and stock."""


@dataclass(frozen=True, slots=True)
class RefundableLine:
    """A line, what it cost, what of that can still be refunded, and the page that sold it."""

    id: int
    title: str
    detail: str
    quantity: int
    total: Decimal
    left: Decimal
    code: str = ""
    """Its ticket's code; empty: it has none."""
    page_post_id: int | None = None


@dataclass(frozen=True, slots=True)
class RefundableOrder:
    """An order as far as a scope sees it. ``left``: what of its payment can still be refunded."""

    id: int
    number: str
    buyer_email: str
    currency: str
    payment_id: int | None
    paid: Decimal
    left: Decimal
    lines: tuple[RefundableLine, ...]
    is_whole: bool
    """Whether all of its lines are seen: only then an amount can be refunded of none in particular."""


@dataclass(frozen=True, slots=True)
class Share:
    """So much of a line, or of none in particular."""

    line: RefundableLine | None
    amount: Decimal

    @property
    def line_id(self) -> int | None:
        """The line's id."""
        return None if self.line is None else self.line.id


async def find_refundable(session: AsyncSession, scope: PageScope, order_id: int) -> RefundableOrder:
    """Return an order with what is left of it; three queries. Raises NotFound where the scope sees none of it."""
    row = (
        await session.execute(
            select(Order.number, Order.currency, func.coalesce(User.email, Order.guest_email).label("email"))
            .outerjoin(User, User.id == Order.user_id)
            .where(Order.id == order_id)
        )
    ).one_or_none()
    lines = await _lines_of(session, order_id)
    seen = tuple(line for line in lines if scope.covers([line.page_post_id]))
    # An order of which the scope sees nothing is not there for it.
    if row is None or not seen:
        raise NotFound
    payment = await payment_given_for(session, order_id)
    return RefundableOrder(
        id=order_id,
        number=row.number,
        buyer_email=row.email,
        currency=row.currency,
        payment_id=None if payment is None else payment.id,
        paid=ZERO if payment is None else payment.amount,
        left=ZERO if payment is None else payment.amount - payment.owed,
        lines=seen,
        is_whole=len(seen) == len(lines),
    )


async def _lines_of(session: AsyncSession, order_id: int) -> list[RefundableLine]:
    """Return an order's lines with what is left of each."""
    # Settled debts count too: what went back cannot go back again.
    owed = func.coalesce(func.sum(Debt.amount), 0).label("owed")
    # The ticket of now: late money may have made another in place of the one that was ordered.
    its_ticket = (Ticket.order_id == order_id) & (func.coalesce(Ticket.replaces_id, Ticket.id) == OrderLine.ticket_id)
    rows = await session.execute(
        select(OrderLine, owed, Ticket.code)
        .outerjoin(Debt, Debt.order_line_id == OrderLine.id)
        .outerjoin(Ticket, its_ticket)
        .where(OrderLine.order_id == order_id)
        .group_by(OrderLine.id, Ticket.code)
        .order_by(OrderLine.id)
    )
    return [_line(line, gone, code) for line, gone, code in rows]


def _line(line: OrderLine, gone: Decimal, code: str | None) -> RefundableLine:
    return RefundableLine(
        id=line.id,
        title=line.title,
        detail=line.detail,
        quantity=line.quantity,
        total=line.total,
        left=line.total - gone,
        code=code or "",
        page_post_id=line.page_post_id,
    )


def shares_of(order: RefundableOrder, wish: Wish) -> tuple[Share, ...]:
    """Return what a wish refunds, exactly; its sum is never more than is left.

    Raises BadInput with the field that is wrong, and Conflict where nothing can be refunded at all.
    """
    if order.payment_id is None:
        raise Conflict(NOTHING_PAID)
    chosen = [line for line in order.lines if line.id in wish.line_ids]
    # Another order's line, or one that the scope does not see: not told apart on purpose.
    if len(chosen) < len(wish.line_ids):
        raise BadInput("That order has no such line. Please choose again.", field="lines")
    if not chosen:
        return (Share(None, _checked(_amount_alone(order, wish), order.left)),)
    left = sum((line.left for line in chosen), ZERO)
    if not left:
        raise BadInput("Nothing is left to refund of what you chose.", field="lines")
    amount = left if wish.amount is None else _checked(wish.amount, left)
    return spread(_checked(amount, order.left), chosen)


def _amount_alone(order: RefundableOrder, wish: Wish) -> Decimal:
    """Return the amount of a wish that names no line. Raises BadInput."""
    if wish.cancel:
        raise BadInput("Choose the lines whose seats, times or stock are to be released.", field="lines")
    if wish.amount is None:
        raise BadInput("Choose what to refund, or enter an amount.", field="lines")
    # An amount of none in particular is everybody's money, which staff of one page may not give away.
    if not order.is_whole:
        raise BadInput("Choose the lines that it is for: other pages sold things in this order as well.", field="lines")
    return wish.amount


def _checked(amount: Decimal, left: Decimal) -> Decimal:
    """Return an amount that is something and not more than is left. Raises BadInput."""
    if amount <= 0:
        raise BadInput("Enter an amount of 0.01 or more.", field="amount")
    if amount > left:
        raise BadInput(f"No more than {left:.2f} is left to refund. Enter that, or less.", field="amount")
    return amount


def spread(amount: Decimal, lines: Sequence[RefundableLine]) -> tuple[Share, ...]:
    """Divide an amount among lines by what is left of each, to the cent; no line gets more than that."""
    left = sum((line.left for line in lines), ZERO)
    # Down first, then the cents that are left in order: the sum is exact, and no line gets more than it has.
    parts = [(amount * line.left / left).quantize(CENT, ROUND_DOWN) for line in lines]
    rest = amount - sum(parts, ZERO)
    for number, line in enumerate(lines):
        more = min(rest, CENT, line.left - parts[number])  # rounding down leaves less than a cent a line
        parts[number], rest = parts[number] + more, rest - more
    return tuple(Share(line, part) for line, part in zip(lines, parts, strict=True) if part)
