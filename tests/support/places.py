"""The five places where a shopper learns whether something is on sale, read back as the state that their words tell of."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from quart import Quart

from blog.app import create_app as create_blog
from cart.app import create_app as create_cart
from events.app import create_app as create_events
from market.app import create_app as create_market
from shared.contracts.sale import SaleState
from shared.contracts.states import LineKind
from shared.labels import SALE_WORDS
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState
from tests.factories.users import sign_in_client
from tests.fakes.gateway import FakeGateway
from tests.support.internal_api import PATIENT_MS
from tests.support.neighbours import real_apps
from tests.support.visitor import Answer, Visitor

ABSENT = "absent"
"""What a place says that does not show the thing at all."""


def state_told(kind: LineKind, form: str, said: str) -> str:
    """Return the state whose words (``note``, ``text``, ``line`` or ``refusal``) are in what a place says.

    A place that says nothing of it takes it to be open; the words of one state may begin with those of another.
    """
    told = [each for each, words in SALE_WORDS[kind].items() if _has(said, getattr(words, form))]
    return str(max(told, key=lambda state: len(getattr(SALE_WORDS[kind][state], form)), default=SaleState.OPEN))


def _has(said: str, words: str) -> bool:
    """Tell whether words are in a text, whatever stands at their names and times."""
    return bool(words) and re.search(re.sub(r"\\\{\w+\\\}", ".+", re.escape(words)), said) is not None


@dataclass(frozen=True, slots=True)
class Site:
    """All four apps, with Ada signed in at each."""

    blog: Visitor
    market: Visitor
    events: Visitor
    cart: Visitor
    gateway: FakeGateway

    @property
    def ada(self) -> int:
        """Who it is."""
        return self.cart.id

    async def cart_line(self, kind: LineKind) -> str:
        """Return the state that the only line of the cart tells of."""
        return state_told(kind, "line", " ".join((await self.cart.get("/")).texts(".field__error")))

    async def checkout(self, kind: LineKind, total: str) -> str:
        """Check out, and return the state that the refusal tells of."""
        answer = await self.cart.post("/checkout/", {"shown_total": total})
        if answer.status < 400:
            return str(SaleState.OPEN)
        if answer.status == 409 and answer.has("li.line--bad"):
            return state_told(kind, "line", " ".join(answer.texts("li.line--bad .field__error")))
        return state_told(kind, "refusal", answer.text(".notice--bad"))


def told_by_row(kind: LineKind, page: Answer, row: str, name: str) -> str:
    """Return the state that the row of a thing tells of in a list."""
    rows = [" ".join(each.text().split()) for each in page.html.css(row)]
    mine = [text for text in rows if name in text]
    return state_told(kind, "note", mine[0]) if mine else ABSENT


@asynccontextmanager
async def open_site(settings: Settings) -> AsyncIterator[Site]:
    """Serve the four apps; they ask one another in this process, and the cart's provider is in memory."""
    patient = settings.model_copy(update={"internal_timeout_ms": PATIENT_MS, "internal_page_timeout_ms": PATIENT_MS})
    gateway = FakeGateway()
    apps = (
        create_blog(patient),
        create_market(patient),
        create_events(patient),
        create_cart(patient, gateway=gateway),
    )
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(real_apps(patient, "blog", "events", "market", "cart"))
        blog, market, events, cart = [await _visitor(stack, app, http) for app in apps]
        yield Site(blog, market, events, cart, gateway)


async def _visitor(stack: AsyncExitStack, app: Quart, http: httpx.AsyncClient) -> Visitor:
    """Serve an app, and let Ada sign in there."""
    await stack.enter_async_context(app.test_app())
    state: AppState = app.extensions[EXTENSION]
    state.http = http
    client = app.test_client()
    return Visitor(client, await sign_in_client(client, email="ada@maypole.example"))
