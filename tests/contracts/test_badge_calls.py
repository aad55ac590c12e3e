"""What a page view costs the cart app, over the four real apps: one call at most, none for a shopper without a cart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clients.cart import SUMMARY_PATH
from shared.clients.tls import tls_context
from shared.contracts.owner import CartOwner
from shared.services.identity import start_session
from shared.services.wiring import sql_services
from shared.settings import APPS, Settings
from shared.web.badge import BADGE_PATH
from shared.web.state import EXTENSION, AppState, utc_now
from tests.factories.blog import make_page
from tests.factories.calendar import make_calendar, make_entry
from tests.factories.market import make_product, variant_of
from tests.factories.users import make_user
from tests.support.internal_api import FourApps, running_apps
from tests.support.raw_server import answering

PAGES = {
    "blog": ("/", "/posts/", "/barn/", "/no/such/page"),
    "market": ("/", "/barn/", "/barn/jam/", "/nobody/"),
    "events": ("/", "/calendars/barn/", "/entries/1/", "/entries/999/"),
    "cart": ("/", "/barn/", "/nobody/"),
}
"""Pages that everybody may look at, of each app, and some that are not there."""
NO_PAGES = ("/health", "/health/ready", "/static/maypole.css", "/internal/v1/openapi.json")


class Shopper:
    """A browser with a session, signed in or not, and what its views cost."""

    def __init__(self, four: FourApps, cookie: str) -> None:
        self._four = four
        self._cookie = cookie

    def at(self, four: FourApps) -> Shopper:
        """Return the same browser, led to other apps over the same database."""
        return Shopper(four, self._cookie)

    async def view(self, app: str, path: str, **headers: str) -> tuple[int, LexborHTMLParser]:
        """Look at a page; return how many calls the cart app got for it, and the page."""
        self._four.asked.clear()
        headers["Cookie"] = f"maypole_session={self._cookie}"
        async with httpx.AsyncClient(verify=tls_context(trust_env=False), trust_env=False) as http:
            response = await http.get(self._four.origin_of(app) + path, headers=headers)
        return self._four.asked.count(("cart", SUMMARY_PATH)), LexborHTMLParser(response.content)


@pytest.fixture
async def jam(session: AsyncSession) -> int:
    """Jam, at a page that has everything."""
    page_post_id = await make_page(session, slug="barn", has_calendar=True, has_market=True)
    await make_entry(session, await make_calendar(session, slug="barn", container_id=page_post_id), price="5.00")
    variant_id = await variant_of(session, await make_product(session, page_post_id, slug="jam"))
    await session.commit()
    return variant_id


@pytest.fixture
async def four(settings: Settings, jam: int) -> AsyncIterator[FourApps]:
    async with running_apps(settings) as apps:
        yield apps


async def shopper(
    four: FourApps, session: AsyncSession, *, signed_in: bool, variant_id: int | None = None, quantity: int = 1
) -> Shopper:
    """Open a browser that has a session, and put something into its cart, if that is named."""
    user_id = (await make_user(session)).id if signed_in else None
    made = await start_session(session, user_id=user_id, now=datetime.now(UTC), days=1)
    if variant_id is not None:
        await sql_services(four.settings, utc_now).cart.change_item(
            session,
            CartOwner.first_of(user_id, made.id),
            variant_id=variant_id,
            quantity=quantity,
            more=False,
        )
    await session.commit()
    state: AppState = four.apps["blog"].extensions[EXTENSION]
    return Shopper(four, state.auth.dump_token(made.token, app=four.apps["blog"]))


@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_page_asks_the_cart_app_once_for_a_shopper_with_a_cart_and_the_cart_app_never(
    four: FourApps, session: AsyncSession, jam: int, signed_in: bool
) -> None:
    ada = await shopper(four, session, signed_in=signed_in, variant_id=jam, quantity=3)
    for app, paths in PAGES.items():
        for path in paths:
            calls, page = await ada.view(app, path)
            assert calls == (0 if app == "cart" else 1), (app, path)
            assert page.css_first(".cart-badge__count").text() == "3", (app, path)


@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_shopper_without_a_cart_costs_no_call(four: FourApps, session: AsyncSession, signed_in: bool) -> None:
    bob = await shopper(four, session, signed_in=signed_in)
    for visitor in (bob, Shopper(four, "")):
        for app, paths in PAGES.items():
            for path in paths:
                calls, page = await visitor.view(app, path)
                assert calls == 0, (app, path)
                assert page.css_first(".cart-badge") is not None, (app, path)


async def test_what_is_no_page_costs_no_call_and_a_part_of_one_only_where_it_is_the_badge(
    four: FourApps, session: AsyncSession, jam: int
) -> None:
    ada = await shopper(four, session, signed_in=True, variant_id=jam)
    for app in set(APPS) - {"cart"}:
        for path in NO_PAGES:
            calls, _ = await ada.view(app, path)
            assert calls == 0, (app, path)
        calls, _ = await ada.view(app, PAGES[app][0], **{"HX-Request": "true"})
        assert calls == 0, app
        calls, badge = await ada.view(app, BADGE_PATH, **{"HX-Request": "true"})
        assert (calls, badge.css_first(".cart-badge__count").text()) == (1, "1"), app


@pytest.mark.parametrize("app", sorted(set(APPS) - {"cart"}))
async def test_a_cart_app_that_gives_no_answer_in_time_costs_only_the_number(
    four: FourApps, session: AsyncSession, jam: int, settings: Settings, app: str
) -> None:
    ada = await shopper(four, session, signed_in=True, variant_id=jam)
    async with answering(b"", then_wait=True) as silent, AsyncExitStack() as stack:
        impatient = FourApps(settings.model_copy(update={"internal_cart_url": silent}))
        await impatient.serve(app, stack)
        _, page = await ada.at(impatient).view(app, "/barn/" if app != "events" else "/calendars/barn/")
    assert page.css_first("h1") is not None
    assert page.css_first(".cart-badge") is not None
    assert page.css_first(".cart-badge__count") is None
