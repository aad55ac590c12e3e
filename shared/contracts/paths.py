"""Where the apps show what others link to: an app never asks another one for an address."""

from __future__ import annotations

import re
from datetime import date

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""What the address of a page, a post or a product is made of."""


def page_path(slug: str) -> str:
    """Return the path of a page on the blog."""
    return f"/{slug}/"


def post_path(slug: str) -> str:
    """Return the path of a post on the blog."""
    return f"/posts/{slug}/"


# The same path as the page's own: blog and market each have their own origin.
def shop_path(page_slug: str) -> str:
    """Return the path of a page's shop on the market."""
    return f"/{page_slug}/"


def product_path(page_slug: str, slug: str) -> str:
    """Return the path of a product on the market."""
    return f"/{page_slug}/{slug}/"


def calendar_path(slug: str) -> str:
    """Return the path of a calendar on the events app."""
    return f"/calendars/{slug}/"


def book_path(slug: str) -> str:
    """Return the path, on the events app, where the times of a calendar are booked."""
    return f"{calendar_path(slug)}book/"


def book_day_path(slug: str, day: date) -> str:
    """Return the path, on the events app, where the times of one day of a calendar are booked."""
    return f"{book_path(slug)}{day.isoformat()}/"


def entry_path(entry_id: int) -> str:
    """Return the path of an event on the events app."""
    return f"/entries/{entry_id}/"
