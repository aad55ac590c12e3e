"""What the blog app says of its pages, kept for a short while: who sells there changes rarely, and is shown often."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from shared.db.guard import refuse_inside_transaction

from .blog import BlogClient, PageAnswer
from .caller import CallFailed

FRESH_SECONDS = 30.0
"""For how long nobody asks again."""
USABLE_SECONDS = 600.0
"""For how long what was heard last is good enough while the blog app gives no answer."""

K = TypeVar("K")
T = TypeVar("T")


class _Memory(Generic[K, T]):
    """The last answer to each question, and when it came."""

    def __init__(self, ask: Callable[[K], Awaitable[T]], monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._kept: dict[K, tuple[float, T]] = {}

    async def answer_to(self, question: K) -> T | None:
        """Answer from memory while that is fresh, else ask; None where neither gives anything."""
        if question in self._kept and self._age_of(question) < FRESH_SECONDS:
            return self._kept[question][1]
        try:
            answer = await self._ask(question)
        except CallFailed:
            usable = question in self._kept and self._age_of(question) < USABLE_SECONDS
            return self._kept[question][1] if usable else None
        self._kept[question] = (self._monotonic(), answer)
        return answer

    def _age_of(self, question: K) -> float:
        return self._monotonic() - self._kept[question][0]


class KnownPages:
    """Tells who sells on a page, for pages that show it and no more: never to decide what is sold.

    One for each process. Both questions give None where there is no such page, and where nothing can be known of it
    now. They raise RuntimeError inside a database transaction, also where the answer is at hand.
    """

    def __init__(self, blog: BlogClient, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        async def all_pages(_question: None) -> tuple[PageAnswer, ...]:
            return await blog.pages()

        self._by_slug: _Memory[str, PageAnswer | None] = _Memory(blog.page, monotonic)
        self._all: _Memory[None, tuple[PageAnswer, ...]] = _Memory(all_pages, monotonic)

    async def by_slug(self, slug: str) -> PageAnswer | None:
        """Return a page by its address. For callers that know that there is such a page: each question is kept."""
        refuse_inside_transaction()
        return await self._by_slug.answer_to(slug)

    async def by_id(self, page_post_id: int) -> PageAnswer | None:
        """Return a page by its id."""
        refuse_inside_transaction()
        pages = await self._all.answer_to(None)
        return next((page for page in pages or () if page.id == page_post_id), None)
