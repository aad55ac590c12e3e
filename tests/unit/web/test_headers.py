"""The policy that browsers are given."""

from __future__ import annotations

from pydantic import SecretStr

from shared.settings import Settings
from shared.web.headers import content_security_policy, security_headers
from shared.web.internal import bears_secret

PRODUCTION = Settings(
    environment="production",
    secret_key=SecretStr("0123456789abcdef" * 2),
    internal_secrets=(SecretStr("new secret of 32 characters or so"), SecretStr("old secret of 32 characters or so")),
    blog_url="https://www.maypole.example",
    market_url="https://shop.maypole.example",
    cart_url="https://cart.maypole.example",
    events_url="https://events.maypole.example",
    sumup_base_url="https://api.sumup.com",
)


def _directives(settings: Settings) -> dict[str, list[str]]:
    parts = [part.split() for part in content_security_policy(settings).split(";")]
    return {name: values for name, *values in parts}


def test_no_inline_script_or_style_is_allowed() -> None:
    directives = _directives(PRODUCTION)
    assert directives["default-src"] == ["'self'"]
    assert not {"script-src", "style-src"} & directives.keys()
    assert "unsafe" not in content_security_policy(PRODUCTION)


def test_forms_lead_to_the_four_apps_and_the_provider_only() -> None:
    assert _directives(PRODUCTION)["form-action"] == [
        "'self'",
        *PRODUCTION.public_origins,
        "https://checkout.sumup.com",
        "https://pay.sumup.com",
    ]
    assert "http://localhost:8010" in _directives(Settings())["form-action"]


def test_only_production_insists_on_https() -> None:
    assert "Strict-Transport-Security" in security_headers(PRODUCTION)
    assert "Strict-Transport-Security" not in security_headers(Settings())


def test_every_secret_is_accepted_and_nothing_else() -> None:
    assert bears_secret("Bearer new secret of 32 characters or so", PRODUCTION)
    assert bears_secret("bearer old secret of 32 characters or so", PRODUCTION)
    for header in (None, "", "Bearer", "Bearer ", "Bearer x", "Basic new secret of 32 characters or so", "Bearer ünï"):
        assert not bears_secret(header, PRODUCTION)


def test_nothing_is_embedded_by_strangers_and_https_holds_below_our_hosts() -> None:
    headers = security_headers(PRODUCTION)
    assert headers["Cross-Origin-Resource-Policy"] == "same-site"
    assert headers["Strict-Transport-Security"].endswith("; includeSubDomains")
