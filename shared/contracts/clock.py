"""The time, as it is handed in."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, so that tests can move it."""

    def __call__(self) -> datetime:
        """Return the time now, aware, in UTC."""
        ...
