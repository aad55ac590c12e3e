"""How templates write money, times, codes and what links lead to; for pages and mails alike."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import quote

import segno
from markupsafe import Markup, escape

from shared.contracts.contact import dialled
from shared.contracts.money import Money, to_cents
from shared.settings import Settings


def money_filter(currency: str) -> Callable[[Decimal | None], str]:
    """Return the ``money`` filter of an installation: ``£12.50``; nothing for None, which is no price."""

    def money(amount: Decimal | None) -> str:
        return "" if amount is None else str(Money(amount, currency))

    return money


def amount(value: Decimal) -> str:
    """Write an amount for a form's field, as it is read back: ``12.50``."""
    return f"{to_cents(value):.2f}"


def qr(code: str) -> Markup:
    """Return a code as an inline SVG: dark on white with its quiet zone, also on a dark page, or scanners fail."""
    # ``micro``: a short code would become a Micro QR code, which many scanners can't read.
    svg = segno.make(code, error="m", micro=False).svg_inline(
        # Four modules of quiet zone are what the standard for QR codes asks for (ISO/IEC 18004).
        border=4,
        dark="#000",
        light="#fff",
        svgclass="qr",
        lineclass=None,
        omitsize=True,
    )
    # Without a role and a name a screen reader has nothing to say of the picture (WCAG 1.1.1).
    label = escape(f"QR code {code}")
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))  # noqa: S704 - segno's own output


def mailto(email: str) -> str:
    """Return the link that writes to an e-mail address: a ``?`` in it begins no subject (RFC 6068)."""
    return f"mailto:{quote(email, safe='@+')}"


def tel(phone: str) -> str:
    """Return the link that rings a telephone number."""
    return f"tel:{dialled(phone)}"


def page_url_of(settings: Settings) -> Callable[[str, str], str]:
    """Return ``page_url(app, path)``: a path's absolute address on an app's public origin."""

    def page_url(app: str, path: str = "/") -> str:
        return f"{settings.url_of(app)}/{path.lstrip('/')}"

    return page_url
