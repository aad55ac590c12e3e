"""What the security journal's page shows."""

from __future__ import annotations

from dataclasses import dataclass

from shared.labels import SECURITY_EVENTS

from .services import SecurityRow


@dataclass(frozen=True, slots=True)
class SecurityView:
    """One event in words."""

    row: SecurityRow
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class SecurityPage:
    """A page of the journal, newest first."""

    rows: tuple[SecurityView, ...]
    next_url: str
    time_zone: str


def view_of(row: SecurityRow) -> SecurityView:
    """Return an event as the page shows it."""
    return SecurityView(row, SECURITY_EVENTS[row.event], ", ".join(_details(row)))


def _details(row: SecurityRow) -> list[str]:
    # Ids alone are kept: what they stand for may have been forgotten since.
    names = (
        ("browser", "{} browser"),
        ("role", "{}"),
        ("page", "page {}"),
        ("order", "order number {}"),
        ("merchant_code", "account {}"),
    )
    return [form.format(row.data[name]) for name, form in names if row.data.get(name)]
