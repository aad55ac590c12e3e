"""Signing in by a mailed link: once, for a quarter of an hour, and back to where one came from."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
from quart import Quart
from selectolax.lexbor import LexborHTMLParser as Html
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from blog.bp.auth.services.sign_in import request_link
from launcher.users import lock_user
from shared.contracts.states import Role
from shared.models import Mail, SecurityEntry, User
from shared.services.identity import TooManyMails, ensure_user, grant_role, hash_token
from shared.settings import Settings
from shared.web.state import AppState
from tests.factories.users import sign_in_client

OURS = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
ADA = "ada@maypole.example"
ENTRY = "http://localhost:8003/entries/7/?ticket_type_1=2"


async def _ask(blog: Quart, email: str = ADA, next_url: str = "") -> tuple[int, Html]:
    response = await blog.test_client().post("/auth/sign-in", headers=OURS, form={"email": email, "next": next_url})
    return response.status_code, Html(await response.get_data())


async def _mailed_links(session: AsyncSession) -> list[str]:
    await session.rollback()
    texts = await session.scalars(text("SELECT text FROM mails ORDER BY id"))
    return [match.group(1) for body in texts if (match := re.search(r"http://localhost:8000(/auth/link/\S+)", body))]


async def _count(session: AsyncSession, table: str) -> int:
    await session.rollback()
    return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def _state(blog: Quart) -> AppState:
    state: AppState = blog.extensions["maypole"]
    return state


async def test_the_form_says_why_and_keeps_the_way_back(blog: Quart) -> None:
    response = await blog.test_client().get(f"/auth/sign-in?next={quote(ENTRY, safe='')}")
    page = Html(await response.get_data())

    assert page.css_first("h1").text() == "Sign in to buy tickets"
    assert page.css_first("input[name=next]").attributes["value"] == ENTRY


async def test_the_form_drops_a_way_back_that_leads_elsewhere(blog: Quart) -> None:
    response = await blog.test_client().get("/auth/sign-in?next=//evil.example/")
    assert Html(await response.get_data()).css_first("input[name=next]").attributes["value"] == ""


async def test_a_link_is_mailed_and_only_its_hash_is_kept(blog: Quart, session: AsyncSession) -> None:
    status, page = await _ask(blog, f"  {ADA.upper()} ")
    (link,) = await _mailed_links(session)
    token = link.rsplit("/", 1)[1]

    assert status == 200
    assert ADA in page.css_first("main").text()
    assert page.css_first("main a[href='/outbox/']") is not None
    assert await session.scalar(text("SELECT token_hash FROM sign_in_links")) == hash_token(token)
    assert len(token) >= 43  # 256 bits
    assert await _count(session, "users") == 0  # asking makes no account
    assert await session.scalar(text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'send_mail'")) == 1


async def test_known_and_unknown_addresses_get_the_same_answer(blog: Quart, session: AsyncSession) -> None:
    await sign_in_client(blog.test_client(), email="known@maypole.example")
    answers = [await _ask(blog, f"{name}@maypole.example") for name in ("known", "new00")]

    texts = [re.sub(r"known|new00", "NAME", page.css_first("main").html or "") for _status, page in answers]
    assert [status for status, _page in answers] == [200, 200]
    assert texts[0] == texts[1]
    assert await _count(session, "mails") == 2


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@maypole.example",
        "a b@maypole.example",
        "a@b",
        "a@b.c\r\nBcc: x@y.example",
        "a\0@b.example",
        "a..b@c.example",
        "a" * 65 + "@b.example",
        "a@" + "b" * 260 + ".example",
        "ada@maypole.example,eve@evil.example",
        "<ada@maypole.example>",
    ],
)
async def test_what_is_no_address_is_told_and_kept(blog: Quart, session: AsyncSession, typed: str) -> None:
    status, page = await _ask(blog, typed, ENTRY)

    assert status == 422
    field = page.css_first("#f-email")
    assert field.attributes["aria-invalid"] == "true"
    assert field.attributes["value"] == typed.replace("\0", "\ufffd").replace("\r\n", "\n") or "\n" in typed
    assert page.css_first("input[name=next]").attributes["value"] == ENTRY
    assert await _count(session, "mails") == 0


async def test_looking_at_the_link_does_not_use_it_up(blog: Quart, session: AsyncSession) -> None:
    await _ask(blog)
    (link,) = await _mailed_links(session)
    scanner = blog.test_client()
    for _ in range(3):
        response = await scanner.get(link)
        assert response.status_code == 200
        assert "Set-Cookie" not in response.headers
        assert response.headers["Referrer-Policy"] == "strict-origin"
    page = Html(await response.get_data())

    assert page.css_first("main form").attributes["action"] == link
    assert ADA in page.css_first("main").text()
    assert await _count(session, "users") == 0


async def test_the_button_signs_in_and_leads_back(blog: Quart, session: AsyncSession) -> None:
    await _ask(blog, next_url=ENTRY)
    (link,) = await _mailed_links(session)
    client = blog.test_client()
    response = await client.post(link, headers=OURS)

    assert (response.status_code, response.headers["Location"]) == (303, ENTRY)
    assert ADA in await (await client.get("/account")).get_data(as_text=True)
    assert await _count(session, "users") == 1


async def test_a_link_works_once_and_a_new_one_leads_to_the_same_page(blog: Quart, session: AsyncSession) -> None:
    await _ask(blog, next_url=ENTRY)
    (link,) = await _mailed_links(session)
    await blog.test_client().post(link, headers=OURS)
    second = blog.test_client()
    response = await second.post(link, headers=OURS)
    page = Html(await response.get_data())

    assert response.status_code == 410
    assert "Set-Cookie" not in response.headers
    assert page.css_first("main a.btn").attributes["href"] == f"/auth/sign-in?next={quote(ENTRY, safe='/')}"
    assert (await second.get(link)).status_code == 410


async def test_of_many_presses_at_once_one_gets_in(blog: Quart, session: AsyncSession) -> None:
    await _ask(blog)
    (link,) = await _mailed_links(session)
    responses = await asyncio.gather(*(blog.test_client().post(link, headers=OURS) for _ in range(6)))

    assert sorted(response.status_code for response in responses) == [303, 410, 410, 410, 410, 410]
    assert await _count(session, "sessions") == 1


@pytest.mark.parametrize(("minutes", "status"), [(14, 303), (15, 410)])
async def test_a_link_works_for_a_quarter_of_an_hour(
    blog: Quart, session: AsyncSession, minutes: int, status: int
) -> None:
    start = datetime.now(UTC)
    _state(blog).clock = lambda: start
    await _ask(blog)
    (link,) = await _mailed_links(session)
    _state(blog).clock = lambda: start + timedelta(minutes=minutes)

    assert (await blog.test_client().post(link, headers=OURS)).status_code == status


async def test_an_invented_link_is_told_like_a_spent_one(blog: Quart) -> None:
    client = blog.test_client()
    assert (await client.get("/auth/link/nothing")).status_code == 410
    assert (await client.post("/auth/link/nothing", headers=OURS)).status_code == 410


async def test_another_site_cannot_sign_anybody_in(blog: Quart, session: AsyncSession) -> None:
    await _ask(blog)
    (link,) = await _mailed_links(session)
    response = await blog.test_client().post(link, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403
    assert (await blog.test_client().post(link, headers=OURS)).status_code == 303


async def test_an_address_gets_so_many_mails_an_hour(blog: Quart, session: AsyncSession) -> None:
    start = datetime.now(UTC)
    _state(blog).clock = lambda: start
    most = _state(blog).settings.sign_in_mails_per_hour
    statuses = [(await _ask(blog))[0] for _ in range(most + 1)]
    assert statuses == [200] * most + [429]
    assert (await _ask(blog, "bob@maypole.example"))[0] == 200
    assert await _count(session, "mails") == most + 1

    _state(blog).clock = lambda: start + timedelta(minutes=61)
    assert (await _ask(blog))[0] == 200


async def test_no_token_and_no_address_reach_the_log(blog: Quart, session: AsyncSession) -> None:
    with capture_logs() as lines:
        await _ask(blog)
        (link,) = await _mailed_links(session)
        await blog.test_client().get(link)
        await blog.test_client().post(link, headers=OURS)

    assert [line["path"] for line in lines if line["event"] == "request"] == [
        "/auth/sign-in",
        "/auth/link/<token>",
        "/auth/link/<token>",
    ]
    assert link.rsplit("/", 1)[1] not in str(lines)
    assert ADA not in str(lines)


async def test_whoever_is_signed_in_goes_straight_on(blog: Quart) -> None:
    client = blog.test_client()
    await sign_in_client(client)
    response = await client.get(f"/auth/sign-in?next={quote(ENTRY, safe='')}")
    assert response.headers["Location"] == ENTRY


AGAIN = f"/auth/sign-in?next={quote('http://localhost:8002/admin/refunds/', safe='')}&again=yes"


async def test_whoever_signed_in_a_while_ago_may_ask_for_a_link_again_and_reads_why(blog: Quart) -> None:
    client, state, start = blog.test_client(), _state(blog), datetime.now(UTC)
    await sign_in_client(client, email=ADA)
    state.clock = lambda: start + timedelta(hours=2)

    page = Html(await (await client.get(AGAIN)).get_data())
    assert page.css_first("h1").text() == "Sign in once more"
    assert "Before money moves" in page.css_first(".lede").text()
    assert page.css_first("#f-email").attributes["value"] == ADA
    assert page.css_first("input[name=next]").attributes["value"] == "http://localhost:8002/admin/refunds/"


async def test_whoever_has_just_signed_in_again_goes_on(blog: Quart) -> None:
    client = blog.test_client()
    await sign_in_client(client, email=ADA)

    answer = await client.get(AGAIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost:8002/admin/refunds/")


async def test_a_link_asked_for_again_starts_a_new_session(blog: Quart, session: AsyncSession) -> None:
    client, state, start = blog.test_client(), _state(blog), datetime.now(UTC)
    await sign_in_client(client, email=ADA)
    state.clock = lambda: start + timedelta(hours=2)
    form = {"email": ADA, "next": "http://localhost:8002/admin/refunds/", "again": "yes"}
    await client.post("/auth/sign-in", headers=OURS, form=form)
    (link,) = await _mailed_links(session)
    await client.post(link, headers=OURS)

    answer = await client.get(AGAIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost:8002/admin/refunds/")
    assert await _count(session, "sessions") == 1


async def test_a_slip_in_the_address_keeps_the_reason_to_sign_in_again(blog: Quart) -> None:
    form = {"email": "ada", "next": "", "again": "yes"}
    answer = await blog.test_client().post("/auth/sign-in", headers=OURS, form=form)
    page = Html(await answer.get_data())

    assert answer.status_code == 422
    assert page.css_first("h1").text() == "Sign in once more"
    assert page.css_first("input[name=again]").attributes["value"] == "yes"


async def _ask_at_once(blog: Quart, emails: list[str], **limits: int) -> int:
    """Ask for a link for each address, all at once; return how many were sent."""
    state = _state(blog)
    state.settings = state.settings.model_copy(update=limits)
    return [status for status, _ in await asyncio.gather(*(_ask(blog, email) for email in emails))].count(200)


async def test_of_many_who_ask_at_once_no_more_get_a_mail(blog: Quart, session: AsyncSession) -> None:
    assert await _ask_at_once(blog, [ADA] * 30) == 5
    assert await _count(session, "mails") == 5


async def test_addresses_that_reach_one_inbox_share_its_limit(blog: Quart) -> None:
    emails = [f"a.da+{number}@gmail.com" for number in range(5)] + [
        f"ad.a+{number}@googlemail.com" for number in range(5)
    ]
    assert await _ask_at_once(blog, emails) == 5


async def test_one_network_asks_for_so_many(session: AsyncSession, settings: Settings) -> None:
    limited = settings.model_copy(update={"sign_in_mails_per_network": 2})

    async def ask(network: str) -> None:
        email = f"{uuid4().hex}@maypole.example"
        now = datetime.now(UTC)
        await request_link(session, email=email, next_url="", now=now, settings=limited, network=network)

    for network in ("192.0.2.7", "192.0.2.7", "2001:db8:1:2::/64", "", "", ""):
        await ask(network)
    with pytest.raises(TooManyMails):
        await ask("192.0.2.7")


async def test_in_all_no_more_go_out_than_may_and_the_log_says_so(blog: Quart) -> None:
    emails = [f"somebody{number}@maypole.example" for number in range(6)]
    with capture_logs() as lines:
        assert await _ask_at_once(blog, emails, sign_in_mails_in_all=4) == 4
    assert [line["log_level"] for line in lines if line["event"] == "sign_in_mails_at_limit"] == ["error"] * 2


async def test_a_used_link_ends_the_other_links_of_its_address(blog: Quart, session: AsyncSession) -> None:
    for email in (ADA, ADA, "bob@maypole.example"):
        await _ask(blog, email)
    first, second, bobs = await _mailed_links(session)
    statuses = [(await blog.test_client().post(link, headers=OURS)).status_code for link in (second, first, bobs)]
    assert statuses == [303, 410, 303]


async def test_of_all_links_of_an_address_pressed_at_once_one_gets_in(blog: Quart, session: AsyncSession) -> None:
    for _ in range(5):
        await _ask(blog)
    links = await _mailed_links(session)
    responses = await asyncio.gather(*(blog.test_client().post(link, headers=OURS) for link in links))
    assert sorted(response.status_code for response in responses) == [303, 410, 410, 410, 410]
    assert await _count(session, "sessions") == 1


async def test_signing_out_everywhere_ends_open_links(blog: Quart, session: AsyncSession) -> None:
    client = blog.test_client()
    await sign_in_client(client, email=ADA)
    await _ask(blog)
    await client.post("/auth/sign-out", headers=OURS, form={"everywhere": "yes"})
    [link] = await _mailed_links(session)
    assert (await blog.test_client().post(link, headers=OURS)).status_code == 410


async def test_nobody_gets_into_a_locked_account(
    blog: Quart, session: AsyncSession, settings: Settings, database_url: str
) -> None:
    client = blog.test_client()
    await sign_in_client(client, email=ADA)
    assert "locked" in await lock_user(settings, database_url, ADA, unlock=False)
    assert (await client.get("/account")).status_code == 303
    await _ask(blog)
    link = (await _mailed_links(session))[-1]
    assert (await blog.test_client().post(link, headers=OURS)).status_code == 403

    await lock_user(settings, database_url, ADA, unlock=True)
    assert (await blog.test_client().post(link, headers=OURS)).status_code == 303


async def test_signing_in_and_out_and_a_failed_link_are_written_down(blog: Quart, session: AsyncSession) -> None:
    client = blog.test_client()
    await _ask(blog)
    [link] = await _mailed_links(session)
    for _ in range(2):
        await client.post(link, headers=OURS)
    await client.post("/auth/sign-out", headers=OURS)
    rows = await session.execute(select(SecurityEntry.event, SecurityEntry.user_id).order_by(SecurityEntry.id))
    user_id = await session.scalar(select(User.id))
    assert [tuple(row) for row in rows] == [("signed_in", user_id), ("link_failed", None), ("signed_out", user_id)]


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize("with_role", [True, False])
async def test_a_powerful_account_is_told_of_a_new_browser_and_no_other(
    blog: Quart, session: AsyncSession, with_role: bool
) -> None:
    user = await ensure_user(session, ADA)
    if with_role:
        await grant_role(session, user.id, Role.REFUNDS)
    await session.commit()
    firefox, curl = blog.test_client(), blog.test_client()
    for client, agent in ((firefox, FIREFOX), (firefox, FIREFOX), (curl, "curl/8")):
        await _ask(blog)
        link = (await _mailed_links(session))[-1]
        await client.post(link, headers={**OURS, "User-Agent": agent})
    told = list(await session.scalars(select(Mail.text).where(Mail.kind == "security").order_by(Mail.id)))
    assert [text.partition("Browser: ")[2].partition("\n")[0] for text in told] == (
        ["Firefox on Linux", "curl"] if with_role else []
    )
