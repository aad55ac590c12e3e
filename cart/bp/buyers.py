"""Who buys, as the request says: for all pages of the cart app."""

from __future__ import annotations

from quart import request

from cart.orders.buyer import Buyer
from shared.contracts.contact import network_of
from shared.contracts.dtos import UserDTO
from shared.web.identity import current_cart_owner


def current_buyer(email: str | None = None) -> Buyer:
    """Return who is buying: the signed-in user, else the browser's anonymous session, as a guest."""
    return Buyer(current_cart_owner(), email=email, network=network_of(request.remote_addr))


def buyer_of(user: UserDTO) -> Buyer:
    """Return a signed-in person as somebody who buys."""
    return Buyer.of_user(user.id, user.email)
