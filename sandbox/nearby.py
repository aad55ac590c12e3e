"""Who may steer: callers of this machine, and no page of a foreign site in their name."""

from __future__ import annotations

import ipaddress

from quart import request

OWN_SITES = {"same-origin", "none"}


def is_nearby() -> bool:
    """Tell whether the request comes from this machine."""
    try:
        # The address of the connection, never a forwarded header: anybody can write that one.
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def is_from_own_site() -> bool:
    """Tell whether our own page, or no page at all, has sent the request."""
    # Browsers set this header themselves and no script can change it; programs that are no browser do not send it.
    return request.headers.get("Sec-Fetch-Site", "none") in OWN_SITES
