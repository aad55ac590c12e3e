"""Nothing but loopback: a test that calls anywhere else fails."""

from __future__ import annotations

import sys

LOOPBACK = ("127.", "::1", "localhost")


def refuse_the_outside() -> None:
    """From now on, connecting this process to another machine raises. Cannot be undone."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    host = address[0] if isinstance(address, tuple) else LOOPBACK[0]  # else a Unix socket
    if not str(host).startswith(LOOPBACK):
        raise RuntimeError(f"a test wants to connect to {host}: tests stay on loopback")
