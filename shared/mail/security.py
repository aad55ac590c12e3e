"""Mails about the safety of accounts: who must know of a change does, and can act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import Role
from shared.contracts.times import when
from shared.labels import ROLE_MAY
from shared.models import User, UserRole
from shared.settings import Settings

from .render import render_mail
from .service import queue_mail

EVENT = "security"
NOT_YOU = (
    "If this was not you or somebody whom you know of, sign out on all devices and tell the people who run the site."
)


async def tell_of_new_browser(
    session: AsyncSession, settings: Settings, email: str, *, device: str, network: str
) -> None:
    """Tell somebody with a role that their account was signed in from a browser that it has not seen before."""
    await _tell(
        session,
        settings,
        [email],
        subject=f"New sign-in to {settings.site_name}",
        happened="Somebody has signed in to your account from a browser that was not used for it before.",
        details=[f"Browser: {device or 'not known'}", f"Network: {network or 'not known'}"],
    )


async def tell_of_role(
    session: AsyncSession, settings: Settings, email: str, *, role: Role, page: str | None, taken: bool
) -> None:
    """Tell somebody that they were given a role, or that it was taken from them; and all admins whose it is."""
    where = "everywhere" if page is None else f"on the page {page}"
    subject, details = f"A role at {settings.site_name}", [f"It allows to {ROLE_MAY[role]}."]
    others = [admin for admin in await _admins(session) if admin != email]
    told = (
        ([email], "You no longer have" if taken else "You now have"),
        (others, f"{email} no longer has" if taken else f"{email} now has"),
    )
    for recipients, has in told:
        happened = f"{has} the role “{role}” {where}."
        await _tell(session, settings, recipients, subject=subject, happened=happened, details=details)


async def tell_of_payee(
    session: AsyncSession,
    settings: Settings,
    *,
    page: str,
    seller_email: str,
    before: str,
    after: str,
    from_at: datetime | None,
    by: str,
) -> None:
    """Tell all admins, and the page's seller, that a page is paid to another account: now, or from a moment on."""
    since = "now" if from_at is None else when(from_at, settings.time_zone)
    await _tell(
        session,
        settings,
        dict.fromkeys([*await _admins(session), *filter(None, [seller_email])]),
        subject=f"{page}: paid to another account",
        happened=f"From {since} on new orders of {page} are paid to the account {after}.",
        details=[f"Until then: {before}", f"Changed by: {by}"],
    )


async def _admins(session: AsyncSession) -> list[str]:
    """Return the addresses of those who are admins everywhere, and may come in."""
    admins = select(User.email).join(UserRole, UserRole.user_id == User.id)
    everywhere = (UserRole.role == Role.ADMIN, UserRole.page_post_id.is_(None), User.locked_at.is_(None))
    return list(await session.scalars(admins.where(*everywhere).order_by(User.id)))


async def _tell(
    session: AsyncSession,
    settings: Settings,
    recipients: Iterable[str],
    *,
    subject: str,
    happened: str,
    details: Sequence[str],
) -> None:
    """Queue one mail for each, in the caller's transaction: nobody is told of what was not kept."""
    for recipient in recipients:
        mail = render_mail(
            EVENT,
            settings=settings,
            recipient=recipient,
            subject=subject,
            happened=happened,
            details=details,
            advice=NOT_YOU,
        )
        # Each happening is told of by itself, so that there is nothing by which two could be one.
        await queue_mail(session, mail, kind=EVENT, key=f"{EVENT}:{uuid4().hex}")
