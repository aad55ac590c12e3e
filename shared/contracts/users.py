"""People, as pages know them."""

from __future__ import annotations

from dataclasses import dataclass

from .access import Grant
from .states import Role


@dataclass(frozen=True, slots=True)
class UserDTO:
    """A person with an account."""

    id: int
    email: str
    name: str
    roles: frozenset[Role] = frozenset()
    """The roles that hold everywhere."""
    grants: frozenset[Grant] = frozenset()
    """All roles, each with the page on which it holds."""
