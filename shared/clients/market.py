"""The client of the market app's internal API: the products of a page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import httpx
from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from shared.settings import Settings

from .caller import Caller
from .wire import Amount, Answer, Count, Id, Query, left_out, whole_number

PRODUCTS_PATH = "/internal/v1/pages/{page_post_id}/products"
MOST_PRODUCTS = 1000
AtMost = Annotated[int, Field(ge=0, le=MOST_PRODUCTS), BeforeValidator(whole_number)]


class ProductsQuery(Query):
    """How many products are asked for; without a limit all of them."""

    limit: AtMost | SkipJsonSchema[None] = left_out()


class VariantAnswer(Answer):
    """What is sold of a product."""

    id: Id
    label: str
    """Which kind it is; empty: the product has only this one."""
    price: Amount
    available: Count | None
    """How many are left; null: no limit."""


class ProductAnswer(Answer):
    """A product with the variants of it that are on show, at least one.

    What has a default is not told by a market app that is older than it.
    """

    id: Id
    slug: str
    title: str
    description: str
    unit: str
    vat_rate: Amount
    """In per cent; prices include it."""
    variants: tuple[VariantAnswer, ...]
    price: Amount | None = None
    """What the cheapest variant costs that is left, or the cheapest of all where none is."""
    has_dearer: bool = False
    """Whether there are dearer ones than ``price``."""
    note: str = ""
    """How it stands in the sale, in two or three words; empty: nothing is special about it."""
    note_look: str = ""
    """The kind of that note: a ``tag`` of the pages' stylesheet."""


class ProductsAnswer(Answer):
    """The products of a page that are on show, by title."""

    products: tuple[ProductAnswer, ...]


class MarketClient:
    """Asks the market app. One for each app that asks."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._caller = Caller(http, settings, "market", monotonic=monotonic)

    async def products_of_page(
        self, page_post_id: int, *, limit: int | None = None
    ) -> tuple[ProductAnswer, ...] | None:
        """Return the (first) products of a page, or None where there is no such page. Safe to repeat.

        Raises as ``Caller.ask``.
        """
        path, query = PRODUCTS_PATH.format(page_post_id=page_post_id), ProductsQuery(limit=limit)
        answer = await self._caller.ask_for_one(path, ProductsAnswer, query)
        return None if answer is None else answer.products
