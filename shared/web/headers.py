"""What every response says to the browser about security and caching."""

from __future__ import annotations

from quart import Quart, g
from quart.typing import ResponseTypes

from shared.settings import Settings

from .identity import has_identity


def content_security_policy(settings: Settings) -> str:
    """Return the policy: everything from here, no inline script or style, forms only to us and to the provider.

    ``form-action`` also governs where a form's redirect may lead, so the provider's hosted page is named in it.
    """
    form_targets = " ".join(("'self'", *settings.public_origins, *settings.hosted_origins))
    return "; ".join(
        (
            "default-src 'self'",
            "base-uri 'none'",
            f"form-action {form_targets}",
            "frame-ancestors 'none'",
            "img-src 'self' data:",
            "object-src 'none'",
        )
    )


def security_headers(settings: Settings) -> dict[str, str]:
    """Return the headers that are the same on every response."""
    headers = {
        "Content-Security-Policy": content_security_policy(settings),
        "X-Content-Type-Options": "nosniff",
        # Not "same-origin" or "no-referrer": browsers then send "Origin: null" when a page of one of our apps posts
        # to another, and the cross-site check could not tell it from a stranger's.
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Our four hosts are one site; a stranger's page may embed nothing of them.
        "Cross-Origin-Resource-Policy": "same-site",
        "X-Frame-Options": "DENY",
    }
    if settings.environment == "production":
        # Not in development: a browser would then ask localhost for https for a year.
        # What is below a host of ours is ours as well, or the cookie would not be safe there either.
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


def _cache_rule(response: ResponseTypes) -> str:
    if has_identity() or g.get("sets_cookie", False):
        return "no-store"  # a shared computer's back button shows nobody else's cart
    return "no-cache" if response.status_code < 400 else "no-store"  # noqa: PLR2004 - where HTTP's refusals begin


def install_headers(app: Quart, settings: Settings) -> None:
    """Put the headers on every response of ``app``; what a route has set itself stays."""
    headers = security_headers(settings)

    @app.after_request
    async def _add(response: ResponseTypes) -> ResponseTypes:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", _cache_rule(response))
        if response.mimetype == "text/html":
            # One address serves the page and its part, signed in or not: a cache must not mistake one for the other.
            response.headers.add("Vary", "Cookie, HX-Request")
        return response
