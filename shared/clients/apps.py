"""The typed clients of the four apps, together; and how two of them are asked at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from shared.db.guard import refuse_inside_transaction
from shared.settings import Settings

from .blog import BlogClient
from .cart import CartClient
from .events import EventsClient
from .market import MarketClient

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Clients:
    """The client of each app."""

    blog: BlogClient
    cart: CartClient
    events: EventsClient
    market: MarketClient


def clients_of(http: httpx.AsyncClient, settings: Settings) -> Clients:
    """Return the clients of the four apps, where the settings say that they are. Nothing is asked yet."""
    return Clients(
        blog=BlogClient(http, settings),
        cart=CartClient(http, settings),
        events=EventsClient(http, settings),
        market=MarketClient(http, settings),
    )


async def both(one: Callable[[], Coroutine[Any, Any, A]], other: Callable[[], Coroutine[Any, Any, B]]) -> tuple[A, B]:
    """Make two calls at once and return both answers: it takes as long as the slower of them.

    Raises RuntimeError inside a database transaction. It is asked here, because each call is a task of its own, which
    never has a transaction open.
    """
    refuse_inside_transaction()
    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(one()), group.create_task(other())
    return first.result(), second.result()
