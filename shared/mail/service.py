"""The mail domain: the only writer of ``mails``. A mail is queued in the transaction of what it tells of."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import DateTime, Update, and_, case, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.jobs.queue import SEND_MAIL, enqueue
from shared.models import Mail

from .render import Message

SECRET_KINDS = frozenset({"sign-in"})
"""Kinds whose bodies let their reader in: they are blanked as soon as they have gone, or are given up."""
MOST_ATTEMPTS = 36
FIRST_WAIT = timedelta(minutes=2)
"""How long the first attempt to send a mail has, before it is tried again; with each one the wait grows by as much."""
LONGEST_ERROR = 500


WAITING = (Mail.sent_at.is_(None), Mail.given_up_at.is_(None))
"""A mail that has not gone, and may yet."""


async def queue_mail(session: AsyncSession, mail: Message, *, kind: str, key: str) -> None:
    """Queue a mail once: a second one under the same ``key`` is dropped. Safe to repeat.

    It is sent only if the caller's transaction commits.
    """
    row = insert(Mail).values(
        kind=kind,
        key=key,
        recipient=mail.recipient,
        reply_to=mail.reply_to,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
    )
    mail_id = await session.scalar(row.on_conflict_do_nothing(index_elements=["key"]).returning(Mail.id))
    if mail_id is not None:
        await enqueue(session, SEND_MAIL, {"mail_id": mail_id})


async def take_unsent(
    session: AsyncSession, mail_id: int, *, now: datetime, after_attempts: int | None = None
) -> Mail | None:
    """Count an attempt to send a mail and return it; None where it has gone, was given up, or never was.

    With ``after_attempts``, None as well where somebody else has tried since: of two who want to make the same attempt
    one gets the mail. Nobody else finds it due before ``FIRST_WAIT`` is over, and later with every attempt.
    """
    attempt = Mail.attempts + 1
    next_try_at = literal(now, DateTime(timezone=True)) + FIRST_WAIT * attempt
    count = update(Mail).where(Mail.id == mail_id, *WAITING).values(attempts=attempt, next_try_at=next_try_at)
    if after_attempts is not None:
        count = count.where(Mail.attempts == after_attempts)
    return (await session.scalars(select(Mail).from_statement(count.returning(Mail)))).one_or_none()


async def due_mails(session: AsyncSession, *, now: datetime, limit: int) -> dict[int, int]:
    """Return the ids of mails that wait to be sent (again) and that nobody is sending, with their attempts."""
    statement = (
        select(Mail.id, Mail.attempts)
        .where(*WAITING, Mail.next_try_at <= now)
        .order_by(Mail.next_try_at, Mail.id)
        .limit(limit)
    )
    return {row.id: row.attempts for row in await session.execute(statement)}


async def mark_sent(session: AsyncSession, mail: Mail, *, now: datetime) -> None:
    """Note that a mail has gone, even if it was given up meanwhile, and forget what must not be kept."""
    values: dict[str, object] = {"sent_at": now, "given_up_at": None, "last_error": ""}
    if mail.kind in SECRET_KINDS:
        values |= {"text": "", "html": ""}
    await session.execute(update(Mail).where(Mail.id == mail.id).values(values))


async def mark_failed(session: AsyncSession, mail: Mail, *, error: str) -> None:
    """Note why a mail could not be sent; it waits to be tried again."""
    values = {"last_error": error[:LONGEST_ERROR]}
    await session.execute(update(Mail).where(Mail.id == mail.id).values(values))


async def give_up(session: AsyncSession, mail: Mail, *, error: str, now: datetime) -> None:
    """Note why nobody will ever take a mail, and forget what must not be kept."""
    await session.execute(_given_up(now).where(Mail.id == mail.id).values(last_error=error[:LONGEST_ERROR]))


async def give_up_old(session: AsyncSession, *, now: datetime, secrets_live: timedelta) -> int:
    """Give up mails that were tried often enough or whose secret has expired; return how many. Safe to repeat."""
    expired = and_(Mail.kind.in_(SECRET_KINDS), Mail.created_at < now - secrets_live)
    too_often = and_(Mail.attempts >= MOST_ATTEMPTS, Mail.next_try_at <= now)
    given_up = await session.scalars(_given_up(now).where(or_(too_often, expired)).returning(Mail.id))
    return len(given_up.all())


def _given_up(now: datetime) -> Update:
    """Give up mails that wait: their secrets go, the rest stays for whoever looks into it."""
    secret = Mail.kind.in_(SECRET_KINDS)
    return (
        update(Mail)
        .where(*WAITING)
        .values(given_up_at=now, text=case((secret, ""), else_=Mail.text), html=case((secret, ""), else_=Mail.html))
        .execution_options(synchronize_session=False)
    )
