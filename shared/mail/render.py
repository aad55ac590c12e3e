"""Mails from templates: each has ``<mail>/subject.txt``, ``<mail>/body.txt`` and ``<mail>/body.html``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from shared.browser.filters import mailto, money_filter, page_url_of, tel
from shared.contracts.times import until, when
from shared.contracts.vat import rate_text
from shared.labels import was_text
from shared.settings import Settings

FOLDER = Path(__file__).resolve().parent.parent / "browser" / "templates" / "email"


@dataclass(frozen=True, slots=True)
class Message:
    """A mail, ready to be queued."""

    recipient: str
    subject: str
    text: str
    html: str
    reply_to: str = ""
    """Where answers go; empty: to the sender of every mail."""


@lru_cache(maxsize=4)
def mail_environment(settings: Settings) -> Environment:
    """Return the templates' environment: HTML is escaped, text is not, and a name that nobody gave is an error."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html"], default=False, default_for_string=False),
        # A name that is missing must fail here: an empty place in a mail is seen by its reader only.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"page_url": page_url_of(settings), "site_name": settings.site_name}
    environment.filters |= {
        "mailto": mailto,
        "money": money_filter(settings.currency),
        "rate": rate_text,
        "tel": tel,
        "until": until,
        "was": was_text,
        "when": when,
    }
    return environment


def render_mail(event: str, *, settings: Settings, recipient: str, reply_to: str = "", **context: object) -> Message:
    """Render the mail of an event for one recipient. The subject becomes one line, whatever is put into it."""
    environment = mail_environment(settings)
    subject, text, html = (
        environment.get_template(f"{event}/{part}").render(context) for part in ("subject.txt", "body.txt", "body.html")
    )
    # One line: the e-mail library refuses a header with a line break, and such a mail would never go.
    return Message(recipient=recipient, subject=" ".join(subject.split()), text=text, html=html, reply_to=reply_to)
