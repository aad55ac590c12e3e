"""Sixty shoppers at once want the last twenty seats (docs/money.md, promise 1), and what happens without the guards."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import SoldOut
from shared.contracts.states import TicketState
from shared.db.refusals import holding_refused
from shared.db.uow import unit_of_work
from shared.models import Ticket
from shared.services.calendar_impl import SqlCalendarService
from tests.concurrency.conftest import TakeAway
from tests.support.shop import Shop, Show

SHOPPERS, SEATS = 60, 20
RACERS = 15
"""How many are released at the same moment in a race without locks: fewer than the pool has connections."""


class UnlockedCalendar(SqlCalendarService):
    """The calendar with its locks taken away: everybody looks first, and only then anybody takes."""

    barrier = asyncio.Barrier(RACERS)

    async def claim_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, page_post_id: int | None = None
    ) -> None:
        tickets = await self.pending_tickets(session, user_id=user_id)
        entry = await self.entry(session, tickets[0].entry_id)
        assert entry is not None
        if entry.available is not None and entry.available < len(tickets):
            raise SoldOut
        await self.barrier.wait()
        with holding_refused():
            await session.execute(
                update(Ticket)
                .where(Ticket.user_id == user_id, Ticket.state == TicketState.PENDING)
                .values(state=TicketState.RESERVED, order_id=order_id)
            )


async def rush(shop: Shop, show: Show, shoppers: int) -> Counter[str]:
    """Let everybody put one ticket into the cart and press the button at once; count the answers."""
    people = [await shop.shopper() for _ in range(shoppers)]
    for person in people:
        await shop.add(person, show)
    results = await asyncio.gather(*(shop.check_out(person, show.cost) for person in people), return_exceptions=True)
    return Counter(type(result).__name__ for result in results)


async def states_of(shop: Shop) -> Counter[str]:
    async with unit_of_work(shop.context.database) as uow:
        rows = await uow.session.execute(text("SELECT state, count(*) FROM tickets GROUP BY state"))
        return Counter({row.state: row.count for row in rows})


def without_locks(shop: Shop) -> Shop:
    calendar = UnlockedCalendar(shop.clock, default_max_per_order=20)
    calendar.barrier = asyncio.Barrier(RACERS)
    return replace(shop, context=replace(shop.context, services=replace(shop.context.services, calendar=calendar)))


async def test_sixty_shoppers_get_exactly_twenty_seats(shop: Shop) -> None:
    show = await shop.show(capacity=SEATS)
    answers = await rush(shop, show, SHOPPERS)
    assert answers == {"str": SEATS, "SoldOut": SHOPPERS - SEATS}
    assert await states_of(shop) == {"reserved": SEATS, "pending": SHOPPERS - SEATS}
    assert await shop.held(show) == (SEATS, SEATS, SEATS)


async def test_the_database_alone_sells_no_seat_twice(shop: Shop) -> None:
    show = await shop.show(capacity=5)
    answers = await rush(without_locks(shop), show, RACERS)
    assert answers == {"str": 5, "SoldOut": RACERS - 5}
    assert await states_of(shop) == {"reserved": 5, "pending": RACERS - 5}


async def test_control_without_lock_and_constraint_seats_are_sold_twice(shop: Shop, take_away: TakeAway) -> None:
    await take_away("calendar_entries", "ck_calendar_entries_held_within_capacity")
    show = await shop.show(capacity=5)
    await rush(without_locks(shop), show, RACERS)
    assert (await states_of(shop))["reserved"] == RACERS
