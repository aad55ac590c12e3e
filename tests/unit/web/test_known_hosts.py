"""Which host names are ours, in development and in production."""

from __future__ import annotations

import pytest

from shared.settings import APPS, Settings
from shared.web.known_hosts import is_ours

PRODUCTION = Settings.model_validate(
    {
        "environment": "production",
        "secret_key": "0123456789abcdef" * 2,
        "internal_secrets": "fedcba9876543210" * 2,
        "sumup_base_url": "https://api.sumup.com",
        **{f"{app}_url": f"https://{app}.shop.test" for app in APPS},
    }
)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "shop.localhost", "127.0.0.1:8002", "[::1]:8000"])
def test_development_answers_to_the_names_of_this_machine(host: str) -> None:
    assert is_ours(host, "blog", Settings())


FOREIGN = [
    "evil.test",
    "localhost.evil.test",
    "evil.test:8000",
    "192.0.2.1",
    "[::2]",
    "[",
    "",
    "a b",
    "localhost@evil.test",
]


@pytest.mark.parametrize("host", FOREIGN)
def test_development_answers_to_no_other_name(host: str) -> None:
    assert not is_ours(host, "blog", Settings())


@pytest.mark.parametrize("host", ["blog.shop.test", "BLOG.shop.test", "blog.shop.test:443"])
def test_production_answers_to_the_public_name_of_the_app(host: str) -> None:
    assert is_ours(host, "blog", PRODUCTION)


@pytest.mark.parametrize("host", [*FOREIGN, "localhost", "127.0.0.1", "cart.shop.test", "shop.test"])
def test_production_answers_to_no_other_name(host: str) -> None:
    assert not is_ours(host, "blog", PRODUCTION)
