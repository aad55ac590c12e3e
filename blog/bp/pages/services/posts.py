"""Posts: the list, newest first, and one by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import PostDTO
from shared.contracts.errors import NotFound
from shared.contracts.paging import moment_key, read_moment_key, read_part
from shared.services.registry import services

from .rows import PostRow, post_row

POSTS_A_PAGE = 10
INCOMPLETE_LINK = "This link to older posts is not complete. Please start again from the newest."


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
    """Write the place of ``post`` in the list."""
    return moment_key(post.published_at, post.id)


async def post_list(session: AsyncSession, *, before: str, zone: str) -> PostList:
    """Gather one part of the list, from the key ``before`` on (empty: from the newest)."""
    # By key: a post that is published meanwhile neither repeats a row nor skips one.
    key = read_moment_key(before, refusal=INCOMPLETE_LINK)
    part = await read_part(partial(services.blog.posts, session, before=key), size=POSTS_A_PAGE, key_of=key_of)
    return PostList(
        posts=tuple(post_row(post, zone) for post in part.rows),
        older_key=part.next_key,
        is_first=key is None,
    )


async def post_page(session: AsyncSession, slug: str, *, zone: str) -> PostPage:
    """Gather one post. Raises NotFound."""
    post = await services.blog.post_by_slug(session, slug)
    if post is None:
        raise NotFound("There is no post at this address. It may have been taken down, or the link may be mistyped.")
    return PostPage(post=post, row=post_row(post, zone))
