"""Every pair of headers that a browser may send with a form."""

from __future__ import annotations

import pytest

from shared.web.csrf import comes_from_us

OURS = ("http://localhost:8000", "http://localhost:8002")


@pytest.mark.parametrize(
    ("origin", "fetch_site"),
    [
        ("http://localhost:8000", "same-origin"),
        ("http://localhost:8000", None),  # browsers before Sec-Fetch-Site
        ("http://localhost:8002", "same-site"),  # a sister app: another port of the same host
        ("http://localhost:8002", "cross-site"),  # a sister app on another domain
        ("null", "same-origin"),  # a page that hides its origin
        (None, "same-origin"),
        (None, "none"),  # the person themselves, by a bookmark or a restored tab
    ],
)
def test_our_own_pages_may_post(origin: str | None, fetch_site: str | None) -> None:
    assert comes_from_us(origin, fetch_site, OURS)


@pytest.mark.parametrize(
    ("origin", "fetch_site"),
    [
        ("https://evil.example", "cross-site"),
        ("https://evil.example", None),
        ("https://evil.example", "same-origin"),  # a contradiction: the origin decides
        ("http://localhost:9999", "same-site"),  # another port of our host, but none of ours
        ("https://localhost:8000", "same-site"),  # another scheme
        ("http://localhost:8000.evil.example", "cross-site"),
        ("http://localhost", "same-site"),
        ("http://LOCALHOST:8000", "same-site"),  # browsers write origins in lower case
        ("null", "cross-site"),  # a sandboxed frame
        ("null", "same-site"),
        ("null", "none"),
        ("null", None),
        ("", None),
        (None, "cross-site"),
        (None, "same-site"),
        (None, ""),
        (None, None),  # no browser of today
    ],
)
def test_other_pages_may_not(origin: str | None, fetch_site: str | None) -> None:
    assert not comes_from_us(origin, fetch_site, OURS)
