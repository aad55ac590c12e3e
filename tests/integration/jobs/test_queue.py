"""Jobs belong to the transaction of the change that wants them."""

from __future__ import annotations

from sqlalchemy import text

from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.jobs.queue import enqueue


async def queued(database: Database) -> int:
    async with unit_of_work(database) as uow:
        return await uow.session.scalar(text("SELECT count(*) FROM pgqueuer")) or 0


async def test_a_job_enqueued_first_and_rolled_back_is_gone(database: Database) -> None:
    async with unit_of_work(database) as uow:
        await enqueue(uow.session, "send_mail", {"mail_id": 1})
    assert await queued(database) == 0


async def test_a_job_enqueued_first_and_committed_is_there(database: Database) -> None:
    async with unit_of_work(database) as uow:
        await enqueue(uow.session, "send_mail", {"mail_id": 1})
        await uow.commit()
    assert await queued(database) == 1
