"""The database crashes in the middle of a rush and comes back: no wrong seat, no lost payment, no app started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import func, select

from launcher.postgres.server import EmbeddedServer, ServerOptions, start_server
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Debt, Order, Payment, Ticket
from tests.factories.calendar import make_calendar, make_entry, make_type
from tests.factories.users import make_user
from tests.kills.conftest import Person, post, signed_in
from tests.support.postgres import Urls, migrate
from tests.support.sandbox import SandboxControl
from tests.support.site import LOOK_EVERY_S, Site, wait_until

SEATS, PEOPLE = 8, 16
DOWN_FOR_LOOKS = 20
"""How many looks long the database is away."""
PATIENCE_S = 90.0


@dataclass(slots=True)
class Rush:
    """A site over a PostgreSQL of its own, and people who all want the last seats."""

    server: EmbeddedServer
    folder: Path
    site: Site
    sandbox: SandboxControl
    people: list[Person]
    entry_id: int
    put_off: int = 0
    """How often somebody was asked to try again."""

    async def buy(self, person: Person) -> str:
        """Press the button until there is an answer that is one, and pay; say how it ended."""
        while True:
            try:
                answer = await post(self.site, person, "/checkout/", {"shown_total": "12.50"})
            except httpx.TransportError:  # the app itself must never be the one that is away
                return "no answer"
            if answer.status_code == HTTPStatus.SEE_OTHER:
                await self.sandbox.pay(answer.headers["location"].rpartition("/")[2])
                return "paid"
            if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                return "sold out"
            self.put_off += 1
            await asyncio.sleep(LOOK_EVERY_S * 5)  # as a person would: "please try again"

    async def crash_and_return(self) -> None:
        """Let the database crash once the rush is under way, be away for a while, and start again."""
        await wait_until(self._is_under_way, "the first orders are there")
        pid = int((self.server.home / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)  # at once, with nothing written back: it has to recover
        await asyncio.to_thread(psutil.wait_procs, [psutil.Process(pid)] if psutil.pid_exists(pid) else [], 30)
        for _ in range(DOWN_FOR_LOOKS):
            await asyncio.sleep(LOOK_EVERY_S)
        self.server.stop()
        self.server = await asyncio.to_thread(start_server, self.folder, ServerOptions())

    async def _is_under_way(self) -> bool:
        async with unit_of_work(self.site.database) as uow:
            return (await uow.session.scalar(select(func.count()).select_from(Order)) or 0) >= SEATS // 4

    async def is_settled(self) -> bool:
        """Tell whether every checkout that was paid is known as paid, and given."""
        paid = {each["id"] for each in await self.sandbox.checkouts() if each["status"] == "PAID"}
        async with unit_of_work(self.site.database) as uow:
            given = select(Payment.checkout_id).where(Payment.state == "paid", Payment.fulfilled_at.is_not(None))
            return set(await uow.session.scalars(given)) == paid


@pytest.fixture
async def rush(tmp_path: Path) -> AsyncIterator[Rush]:
    """Give the rush, ready to begin."""
    folder = tmp_path / "postgres"
    server = await asyncio.to_thread(start_server, folder, ServerOptions())
    urls = Urls("maypole", server.url("app"), server.url("owner"))
    await asyncio.to_thread(migrate, urls.owner)
    site = Site(urls, tmp_path / "site")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(site.end)
        await site.start("sandbox", "cart", "worker")
        steering = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        entry_id, users = await _stock(site)
        people = [await stack.enter_async_context(signed_in(site, user_id)) for user_id in users]
        made = Rush(server, folder, site, SandboxControl(site.settings.sumup_origin, steering), people, entry_id)
        yield made
    made.server.stop()


async def _stock(site: Site) -> tuple[int, list[int]]:
    """Put an event with few seats on sale, and a ticket of it into each of many carts."""
    async with unit_of_work(site.database) as uow:
        entry = await make_entry(uow.session, await make_calendar(uow.session), capacity=SEATS)
        kind = await make_type(uow.session, entry, cost="12.50")
        users = [(await make_user(uow.session)).id for _ in range(PEOPLE)]
        uow.session.add_all(Ticket(entry_id=entry.id, ticket_type_id=kind.id, user_id=user_id) for user_id in users)
        await uow.commit()
        return entry.id, users


async def test_the_database_crashes_in_a_rush_and_nothing_is_lost(rush: Rush) -> None:
    crash = asyncio.get_running_loop().create_task(rush.crash_and_return())
    ends = Counter(await asyncio.gather(*(rush.buy(person) for person in rush.people)))
    await crash
    await wait_until(rush.is_settled, "every payment is settled", PATIENCE_S)

    assert rush.put_off, "the database was away in the middle of it"
    assert ends == {"paid": SEATS, "sold out": PEOPLE - SEATS}
    assert all(rush.site.is_running(name) for name in ("sandbox", "cart", "worker"))
    async with unit_of_work(rush.site.database) as uow:
        states = select(Ticket.state, func.count()).group_by(Ticket.state)
        assert dict(map(tuple, await uow.session.execute(states))) == {
            "confirmed": SEATS,
            "pending": PEOPLE - SEATS,
        }
        assert (await uow.session.get_one(CalendarEntry, rush.entry_id)).held == SEATS
        orders = select(Order.state, func.count()).group_by(Order.state)
        assert dict(map(tuple, await uow.session.execute(orders))) == {"paid": SEATS}
        assert list(await uow.session.scalars(select(Debt))) == []
