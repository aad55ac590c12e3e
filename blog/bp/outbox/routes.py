"""``/outbox/``: what the development mail server has kept. Production has no such pages."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from markupsafe import Markup, escape
from quart import Blueprint, make_response, render_template
from quart.typing import ResponseTypes

from shared.contracts.errors import NotFound
from shared.web.state import app_state

from .kept import KeptMail, kept_mail, kept_mails

bp = Blueprint("outbox", __name__, url_prefix="/outbox")

_URL = re.compile(r"https?://[^\s<>\"']+")
# The styles of mails are inline; nothing can run in here.
_HTML_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-top-navigation-by-user-activation"
)


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """The list."""

    mails: list[KeptMail]


@dataclass(frozen=True, slots=True)
class OutboxMailPage:
    """One mail; ``text`` is escaped, and its addresses are links."""

    mail: KeptMail
    text: Markup


def linked(text: str) -> Markup:
    """Return a text as HTML in which only http addresses are links; everything else is escaped."""
    parts: list[Markup] = []
    end = 0
    for match in _URL.finditer(text):
        # The full stop after an address at the end of a sentence is not part of it.
        url = match.group().rstrip(".,;:!?)")
        parts += [escape(text[end : match.start()]), Markup('<a href="{0}">{0}</a>').format(url)]
        end = match.start() + len(url)
    return Markup("").join([*parts, escape(text[end:])])


async def _find(name: str) -> KeptMail:
    """Return a mail, or raise NotFound."""
    # In a thread: the disk may be slow, and one process serves everybody.
    mail = await asyncio.to_thread(kept_mail, app_state().settings.outbox_folder, name)
    if mail is None:
        raise NotFound
    return mail


@bp.get("/")
async def listing() -> str:
    """Show the newest mails."""
    mails = await asyncio.to_thread(kept_mails, app_state().settings.outbox_folder)
    return await render_template("_types/outbox/outbox.html", page=OutboxPage(mails))


@bp.get("/<name>/")
async def one(name: str) -> str:
    """Show one mail."""
    mail = await _find(name)
    return await render_template("_types/outbox/mail.html", page=OutboxMailPage(mail, linked(mail.text)))


@bp.get("/<name>/html")
async def html(name: str) -> ResponseTypes:
    """Give a mail's HTML to the frame that shows it: no script, no forms, nothing from elsewhere."""
    mail = await _find(name)
    # Links leave the frame, or the shop would open inside the outbox.
    body = mail.html.replace("<head>", '<head><base target="_top">', 1)
    response = await make_response(body)
    response.headers["Content-Security-Policy"] = _HTML_POLICY
    # Every other page forbids frames (DENY); this one is made to be in one of the outbox's own.
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
