"""Settings that are wrong are refused when a program starts, each with a line that says what to write instead."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.settings import APPS, Settings

PRODUCTION = {
    "environment": "production",
    "secret_key": "0123456789abcdef" * 2,
    "internal_secrets": "fedcba9876543210" * 2,
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
        ("currency", "HUF", "must be one of BRL"),
        ("currency", "BGN", "must be one of BRL"),
        ("currency", "gbp", "must be one of BRL"),
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
        ("blog_url", "http://127.0.0.2:8000/", "http://127.0.0.2:8000"),
        ("blog_url", "", ""),
        ("mail_from", "box@example.org", "box@example.org"),
        ("mail_from", '"The Barn, Ltd" <box@example.org>', '"The Barn, Ltd" <box@example.org>'),
        ("site_name", " The Barn ", "The Barn"),
    ],
)
def test_what_is_right_is_read(name: str, value: str, read: str) -> None:
    assert getattr(Settings.model_validate({name: value}), name) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "0.0.0.0"),  # noqa: S104 - what is refused
        ("host", "::"),
        ("host", "192.0.2.1"),
        ("blog_url", "http://192.0.2.1:8000"),
        ("events_url", "https://tickets.example.org"),
        ("cart_url", "http://localhost.example.org"),
        ("market_url", "http://127.0.0.1.example.org"),
        ("sumup_base_url", "https://api.sumup.com"),
        ("sumup_base_url", "http://192.0.2.1:9000"),
    ],
)
@pytest.mark.parametrize("environment", ["development", "test"])
def test_what_is_not_production_keeps_to_this_machine(environment: str, name: str, value: str) -> None:
    said = refusal(**{"environment": environment, name: value})
    assert "ENVIRONMENT=production" in said
    assert "\n" not in said


@pytest.mark.parametrize("host", ["localhost", "shop.localhost", "127.0.0.1", "127.0.0.2", "[::1]", "LOCALHOST"])
def test_development_may_use_any_name_of_this_machine(host: str) -> None:
    assert Settings(blog_url=f"http://{host}:8000", sumup_base_url=f"http://{host}:9000").environment == "development"


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


UNSAFE = [
    ("secret_key", "k" * 40, "at random"),
    ("secret_key", "abcabcabcabcabcabcabcabcabcabcabcabc", "at random"),
    ("internal_secrets", f"{'fedcba9876543210' * 2},{'s' * 40}", "at random"),
    ("internal_secrets", "0123456789abcdef" * 2, "values of their own"),
    ("internal_secrets", f"{'fedcba9876543210' * 2},{'fedcba9876543210' * 2}", "values of their own"),
    ("sign_in_fresh_minutes", 525_600, "less than or equal to 1440"),
    ("cookie_domain", "example", "shared with strangers"),
    ("cookie_domain", "co.uk", "shared with strangers"),
    ("cookie_domain", ".github.io", "shared with strangers"),
    ("cookie_domain", "other.example", "above all four hosts"),
    ("cookie_domain", "blog.maypole.example", "above all four hosts"),
    ("cookie_domain", "pole.example", "above all four hosts"),
    ("currency", "BGN", "must be one of"),
    ("database_url", "postgresql://app:x@db.example.org/maypole", "sslmode"),
    ("database_url", "postgresql://app:x@192.0.2.1/maypole?sslmode=prefer", "sslmode"),
    ("migrate_database_url", "postgresql://owner:x@db.example.org/maypole?sslmode=disable", "sslmode"),
    ("blog_url", "http://blog.maypole.example", "https:// origins"),
    ("sumup_base_url", "http://api.sumup.com", "SUMUP_BASE_URL"),
]
"""Settings that production must not be started with."""


@pytest.mark.parametrize(("name", "value", "words"), UNSAFE)
def test_production_refuses_what_is_unsafe(name: str, value: object, words: str) -> None:
    assert words in refusal(**{**PRODUCTION, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cookie_domain", "maypole.example"),
        ("cookie_domain", ".maypole.example"),
        ("database_url", "postgresql://app:x@db.example.org/maypole?sslmode=verify-full"),
        ("database_url", "postgresql://app:x@postgres:5432/maypole"),
        ("database_url", "postgresql://app:x@127.0.0.1/maypole"),
        ("database_url", "postgresql:///maypole?host=/run/postgresql"),
        ("host", "0.0.0.0"),  # noqa: S104 - behind a proxy
    ],
)
def test_production_takes_what_is_safe(name: str, value: object) -> None:
    assert Settings.model_validate({**PRODUCTION, name: value}).environment == "production"


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        ({}, "SMTP_HOST"),
        ({"smtp_host": "mail.shop.test", "smtp_port": 25}, "SMTP_STARTTLS"),
        ({"smtp_host": "mail.shop.test", "smtp_port": 587}, "SMTP_STARTTLS"),
        ({"smtp_host": "mail.shop.test", "smtp_port": 587, "smtp_starttls": True}, "MAIL_FROM"),
        ({"smtp_host": "mail.shop.test", "smtp_port": 465}, "MAIL_FROM"),
        ({"smtp_host": "127.0.0.1", "smtp_port": 25, "mail_from": "Shop <box@shop.test>"}, ""),
        ({"smtp_host": "mail.shop.test", "smtp_port": 465, "mail_from": "box@shop.test"}, ""),
        (
            {"smtp_host": "mail.shop.test", "smtp_port": 587, "smtp_starttls": True, "mail_from": "box@shop.test"},
            "",
        ),
    ],
)
def test_mails_leave_production_safely_or_not_at_all(mail: dict[str, object], words: str) -> None:
    problem = Settings.model_validate({**PRODUCTION, **mail}).mail_problem
    assert words in problem
    assert bool(problem) == bool(words)


def test_development_has_a_mail_server_of_its_own() -> None:
    assert not Settings().mail_problem
    assert Settings().uses_outbox
    assert not Settings(smtp_port=2525).uses_outbox
