"""A visitor's browser, so to speak: it opens pages and sends forms at one app, and reads the answers as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from quart import Response
from quart.typing import TestClientProtocol
from selectolax.lexbor import LexborHTMLParser
from werkzeug.datastructures import Headers

from shared.contracts.dtos import UserDTO
from shared.contracts.owner import CartOwner

Body = list[tuple[str, str]] | dict[str, str]
ORIGIN = {"Origin": "http://localhost"}
HTMX = {"HX-Request": "true"}


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

    @property
    def location(self) -> str:
        """The path that a redirect leads to, and what it asks for."""
        url = urlsplit(self.headers.get("Location") or self.headers.get("HX-Redirect") or "")
        return url.path + (f"?{url.query}" if url.query else "")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: signed in, or nobody's."""

    client: TestClientProtocol
    user: UserDTO | None = None
    session_id: UUID | None = None
    """The anonymous session of a guest's browser."""

    @property
    def id(self) -> int:
        """The id of whoever is signed in."""
        assert self.user is not None
        return self.user.id

    @property
    def owner(self) -> CartOwner:
        """Whose cart they see."""
        return CartOwner.first_of(None if self.user is None else self.user.id, self.session_id)

    async def get(self, path: str, *, htmx: bool = False, **headers: str) -> Answer:
        """Open a page."""
        return await parse(await self.client.get(path, headers=headers | (HTMX if htmx else {})))

    async def post(self, path: str, body: Body | None = None, *, htmx: bool = False) -> Answer:
        """Send a form, as a page of ours would. Names may repeat, which the client's own ``form=`` cannot say."""
        headers = {**ORIGIN, **(HTMX if htmx else {}), "Content-Type": "application/x-www-form-urlencoded"}
        pairs = list(body.items()) if isinstance(body, dict) else body or []
        return await parse(await self.client.post(path, headers=headers, data=urlencode(pairs)))


async def parse(response: Response) -> Answer:
    """Parse an answer."""
    body = await response.get_data(as_text=True)
    return Answer(response.status_code, response.headers, LexborHTMLParser(body))
