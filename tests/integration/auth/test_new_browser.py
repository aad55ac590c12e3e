"""Who may do more than buy is told by mail when their account is entered with a browser that is new to it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from quart import Quart
from quart.typing import TestClientProtocol as Client
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import Role
from shared.models import KnownBrowser, Mail, SecurityEntry
from shared.services.browsers import REMEMBERED, forget_browsers, know_browser
from shared.services.identity import ensure_user, grant_role

OURS = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"}
ADA, BO = "ada@maypole.example", "bo@maypole.example"


async def give_role(session: AsyncSession, *emails: str) -> None:
    for email in emails:
        await grant_role(session, (await ensure_user(session, email)).id, Role.ORDERS)
    await session.commit()


async def come_in(client: Client, session: AsyncSession, email: str = ADA) -> None:
    """Sign in by a mailed link."""
    await client.post("/auth/sign-in", headers=OURS, form={"email": email})
    await session.rollback()
    newest = select(Mail.text).where(Mail.kind == "sign-in", Mail.recipient == email).order_by(Mail.id.desc()).limit(1)
    found = re.search(r"http://localhost:8000(/auth/link/\S+)", await session.scalar(newest) or "")
    assert found is not None
    assert (await client.post(found.group(1), headers=OURS | FIREFOX)).status_code == 303


async def told(session: AsyncSession) -> list[tuple[str, str]]:
    await session.rollback()
    rows = await session.execute(select(Mail.recipient, Mail.text).where(Mail.kind == "security").order_by(Mail.id))
    return [(recipient, text) for recipient, text in rows]


async def test_a_new_browser_is_told_of_once(blog: Quart, session: AsyncSession) -> None:
    await give_role(session, ADA)
    here, elsewhere = blog.test_client(), blog.test_client()
    for client in (here, here, elsewhere, here):
        await come_in(client, session)

    mails = await told(session)
    assert [to for to, _ in mails] == [ADA, ADA]
    assert all("Browser: Firefox on Linux\n" in said for _, said in mails)


async def test_what_is_written_down_says_which_sign_in_was_from_a_new_browser(
    blog: Quart, session: AsyncSession
) -> None:
    await give_role(session, ADA)
    client = blog.test_client()
    await come_in(client, session)
    await come_in(client, session)
    noted = select(SecurityEntry.data).where(SecurityEntry.event == "signed_in").order_by(SecurityEntry.id)
    assert list(await session.scalars(noted)) == [{"browser": "new"}, None]


async def test_two_people_at_one_browser_stay_known_there(blog: Quart, session: AsyncSession) -> None:
    await give_role(session, ADA, BO)
    client = blog.test_client()
    for email in (ADA, BO, ADA, BO):
        await come_in(client, session, email)
    assert [to for to, _ in await told(session)] == [ADA, BO]


async def test_shoppers_are_told_nothing_and_nothing_is_kept_of_their_browsers(
    blog: Quart, session: AsyncSession
) -> None:
    await come_in(blog.test_client(), session)
    assert await told(session) == []
    assert (await session.scalars(select(KnownBrowser))).all() == []


async def test_a_cookie_that_we_never_made_is_not_taken_over(session: AsyncSession) -> None:
    ada, now = await ensure_user(session, ADA), datetime.now(UTC)
    made = await know_browser(session, ada.id, "planted", now=now)
    assert made not in {None, "planted"}
    assert await know_browser(session, ada.id, "planted", now=now) is not None
    assert await know_browser(session, ada.id, made, now=now) is None


async def test_a_browser_is_forgotten_when_its_cookie_has_ended(session: AsyncSession) -> None:
    ada, start = await ensure_user(session, ADA), datetime.now(UTC)
    used = await know_browser(session, ada.id, None, now=start)
    unused = await know_browser(session, ada.id, None, now=start)
    await know_browser(session, ada.id, used, now=start + timedelta(days=1))
    await forget_browsers(session, now=start + REMEMBERED + timedelta(hours=1))
    later = start + REMEMBERED + timedelta(hours=1)
    assert await know_browser(session, ada.id, used, now=later) is None
    assert await know_browser(session, ada.id, unused, now=later) is not None
