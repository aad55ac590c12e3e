"""``maypole user``: accounts, and who is an admin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from launcher.failures import CommandError
from launcher.users import create_user, forget_user, list_users, lock_user, set_admin, set_role, sign_user_out
from shared.contracts.states import OrderState, PaymentState, Role
from shared.mail.render import Message
from shared.mail.service import queue_mail
from shared.models import Base, Mail, SecurityEntry
from shared.models.user import User, UserRole
from shared.services.forgetting import empty_old_mails
from shared.services.identity import ensure_user, start_session
from shared.settings import Settings
from tests.factories.blog import make_page
from tests.factories.calendar import make_calendar, make_entry
from tests.factories.orders import make_debt, make_order


async def roles(session: AsyncSession) -> list[tuple[str, str]]:
    rows = await session.execute(select(User.email, UserRole.role).join(UserRole, UserRole.user_id == User.id))
    return [(email, role) for email, role in rows]


async def test_an_admin_is_made_once_with_an_account(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    said = [await set_admin(settings, database_url, "Ada@Example.ORG", revoke=False) for _ in range(2)]
    assert said == ["ada@example.org is an admin"] * 2
    assert await roles(session) == [("ada@example.org", "admin")]


async def test_the_role_is_taken_away_and_the_account_stays(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    await set_admin(settings, database_url, "ada@example.org", revoke=False)
    await set_admin(settings, database_url, "ada@example.org", revoke=True)
    assert await roles(session) == []
    assert (await session.scalars(select(User.email))).all() == ["ada@example.org"]


async def test_an_account_that_exists_keeps_its_name(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    await create_user(settings, database_url, "ada@example.org", "Ada")
    await create_user(settings, database_url, "ADA@example.org", "Somebody")
    assert (await session.scalars(select(User.name))).all() == ["Ada"]


@pytest.mark.parametrize("revoke", [True, False])
async def test_what_is_no_address_is_refused(revoke: bool, settings: Settings, database_url: str) -> None:
    with pytest.raises(CommandError, match="no e-mail address"):
        await set_admin(settings, database_url, "ada at example", revoke=revoke)


async def test_nobody_can_lose_what_they_never_had(settings: Settings, database_url: str) -> None:
    with pytest.raises(CommandError, match="nobody has the address"):
        await set_admin(settings, database_url, "ada@example.org", revoke=True)


async def test_a_role_is_given_on_one_page_and_taken_there(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    page = await make_page(session, slug="barn")
    await session.commit()

    said = await set_role(settings, database_url, "ada@example.org", Role.REFUNDS, page="barn", revoke=False)
    assert said == "ada@example.org has the role refunds on barn"
    assert (await session.execute(select(UserRole.role, UserRole.page_post_id))).all() == [("refunds", page)]

    await set_role(settings, database_url, "ada@example.org", Role.REFUNDS, page=None, revoke=True)
    assert await roles(session) == [("ada@example.org", "refunds")]
    await set_role(settings, database_url, "ada@example.org", Role.REFUNDS, page="barn", revoke=True)
    assert await roles(session) == []


async def test_no_role_is_given_on_a_page_that_there_is_not(settings: Settings, database_url: str) -> None:
    with pytest.raises(CommandError, match="there is no page barn"):
        await set_role(settings, database_url, "ada@example.org", Role.ORDERS, page="barn", revoke=False)


async def test_the_powerful_and_the_locked_are_listed(settings: Settings, database_url: str) -> None:
    assert await list_users(settings, database_url) == "Nobody has a role."
    await set_admin(settings, database_url, "ada@example.org", revoke=False)
    for email in ("bob@example.org", "eve@example.org"):
        await create_user(settings, database_url, email, "")
    await lock_user(settings, database_url, "eve@example.org", unlock=False)
    assert await list_users(settings, database_url) == (
        "ada@example.org: admin; signed in on 0\neve@example.org: no role, locked; signed in on 0"
    )


async def test_somebody_is_signed_out_everywhere(settings: Settings, database_url: str, session: AsyncSession) -> None:
    user = await ensure_user(session, "ada@example.org")
    for _ in range(2):
        await start_session(session, user_id=user.id, now=datetime.now(UTC), days=1)
    await session.commit()
    said = [await sign_user_out(settings, database_url, "ADA@example.org") for _ in range(2)]
    assert [text.partition("(")[2] for text in said] == ["2 sessions ended)", "0 sessions ended)"]


@pytest.mark.parametrize("change", [sign_user_out, partial(lock_user, unlock=False)])
async def test_nobody_can_be_locked_or_signed_out_who_is_not_there(
    settings: Settings, database_url: str, change: Callable[[Settings, str, str], Awaitable[str]]
) -> None:
    for email, words in (("ada@example.org", "nobody has the address"), ("ada at example", "no e-mail address")):
        with pytest.raises(CommandError, match=words):
            await change(settings, database_url, email)


async def test_whoever_is_given_a_role_or_loses_it_is_told(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    await make_page(session, slug="barn")
    await session.commit()
    await set_role(settings, database_url, "ada@example.org", Role.ORDERS, page="barn", revoke=False)
    await set_role(settings, database_url, "ada@example.org", Role.ORDERS, page="barn", revoke=True)
    await set_admin(settings, database_url, "ada@example.org", revoke=False)
    texts = list(await session.scalars(select(Mail.text).order_by(Mail.id)))
    assert [text.splitlines()[2] for text in texts] == [
        "You now have the role “orders” on the page barn.",
        "You no longer have the role “orders” on the page barn.",
        "You now have the role “admin” everywhere.",
    ]


PAID: dict[str, Any] = {"state": OrderState.PAID, "payment_state": PaymentState.PAID}


async def test_somebody_who_is_forgotten_leaves_orders_and_no_name(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    user = await ensure_user(session, "ada@example.org", name="Ada Lovelace")
    entry = await make_entry(session, await make_calendar(session))
    made = await make_order(session, entry, user_id=user.id, **PAID)
    await queue_mail(session, Message("ada@example.org", "For Ada", "Dear Ada", "<p>Dear Ada</p>"), kind="x", key="x")
    await session.commit()
    said = [await forget_user(settings, database_url, "ADA@example.org") for _ in range(2)]
    assert [text.partition(": ")[2] for text in said] == [
        "1 orders are nobody's by name, and 1 mails are empty",
        "0 orders are nobody's by name, and 0 mails are empty",
    ]
    dump = await _everything(session)
    assert "ada" not in dump.lower()
    assert made.order.number in dump


@pytest.mark.parametrize(("open_thing", "words"), [("unpaid", "waits for its payment"), ("owed", "Money is owed")])
async def test_nobody_is_forgotten_to_whom_something_is_open(
    settings: Settings, database_url: str, session: AsyncSession, open_thing: str, words: str
) -> None:
    user = await ensure_user(session, "ada@example.org")
    entry = await make_entry(session, await make_calendar(session))
    made = await make_order(session, entry, user_id=user.id, **(PAID if open_thing == "owed" else {}))
    if open_thing == "owed":
        await make_debt(session, made)
    await session.commit()
    with pytest.raises(CommandError, match=words):
        await forget_user(settings, database_url, "ada@example.org")
    assert await session.scalar(select(User.email)) == "ada@example.org"


async def test_old_mails_are_emptied_and_new_ones_kept(session: AsyncSession) -> None:
    now = datetime.now(UTC)
    for number in range(3):
        await queue_mail(session, Message(f"a{number}@x.test", "S", "T", ""), kind="x", key=f"x:{number}")
    for number, sent in ((0, now - timedelta(days=91)), (1, now - timedelta(days=89))):
        await session.execute(update(Mail).where(Mail.key == f"x:{number}").values(sent_at=sent))
    assert await empty_old_mails(session, older_than=now - timedelta(days=90), now=now) == 1
    rows = await session.execute(select(Mail.recipient, Mail.text, Mail.given_up_at).order_by(Mail.id))
    assert [tuple(row) for row in rows] == [("", "", None), ("a1@x.test", "T", None), ("a2@x.test", "T", None)]


async def _everything(session: AsyncSession) -> str:
    """Return all rows of all tables as text."""
    await session.commit()
    tables = Base.metadata.sorted_tables
    return "\n".join([str((await session.execute(select(table))).all()) for table in tables])


async def test_admins_are_told_whose_role_was_changed_and_nobody_of_what_was_so_already(
    settings: Settings, database_url: str, session: AsyncSession
) -> None:
    await set_admin(settings, database_url, "ada@example.org", revoke=False)
    for _ in range(2):
        await set_role(settings, database_url, "bo@example.org", Role.REFUNDS, page=None, revoke=False)
    await set_role(settings, database_url, "bo@example.org", Role.ORDERS, page=None, revoke=True)  # never had
    rows = await session.execute(select(Mail.recipient, Mail.text).where(Mail.kind == "security").order_by(Mail.id))
    assert [(recipient, text.splitlines()[2]) for recipient, text in rows] == [
        ("ada@example.org", "You now have the role “admin” everywhere."),
        ("bo@example.org", "You now have the role “refunds” everywhere."),
        ("ada@example.org", "bo@example.org now has the role “refunds” everywhere."),
    ]
    noted = await session.scalars(select(SecurityEntry.event).order_by(SecurityEntry.id))
    assert list(noted) == ["role_given", "role_given"]
