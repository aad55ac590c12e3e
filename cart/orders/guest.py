"""What opens a guest's order: a token that only its buyer's mail and browser have."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from pydantic import SecretStr

from shared.contracts.dtos import OrderDTO
from shared.contracts.errors import ShopError
from shared.settings import Settings


class LinkEnded(ShopError):
    """The link to a guest's order has ended: its events are long over."""

    code = "link_ended"
    status = 410
    text = "The link to this order has ended, because all of it is long over. Its seller can still look it up for you."


def guest_token(secret_key: SecretStr, order_number: str) -> str:
    """Return the token of a guest's order: made anew for each mail about it, since only its hash is stored."""
    # With a prefix of its own: the same key makes other tokens too, and none of them may stand for another.
    digest = hmac.digest(secret_key.get_secret_value().encode(), b"guest order " + order_number.encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_guest_token(token: str) -> str:
    """Return the form in which a token is stored: it has 256 bits that nobody can guess, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def order_url(settings: Settings, order: OrderDTO) -> str:
    """Return the address of an order's page: a guest's has the token in it, and nothing else opens it."""
    origin = settings.url_of("cart")
    # By token even where the reader has an account: the order is not in it.
    if order.user_id is None:
        return f"{origin}/orders/guest/{_token_of(settings, order)}/"
    return f"{origin}/orders/{order.id}/"


def _token_of(settings: Settings, order: OrderDTO) -> str:
    """Return the token that an order was given, whichever of our keys it was made with."""
    tokens = [guest_token(key, order.number) for key in settings.guest_keys]
    # With a key that we no longer have nothing can be made that opens it: the link then says so.
    return next((token for token in tokens if hash_guest_token(token) == order.access_token_hash), tokens[0])
