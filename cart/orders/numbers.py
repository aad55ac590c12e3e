"""Names that cannot be guessed, for orders, attempts and links."""

from __future__ import annotations

import secrets
from uuid import uuid4

# Crockford's base 32: no I, L, O or U, so that a number survives being read out on the telephone.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 8


def new_order_number() -> str:
    """Return a number for people, like ``7KQ2-9FXM``: it tells nobody how many orders there are."""
    # 40 bits: that two orders get the same number is refused by the database, and as good as never happens.
    digits = "".join(secrets.choice(ALPHABET) for _ in range(NUMBER_LENGTH))
    return f"{digits[:4]}-{digits[4:]}"


def new_reference() -> str:
    """Return a checkout reference: one for each attempt, spent for ever once it was sent (docs/sumup.md § 2)."""
    return str(uuid4())


def new_token() -> str:
    """Return 256 random bits for a link."""
    return secrets.token_urlsafe(32)
