"""What the pages of signing in show."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.clients.cart import CartLineAnswer
from shared.contracts.dtos import UserDTO
from shared.services.sessions import SignedInDevice


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form for the address. ``again``: for somebody who is signed in, before they move money."""

    next_url: str
    reason: str = ""
    email: str = ""
    error: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class CheckMailPage:
    """The mail is on its way. ``outbox_url``: where development shows it."""

    email: str
    next_url: str
    minutes: int
    outbox_url: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The page that a mailed link opens: one button."""

    token: str
    email: str


@dataclass(frozen=True, slots=True)
class LinkSpentPage:
    """The link is of no use any more; a new one can be had for the same way on."""

    next_url: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A person's account. ``name`` is what stands in the field: what was typed, where it was refused."""

    user: UserDTO
    name: str
    error: str = ""
    saved: bool = False
    cart: tuple[CartLineAnswer, ...] | None = ()
    """What is in their cart; None: the cart app gives no answer."""
    devices: tuple[SignedInDevice, ...] = ()
    """Where they are signed in, the one that was used last first."""
    here: UUID | None = None
    """The session of the browser that asks."""
    ended: bool = False
    """Whether a session was ended just now."""
    time_zone: str = "UTC"
