"""The list of orders as a file for a spreadsheet: made a stretch at a time, so that it never stands in memory whole.

Each stretch is read in a unit of work of its own, older than the one before: orders made meanwhile move nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from decimal import Decimal

from cart.wiring import PaymentContext
from shared.contracts.access import PageScope
from shared.db.uow import unit_of_work

from .listing import OrderRow, list_orders
from .search import OrderFilter

CHUNK = 500
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""By it a spreadsheet knows that the file is UTF-8."""
HEAD = (
    "Order",
    "State",
    "Ordered at",
    "Paid at",
    "Name",
    "E-mail",
    "Total",
    "Owed",
    "Refunded",
    "Currency",
    "SumUp codes",
)
DANGEROUS = (*"=+-@\t\r\n", *"\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH COMMERCIAL AT}")
"""How a cell begins that a spreadsheet may take for a formula (OWASP, "CSV Injection")."""


async def export_orders(
    context: PaymentContext, wanted: OrderFilter, scope: PageScope, *, chunk: int = CHUNK
) -> AsyncIterator[bytes]:
    """Give the wanted orders as the parts of a CSV file, newest first. Opens its own units of work."""
    yield f"{BYTE_ORDER_MARK}{_written([HEAD])}".encode()
    now, before = context.clock(), None
    while True:
        # A short transaction for each part: one for a whole file would keep old rows alive for minutes.
        async with unit_of_work(context.database) as uow:
            rows = await list_orders(uow.session, wanted, scope, now=now, before=before, limit=chunk)
        if rows:
            yield _written(_cells(row) for row in rows).encode()
            # By key: an order that comes in meanwhile neither repeats a row nor drops one.
            before = rows[-1].id
        if len(rows) < chunk:
            return


def harmless(cell: str) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell


def _written(rows: Iterable[Iterable[str]]) -> str:
    """Write rows as CSV; every cell comes through here."""
    sheet = io.StringIO()
    # Everything quoted: a number with leading zeros or a code with a comma stays what it is.
    csv.writer(sheet, quoting=csv.QUOTE_ALL).writerows([harmless(cell) for cell in row] for row in rows)
    return sheet.getvalue()


def _cells(row: OrderRow) -> tuple[str, ...]:
    return (
        row.number,
        row.state,
        _moment(row.created_at),
        _moment(row.paid_at),
        row.name,
        row.email,
        _amount(row.total),
        _amount(row.owed),
        _amount(row.refunded),
        row.currency,
        row.codes,
    )


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}"
