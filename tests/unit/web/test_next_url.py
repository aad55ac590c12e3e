"""Only our own pages can be gone on to."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from shared.settings import Settings
from shared.web.next_url import LONGEST, safe_next

SETTINGS = Settings(
    environment="production",
    secret_key=SecretStr("0123456789abcdef" * 2),
    internal_secrets=(SecretStr("fedcba9876543210" * 2),),
    sumup_base_url="https://api.sumup.com",
    blog_url="https://www.maypole.example",
    market_url="https://shop.maypole.example",
    cart_url="https://cart.maypole.example",
    events_url="https://events.maypole.example:8443",
)


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/account",
        "/a/b?c=d&e=%2Ff#g",
        "https://cart.maypole.example/",
        "https://cart.maypole.example",
        "https://events.maypole.example:8443/entries/7/?ticket_type_1=2",
        "https://shop.maypole.example/?u=https://evil.example/",
    ],
)
def test_pages_of_ours_are_kept(url: str) -> None:
    assert safe_next(url, SETTINGS) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "account",
        "//evil.example/",
        "///evil.example/",
        "\\\\evil.example/",
        "/\\evil.example/",
        "\\/evil.example/",
        "/\t/evil.example/",
        "\t//evil.example/",
        " //evil.example/",
        "/\n/evil.example",
        "https:/evil.example",
        "https:evil.example",
        "https://evil.example/",
        "https://evil.example/https://cart.maypole.example/",
        "https://cart.maypole.example@evil.example/",
        "https://cart.maypole.example:pw@evil.example/",
        "https://me@cart.maypole.example/",
        "https://cart.maypole.example.evil.example/",
        "https://cart.maypole.example:443/",
        "https://events.maypole.example/",
        "https://events.maypole.example:8444/",
        "https://cart.maypole.example\\@evil.example/",
        "https://cart.maypole.example%2eevil.example/",
        "https://cart.maypole.example/\x00",
        "http://cart.maypole.example/",
        "javascript:alert(1)",
        "JaVaScRiPt://cart.maypole.example/%0aalert(1)",
        "data:text/html,hi",
        "ftp://cart.maypole.example/",
        "https://[cart.maypole.example/",
        "https://\u0441art.maypole.example/",
        "/" + "a" * LONGEST,
    ],
)
def test_anything_else_is_dropped(url: str | None) -> None:
    assert safe_next(url, SETTINGS) == ""
