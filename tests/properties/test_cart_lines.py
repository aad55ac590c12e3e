"""The cart's lines and totals, for any tickets in it: nothing is lost or counted twice on the way to the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cart.bp.cart.services.calendar_cart import ticket_total
from cart.sellables.lines import ticket_lines
from shared.contracts.dtos import TicketDTO
from shared.contracts.lines import ticket_key
from shared.contracts.states import TicketState

START = datetime(2026, 12, 5, 19, 30, tzinfo=UTC)
kinds = st.tuples(st.integers(1, 4), st.none() | st.integers(1, 3))
prices = st.none() | st.decimals(0, Decimal("99999.99"), places=2)


def ticket(number: int, kind: tuple[int, int | None], cost: Decimal | None) -> TicketDTO:
    entry_id, type_id = kind
    return TicketDTO(
        id=number,
        code=None,
        state=TicketState.PENDING,
        entry_id=entry_id,
        entry_name=f"Concert {entry_id}",
        entry_start_at=START,
        entry_end_at=START + timedelta(hours=2),
        ticket_type_id=type_id,
        ticket_type_name=None if type_id is None else f"Type {type_id}",
        cost=cost,
        calendar_name="Hall",
        calendar_slug="hall",
        time_zone="Europe/London",
        place="",
        calendar_container_id=1,
        calendar_container_type="page",
    )


@given(cart=st.lists(kinds, max_size=40), price_list=st.dictionaries(kinds, prices))
def test_lines_hold_every_ticket_once_and_add_up_to_the_total(
    cart: list[tuple[int, int | None]], price_list: dict[tuple[int, int | None], Decimal | None]
) -> None:
    tickets = [ticket(number, kind, price_list.get(kind)) for number, kind in enumerate(cart, 1)]

    lines = ticket_lines(tickets, {})

    assert {line.key: line.quantity for line in lines} == {ticket_key(*kind): cart.count(kind) for kind in cart}
    assert sum(line.total for line in lines) == ticket_total(tickets)
    assert ticket_total(tickets) == sum(price_list.get(kind) or 0 for kind in cart)
