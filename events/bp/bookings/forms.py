"""The form of a day's times: what was ticked and typed, and how a choice is named in it and in an address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from pydantic import Field

from shared.web.forms import Form, Sent
from shared.web.numbers import read_count

TICKED = "slot"
PLACES = "places-"
"""The names of the form's fields: boxes to tick, each with its time's key; and numbers, named by it."""
MINUTE = timedelta(minutes=1)


def key_of(start: datetime, end: datetime) -> str:
    """Name a stretch of time, the same in every zone and on both sides of a change of the clocks."""
    # Start and length, not start and end: the hour that comes twice a year has two keys.
    return f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}-{(end - start) // MINUTE}"


class BookForm(Form):
    """A form as it came, or an address that names a choice.

    Its keys are those that somebody sent: compared with what is offered, and never read.
    """

    ticked: frozenset[str] = Field(frozenset(), alias=TICKED)
    typed: Mapping[str, str] = {}
    """What was typed as the number of places, by key."""

    @classmethod
    def values_of(cls, sent: Sent) -> dict[str, object]:
        """Find the numbers of places among the names."""
        typed = {name.removeprefix(PLACES): text for name, text in sent.items() if name.startswith(PLACES)}
        return {**super().values_of(sent), "typed": typed}

    def count_of(self, key: str) -> int | None:
        """Return how many places of a time are wanted; None where that is no number."""
        return 1 if key in self.ticked else read_count(self.typed.get(key, ""))

    @property
    def wanted(self) -> frozenset[str]:
        """The keys of which anything is wanted, a number or not."""
        return self.ticked | {key for key in self.typed if self.count_of(key) != 0}

    @property
    def chosen(self) -> dict[str, int]:
        """How many places of which times are wanted, as far as that can be read."""
        # Sorted, so that one choice has one address.
        counts = {key: self.count_of(key) for key in sorted(self.wanted)}
        # Neither what is no number nor nothing at all goes into an address.
        return {key: count for key, count in counts.items() if count}


NOTHING_CHOSEN = BookForm.parse({})


def choice_query(chosen: Mapping[str, int]) -> str:
    """Write how many places of which times were chosen into an address, in the form's own names."""
    return f"?{urlencode({PLACES + key: count for key, count in chosen.items()})}"
