"""Posts as rows of a list: everything a template would have to work out is worked out here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.contracts.dtos import PostDTO
from shared.contracts.paths import page_path, post_path


@dataclass(frozen=True, slots=True)
class PostRow:
    """A post in a list."""

    path: str
    title: str
    excerpt: str
    day: str
    published_at: datetime
    page_path: str
    page_title: str


def long_day(moment: datetime, zone: str) -> str:
    """Return the day of ``moment`` in ``zone``, as people write it: 3 May 2026."""
    local = moment.astimezone(ZoneInfo(zone))
    # Not %d, which writes 03 for the 3rd, nor %-d, which not every platform knows.
    return f"{local.day} {local:%B %Y}"


def post_row(post: PostDTO, zone: str) -> PostRow:
    """Make a row of a post."""
    return PostRow(
        path=post_path(post.slug),
        title=post.title,
        excerpt=post.excerpt,
        day=long_day(post.published_at, zone),
        published_at=post.published_at,
        page_path=page_path(post.page_slug) if post.page_slug else "",
        page_title=post.page_title or "",
    )
