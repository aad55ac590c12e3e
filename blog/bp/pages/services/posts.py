"""Posts: the list, newest first, and one by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import PostDTO
from shared.contracts.errors import BadInput, NotFound
from shared.services.registry import services

from .rows import PostRow, post_row

POSTS_A_PAGE = 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEY = re.compile(r"([0-9]{1,17})-([0-9]{1,18})", re.ASCII)
"""No longer than what a datetime and a bigint hold."""


@dataclass(frozen=True, slots=True)
class PostList:
    """A part of the list of posts."""

    posts: tuple[PostRow, ...]
    older_key: str
    """The key of what comes after this part; empty at the end."""
    is_first: bool


@dataclass(frozen=True, slots=True)
class PostPage:
    """One post."""

    post: PostDTO
    row: PostRow


def key_of(post: PostDTO) -> str:
    """Write the place of ``post`` in the list: microseconds since 1970, and its id."""
    return f"{(post.published_at - EPOCH) // timedelta(microseconds=1)}-{post.id}"


def read_key(key: str) -> tuple[datetime, int]:
    """Read what ``key_of`` wrote. Raises BadInput for anything else."""
    match = KEY.fullmatch(key)
    if match is None:
        raise BadInput("This link to older posts is not complete. Please start again from the newest.")
    return EPOCH + timedelta(microseconds=int(match[1])), int(match[2])


async def post_list(session: AsyncSession, *, before: str, zone: str) -> PostList:
    """Gather one part of the list, from the key ``before`` on (empty: from the newest)."""
    key = read_key(before) if before else None
    posts = await services.blog.posts(session, before=key, limit=POSTS_A_PAGE + 1)
    shown = posts[:POSTS_A_PAGE]
    return PostList(
        posts=tuple(post_row(post, zone) for post in shown),
        older_key=key_of(shown[-1]) if len(posts) > POSTS_A_PAGE else "",
        is_first=key is None,
    )


async def post_page(session: AsyncSession, slug: str, *, zone: str) -> PostPage:
    """Gather one post. Raises NotFound."""
    post = await services.blog.post_by_slug(session, slug)
    if post is None:
        raise NotFound("There is no post at this address. It may have been taken down, or the link may be mistyped.")
    return PostPage(post=post, row=post_row(post, zone))
