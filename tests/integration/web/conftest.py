"""A small app on the real factory, with one route for each thing that the factory promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

import pytest
from quart import Quart, abort, g, render_template_string, request
from sqlalchemy import text

from shared.contracts.dtos import CartSummaryDTO, UserDTO
from shared.contracts.errors import BadInput, SoldOut
from shared.contracts.owner import CartOwner
from shared.contracts.protocols import BlogService, CalendarService, CartService, MarketService
from shared.contracts.states import Role
from shared.services.identity import ensure_user
from shared.services.registry import Services, services
from shared.settings import Settings
from shared.web import identity
from shared.web.csrf import csrf_exempt
from shared.web.factory import make_app
from shared.web.internal import internal_only
from shared.web.state import request_session


class CountingCart:
    """A cart service that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[CartOwner] = []

    async def cart_summary(self, _session: object, owner: CartOwner) -> CartSummaryDTO:
        self.asked.append(owner)
        return CartSummaryDTO(ticket_count=3)

    async def count_attention(self, _session: object, _scope: object) -> int:
        """Find nothing that waits for a person."""
        return 0

    async def join_cart(self, _session: object, *, session_id: UUID, user_id: int) -> None:
        """Take an anonymous cart over: there is nothing in it here."""


@pytest.fixture
def cart_service() -> CountingCart:
    return CountingCart()


@pytest.fixture
def fake_services(cart_service: CountingCart) -> Services:
    return Services(
        calendar=cast("CalendarService", object()),
        market=cast("MarketService", object()),
        blog=cast("BlogService", object()),
        cart=cast("CartService", cart_service),
    )


async def _insert_user(email: str) -> None:
    await g.s.execute(text("INSERT INTO users (email) VALUES (:email)"), {"email": email})


def add_probe_routes(app: Quart) -> None:
    """Add the routes."""
    _add_database_routes(app)
    _add_identity_routes(app)
    _add_machine_routes(app)


def _add_database_routes(app: Quart) -> None:
    @app.get("/page")
    async def page() -> str:
        return await render_template_string("{{ badge.badge_count if badge else 'none' }}")

    @app.post("/write/<int:status>")
    async def write(status: int) -> tuple[str, int]:
        await _insert_user("written@maypole.example")
        return "written", status

    @app.post("/write-and-crash")
    async def write_and_crash() -> str:
        await _insert_user("written@maypole.example")
        raise RuntimeError("the secret text of a crash")

    @app.post("/write-twice")
    async def write_twice() -> str:
        await g.s.execute(text("CREATE TEMPORARY TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"))
        await g.s.execute(text("INSERT INTO t VALUES (1), (1)"))
        await _insert_user("written@maypole.example")
        return "refused only at commit"

    @app.get("/sold-out")
    async def sold_out() -> str:
        raise SoldOut

    @app.route("/nul", methods=["GET", "POST"])
    async def nul() -> str:
        await g.s.execute(text("SELECT 1 FROM users WHERE email = :value"), {"value": "a\0b"})
        return "unreachable"

    @app.get("/timeout")
    async def timeout() -> str:
        await g.s.execute(text("SET LOCAL statement_timeout = 5"))
        await g.s.execute(text("SELECT pg_sleep(5)"))
        return "unreachable"

    @app.get("/services")
    async def which_services() -> str:
        return str((await services.cart.cart_summary(g.s, CartOwner.of_user(1))).ticket_count)


def _add_identity_routes(app: Quart) -> None:
    @app.get("/whoami")
    async def whoami() -> dict[str, object]:
        user = identity.current_user()
        return {**identity.current_cart_identity(), "email": user.email if user else None}

    @app.post("/sign-in/<email>")
    async def sign_in(email: str) -> str:
        user: UserDTO = await ensure_user(request_session(), email)
        await identity.sign_in(user)
        return "in"

    @app.post("/sign-out")
    async def sign_out() -> str:
        await identity.sign_out(everywhere="everywhere" in request.args)
        return "out"

    @app.post("/anonymous/<int:status>")
    async def anonymous(status: int) -> tuple[str, int]:
        return await identity.ensure_session_id(), status

    @app.route("/members", methods=["GET", "POST"])
    @identity.sign_in_required
    async def members() -> str:
        return "members"

    @app.get("/admins")
    @identity.role_required(Role.ADMIN)
    async def admins() -> str:
        return "admins"

    @app.route("/money", methods=["GET", "POST"])
    @identity.sign_in_required
    @identity.recent_sign_in_required
    async def money() -> str:
        return "money"

    @app.get("/page-orders")
    @identity.role_required(Role.ORDERS)
    async def page_orders() -> dict[str, object]:
        scope = identity.current_scope(Role.ORDERS)
        return {"everywhere": scope.everywhere, "page_ids": sorted(scope.page_ids)}


def _add_machine_routes(app: Quart) -> None:
    @app.post("/hook")
    @csrf_exempt
    async def hook() -> dict[str, object]:
        return dict(identity.current_cart_identity())

    @app.post("/internal/v1/thing")
    @internal_only
    async def thing() -> dict[str, bool]:
        return {"done": True}

    @app.get("/internal/v1/broken")
    @internal_only
    async def broken() -> str:
        raise SoldOut

    @app.get("/internal/v1/malformed")
    @internal_only
    async def malformed() -> str:
        abort(400)

    @app.get("/internal/v1/crash")
    @internal_only
    async def crash() -> str:
        raise RuntimeError("the secret text of a crash")

    @app.get("/internal/v1/refused")
    @internal_only
    async def refused() -> str:
        raise BadInput

    app.add_url_rule("/internal/v1/timeout", "internal_timeout", internal_only(app.view_functions["timeout"]))

    @app.post("/echo")
    async def echo() -> str:
        return str(len((await request.form).get("text", "")))


@pytest.fixture
async def app(settings: Settings, database_url: str, fake_services: Services) -> AsyncIterator[Quart]:
    """Serve the probe app, as if it were the cart app (so that its badge needs no other process)."""
    made = make_app("cart", settings, fake_services, template_folder="templates")
    add_probe_routes(made)
    async with made.test_app():
        yield made
