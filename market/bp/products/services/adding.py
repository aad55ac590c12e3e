"""Putting a product into the cart, and the page that says so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from market.bp.products.forms import ProductChoice
from shared.contracts.dtos import PageDTO, ProductDTO
from shared.contracts.errors import NotFound
from shared.contracts.owner import CartOwner
from shared.contracts.paths import product_path, shop_path
from shared.services.registry import services

from .product_page import NO_PRODUCT
from .shop import page_with_shop


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """One product of one page's shop, without all the others."""

    page: PageDTO
    product: ProductDTO

    @property
    def path(self) -> str:
        """Where the product is shown."""
        return product_path(self.page.slug, self.product.slug)


@dataclass(frozen=True, slots=True)
class AddedProductPage:
    """What went into the cart, and how many of it are there now."""

    title: str
    label: str
    path: str
    shop_title: str
    shop_path: str
    quantity: int
    total: Decimal
    in_cart: int


async def find_product(session: AsyncSession, page_slug: str, slug: str) -> FoundProduct:
    """Return one product of one page's shop. Raises NotFound, also for another page's product."""
    page = await page_with_shop(session, page_slug)
    product = await services.market.product_by_slug(session, slug)
    # Bounded by the page: a product must not be sold under another seller's name.
    if product is None or product.container_id != page.id:
        raise NotFound(NO_PRODUCT)
    return FoundProduct(page, product)


async def put_into_cart(
    session: AsyncSession, found: FoundProduct, choice: ProductChoice, owner: CartOwner
) -> AddedProductPage:
    """Put a choice on top of what the cart has of it, and say how many that makes.

    Raises what ``CartService.change_item`` raises, and then nothing was added. Not safe to repeat.
    """
    in_cart = await services.cart.change_item(
        session, owner, variant_id=choice.variant.id, quantity=choice.quantity, more=True
    )
    return _added_page(found, choice, in_cart)


async def still_in_cart(
    session: AsyncSession, found: FoundProduct, choice: ProductChoice, owner: CartOwner
) -> AddedProductPage | None:
    """Say the same later, of what is in the cart still; None where nothing of the choice is.

    The choice comes from a page's address, so it is believed only as far as the cart bears it out.
    """
    items = await services.cart.cart_items(session, owner)
    in_cart = next((item.quantity for item in items if item.variant_id == choice.variant.id), 0)
    if not in_cart:
        return None
    # No more than was asked for, and no more than is there: a reload may come after a change in the cart.
    return _added_page(found, choice._replace(quantity=min(choice.quantity, in_cart)), in_cart)


def _added_page(found: FoundProduct, choice: ProductChoice, in_cart: int) -> AddedProductPage:
    return AddedProductPage(
        title=found.product.title,
        label=choice.variant.label,
        path=found.path,
        shop_title=found.page.title,
        shop_path=shop_path(found.page.slug),
        quantity=choice.quantity,
        total=choice.variant.price * choice.quantity,
        in_cart=in_cart,
    )
