"""The client of the market app's internal API: the products of a page."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from shared.settings import Settings

from .caller import Caller
from .wire import Amount, Answer, Count, Id

PRODUCTS_PATH = "/internal/v1/pages/{page_id}/products"


class VariantAnswer(Answer):
    """What is sold of a product."""

    id: Id
    label: str
    """Which kind it is; empty: the product has only this one."""
    price: Amount
    available: Count | None
    """How many are left; null: no limit."""


class ProductAnswer(Answer):
    """A product with the variants of it that are on show, at least one."""

    id: Id
    slug: str
    title: str
    description: str
    unit: str
    vat_rate: Amount
    """In per cent; prices include it."""
    variants: tuple[VariantAnswer, ...]


class ProductsAnswer(Answer):
    """The products of a page that are on show, by title."""

    products: tuple[ProductAnswer, ...]


class MarketClient:
    """Asks the market app. One for each app that asks."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._caller = Caller(http, settings, "market", monotonic=monotonic)

    async def products_of_page(self, page_id: int) -> tuple[ProductAnswer, ...] | None:
        """Return the products of a page, or None where there is no such page. Safe to repeat.

        Raises as ``Caller.ask``.
        """
        answer = await self._caller.ask_for_one(PRODUCTS_PATH.format(page_id=page_id), ProductsAnswer)
        return None if answer is None else answer.products
