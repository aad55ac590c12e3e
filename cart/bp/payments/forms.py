"""The provider's notice, as it comes in: outside data, believed in nothing but its shape."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LARGEST_NOTICE = 4096
"""Bytes; a real one has about a hundred."""


class Notice(BaseModel):
    """SumUp's webhook: an event's name and the id of a checkout, nothing else of use (docs/sumup.md § 6)."""

    model_config = ConfigDict(strict=True, extra="ignore")

    event_type: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")
    id: str = Field(min_length=36, max_length=36)

    def names(self, checkout_id: str | None) -> bool:
        """Tell whether it is about the checkout with this id; an id that is no uuid is about none."""
        try:
            # As uuids: the same id may come in capitals.
            return checkout_id is not None and UUID(self.id) == UUID(checkout_id)
        except ValueError:
            return False


def read_notice(body: bytes) -> Notice | None:
    """Return the notice in a request's body, or None where it is none."""
    try:
        return Notice.model_validate_json(body)
    except ValidationError:
        return None
