"""The links between the admin's screens: those alone whose doors open to whoever looks."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Quart, current_app, url_for

from shared.web.identity import may_enter, role_of

SCREENS = (
    ("orders", "admin_orders.order_list", "Orders"),
    ("refunds", "refunds.queue", "Refunds"),
    ("bookings", "bookings.queue", "Bookings"),
    ("accounts", "accounts.overview", "Page accounts"),
    ("security", "security.journal", "Security"),
)
"""Each screen's name, the view that shows it, and what its link says."""


@dataclass(frozen=True, slots=True)
class AdminLink:
    """A link to one of the admin's screens."""

    name: str
    url: str
    text: str


def admin_links() -> list[AdminLink]:
    """Return the links that the signed-in person may follow."""
    return [AdminLink(name, url_for(view), text) for name, view, text in SCREENS if _opens(view)]


def _opens(view: str) -> bool:
    """Tell whether a view's door opens to the signed-in person."""
    role = role_of(current_app.view_functions[view])
    return role is None or may_enter(role)


def install_admin_nav(app: Quart) -> None:
    """Let the templates of ``app`` ask for the links."""
    app.add_template_global(admin_links)
