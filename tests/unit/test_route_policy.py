"""The URL map of all four apps against the house's rules: who may come in, from where, and with which headers.

No database is there: what is refused is refused before anybody asks one, and even an error page has its headers.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from quart import Quart
from quart.wrappers import Response
from werkzeug.routing import Rule

from shared.contracts.states import Role
from shared.settings import APPS, Settings
from shared.web.csrf import SAFE_METHODS, is_csrf_exempt
from shared.web.headers import security_headers
from shared.web.identity import asks_for_recent_sign_in, role_of

NOWHERE = SecretStr("postgresql://nobody:nothing@127.0.0.1:9/none")
EXEMPT = {
    ("cart", "payments.webhook"): "the provider's server sends it; it is only a hint to ask the provider",
}
"""State-changing routes without the cross-site check that are not internal, and why."""
LIMITED = {
    ("blog", "auth.send_link"),
    ("blog", "auth.spend_link"),
    ("events", "tickets.buy_tickets"),
    ("market", "products.add_to_cart"),
    ("events", "bookings.book"),
    ("cart", "cart.checkout"),
    ("cart", "page_cart.page_checkout"),
    ("cart", "accounts.save"),
}
"""Routes that nobody may call as often as they like."""
BOUNDED: dict[str, Role] = {
    "admin_orders": Role.ORDERS,
    "admin_order": Role.ORDERS,
    "admin_order.ask_to_cancel": Role.REFUNDS,
    "admin_order.cancel": Role.REFUNDS,
    "admin_order.ask_to_give_up": Role.REFUNDS,
    "admin_order.give_up": Role.REFUNDS,
    "refunds": Role.REFUNDS,
    "order_refunds": Role.REFUNDS,
    "reviews": Role.REFUNDS,
}
"""Blueprints and views under /admin that more than admins enter: what they show is bounded by that role's pages."""
MOVES_MONEY = ("accounts", "refunds", "order_refunds", "reviews")
"""Blueprints whose every form refunds money, or says whom the next one pays."""
ARGUMENTS = {"int": 1, "uuid": "00000000-0000-4000-8000-000000000000"}


@dataclass(frozen=True)
class Route:
    """One rule of one app, with an address that fits it."""

    app: str
    rule: Rule
    methods: frozenset[str]
    url: str

    def __str__(self) -> str:
        return f"{self.app} {'/'.join(sorted(self.methods))} {self.rule.rule}"


def _create(app: str) -> Quart:
    made: Quart = importlib.import_module(f"{app}.app").create_app(Settings(environment="test", database_url=NOWHERE))
    return made


def _url(app: Quart, rule: Rule) -> str:
    converters = rule._converters
    values = {
        name: ARGUMENTS["int"]
        if "Id" in type(converter).__name__ or "Integer" in type(converter).__name__
        else ARGUMENTS["uuid"]
        if "UUID" in type(converter).__name__
        else "some-thing"
        for name, converter in converters.items()
    }
    return app.url_map.bind("localhost").build(rule.endpoint, values, method=min(rule.methods or {"GET"}))


def _routes() -> Iterator[Route]:
    for name in APPS:
        app = _create(name)
        for rule in app.url_map.iter_rules():
            methods = frozenset(rule.methods or ()) - {"HEAD", "OPTIONS"}
            yield Route(name, rule, methods, _url(app, rule))


ROUTES = list(_routes())
CHANGING = [route for route in ROUTES if route.methods - SAFE_METHODS]


@pytest.fixture(scope="module")
async def apps() -> AsyncIterator[dict[str, Quart]]:
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        made = {name: _create(name) for name in APPS}
        for app in made.values():
            await stack.enter_async_context(app.test_app())
        yield made


async def _open(apps: dict[str, Quart], route: Route, method: str, **headers: str) -> Response:
    return await apps[route.app].test_client().open(route.url, method=method, headers=headers)


def _view(apps: dict[str, Quart], route: Route) -> object:
    return apps[route.app].view_functions[route.rule.endpoint]


