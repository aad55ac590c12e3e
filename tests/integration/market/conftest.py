"""The market app on a clean database, a shop with products, and people who use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import pytest
from quart import Quart
from quart.typing import TestClientProtocol as Client
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from market.app import create_app
from shared.models import CartItem, LoginSession, ProductVariant
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState
from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant, variant_of
from tests.factories.users import sign_in_client
from tests.support.internal_api import PATIENT_MS
from tests.support.neighbours import real_apps
from tests.support.visitor import Visitor

SignIn = Callable[[str], Awaitable[Visitor]]


@pytest.fixture
async def app(settings: Settings, database_url: str) -> AsyncIterator[Quart]:
    """Serve the market app beside a blog that it asks. There is no cart app: pages have a badge without a number."""
    made = create_app(settings.model_copy(update={"internal_timeout_ms": PATIENT_MS}))
    async with real_apps(settings, "blog") as http, made.test_app():
        state: AppState = made.extensions[EXTENSION]
        state.http = http
        yield made


@pytest.fixture
def client(app: Quart) -> Client:
    """Give a test client."""
    return app.test_client()


@pytest.fixture
def visitor(client: Client) -> Visitor:
    """A browser that nobody is signed in with."""
    return Visitor(client)


@pytest.fixture
def sign_in(app: Quart) -> SignIn:
    """Give a browser that a person is signed in with."""

    async def sign_in(email: str) -> Visitor:
        client = app.test_client()
        return Visitor(client, await sign_in_client(client, email=email))

    return sign_in


@pytest.fixture
async def ada(sign_in: SignIn) -> Visitor:
    """Ada's browser, signed in."""
    return await sign_in("ada@maypole.example")


@pytest.fixture
async def bob(sign_in: SignIn) -> Visitor:
    """Somebody else's browser, signed in."""
    return await sign_in("bob@maypole.example")


@dataclass(frozen=True, slots=True)
class Goods:
    """A page's shop: jam of one kind and no limit, and a smock of four kinds, as ids of variants."""

    page_post_id: int
    jam: int
    small: int
    medium: int
    """The last two."""
    large: int
    """Sold out."""
    hidden: int

    @property
    def jam_form(self) -> dict[str, str]:
        """What the form on the jam's page sends as it stands."""
        return {"variant_id": str(self.jam), "quantity": "1"}


JAM, SMOCK = "/barn/jam/", "/barn/smock/"


@pytest.fixture
async def goods(session: AsyncSession) -> Goods:
    """Open the barn's shop."""
    page_post_id = await make_page(session, slug="barn", title="The Barn", has_market=True)
    jam = await make_product(session, page_post_id, slug="jam", title="Plum jam", price="4.50")
    smock = await make_product(session, page_post_id, slug="smock", title="Smock", unit="each", price=None)
    made = Goods(
        page_post_id=page_post_id,
        jam=await variant_of(session, jam),
        small=await make_variant(session, smock, price="38.00", size="Small", colour="green", position=1),
        medium=await make_variant(session, smock, price="38.00", size="Medium", colour="green", stock=2, position=2),
        large=await make_variant(session, smock, price="42.00", size="Large", colour="grey", stock=0, position=3),
        hidden=await make_variant(session, smock, price="1.00", size="Secret", position=4, published=False),
    )
    await session.commit()
    return made


async def set_stock(session: AsyncSession, variant_id: int, stock: int | None) -> None:
    """Let so many of a variant be left, whatever the page says that somebody looks at."""
    await session.execute(update(ProductVariant).where(ProductVariant.id == variant_id).values(stock=stock))
    await session.commit()


async def fill_cart(session: AsyncSession, who: Visitor, variant_ids: Iterable[int]) -> None:
    """Put one of each of these variants into a person's cart."""
    session.add_all(
        CartItem(user_id=who.id, variant_id=variant_id, quantity=1, price_seen=Decimal("4.50"))
        for variant_id in variant_ids
    )
    await session.commit()


async def cart_of(session: AsyncSession, who: Visitor) -> dict[int, int]:
    """Return how many of which variant a person's cart holds, as the database has it now."""
    return await _cart(session, CartItem.user_id == who.id)


async def cart_of_session(session: AsyncSession, session_id: UUID) -> dict[int, int]:
    """Return the same of an anonymous session."""
    return await _cart(session, CartItem.session_id == session_id)


async def all_carts(session: AsyncSession) -> list[tuple[int, int]]:
    """Return every line of every cart: variant and number."""
    await session.rollback()
    rows = await session.execute(select(CartItem.variant_id, CartItem.quantity).order_by(CartItem.id))
    return [(variant_id, quantity) for variant_id, quantity in rows]


async def anonymous_sessions(session: AsyncSession) -> list[UUID]:
    """Return the sessions that nobody is signed in with, oldest first."""
    await session.rollback()
    mine = select(LoginSession.id).where(LoginSession.user_id.is_(None))
    return list(await session.scalars(mine.order_by(LoginSession.created_at)))


async def _cart(session: AsyncSession, owner: ColumnElement[bool]) -> dict[int, int]:
    await session.rollback()
    rows = await session.execute(select(CartItem.variant_id, CartItem.quantity).where(owner))
    return {variant_id: quantity for variant_id, quantity in rows}  # noqa: C416 - dict() of rows loses their types
