"""The blog domain over the real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import BadInput, NotFound
from shared.contracts.protocols import BlogService
from shared.models.blog import PageConfig, Post
from shared.services.blog_impl import RESERVED_SLUGS, SqlBlogService
from tests.factories.blog import LONG_AGO, make_page, make_post

blog = SqlBlogService()


def test_it_keeps_the_protocol() -> None:
    assert isinstance(blog, BlogService)


async def test_pages_are_by_title_with_what_they_sell(session: AsyncSession) -> None:
    await make_page(session, slug="z", title="A first", has_market=True, seller_name="Ann")
    await make_page(session, slug="a", title="B second", has_calendar=True)

    pages = await blog.pages(session)

    assert [(p.slug, p.has_calendar, p.has_market) for p in pages] == [("z", False, True), ("a", True, False)]
    assert (pages[0].seller_name, pages[0].seller_address) == ("Ann", "1 Barn Lane")


async def test_how_a_seller_is_reached_is_kept_in_one_form(session: AsyncSession) -> None:
    await make_page(session, slug="barn", seller_email=" Ann@Barn.example ", seller_phone=" 01632  960123")
    await make_page(session, slug="mill")

    barn, mill = [await blog.page_by_slug(session, slug) for slug in ("barn", "mill")]

    assert barn is not None
    assert mill is not None
    assert (barn.seller_email, barn.seller_phone) == ("ann@barn.example", "01632 960123")
    assert (mill.seller_email, mill.seller_phone) == ("", "")


@pytest.mark.parametrize(("field", "typed"), [("seller_email", "ann at the barn"), ("seller_phone", "ring the bell")])
async def test_a_page_takes_no_address_or_number_that_is_none(session: AsyncSession, field: str, typed: str) -> None:
    page_post_id = await make_page(session, slug="barn", seller_email="ann@barn.example")
    with pytest.raises(BadInput) as refusal:
        await blog.configure_page(session, page_post_id, **{field: typed})  # type: ignore[arg-type]
    assert refusal.value.field == field
    page = await blog.page_by_slug(session, "barn")
    assert page is not None
    assert page.seller_email == "ann@barn.example"


@pytest.mark.parametrize("published_at", [None, datetime.now(UTC) + timedelta(days=2)], ids=["draft", "tomorrow"])
async def test_what_is_not_published_yet_is_not_found(session: AsyncSession, published_at: datetime | None) -> None:
    page_post_id = await make_page(session, slug="hidden", published_at=published_at)
    await make_post(session, slug="hidden-post", published_at=published_at)

    assert await blog.pages(session) == []
    assert await blog.page_by_slug(session, "hidden") is None
    assert await blog.post_by_slug(session, "hidden-post") is None
    assert await blog.posts(session) == []
    assert (await blog.pages_by_id(session, [page_post_id]))[page_post_id].slug == "hidden"


async def test_a_page_without_configuration_sells_nothing(session: AsyncSession) -> None:
    await blog.save_post(session, slug="bare", title="Bare", body="", is_page=True, published_at=LONG_AGO)

    page = await blog.page_by_slug(session, "bare")

    assert page is not None
    assert (page.has_calendar, page.has_market, page.seller_name) == (False, False, "")


async def test_posts_are_no_pages_and_pages_are_no_posts(session: AsyncSession) -> None:
    await make_page(session, slug="page")
    await make_post(session, slug="post")

    assert await blog.page_by_slug(session, "post") is None
    assert await blog.post_by_slug(session, "page") is None


async def test_posts_come_newest_first_and_the_key_leads_on_without_gaps(session: AsyncSession) -> None:
    for number in range(5):  # two of them at the same moment: the id decides
        await make_post(session, slug=f"p{number}", published_at=LONG_AGO + timedelta(days=number // 2))

    first = await blog.posts(session, limit=2)
    rest = await blog.posts(session, before=(first[-1].published_at, first[-1].id))

    assert [p.slug for p in first] == ["p4", "p3"]
    assert [p.slug for p in rest] == ["p2", "p1", "p0"]


async def test_a_pages_posts_are_its_own_and_name_it(session: AsyncSession) -> None:
    ours = await make_page(session, slug="ours", title="Ours")
    theirs = await make_page(session, slug="theirs")
    await make_post(session, slug="of-ours", page_post_id=ours)
    await make_post(session, slug="of-theirs", page_post_id=theirs)
    await make_post(session, slug="of-nobody")

    posts = await blog.posts(session, page_post_id=ours)

    assert [(p.slug, p.page_slug, p.page_title) for p in posts] == [("of-ours", "ours", "Ours")]


async def test_markdown_becomes_html_once_and_html_stays_text(session: AsyncSession) -> None:
    post_id = await make_post(session, slug="x", body="*Hello* <script>alert(1)</script> [x](javascript:alert(1))")

    post = await blog.post_by_slug(session, "x")
    stored = await session.get_one(Post, post_id)

    assert post is not None
    assert "<em>Hello</em> &lt;script&gt;" in post.body
    assert "<script" not in post.body
    assert "href" not in post.body
    assert stored.body_html == post.body


async def test_saving_again_changes_the_same_post(session: AsyncSession) -> None:
    first = await make_post(session, slug="same", title="Old", body="old")
    second = await make_post(session, slug="same", title="New", body="new")

    post = await blog.post_by_slug(session, "same")

    assert post is not None
    assert (first, post.title, post.body) == (second, "New", "<p>new</p>\n")


@pytest.mark.parametrize(
    "slug", ["", "Caps", "two--hyphens", "-x", "a b", "ä", "a/b", "x" * 81, *sorted(RESERVED_SLUGS)]
)
async def test_an_address_that_cannot_be_reached_is_refused(session: AsyncSession, slug: str) -> None:
    with pytest.raises(BadInput) as refused:
        await blog.save_post(session, slug=slug, title="T", body="")

    assert refused.value.field == "slug"


async def test_drafts_are_among_the_pages_for_who_asks_for_them(session: AsyncSession) -> None:
    await make_page(session, slug="shown", title="Shown")
    await make_page(session, slug="draft", title="Draft", published_at=None)

    assert [page.slug for page in await blog.pages(session)] == ["shown"]
    assert [page.slug for page in await blog.pages(session, drafts=True)] == ["draft", "shown"]


async def _accounts(session: AsyncSession) -> dict[int, tuple[str | None, str]]:
    """Return each page's account, and something else that it sells with."""
    rows = await session.execute(
        select(PageConfig.container_id, PageConfig.sumup_merchant_code, PageConfig.seller_name)
    )
    return {page_post_id: (code, seller) for page_post_id, code, seller in rows}


async def test_a_pages_account_is_set_and_taken_away_and_nothing_else_changes(session: AsyncSession) -> None:
    ours = await make_page(session, seller_name="Ann")
    theirs = await make_page(session, seller_name="Ben", sumup_merchant_code="MTHEIRS")

    await blog.set_page_account(session, ours, "MFARM")
    await blog.set_page_account(session, ours, "MFARM")
    assert await _accounts(session) == {ours: ("MFARM", "Ann"), theirs: ("MTHEIRS", "Ben")}

    await blog.set_page_account(session, ours, None)
    assert await _accounts(session) == {ours: (None, "Ann"), theirs: ("MTHEIRS", "Ben")}


async def test_a_page_without_configuration_gets_an_account(session: AsyncSession) -> None:
    page_post_id = await blog.save_post(session, slug="bare", title="Bare", body="", is_page=True)

    await blog.set_page_account(session, page_post_id, "MFARM")

    assert await _accounts(session) == {page_post_id: ("MFARM", "")}


async def test_what_is_no_page_has_no_account(session: AsyncSession) -> None:
    for post_id in (await make_post(session), 4711):
        with pytest.raises(NotFound):
            await blog.set_page_account(session, post_id, "MFARM")

    assert await _accounts(session) == {}
