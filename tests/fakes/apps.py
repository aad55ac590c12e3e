"""Another app of ours, without a socket: answers what a test lets it, and notes what it was asked."""

from __future__ import annotations

from collections.abc import Callable

import httpx


class Ticker:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Server:
    """The other app."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    def http(self) -> httpx.AsyncClient:
        """Return a client whose every call comes here."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


def refuse(request: httpx.Request) -> httpx.Response:
    """Refuse the connection, as an app that is down does."""
    raise httpx.ConnectError("down", request=request)
