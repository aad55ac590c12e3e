"""Asking for a sign-in link: the link and its mail, queued in one transaction.

A known and an unknown address take the same steps and get the same answer; the worker sends the mail later.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from shared.mail.render import render_mail
from shared.mail.service import queue_mail
from shared.services.identity import MailLimits, create_sign_in_link, hash_token, normalise_email
from shared.settings import Settings

MAIL_KIND = "sign-in"
# The first that fits counts, so the cart's root, which fits every path there, comes last.
_REASONS = (
    ("events", "/entries/", "Sign in to buy tickets"),
    ("events", "/tickets/", "Sign in to see your tickets"),
    ("cart", "/orders/", "Sign in to see your orders"),
    ("cart", "/", "Sign in to see your cart"),
)


def reason_to_sign_in(next_url: str, settings: Settings) -> str:
    """Return why somebody is asked to sign in, as the page they come from tells it; empty where it does not."""
    path = urlsplit(next_url).path
    for app, prefix, reason in _REASONS:
        # With the slash: shop.example must not match shop.example.org.
        if next_url.startswith(settings.url_of(app) + "/") and path.startswith(prefix):
            return reason
    return ""


async def request_link(
    session: AsyncSession, *, email: str, next_url: str, now: datetime, settings: Settings, network: str = ""
) -> str:
    """Queue a mail with a one-time link, and return the address as we write it.

    Raises BadInput where it is no address, TooManyLinks where it had its share of this hour.
    """
    address = normalise_email(email)
    # Link and mail in one transaction: neither is left without the other.
    token = await create_sign_in_link(
        session,
        email=address,
        next_url=next_url,
        now=now,
        minutes=settings.sign_in_link_minutes,
        limits=MailLimits(
            settings.sign_in_mails_per_hour, settings.sign_in_mails_per_network, settings.sign_in_mails_in_all
        ),
        network=network,
    )
    link = f"{settings.url_of('blog')}/auth/link/{token}"
    mail = render_mail(
        MAIL_KIND, settings=settings, recipient=address, link=link, minutes=settings.sign_in_link_minutes
    )
    # The key holds a hash: mails are kept longer than their links live.
    await queue_mail(session, mail, kind=MAIL_KIND, key=f"{MAIL_KIND}:{hash_token(token)}")
    return address