def test_all_four_apps_have_routes() -> None:
    assert {route.app for route in ROUTES} == set(APPS)


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_every_answer_has_the_security_headers(apps: dict[str, Quart], route: Route) -> None:
    settings: Settings = apps[route.app].extensions["maypole"].settings
    for method in sorted(route.methods):
        response = await _open(apps, route, method, Origin="http://localhost")
        for name, value in security_headers(settings).items():
            relaxed = route.rule.endpoint == "outbox.html" and response.status_code == 200
            assert relaxed or response.headers.get(name) == value or name == "Referrer-Policy"
        assert response.headers.get("Referrer-Policy") in {"strict-origin-when-cross-origin", "strict-origin"}
        assert response.headers.get("Cache-Control")
        assert response.headers.get("X-Request-ID")


@pytest.mark.parametrize("route", CHANGING, ids=str)
async def test_every_change_is_refused_to_other_sites_or_is_explained(apps: dict[str, Quart], route: Route) -> None:
    key = (route.app, route.rule.endpoint)
    if route.url.startswith("/internal/") or key in EXEMPT:
        assert is_csrf_exempt(_view(apps, route))  # type: ignore[arg-type]
        return
    for method in sorted(route.methods - SAFE_METHODS):
        response = await _open(apps, route, method, Origin="https://evil.example")
        assert response.status_code == 403, route


def test_every_explanation_is_still_needed(apps: dict[str, Quart]) -> None:
    exempt = {
        (route.app, route.rule.endpoint)
        for route in ROUTES
        if is_csrf_exempt(_view(apps, route)) and not route.url.startswith("/internal/")  # type: ignore[arg-type]
    }
    assert exempt == set(EXEMPT)


@pytest.mark.parametrize("route", [r for r in ROUTES if "/admin" in r.rule.rule], ids=str)
async def test_every_admin_route_asks_for_a_role(apps: dict[str, Quart], route: Route) -> None:
    endpoint = route.rule.endpoint
    wanted = BOUNDED.get(endpoint, BOUNDED.get(endpoint.partition(".")[0], Role.ADMIN))
    assert role_of(_view(apps, route)) is wanted  # type: ignore[arg-type]
    for method in sorted(route.methods):
        response = await _open(apps, route, method, Origin="http://localhost")
        assert response.status_code == (303 if method in SAFE_METHODS else 401)


@pytest.mark.parametrize("route", [r for r in CHANGING if r.rule.endpoint.partition(".")[0] in MOVES_MONEY], ids=str)
def test_whatever_moves_money_asks_for_a_recent_sign_in(apps: dict[str, Quart], route: Route) -> None:
    assert asks_for_recent_sign_in(_view(apps, route))  # type: ignore[arg-type]


def test_every_route_for_admins_says_so_in_its_address(apps: dict[str, Quart]) -> None:
    guarded = [route for route in ROUTES if role_of(_view(apps, route)) is not None]  # type: ignore[arg-type]
    assert guarded
    assert all("/admin" in route.rule.rule for route in guarded)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.url.startswith("/internal/")], ids=str)
async def test_every_internal_route_asks_for_its_secret(apps: dict[str, Quart], route: Route) -> None:
    for method in sorted(route.methods):
        for authorization in ("", "Bearer wrong"):
            response = await _open(apps, route, method, Authorization=authorization, Origin="http://localhost")
            assert response.status_code == 401
            assert (await response.get_json())["error"]["code"] == "unauthorized"


def test_what_can_be_abused_by_repetition_is_limited(apps: dict[str, Quart]) -> None:
    limited = {
        (route.app, route.rule.endpoint)
        for route in ROUTES
        if getattr(_view(apps, route), "_quart_rate_limiter_limits", None)
    }
    assert limited >= LIMITED


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_limited_route_is_the_form_alone(apps: dict[str, Quart], route: Route) -> None:
    """A limit counts for an endpoint: one that also shows the form would lock people out of looking at it."""
    if getattr(_view(apps, route), "_quart_rate_limiter_limits", None):
        assert not route.methods & SAFE_METHODS
