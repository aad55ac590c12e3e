"""What goes over the wire between our own apps: the kinds of values, and what every model of them has in common.

One model serves both ends: the app that answers writes it, the client reads it, and the OpenAPI document is made of it.
Money is a string with two decimals, a moment is UTC with its zone, and what a reader does not know it ignores, so that
the apps can be brought up to date one after the other.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

LARGEST_ID = 2**63 - 1
_AMOUNT = re.compile(r"[0-9]{1,12}\.[0-9]{2}")
# Nineteen digits hold the largest id; a longer number is refused before Python reads it.
_NUMBER = re.compile(r"[0-9]{1,19}")


def _money(value: object) -> object:
    """Take money as it goes over the wire; a float, or a number of another form, was never ours."""
    if isinstance(value, Decimal) or (isinstance(value, str) and _AMOUNT.fullmatch(value)):
        return value
    raise ValueError("money is a string with two decimals")


def whole_number(value: object) -> object:
    """Refuse what Python would read as a number but nobody writes: 1_000, +1, 1.0."""
    if isinstance(value, int) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return value
    raise ValueError("must be a whole number")


def _known_zone(name: str) -> str:
    """Refuse a name that no time could be shown by: a page would fail over it."""
    if name not in _zones():
        raise ValueError("must be a time zone of the IANA database")
    return name


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _without_default(schema: dict[str, Any]) -> None:
    """Leave the default out of a document: a parameter that is not there is not the same as null."""
    schema.pop("default", None)


Amount = Annotated[
    Decimal,
    Field(ge=0, decimal_places=2),
    BeforeValidator(_money),
    PlainSerializer("{:.2f}".format, return_type=str, when_used="json"),
    # Written by hand: pydantic's own schema would allow numbers, which are never sent.
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,12}\.[0-9]{2}$"}),
]
Count = Annotated[int, Field(ge=0)]
Id = Annotated[int, Field(ge=0, le=LARGEST_ID), BeforeValidator(whole_number)]
Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Flag = Literal["0", "1"]
"""Yes or no in a query; other words for them are refused."""


def left_out() -> Any:
    """Return the field of a parameter that need not be there."""
    return Field(default=None, json_schema_extra=_without_default)


class Query(BaseModel):
    """What a call asks for. Parameters that are not known are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Answer(BaseModel):
    """What a call is answered with, or a part of it; made of the attributes of what it tells of."""

    model_config = ConfigDict(
        # "ignore": a newer app may send more. Never "forbid", or no two apps could be brought up to date one by one.
        extra="ignore",
        frozen=True,
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
    )


class Problem(Answer):
    """Why a call was refused or failed."""

    code: str
    message: str
    request_id: str


class ErrorAnswer(Answer):
    """The one shape of every error, whatever its status."""

    error: Problem
