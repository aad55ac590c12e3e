"""What was sold stays as it was sold: how a thing that is in an order differs from what it is today."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Was:
    """What of an event or a booking has changed since it was ordered; what is as it was, is empty."""

    # In words: what nobody could see to differ is no change to tell people of.
    time: str = ""
    """When it was to be, as people write it."""
    place: str = ""
    """Where it was to be."""
    time_now: str = ""
    place_now: str = ""
    called_now: str = ""
    """What it is called today."""
