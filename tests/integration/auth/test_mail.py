"""A mail's way: queued in the transaction, sent once, and its secrets forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from blog.bp.outbox.kept import kept_mail, kept_mails
from sandbox.outbox import Outbox
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.mail.render import Message, render_mail
from shared.mail.sender import MailNotSent, deliver
from shared.mail.service import give_up_old, mark_sent, queue_mail, take_unsent
from shared.settings import Settings

MESSAGE = Message("ada@maypole.example", "Grüße", "Hello £1\n", "<p>Hello &pound;1</p>")


def _now() -> datetime:
    return datetime.now(UTC)


async def _queue(database: Database, message: Message = MESSAGE, *, kind: str = "order-paid", key: str = "k") -> int:
    async with unit_of_work(database) as uow:
        await queue_mail(uow.session, message, kind=kind, key=key)
        await uow.commit()
        return int(await uow.session.scalar(text("SELECT max(id) FROM mails")) or 0)


async def _row(session: AsyncSession) -> dict[str, object]:
    await session.rollback()
    row = dict((await session.execute(text("SELECT * FROM mails"))).mappings().one())
    await session.rollback()  # sending refuses to work while this test has a transaction open
    return row


async def test_a_mail_arrives_as_text_and_html(database: Database, mail_settings: Settings) -> None:
    assert await deliver(database, mail_settings, await _queue(database), clock=_now)
    (mail,) = kept_mails(mail_settings.outbox_folder)

    assert (mail.subject, mail.recipient) == ("Grüße", "ada@maypole.example")
    assert (mail.text.strip(), mail.html.strip()) == ("Hello £1", "<p>Hello &pound;1</p>")


@pytest.mark.parametrize("reply_to", ["", "o'hara+shop@barn.example"])
async def test_answers_go_to_who_was_named_and_else_to_the_sender(
    database: Database, mail_settings: Settings, reply_to: str
) -> None:
    mail_id = await _queue(database, replace(MESSAGE, reply_to=reply_to))
    assert await deliver(database, mail_settings, mail_id, clock=_now)
    (path,) = mail_settings.outbox_folder.glob("*.eml")
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert message.get("Reply-To", "") == reply_to


async def test_a_mail_is_sent_once(database: Database, mail_settings: Settings, session: AsyncSession) -> None:
    mail_id = await _queue(database)
    sent = [await deliver(database, mail_settings, mail_id, clock=_now) for _ in range(2)]

    assert sent == [True, False]
    assert len(kept_mails(mail_settings.outbox_folder)) == 1
    assert (await _row(session))["sent_at"] is not None


async def test_the_same_key_queues_no_second_mail(database: Database, session: AsyncSession) -> None:
    await _queue(database)
    await _queue(database)
    assert await session.scalar(text("SELECT count(*) FROM mails")) == 1
    assert await session.scalar(text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'send_mail'")) == 1


async def test_a_mail_of_a_change_that_is_rolled_back_is_never_sent(database: Database, session: AsyncSession) -> None:
    async with unit_of_work(database) as uow:
        await queue_mail(uow.session, MESSAGE, kind="order-paid", key="k")
    assert await session.scalar(text("SELECT count(*) FROM mails")) == 0
    assert await session.scalar(text("SELECT count(*) FROM pgqueuer")) == 0


async def test_a_sign_in_mail_is_forgotten_once_it_has_gone(
    database: Database, mail_settings: Settings, session: AsyncSession
) -> None:
    await deliver(database, mail_settings, await _queue(database, kind="sign-in"), clock=_now)
    row = await _row(session)
    assert (row["text"], row["html"]) == ("", "")


async def test_a_mail_server_that_is_down_is_tried_again_later(
    database: Database, mail_settings: Settings, session: AsyncSession
) -> None:
    mail_id = await _queue(database)
    down = mail_settings.model_copy(update={"smtp_port": 9})
    with pytest.raises(MailNotSent):
        await deliver(database, down, mail_id, clock=_now)
    row = await _row(session)
    assert (row["sent_at"], row["attempts"]) == (None, 1)
    assert row["last_error"]

    assert await deliver(database, mail_settings, mail_id, clock=_now)
    assert (await _row(session))["last_error"] == ""


class Refusing(Outbox):
    """A mail server that knows no such person, or is busy."""

    answer = "550 no such person"

    async def handle_RCPT(self, *_args: object) -> str:  # noqa: N802 - aiosmtpd's name
        return self.answer


@pytest.mark.parametrize(("answer", "again"), [("550 no such person", False), ("450 busy", True)])
async def test_only_a_refusal_for_now_is_tried_again(
    database: Database, settings: Settings, session: AsyncSession, answer: str, again: bool
) -> None:
    handler = Refusing(settings.outbox_folder)
    handler.answer = answer
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", 0)
    async with server:
        there = settings.model_copy(update={"smtp_port": server.sockets[0].getsockname()[1]})
        mail_id = await _queue(database)
        if again:
            with pytest.raises(MailNotSent):
                await deliver(database, there, mail_id, clock=_now)
        else:
            assert not await deliver(database, there, mail_id, clock=_now)
    row = await _row(session)
    assert row["sent_at"] is None
    assert (row["given_up_at"] is None) == again
    assert answer[:3] in str(row["last_error"])
    assert "ada@" not in str(row["last_error"])


@pytest.mark.parametrize(("kind", "kept"), [("sign-in", ("", "")), ("order-paid", (MESSAGE.text, MESSAGE.html))])
async def test_a_refused_mail_is_tried_no_more_and_keeps_no_secret(
    database: Database, settings: Settings, mail_settings: Settings, session: AsyncSession, kind: str, kept: object
) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Refusing(settings.outbox_folder)), "127.0.0.1", 0
    )
    mail_id = await _queue(database, kind=kind)
    async with server:
        there = settings.model_copy(update={"smtp_port": server.sockets[0].getsockname()[1]})
        assert not await deliver(database, there, mail_id, clock=_now)
    row = await _row(session)
    assert (row["text"], row["html"]) == kept

    assert not await deliver(database, mail_settings, mail_id, clock=_now)
    assert (await _row(session))["attempts"] == 1


@pytest.mark.parametrize(
    ("kind", "minutes", "attempts", "given_up"),
    [
        ("sign-in", 16, 0, True),
        ("sign-in", 14, 0, False),
        ("order-paid", 24 * 60, 35, False),
        ("order-paid", 1, 36, True),
    ],
)
async def test_what_is_no_longer_worth_sending_is_given_up(
    database: Database, session: AsyncSession, kind: str, minutes: int, attempts: int, given_up: bool
) -> None:
    await _queue(database, kind=kind)
    async with unit_of_work(database) as uow:
        await uow.session.execute(text("UPDATE mails SET attempts = :attempts"), {"attempts": attempts})
        later = _now() + timedelta(minutes=minutes)
        assert await give_up_old(uow.session, now=later, secrets_live=timedelta(minutes=15)) == given_up
        await uow.commit()
    row = await _row(session)
    assert (row["given_up_at"] is not None) == given_up
    assert (row["text"] == "") == (given_up and kind == "sign-in")


async def test_the_last_attempt_has_its_time_before_a_mail_is_given_up(
    database: Database, mail_settings: Settings, session: AsyncSession
) -> None:
    mail_id = await _queue(database)
    await session.execute(text("UPDATE mails SET attempts = 35"))
    await session.commit()
    async with unit_of_work(database) as uow:  # somebody is sending it
        assert await take_unsent(uow.session, mail_id, now=_now())
        await uow.commit()
    async with unit_of_work(database) as uow:
        assert await give_up_old(uow.session, now=_now(), secrets_live=timedelta(minutes=15)) == 0
        later = _now() + timedelta(hours=2)
        assert await give_up_old(uow.session, now=later, secrets_live=timedelta(minutes=15)) == 1


async def test_a_mail_that_went_while_it_was_given_up_is_marked_as_sent(
    database: Database, session: AsyncSession
) -> None:
    mail_id = await _queue(database, kind="sign-in")
    async with unit_of_work(database) as uow:
        mail = await take_unsent(uow.session, mail_id, now=_now())
        assert mail is not None
        await give_up_old(uow.session, now=_now() + timedelta(hours=1), secrets_live=timedelta(minutes=15))
        await mark_sent(uow.session, mail, now=_now())
        await uow.commit()
    row = await _row(session)
    assert row["sent_at"] is not None
    assert (row["given_up_at"], row["text"]) == (None, "")


async def test_a_mail_that_is_sent_again_has_the_same_id(database: Database, mail_settings: Settings) -> None:
    mail_id = await _queue(database)
    await deliver(database, mail_settings, mail_id, clock=_now)
    async with unit_of_work(database) as uow:  # as if killed between sending and marking
        await uow.session.execute(text("UPDATE mails SET sent_at = NULL"))
        await uow.commit()
    await deliver(database, mail_settings, mail_id, clock=_now)

    files = mail_settings.outbox_folder.glob("*.eml")
    ids = [message_from_bytes(path.read_bytes(), policy=default)["Message-ID"] for path in files]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_the_outbox_keeps_the_newest_only(settings: Settings, database: Database) -> None:
    from sandbox.outbox import running_outbox

    async with running_outbox(settings.outbox_folder, host="127.0.0.1", port=0, most=2) as port:
        there = settings.model_copy(update={"smtp_port": port})
        for number in range(3):
            message = Message("ada@maypole.example", f"Mail {number}", "text", "")
            await deliver(database, there, await _queue(database, message, key=str(number)), clock=_now)

    assert [mail.subject for mail in kept_mails(settings.outbox_folder)] == ["Mail 2", "Mail 1"]


@pytest.mark.parametrize("name", ["../secret", "..%2fsecret", "/etc/passwd", "", "secret"])
def test_no_name_leads_out_of_the_outbox(settings: Settings, name: str) -> None:
    folder = settings.outbox_folder
    folder.mkdir(parents=True)
    (folder.parent / "secret.eml").write_text("Subject: secret\n\ntext")
    assert kept_mail(folder, name) is None


def test_a_subject_cannot_add_headers() -> None:
    mail = render_mail(
        "sign-in",
        settings=Settings().model_copy(update={"site_name": "Maypole\r\nBcc: eve@evil.example"}),
        recipient="ada@maypole.example",
        link="http://localhost:8000/auth/link/x",
        minutes=15,
    )
    assert "\n" not in mail.subject


def test_what_is_put_into_html_is_escaped_and_into_text_is_not() -> None:
    settings = Settings(site_name="Tom & <b>Jerry</b>")
    mail = render_mail("sign-in", settings=settings, recipient="a@b.example", link="http://x/?a=1&b=2", minutes=15)
    assert "<b>Jerry" not in mail.html
    assert "http://x/?a=1&amp;b=2" in mail.html
    assert "http://x/?a=1&b=2" in mail.text
