"""Sends mails over SMTP. The worker's ``send_mail`` job calls ``deliver``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256

import aiosmtplib
import structlog

from shared.contracts.protocols import Clock
from shared.db.engine import Database
from shared.db.guard import refuse_inside_transaction
from shared.db.uow import unit_of_work
from shared.models import Mail
from shared.settings import Settings
from shared.settings_rules import IMPLICIT_TLS_PORT

from .service import give_up, mark_failed, mark_sent, take_unsent

TIMEOUT_SECONDS = 15.0
"""How long one step of the conversation with the mail server may take."""
MOST_SECONDS = 60.0
"""How long all of it may take: less than the first wait for the next attempt, so that two never send one mail."""
_PERMANENT = 500
_log = structlog.get_logger("maypole.mail")


class MailNotSent(Exception):
    """The mail server could not be reached or asked us to come again: try later."""


class MailRefused(Exception):
    """The mail server will never take this mail: trying again is of no use."""


def compose(mail: Mail, settings: Settings) -> EmailMessage:
    """Return a mail as it goes over the wire: text and HTML, under an id that stays the same when it is sent again."""
    sender = parseaddr(settings.mail_from)[1]
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = mail.recipient
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at.astimezone(UTC))
    # Made of the key, so that a mail which is sent twice can be known as one by whoever reads it.
    message["Message-ID"] = f"<{sha256(mail.key.encode()).hexdigest()[:32]}@{sender.partition('@')[2]}>"
    # RFC 3834: keeps holiday answers and the like from being sent back.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message


async def send(mail: Mail, settings: Settings) -> None:
    """Hand a mail to the mail server; raises MailNotSent or MailRefused. Never inside a transaction."""
    refuse_inside_transaction()
    try:
        # aiosmtplib's own timeout is for each step: a server that answers slowly all along would pass it again and
        # again.
        async with asyncio.timeout(MOST_SECONDS):
            await aiosmtplib.send(
                compose(mail, settings),
                hostname=settings.smtp_host,
                port=settings.smtp_port or settings.outbox_port,
                username=settings.smtp_username or None,
                password=settings.smtp_password.get_secret_value() or None,
                # Either way certificates are checked, and a server that offers no TLS is told nothing.
                use_tls=settings.smtp_port == IMPLICIT_TLS_PORT,
                start_tls=settings.smtp_starttls and settings.smtp_port != IMPLICIT_TLS_PORT,
                # Else the machine's name is looked up, which may take long, and tells others what our machines are
                # called.
                local_hostname=parseaddr(settings.mail_from)[1].partition("@")[2],
                timeout=TIMEOUT_SECONDS,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        # A mail has one recipient, so there is one code.
        worst = max(refusal.code for refusal in error.recipients)
        raise _outcome(worst, f"recipient refused with {worst}") from error
    except aiosmtplib.SMTPResponseException as error:
        raise _outcome(error.code, f"{type(error).__name__} {error.code}") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailNotSent(type(error).__name__) from error


def _outcome(code: int, text: str) -> MailNotSent | MailRefused:
    """Return the error for a server's answer: 5xx is for good, 4xx is for now. Wrong credentials are for now, too."""
    # A password that is wrong in the settings must not make us give up every mail that waits.
    wrong_credentials = code in {530, 534, 535}
    return MailRefused(text) if code >= _PERMANENT and not wrong_credentials else MailNotSent(text)


async def deliver(
    database: Database, settings: Settings, mail_id: int, *, clock: Clock, after_attempts: int | None = None
) -> bool:
    """Send a queued mail and mark it sent; returns whether it has gone now. Safe to repeat.

    With ``after_attempts`` it is left to whoever has tried it since: a job and the sweep may want it at the same time.
    Raises MailNotSent where it is worth trying again. Killed between sending and marking, it sends the mail a second
    time under the same Message-ID: better twice than never.
    """
    async with unit_of_work(database) as uow:
        mail = await take_unsent(uow.session, mail_id, now=clock(), after_attempts=after_attempts)
        await uow.commit()
    if mail is None:
        return False
    try:
        await send(mail, settings)
    except (MailNotSent, MailRefused) as error:
        await _note_failure(database, mail, error, now=clock())
        if isinstance(error, MailNotSent):
            raise
        return False
    async with unit_of_work(database) as uow:
        await mark_sent(uow.session, mail, now=clock())
        await uow.commit()
    return True


async def _note_failure(database: Database, mail: Mail, error: MailNotSent | MailRefused, *, now: datetime) -> None:
    """Write down why a mail has not gone; the log gets its id, never its address."""
    reason = str(error)
    _log.warning("mail not sent", mail_id=mail.id, kind=mail.kind, reason=reason)
    async with unit_of_work(database) as uow:
        if isinstance(error, MailRefused):
            await give_up(uow.session, mail, error=reason, now=now)
        else:
            await mark_failed(uow.session, mail, error=reason)
        await uow.commit()
