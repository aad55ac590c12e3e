"""Types of settings that a person can write wrongly, each with a message that says what to write instead."""

from __future__ import annotations

import ipaddress
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
CURRENCIES = ("BRL", "CHF", "COP", "CZK", "DKK", "EUR", "GBP", "NOK", "PLN", "RON", "SEK", "USD")
"""What SumUp takes (its OpenAPI document, ``Currency``) and has two decimals, as every amount here has.

Not BGN: Bulgaria has had the euro since 2026, and SumUp takes no lev any more.
"""


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _level(value: str) -> str:
    if value not in LEVELS:
        message = f"must be one of {', '.join(LEVELS)}, not {value!r}"
        raise ValueError(message)
    return value


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        message = f"must be one of {', '.join(CURRENCIES)}, not {value!r}"
        raise ValueError(message)
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError) as wrong:  # each for its own kind of bad name
        message = f"must be a time zone such as Europe/London, not {value!r}"
        raise ValueError(message) from wrong
    return value


def _origin(value: str) -> str:
    """Take an empty value too: then there is a default."""
    if not value:
        return value
    # Browsers send an origin without a slash, and it is compared letter by letter.
    bare = value.rstrip("/")
    parts = urlsplit(bare)
    try:
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        named = False
    if not named or parts.scheme not in {"http", "https"} or bare != f"{parts.scheme}://{parts.netloc}" or "@" in bare:
        message = f"must be an origin such as https://tickets.example.org, without a path, not {value!r}"
        raise ValueError(message)
    return bare


def _host(value: str) -> str:
    if value == "localhost":
        return value
    try:
        ipaddress.ip_address(value)
    except ValueError as wrong:
        message = f"must be an address of this machine such as 127.0.0.1, or 0.0.0.0 for all of them, not {value!r}"
        raise ValueError(message) from wrong
    return value


def _line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        message = "must be one line of text"
        raise ValueError(message)
    return value.strip()


def _sender(value: str) -> str:
    name, address = parseaddr(value)
    local, _, domain = address.rpartition("@")
    # ``parseaddr`` takes almost anything, and may read an address that nobody wrote.
    if not local or not domain or not value.isprintable() or (name and address not in value):
        message = f"must be a sender such as Maypole <tickets@example.org>, not {value!r}"
        raise ValueError(message)
    return value


LogLevel = Annotated[str, BeforeValidator(_upper), AfterValidator(_level)]
Currency = Annotated[str, AfterValidator(_currency)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Origin = Annotated[str, AfterValidator(_origin)]
Host = Annotated[str, AfterValidator(_host)]
Line = Annotated[str, AfterValidator(_line)]
Sender = Annotated[str, AfterValidator(_sender)]
