"""The form that puts a product into the cart: what was sent, and what it means."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from pydantic import Field

from shared.contracts.dtos import ProductDTO, VariantDTO
from shared.contracts.errors import BadInput
from shared.web.forms import Form, Text, Ticked
from shared.web.numbers import NOT_A_NUMBER, read_count

CHOOSE_ONE = "Choose which one you would like."
INCOMPLETE = "The form did not arrive complete. Please try again."
NOT_SOLD = "What you chose is not sold here any more. Please choose again."
AT_LEAST_ONE = "Enter at least 1."


class ProductChoice(NamedTuple):
    """So many of one of a product's variants."""

    variant: VariantDTO
    quantity: int


class AddForm(Form):
    """A form as it came, or an address that names a choice; whatever is wrong with it, ``choice`` refuses."""

    variant: Text = Field("", alias="variant_id")
    typed: str = Field("", alias="quantity")
    in_list: Ticked = False
    """Whether it stands beside a product in a list, and not in the product's page."""

    def choice(self, product: ProductDTO) -> ProductChoice:
        """Return what was chosen of a product. Raises BadInput, which names the field."""
        return ProductChoice(self._variant_of(product), self._quantity())

    def _variant_of(self, product: ProductDTO) -> VariantDTO:
        """Return the variant that was chosen, of those that are on show."""
        if not self.variant:
            # A product of one kind sends it in a hidden field: nobody can have forgotten to choose it.
            text = INCOMPLETE if len(product.variants) == 1 else CHOOSE_ONE
            raise BadInput(text, field="variant_id")
        # Compared as text: what was sent is never read as a number, however long it is.
        found = next((each for each in product.variants if str(each.id) == self.variant), None)
        if found is None:
            raise BadInput(NOT_SOLD, field="variant_id")
        return found

    def _quantity(self) -> int:
        """Return how many were asked for, at least one."""
        count = read_count(self.typed)
        # Elsewhere an empty field means none; here somebody pressed Add.
        if count is None or not self.typed.strip():
            raise BadInput(NOT_A_NUMBER, field="quantity")
        if not count:
            raise BadInput(AT_LEAST_ONE, field="quantity")
        return count


def choice_query(choice: ProductChoice) -> str:
    """Write a choice into a page's address, in the form's own names."""
    return "?" + urlencode({"variant_id": choice.variant.id, "quantity": choice.quantity})
