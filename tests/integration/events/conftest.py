"""The events app on a clean database, and people who use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from quart import Quart, Response
from quart.typing import TestClientProtocol
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession
from werkzeug.datastructures import Headers

from events.app import create_app
from shared.contracts.dtos import UserDTO
from shared.models import Ticket
from shared.settings import Settings
from shared.web.state import EXTENSION, AppState
from tests.factories.users import sign_in_client

Body = list[tuple[str, str]] | dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, parsed."""

    status: int
    headers: Headers
    html: LexborHTMLParser

    def text(self, selector: str) -> str:
        """Return the text of the one element that matches, with single spaces."""
        found = self.html.css(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}"
        return " ".join(found[0].text().split())

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements that match."""
        return [" ".join(node.text().split()) for node in self.html.css(selector)]

    def attribute(self, selector: str, name: str) -> str | None:
        """Return an attribute of the one element that matches."""
        found = self.html.css(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}"
        return found[0].attributes.get(name)

    def has(self, selector: str) -> bool:
        """Tell whether anything matches."""
        return bool(self.html.css(selector))


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: signed in, or nobody's."""

    client: TestClientProtocol
    user: UserDTO | None = None

    @property
    def id(self) -> int:
        """The id of whoever is signed in."""
        assert self.user is not None
        return self.user.id

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        return await _answer(await self.client.get(path, headers=headers))

    async def post(self, path: str, body: Body, *, htmx: bool = False) -> Answer:
        """Send a form, as a page of ours would."""
        headers = {"Origin": "http://localhost"} | ({"HX-Request": "true"} if htmx else {})
        pairs = list(body.items()) if isinstance(body, dict) else body
        # Names may repeat, which the client's own form= cannot say.
        return await _answer(
            await self.client.post(
                path,
                headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
                data=urlencode(pairs),
            )
        )


async def _answer(response: Response) -> Answer:
    """Parse an answer."""
    body = await response.get_data(as_text=True)
    return Answer(response.status_code, response.headers, LexborHTMLParser(body))


@pytest.fixture
async def app(settings: Settings, database_url: str) -> AsyncIterator[Quart]:
    """Serve the events app. Its cart app is a closed port: pages have a badge without a number."""
    made = create_app(settings.model_copy(update={"internal_cart_url": "http://127.0.0.1:9"}))
    async with made.test_app():
        yield made


@pytest.fixture
def visitor(app: Quart) -> Visitor:
    """A browser that nobody is signed in with."""
    return Visitor(app.test_client())


SignIn = Callable[[str], Awaitable[Visitor]]


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
def count_queries(app: Quart) -> Callable[[], Any]:
    """Give a context manager that collects the app's statements on the programme's tables."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        state: AppState = app.extensions[EXTENSION]
        engine, statements = state.database.engine.sync_engine, []

        def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting


async def states_of(session: AsyncSession, user_id: int) -> list[tuple[int | None, str]]:
    """Return type and state of a person's tickets, as the database has them now."""
    await session.rollback()
    rows = await session.execute(
        select(Ticket.ticket_type_id, Ticket.state).where(Ticket.user_id == user_id).order_by(Ticket.id)
    )
    return [(type_id, state) for type_id, state in rows]
