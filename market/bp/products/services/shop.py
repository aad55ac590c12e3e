"""The shop of all pages, and the shop of one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from market.bp.products.offers import ProductOffer, offer_of
from shared.clients.blog import PageAnswer
from shared.contracts.dtos import PageDTO, ProductDTO
from shared.contracts.errors import NotFound
from shared.contracts.paths import page_path, product_path, shop_path
from shared.services.registry import services

SWATCHES = 6
"""How many drawn patterns the stylesheet has (``swatch--0`` …): they stand in for photographs."""


@dataclass(frozen=True, slots=True)
class QuickAdd:
    """The short way to buy, in a list: one of a product of one kind, and what came of it."""

    product_id: int
    title: str
    action: str
    variant_id: int | None
    """None: it cannot be had any more."""
    in_cart: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class ProductCard:
    """A product in a list."""

    path: str
    title: str
    summary: str
    product: ProductDTO
    offer: ProductOffer
    swatch: int
    quick: QuickAdd | None
    """None where there is something to choose, or nothing to be had."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What one page sells."""

    page: PageDTO
    path: str
    page_path: str
    products: tuple[ProductCard, ...]
    host: PageAnswer | None = None
    """What the blog app says of the page, where that is shown; None: it gives no answer."""


@dataclass(frozen=True, slots=True)
class ShopList:
    """What all pages sell."""

    shops: tuple[Shop, ...]


async def all_shops(session: AsyncSession) -> ShopList:
    """Gather the shops of all pages that have one, whatever they hold, in three queries."""
    pages = await services.blog.pages(session)
    # All at once and shared out below: one query however many shops there are.
    products = await services.market.products(session)
    return ShopList(tuple(_shop(page, products) for page in pages if page.has_market))


async def shop_of(session: AsyncSession, page_slug: str) -> Shop:
    """Gather one page's shop. Raises NotFound for a page that has none."""
    page = await page_with_shop(session, page_slug)
    return _shop(page, await services.market.products(session, container_id=page.id))


async def page_with_shop(session: AsyncSession, page_slug: str) -> PageDTO:
    """Return a page that has a shop. Raises NotFound."""
    page = await services.blog.page_by_slug(session, page_slug)
    # Not there and switched off look the same to a shopper, and to whoever tries addresses.
    if page is None or not page.has_market:
        raise NotFound("There is no shop at this address. It may have moved, or the link may be mistyped.")
    return page


def quick_add(product: ProductDTO, path: str, *, in_cart: int = 0, error: str = "") -> QuickAdd:
    """Make the short way to buy a product, after ``in_cart`` of it were put in or one could not be."""
    kind = offer_of(product).one_kind
    return QuickAdd(
        product_id=product.id,
        title=product.title,
        action=f"{path}add/",
        variant_id=kind.variant_id if kind is not None and kind.buyable else None,
        in_cart=in_cart,
        error=error,
    )


def _shop(page: PageDTO, products: list[ProductDTO]) -> Shop:
    return Shop(
        page=page,
        path=shop_path(page.slug),
        page_path=page_path(page.slug),
        products=tuple(_card(page, product) for product in products if product.container_id == page.id),
    )


def _card(page: PageDTO, product: ProductDTO) -> ProductCard:
    """Make a card of a product; its summary is the first paragraph of its description."""
    path = product_path(page.slug, product.slug)
    quick = quick_add(product, path)
    return ProductCard(
        path=path,
        title=product.title,
        # Up to the first blank line, as the pages' Markdown parts paragraphs.
        summary=product.description.partition("\n\n")[0],
        product=product,
        offer=offer_of(product),
        # By its id, so that a product keeps its pattern on all pages.
        swatch=product.id % SWATCHES,
        quick=None if quick.variant_id is None else quick,
    )
