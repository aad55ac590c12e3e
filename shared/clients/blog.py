"""The client of the blog app's internal API: the pages of the site."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from shared.contracts.paths import SLUG
from shared.settings import Settings

from .caller import Caller
from .wire import Answer, Flag, Id, Query

PAGES_PATH = "/internal/v1/pages"


class PageQuery(Query):
    """How much of a page is asked for."""

    body: Flag = "0"
    """Whether its text is wanted, too."""


class SellerAnswer(Answer):
    """Who sells on a page, how they are reached, on which terms, and where and when products are collected."""

    name: str
    address: str
    terms: str
    refund_policy: str
    collection_place: str
    collection_times: str
    email: str = ""
    phone: str = ""
    """Both are empty where the page does not say, or where the blog app is older than they are."""


class PageAnswer(Answer):
    """A published page of the site."""

    id: Id
    slug: str
    title: str
    excerpt: str
    has_calendar: bool
    has_market: bool
    seller: SellerAnswer
    body: str | None = None
    """HTML that is safe to show, where it was asked for."""


class PagesAnswer(Answer):
    """The published pages, by title."""

    pages: tuple[PageAnswer, ...]


class BlogClient:
    """Asks the blog app. One for each app that asks."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._caller = Caller(http, settings, "blog", monotonic=monotonic)

    async def pages(self) -> tuple[PageAnswer, ...]:
        """Return the published pages, by title, without their texts. Safe to repeat. Raises as ``Caller.ask``."""
        return (await self._caller.ask(PAGES_PATH, PagesAnswer)).pages

    async def page(self, slug: str, *, body: bool = False) -> PageAnswer | None:
        """Return a published page, or None where there is none of that address. Safe to repeat.

        Raises as ``Caller.ask``.
        """
        if not SLUG.fullmatch(slug):  # "." would be another address
            return None
        query = PageQuery(body="1" if body else "0")
        return await self._caller.ask_for_one(f"{PAGES_PATH}/{slug}", PageAnswer, query)
