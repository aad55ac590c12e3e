"""``maypole user``: accounts, and who is an admin."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.cli.failures import CommandError
from shared.cli.users import create_user, set_admin
from shared.models.user import User, UserRole
from shared.settings import Settings


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
