"""The typed clients and the internal APIs of the four apps, held against each other over real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clients.caller import CallFailed
from shared.clients.tls import tls_context
from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.owner import NOBODY, CartOwner
from shared.contracts.states import LineKind
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.services.wiring import sql_services
from shared.settings import APPS, Settings
from shared.web.state import utc_now
from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_rule
from tests.factories.market import make_product, make_variant
from tests.factories.users import make_user
from tests.support.internal_api import BEARER, PATIENT_MS, Clients, FourApps, clients_for, running_apps
from tests.support.raw_server import answering, http_answer

TIMEOUT_MS = Settings().internal_timeout_ms
SLACK_MS = 2000
"""For a machine that has much else to do; httpx alone would wait for five seconds, and a drop at a time for ever."""
SESSION = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")

Call = Callable[[Clients], Awaitable[object]]
CALLS: dict[str, Call] = {
    "the cart's summary": lambda ask: ask.cart.cart_summary(CartOwner.of_user(1)),
    "the cart's lines": lambda ask: ask.cart.cart_lines(CartOwner.of_user(1)),
    "what is next": lambda ask: ask.events.upcoming(),
    "calendars": lambda ask: ask.events.calendars_of_page(1),
    "products": lambda ask: ask.market.products_of_page(1),
    "a page": lambda ask: ask.blog.page("barn"),
    "all pages": lambda ask: ask.blog.pages(),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@dataclass(frozen=True, slots=True)
class Barn:
    """A page with a calendar and a shop, and somebody with an hour, jam and tickets of it in the cart."""

    page_post_id: int
    user_id: int
    jam: int


async def make_barn(session: AsyncSession, settings: Settings) -> Barn:
    """Make the barn, and commit."""
    services = sql_services(settings, utc_now)
    page_post_id = await make_page(session, slug="barn", body="A *barn*.", has_calendar=True, has_market=True)
    calendar = await make_calendar(session, name="The barn", container_id=page_post_id)
    await make_rule(session, calendar, "An hour", price="8.00")
    entry = await make_entry(session, calendar, name="Dance", start_at=days_from_now(3), price="5.00", capacity=1)
    jam = await make_variant(
        session, await make_product(session, page_post_id, title="Jam"), size="large", price="6.50"
    )
    user = await make_user(session)
    who = CartOwner.of_user(user.id)
    await services.cart.change_item(session, who, variant_id=jam, quantity=2, more=True)
    start = days_from_now(2, hour=10, minute=0)
    await services.calendar.add_pending_bookings(
        session, who, calendar_id=calendar.id, wish={(start, start + timedelta(hours=1)): 1}
    )
    await services.calendar.add_pending_tickets(
        session, user_id=user.id, entry_id=entry.id, choice={None: 2}, now=utc_now()
    )
    await session.commit()
    return Barn(page_post_id, user.id, jam)


@pytest.fixture
async def barn(session: AsyncSession, settings: Settings) -> Barn:
    return await make_barn(session, settings)


@pytest.fixture
async def four(settings: Settings, barn: Barn) -> AsyncIterator[FourApps]:
    async with running_apps(settings) as apps:
        yield apps


@pytest.fixture
async def ask(four: FourApps) -> AsyncIterator[Clients]:
    async with clients_for(four.settings) as clients:
        yield clients


def leading_to(origin: str, *, timeout_ms: int = PATIENT_MS) -> Settings:
    """Return settings by which all four apps are at one place."""
    places = {f"internal_{app}_url": origin for app in APPS}
    return Settings.model_validate(
        {"environment": "test", "internal_timeout_ms": timeout_ms, "internal_page_timeout_ms": timeout_ms, **places}
    )


async def outcome(call: Call, ask: Clients) -> object:
    """Return what a call gives: the failure where it fails, and None where that is what a badge wants to hear."""
    try:
        return await call(ask)
    except CallFailed as failure:
        return failure


def is_failure(found: object, call: Call, *, answered: int | None = None) -> bool:
    """Tell whether a call failed as it promises: for the badge no number, for anybody else an error."""
    if call is CALLS["the cart's summary"]:
        return found is None
    return isinstance(found, CallFailed) and found.answered == answered


# --- What is asked for is what comes ---


async def test_the_summary_of_a_cart(ask: Clients, barn: Barn) -> None:
    assert await ask.cart.cart_summary(CartOwner.of_user(barn.user_id)) == CartSummaryDTO(
        count=2,
        total=Decimal("13.00"),
        calendar_count=1,
        calendar_total=Decimal("8.00"),
        ticket_count=2,
        ticket_total=Decimal("10.00"),
    )
    assert await ask.cart.cart_summary(CartOwner.of_session(SESSION)) == CartSummaryDTO()
    assert await ask.cart.cart_summary(NOBODY) == CartSummaryDTO()


async def test_the_lines_of_a_cart(ask: Clients, barn: Barn) -> None:
    jam, hour, dance = await ask.cart.cart_lines(CartOwner.of_user(barn.user_id))
    assert (jam.kind, jam.title, jam.detail, jam.quantity, jam.total) == (
        LineKind.PRODUCT,
        "Jam",
        "large",
        2,
        Decimal("13.00"),
    )
    assert (hour.kind, hour.start_at, hour.problem) == (LineKind.BOOKING, days_from_now(2, hour=10, minute=0), None)
    assert (dance.kind, dance.quantity, dance.problem) == (LineKind.TICKET, 2, "Only 1 left.")
    assert await ask.cart.cart_lines(CartOwner.of_session(SESSION)) == ()


async def test_the_calendars_of_a_page(ask: Clients, barn: Barn) -> None:
    (calendar,) = await ask.events.calendars_of_page(barn.page_post_id) or ()
    assert (calendar.name, calendar.bookable, calendar.time_zone) == ("The barn", True, "Europe/London")
    (dance,) = calendar.upcoming
    assert (dance.name, dance.start_at, dance.price, dance.on_sale) == (
        "Dance",
        days_from_now(3),
        Decimal("5.00"),
        True,
    )
    (calendar,) = await ask.events.calendars_of_page(barn.page_post_id, upcoming=0) or ()
    assert calendar.upcoming == ()


async def test_what_is_next_everywhere(ask: Clients, barn: Barn) -> None:
    (dance,) = await ask.events.upcoming()
    assert (dance.name, dance.place, dance.time_zone, dance.price, dance.note) == (
        "Dance",
        "Lantern Lane 4",
        "Europe/London",
        Decimal("5.00"),
        "1 left",
    )
    assert await ask.events.upcoming(limit=0) == ()


async def test_the_products_of_a_page(ask: Clients, barn: Barn) -> None:
    (jam,) = await ask.market.products_of_page(barn.page_post_id) or ()
    assert (jam.title, jam.vat_rate, jam.price, jam.has_dearer) == ("Jam", Decimal("0.00"), Decimal("4.50"), True)
    assert await ask.market.products_of_page(barn.page_post_id, limit=0) == ()
    assert [(each.label, each.price, each.available) for each in jam.variants] == [
        ("", Decimal("4.50"), None),
        ("large", Decimal("6.50"), None),
    ]


async def test_the_pages_of_the_site(ask: Clients, barn: Barn) -> None:
    (page,) = await ask.blog.pages()
    assert (page.id, page.slug, page.has_calendar, page.has_market) == (barn.page_post_id, "barn", True, True)
    assert page.seller.name == "The Barn Trust"
    assert page == await ask.blog.page("barn")
    told = await ask.blog.page("barn", body=True)
    assert told is not None
    assert told.body == "<p>A <em>barn</em>.</p>\n"


async def test_what_there_is_not_is_none(ask: Clients) -> None:
    assert await ask.events.calendars_of_page(999) is None
    assert await ask.market.products_of_page(999) is None
    for slug in ("nobody", ".", "..", "../pages", "a/b", "?body=1", "#", "%00", "\0", ""):
        assert await ask.blog.page(slug) is None


# --- What goes wrong ---


@every_call
async def test_an_app_that_says_nothing_is_not_waited_for(call: Call) -> None:
    async with answering(b"", then_wait=True) as origin, clients_for(leading_to(origin, timeout_ms=TIMEOUT_MS)) as ask:
        began = time.monotonic()
        found = await outcome(call, ask)
        waited_ms = (time.monotonic() - began) * 1000
    assert is_failure(found, call)
    assert TIMEOUT_MS * 0.9 < waited_ms < TIMEOUT_MS + SLACK_MS


async def test_what_a_page_is_there_to_show_is_waited_for_longer_than_the_badge() -> None:
    async with answering(b"", then_wait=True) as origin:
        limits = {"internal_timeout_ms": 1, "internal_page_timeout_ms": TIMEOUT_MS}
        settings = leading_to(origin).model_copy(update=limits)
        for call in CALLS.values():
            async with clients_for(settings) as ask:
                began = time.monotonic()
                assert is_failure(await outcome(call, ask), call)
                waited_ms = (time.monotonic() - began) * 1000
            assert (waited_ms < TIMEOUT_MS * 0.9) == (call is CALLS["the cart's summary"])


@every_call
async def test_an_app_that_speaks_in_drops_is_not_waited_for(call: Call) -> None:
    drops = http_answer(b" " * 10_000)
    async with answering(drops, in_drops=True) as origin, clients_for(leading_to(origin, timeout_ms=TIMEOUT_MS)) as ask:
        began = time.monotonic()
        found = await outcome(call, ask)
        waited_ms = (time.monotonic() - began) * 1000
    assert is_failure(found, call)
    assert waited_ms < TIMEOUT_MS + SLACK_MS


@every_call
async def test_an_app_that_is_down_is_a_failure(call: Call, free_port: int) -> None:
    async with clients_for(leading_to(f"http://127.0.0.1:{free_port}")) as ask:
        assert is_failure(await outcome(call, ask), call)


@pytest.mark.parametrize(
    "raw",
    [
        http_answer(b'{"count": 1, "pag', length=1000),
        http_answer(b'{"count": 1, "pag'),
        http_answer(b"{}"),
        http_answer(b"[]"),
        http_answer(b"<!doctype html>"),
        http_answer(b"\xff\xfe"),
        http_answer(b"[" * 100_000),
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=[
        "cut body",
        "cut JSON",
        "no member",
        "no object",
        "HTML",
        "no text",
        "nested",
        "no body",
        "no HTTP",
        "nothing",
    ],
)
@every_call
async def test_an_answer_that_cannot_be_used_is_a_failure(call: Call, raw: bytes) -> None:
    async with answering(raw) as origin, clients_for(leading_to(origin)) as ask:
        assert is_failure(await outcome(call, ask), call)


@pytest.mark.parametrize("status", ["302 Found", "401 Unauthorized", "500 Internal Server Error"])
@every_call
async def test_a_status_that_is_no_success_is_a_failure(call: Call, status: str) -> None:
    raw = http_answer(b"{}", status=status, more="Location: http://127.0.0.1:9/\r\n")
    async with answering(raw) as origin, clients_for(leading_to(origin)) as ask:
        assert is_failure(await outcome(call, ask), call, answered=int(status[:3]))


async def test_a_wrong_secret_is_a_failure_of_every_call(four: FourApps) -> None:
    wrong = four.settings.model_copy(update={"internal_secrets": (SecretStr("w" * 32),)})
    for call in CALLS.values():
        async with clients_for(wrong) as ask:
            assert is_failure(await outcome(call, ask), call, answered=401)


async def test_while_secrets_are_changed_both_are_good(settings: Settings, barn: Barn) -> None:
    new, old = SecretStr("n" * 32), SecretStr("o" * 32)
    async with running_apps(settings.model_copy(update={"internal_secrets": (new, old)})) as four:
        for secrets in ((old,), (new, old), (new,)):
            async with clients_for(four.settings.model_copy(update={"internal_secrets": secrets})) as ask:
                for call in CALLS.values():
                    assert await call(ask)


@every_call
async def test_what_a_newer_app_says_in_addition_is_ignored(call: Call, four: FourApps, ask: Clients) -> None:
    known = await call(ask)
    name, path = four.asked[-1]
    lines = "?lines=1&user_id=1" if path.endswith("summary") else ""
    async with httpx.AsyncClient(verify=tls_context(trust_env=False), trust_env=False) as http:
        answer = (await http.get(four.origin_of(name) + path + lines, headers=BEARER)).json()
    raw = http_answer(json.dumps(_with_more(answer)).encode())
    async with answering(raw) as origin, clients_for(leading_to(origin)) as other:
        assert await call(other) == known


def _with_more(value: Any) -> Any:
    """Add a member to every object of an answer."""
    if isinstance(value, list):
        return [_with_more(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {"new": {"of": "its time"}} | {name: _with_more(each) for name, each in value.items()}


@every_call
async def test_no_call_is_made_inside_a_transaction(
    call: Call, four: FourApps, ask: Clients, database: Database
) -> None:
    async with unit_of_work(database) as uow:
        await uow.session.execute(text("SELECT 1"))
        with pytest.raises(RuntimeError, match="inside a database transaction"):
            await call(ask)
    assert four.asked == []
