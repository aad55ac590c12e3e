"""The apps call each other for real: no internal route without a caller in the house, no method of a client without one.

A visitor looks at pages of the four apps, which run on sockets, and what goes between the apps is written down.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

import httpx
from quart import Quart
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clients.blog import BlogClient
from shared.clients.cart import CartClient
from shared.clients.events import EventsClient
from shared.clients.market import MarketClient
from shared.clients.tls import tls_context
from shared.contracts.owner import CartOwner
from shared.services.identity import start_session
from shared.services.wiring import sql_services
from shared.settings import Settings
from shared.web.internal import PREFIX
from shared.web.openapi import DOCUMENT_PATH
from shared.web.state import EXTENSION, AppState, utc_now
from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_entry
from tests.factories.market import make_product, variant_of
from tests.factories.users import make_user
from tests.support.internal_api import FourApps, running_apps

CLIENTS = (BlogClient, CartClient, EventsClient, MarketClient)
WALK = (
    ("blog", "/"),
    ("blog", "/barn/"),
    ("blog", "/account"),
    ("market", "/barn/jam/"),
    ("events", "/entries/1/"),
)
"""Pages that between them need everything that the apps tell each other."""
FOR_PEOPLE = {DOCUMENT_PATH}
"""What no page needs: the document is for whoever writes a sister app, and for the tests that hold the apps to it."""

Method = Callable[..., Awaitable[object]]


async def make_barn(session: AsyncSession, settings: Settings) -> str:
    """Make a page that sells everything, and somebody signed in with jam in the cart; return their session's token."""
    page_post_id = await make_page(session, slug="barn", has_calendar=True, has_market=True)
    calendar = await make_calendar(session, container_id=page_post_id)
    await make_entry(session, calendar, start_at=days_from_now(3), price="5.00")
    jam = await variant_of(session, await make_product(session, page_post_id, slug="jam"))
    user = await make_user(session)
    made = await start_session(session, user_id=user.id, now=utc_now(), days=1)
    cart = sql_services(settings, utc_now).cart
    await cart.change_item(session, CartOwner.of_user(user.id), variant_id=jam, quantity=1, more=True)
    await session.commit()
    return made.token


async def walk(four: FourApps, token: str) -> None:
    """Look at the pages, signed in."""
    state: AppState = four.apps["blog"].extensions[EXTENSION]
    cookie = f"maypole_session={state.auth.dump_token(token, app=four.apps['blog'])}"
    async with httpx.AsyncClient(verify=tls_context(trust_env=False), trust_env=False, timeout=60) as visitor:
        for app, path in WALK:
            response = await visitor.get(four.origin_of(app) + path, headers={"Cookie": cookie})
            assert response.status_code == 200, (app, path)


def internal_routes(apps: dict[str, Quart]) -> set[tuple[str, str]]:
    """Return the apps and rules of all internal routes that answer other apps."""
    rules = {(name, rule.rule) for name, app in apps.items() for rule in app.url_map.iter_rules()}
    return {(name, rule) for name, rule in rules if rule.startswith(PREFIX) and rule not in FOR_PEOPLE}


def rule_of(app: Quart, path: str) -> str:
    """Return the rule that a path was answered by."""
    rule, _ = app.url_map.bind("localhost").match(path, return_rule=True)
    return rule.rule


def methods_of(client: type) -> dict[str, Method]:
    """Return what can be asked by a client."""
    methods = inspect.getmembers(client, inspect.iscoroutinefunction)
    return {name: method for name, method in methods if not name.startswith("_")}


@contextmanager
def noted_calls() -> Iterator[set[str]]:
    """Write down which methods of the clients are called while the block runs."""
    called: set[str] = set()
    with ExitStack() as stack:
        for client in CLIENTS:
            for name, method in methods_of(client).items():
                noting = _noting(method, f"{client.__name__}.{name}", called)
                stack.enter_context(patch.object(client, name, noting))
        yield called


def _noting(method: Method, name: str, called: set[str]) -> Method:
    """Return a method that writes its name down, and does what it always did."""

    @wraps(method)
    async def noting(*args: Any, **kwargs: Any) -> object:
        called.add(name)
        return await method(*args, **kwargs)

    return noting


async def test_every_internal_route_and_every_method_of_a_client_has_a_caller_in_the_house(
    session: AsyncSession, settings: Settings
) -> None:
    token = await make_barn(session, settings)
    with noted_calls() as called:
        async with running_apps(settings) as four:
            await walk(four, token)
    asked = {(name, rule_of(four.apps[name], path)) for name, path in four.asked if path.startswith(PREFIX)}
    assert internal_routes(four.apps) - asked == set(), "routes without a caller"
    methods = {f"{client.__name__}.{name}" for client in CLIENTS for name in methods_of(client)}
    assert methods - called == set(), "methods of clients without a caller"
    assert len(methods) == len({"pages", "page", "summary", "lines", "upcoming", "calendars", "products"})
