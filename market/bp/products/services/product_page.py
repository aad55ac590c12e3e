"""A product's page: what it is, what it is sold as, and the form that puts it into the cart."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from market.bp.products.offers import OfferedVariant, ProductOffer
from shared.contracts.errors import NotFound

from .shop import ProductCard, Shop, shop_of

OTHERS = 3
"""How many other products of the same shop a product's page shows."""
QUANTITY_ID = "f-quantity"
NO_PRODUCT = "This shop has no such product. It may have sold out for the season."


@dataclass(frozen=True, slots=True)
class AddState:
    """What somebody did with the form: nothing yet, or something that was refused."""

    variant: str = ""
    typed: str = "1"
    refusal: str = ""
    field: str | None = None
    """The field that the refusal is about; None: all of the form."""

    def error_of(self, field: str) -> str:
        """Return what is wrong with a field."""
        return self.refusal if self.field == field else ""


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind, to be chosen."""

    kind: OfferedVariant
    field_id: str
    checked: bool


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One product, its form, and others of the same shop."""

    shop: Shop
    card: ProductCard
    rows: tuple[KindRow, ...]
    typed: str
    variant_error: str
    quantity_error: str
    problems: tuple[tuple[str, str], ...]
    """What is wrong with the form: the id of the control (empty: the form itself) and words."""
    others: tuple[ProductCard, ...]


NOTHING_TYPED = AddState()


async def product_page(
    session: AsyncSession, page_slug: str, slug: str, *, state: AddState = NOTHING_TYPED
) -> ProductPage:
    """Gather one product of one page's shop. Raises NotFound, also for another page's product."""
    # One read of the whole shop gives the product and the others beside it; shops are small.
    shop = await shop_of(session, page_slug)
    card = next((card for card in shop.products if card.product.slug == slug), None)
    if card is None:
        raise NotFound(NO_PRODUCT)
    rows = _rows(card.offer, state)
    return ProductPage(
        shop=shop,
        card=card,
        rows=rows,
        typed=state.typed,
        variant_error=state.error_of("variant_id"),
        quantity_error=state.error_of("quantity"),
        problems=_problems(card.offer, rows, state),
        others=tuple(other for other in shop.products if other is not card)[:OTHERS],
    )


def _rows(offer: ProductOffer, state: AddState) -> tuple[KindRow, ...]:
    buyable = [str(kind.variant_id) for kind in offer.kinds if kind.buyable]
    # One kind left: choosing it is no decision, so that nobody has to make it.
    chosen = state.variant if state.variant in buyable or len(buyable) != 1 else buyable[0]
    return tuple(
        KindRow(kind, f"f-variant-{kind.variant_id}", kind.buyable and str(kind.variant_id) == chosen)
        for kind in offer.kinds
    )


def _problems(offer: ProductOffer, rows: tuple[KindRow, ...], state: AddState) -> tuple[tuple[str, str], ...]:
    """List what is wrong, with the control that it leads to, where the form has that."""
    if not state.refusal:
        return ()
    control = ""
    # A problem links to its control only where the page still has that control.
    if state.field == "quantity" and not offer.is_sold_out:
        control = QUANTITY_ID
    elif state.field == "variant_id" and offer.one_kind is None:
        control = next((row.field_id for row in rows if row.kind.buyable), "")
    return ((control, state.refusal),)
