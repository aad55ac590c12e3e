"""Where to go on to after signing in: only to a page of ours."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from quart import request

from shared.settings import Settings

from .state import app_state

LONGEST = 2000
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
"""Browsers drop tabs and line breaks from URLs and read a backslash as a slash; no address of ours has any."""


def safe_next(url: str | None, settings: Settings) -> str:
    """Return ``url`` if it leads to one of our four origins, or is a path of the blog's; else the empty string.

    An origin must be equal to one of ours, letter for letter: no user name, no other port, no other scheme.
    """
    if not url or len(url) > LONGEST or _UNSAFE.search(url):
        return ""
    if url.startswith("/"):
        # ``//host`` is an address on another host, in the scheme of this page.
        return "" if url.startswith("//") else url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if f"{parts.scheme}://{parts.netloc}" in settings.public_origins else ""


def sign_in_url(next_url: str | None = None, *, again: bool = False) -> str:
    """Return the address of the sign-in page that leads back to ``next_url``, or to the page that is being read.

    ``again`` is for somebody who is signed in, but not recently enough for what they want.
    """
    state = app_state()
    back = next_url if next_url is not None else _page_being_read()
    more = "&again=yes" if again else ""
    return f"{state.settings.url_of('blog')}/auth/sign-in?next={quote(back, safe='')}{more}"


def _page_being_read() -> str:
    state = app_state()
    if request.method in {"GET", "HEAD"} and request.headers.get("HX-Request") != "true":
        return state.settings.url_of(state.name) + request.full_path.rstrip("?")
    # To come back by GET to the address of a form's POST would find no page there.
    shown = request.headers.get("HX-Current-URL") or request.headers.get("Referer")
    return safe_next(shown, state.settings) or state.settings.url_of(state.name) + "/"
