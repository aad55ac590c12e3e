"""Settings that are wrong are refused when a program starts, each with a line that says what to write instead."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.settings import APPS, Settings

PRODUCTION = {
    "environment": "production",
    "secret_key": "k" * 32,
    "internal_secrets": "s" * 32,
    "sumup_base_url": "https://api.sumup.com",
    **{f"{app}_url": f"https://{app}.maypole.example" for app in APPS},
}


def refusal(**values: object) -> str:
    """Return what is said of settings that are refused."""
    with pytest.raises(ValidationError) as wrong:
        Settings.model_validate(values)
    [error] = wrong.value.errors()
    return str(error["msg"])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("log_level", "LOUD", "must be one of DEBUG, INFO"),
        ("log_level", "", "must be one of DEBUG, INFO"),
        ("currency", "HUF", "must be one of BGN"),
        ("currency", "gbp", "must be one of BGN"),
        ("time_zone", "Mars/Phobos", "must be a time zone such as"),
        ("time_zone", "", "must be a time zone such as"),
        ("time_zone", "../etc", "must be a time zone such as"),
        ("time_zone", "Europe", "must be a time zone such as"),
        ("host", "my.example.org", "must be an address of this machine"),
        ("host", "", "must be an address of this machine"),
        ("host", "300.1.1.1", "must be an address of this machine"),
        ("blog_url", "www.example.org", "must be an origin such as"),
        ("blog_url", "https://example.org/shop", "must be an origin such as"),
        ("blog_url", "ftp://example.org", "must be an origin such as"),
        ("blog_url", "https://example.org:port", "must be an origin such as"),
        ("blog_url", "https://example.org:99999", "must be an origin such as"),
        ("blog_url", "https://me@example.org", "must be an origin such as"),
        ("blog_url", "https://example.org?x", "must be an origin such as"),
        ("internal_cart_url", "cart:8002", "must be an origin such as"),
        ("sumup_base_url", "api.sumup.com", "must be an origin such as"),
        ("site_name", " ", "must be one line of text"),
        ("site_name", "May\npole", "must be one line of text"),
        ("mail_from", "Maypole", "must be a sender such as"),
        ("mail_from", "@example.org", "must be a sender such as"),
        ("mail_from", "a@b.example\r\nBcc: c@d.example", "must be a sender such as"),
        ("secret_key", "short", "must have 32 characters or more"),
        ("internal_secrets", "long enough to be one of the secrets,short", "must have 32 characters or more"),
        ("internal_secrets", " , ", "should have at least 1 item"),
        ("credentials_keys", "", "should have at least 1 item"),
    ],
)
def test_what_is_wrong_is_told(name: str, value: str, words: str) -> None:
    assert words in refusal(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("log_level", "debug", "DEBUG"),
        ("time_zone", "Pacific/Auckland", "Pacific/Auckland"),
        ("host", "::1", "::1"),
        ("host", "localhost", "localhost"),
        ("blog_url", "http://192.0.2.1:8000/", "http://192.0.2.1:8000"),
        ("blog_url", "", ""),
        ("mail_from", "box@example.org", "box@example.org"),
        ("mail_from", '"The Barn, Ltd" <box@example.org>', '"The Barn, Ltd" <box@example.org>'),
        ("site_name", " The Barn ", "The Barn"),
    ],
)
def test_what_is_right_is_read(name: str, value: str, read: str) -> None:
    assert getattr(Settings.model_validate({name: value}), name) == read


def test_a_production_that_has_all_it_needs_is_accepted() -> None:
    assert not Settings.model_validate({**PRODUCTION, "sumup_api_key": "sup_sk_real"}).lacks_account


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("secret_key", "SECRET_KEY and INTERNAL_SECRETS"),
        ("internal_secrets", "SECRET_KEY and INTERNAL_SECRETS"),
        ("cart_url", "BLOG_URL, MARKET_URL, CART_URL and EVENTS_URL"),
        ("sumup_base_url", "SUMUP_BASE_URL"),
    ],
)
def test_a_production_that_lacks_something_is_refused(missing: str, words: str) -> None:
    assert words in refusal(**{name: value for name, value in PRODUCTION.items() if name != missing})


def test_the_key_of_the_sandbox_takes_no_real_money() -> None:
    assert Settings.model_validate(PRODUCTION).lacks_account
    assert not Settings().lacks_account
