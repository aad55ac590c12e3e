"""The shop of all pages, the shop of one, and one product."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from market.bp.products.offers import Offer, offer_of
from shared.contracts.dtos import PageDTO, ProductDTO
from shared.contracts.errors import NotFound
from shared.contracts.paths import page_path, product_path, shop_path
from shared.services.registry import services

SWATCHES = 6
"""How many drawn patterns the stylesheet has (``swatch--0`` …): they stand in for photographs."""
OTHERS = 3
"""How many other products of the same shop a product's page shows."""


@dataclass(frozen=True, slots=True)
class ProductCard:
    """A product in a list."""

    path: str
    title: str
    summary: str
    product: ProductDTO
    offer: Offer
    swatch: int


@dataclass(frozen=True, slots=True)
class Shop:
    """What one page sells."""

    page: PageDTO
    path: str
    page_path: str
    products: tuple[ProductCard, ...]


@dataclass(frozen=True, slots=True)
class ShopList:
    """What all pages sell."""

    shops: tuple[Shop, ...]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One product, and others of the same shop."""

    shop: Shop
    card: ProductCard
    others: tuple[ProductCard, ...]


def _card(page: PageDTO, product: ProductDTO) -> ProductCard:
    """Make a card of a product; its summary is the first paragraph of its description."""
    return ProductCard(
        path=product_path(page.slug, product.slug),
        title=product.title,
        summary=product.description.partition("\n\n")[0],
        product=product,
        offer=offer_of(product),
        swatch=product.id % SWATCHES,
    )


def _shop(page: PageDTO, products: list[ProductDTO]) -> Shop:
    """Make a shop of a page and its products."""
    return Shop(
        page=page,
        path=shop_path(page.slug),
        page_path=page_path(page.slug),
        products=tuple(_card(page, product) for product in products if product.container_id == page.id),
    )


async def all_shops(session: AsyncSession) -> ShopList:
    """Gather the shops of all pages that have one, whatever they hold, in two queries."""
    pages = await services.blog.pages(session)
    products = await services.market.products(session)
    return ShopList(tuple(_shop(page, products) for page in pages if page.has_market))


async def shop_of(session: AsyncSession, page_slug: str) -> Shop:
    """Gather one page's shop. Raises NotFound for a page that has none."""
    page = await services.blog.page_by_slug(session, page_slug)
    if page is None or not page.has_market:
        raise NotFound("There is no shop at this address. It may have moved, or the link may be mistyped.")
    return _shop(page, await services.market.products(session, container_id=page.id))


async def product_page(session: AsyncSession, page_slug: str, slug: str) -> ProductPage:
    """Gather one product of one page's shop. Raises NotFound, also for another page's product."""
    shop = await shop_of(session, page_slug)
    card = next((card for card in shop.products if card.product.slug == slug), None)
    if card is None:
        raise NotFound("This shop has no such product. It may have sold out for the season.")
    others = tuple(other for other in shop.products if other is not card)
    return ProductPage(shop=shop, card=card, others=others[:OTHERS])
