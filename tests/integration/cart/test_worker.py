"""The worker as it runs: jobs and sweeps in one process, and a mail server that takes what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, text

from blog.bp.outbox.kept import KeptMail, kept_mails
from cart.worker import run, sweep_mails
from sandbox.outbox import running_outbox
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.mail.render import Message
from shared.mail.sender import deliver
from shared.mail.service import queue_mail, take_unsent
from shared.models import Mail, Ticket
from shared.settings import Settings
from tests.support.shop import Shop, open_shop
from tests.support.site import wait_until

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def mail_settings(settings: Settings) -> AsyncIterator[Settings]:
    """Give settings whose mail server is an outbox that runs, and whose worker sweeps often."""
    async with running_outbox(settings.outbox_folder, host="127.0.0.1", port=0) as port:
        yield settings.model_copy(update={"smtp_port": port, "reconcile_every_s": 0.1})


@asynccontextmanager
async def running_worker(settings: Settings, shop: Shop) -> AsyncIterator[None]:
    """Run the worker for the time of the block."""
    stop = asyncio.Event()
    working = asyncio.create_task(run(settings, stop, clock=shop.clock))
    try:
        yield
    finally:
        stop.set()
        await working


async def mails_arrive(settings: Settings, number: int = 1) -> list[KeptMail]:
    """Wait for this many mails, and return them, newest first."""
    folder = settings.outbox_folder

    async def they_are_here() -> bool:
        return len(kept_mails(folder)) >= number

    await wait_until(they_are_here, f"{number} mails")
    return kept_mails(folder)


async def codes_of(database: Database) -> list[str | None]:
    async with unit_of_work(database) as uow:
        return list(await uow.session.scalars(select(Ticket.code).order_by(Ticket.id)))


async def test_the_confirmation_mail_brings_the_codes(database: Database, mail_settings: Settings) -> None:
    shop = open_shop(database, mail_settings)
    buyer = await shop.shopper()
    async with running_worker(mail_settings, shop):
        await shop.buy_and_pay(buyer, await shop.show(), quantity=2)
        (mail,) = await mails_arrive(mail_settings)
    codes = await codes_of(database)
    assert mail.recipient == "shopper1@maypole.example"
    assert len(codes) == 2
    assert all(code and code in mail.text and code in mail.html for code in codes)


async def test_a_lost_job_delays_the_mail_and_loses_nothing(database: Database, mail_settings: Settings) -> None:
    shop = open_shop(database, mail_settings)
    await shop.buy_and_pay(await shop.shopper(), await shop.show())
    await forget_all_jobs(database)
    shop.clock.forward(minutes=1)
    async with running_worker(mail_settings, shop):
        # The mail's own job is made by the sweep; nothing else is left to bring it.
        assert len(await mails_arrive(mail_settings)) == 1


async def test_a_job_and_the_sweep_that_want_one_mail_at_the_same_time_send_it_once(
    database: Database, mail_settings: Settings
) -> None:
    shop = open_shop(database, mail_settings)
    async with unit_of_work(database) as uow:
        await queue_mail(uow.session, Message("ada@maypole.example", "Hello", "Hello", ""), kind="test", key="test")
        await uow.commit()
        mail_id = await uow.session.scalar(select(Mail.id))
    assert mail_id is not None
    both = [deliver(database, mail_settings, mail_id, clock=shop.clock, after_attempts=0) for _ in range(2)]
    assert sorted(await asyncio.gather(*both)) == [False, True]
    assert len(kept_mails(mail_settings.outbox_folder)) == 1


async def test_the_sweep_leaves_a_mail_alone_that_somebody_is_sending_and_finds_it_once_he_is_gone(
    database: Database, mail_settings: Settings
) -> None:
    shop = open_shop(database, mail_settings)
    shop.clock.forward(hours=1)
    async with unit_of_work(database) as uow:
        await queue_mail(uow.session, Message("ada@maypole.example", "Hello", "Hello", ""), kind="test", key="test")
        mail_id = await uow.session.scalar(select(Mail.id))
        assert mail_id is not None
        assert await take_unsent(uow.session, mail_id, now=shop.clock(), after_attempts=0)
        await uow.commit()

    await sweep_mails(shop.context)
    assert kept_mails(mail_settings.outbox_folder) == []

    shop.clock.forward(minutes=2)
    await sweep_mails(shop.context)
    assert len(kept_mails(mail_settings.outbox_folder)) == 1


async def test_what_is_told_once_is_not_told_again_by_the_next_worker(
    database: Database, mail_settings: Settings
) -> None:
    shop = open_shop(database, mail_settings)
    await shop.buy_and_pay(await shop.shopper(), await shop.show())
    async with running_worker(mail_settings, shop):
        await mails_arrive(mail_settings)
    shop.clock.forward(hours=1)
    async with running_worker(mail_settings, shop):
        await shop.buy_and_pay(await shop.shopper(), await shop.show())
        mails = await mails_arrive(mail_settings, 2)
    assert sorted(mail.recipient for mail in mails) == ["shopper1@maypole.example", "shopper2@maypole.example"]


async def forget_all_jobs(database: Database) -> None:
    """Lose the queue, as somebody who empties its table does."""
    async with unit_of_work(database) as uow:
        await uow.session.execute(text("DELETE FROM pgqueuer"))
        await uow.commit()
