"""What can be had of a product right now, in words that a page can show as they are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shared.contracts.dtos import ProductDTO, VariantDTO
from shared.contracts.sale import Sale
from shared.contracts.states import LineKind
from shared.labels import few_left, sale_words

FEW_LEFT = 5
"""From this number on, a page says how many are left."""


@dataclass(frozen=True, slots=True)
class OfferedVariant:
    """What a product is sold as: ``label`` says which one it is, and may be empty where there is only one."""

    variant_id: int
    label: str
    price: Decimal
    note: str
    note_look: str
    left: int | None
    """How many can be had; None: no limit."""

    @property
    def buyable(self) -> bool:
        """Whether any can be had."""
        return self.left != 0


@dataclass(frozen=True, slots=True)
class ProductOffer:
    """All that a product is sold as."""

    kinds: tuple[OfferedVariant, ...]
    note: str
    note_look: str
    text: str
    """Why none of it can be had; empty: some can."""
    left: int | None
    """How many can be had of all kinds together; None: no limit."""

    @property
    def is_sold_out(self) -> bool:
        """Whether nothing of it can be had."""
        return self.left == 0

    @property
    def one_kind(self) -> OfferedVariant | None:
        """The single kind of a product that leaves nothing to choose."""
        return self.kinds[0] if len(self.kinds) == 1 else None

    @property
    def most(self) -> int | None:
        """The most that can be had of any one kind; None: no limit."""
        limits = [kind.left for kind in self.kinds]
        # Of any one kind, not of all together: a line of the cart is one kind.
        return None if None in limits else max(left for left in limits if left is not None)


def offer_of(product: ProductDTO) -> ProductOffer:
    """Work out what can be had of a product."""
    note, look = note_of(product.sale)
    text = sale_words(LineKind.PRODUCT, product.sale).text
    return ProductOffer(tuple(_kind_of(variant) for variant in product.variants), note, look, text, product.sale.left)


def _kind_of(variant: VariantDTO) -> OfferedVariant:
    """Say of one variant how it stands."""
    note, look = note_of(variant.sale)
    return OfferedVariant(
        variant_id=variant.id,
        label=variant.label,
        price=variant.price,
        note=note,
        note_look=look,
        left=variant.sale.left,
    )


def note_of(sale: Sale) -> tuple[str, str]:
    """Say in two words how a product or a kind of it stands, where it matters."""
    few = few_left(sale, FEW_LEFT)
    if few:
        return few, "warning"
    words = sale_words(LineKind.PRODUCT, sale)
    return words.note, words.look
