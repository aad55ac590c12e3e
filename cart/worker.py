"""The worker: the cart domain's background work, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from sqlalchemy import select

from cart.orders.confirm import ORDER_MAIL
from cart.orders.mails import write_order_mails
from cart.provider.reconcile import each, look_at_payment, reconcile
from cart.provider.walk import Walked
from cart.provider.walks import walk_due, walk_everything
from cart.refunds.automatic import refund_automatically
from cart.refunds.batch import RefundJob, run_refunds
from cart.wiring import Till, refuse_stubs
from shared.contracts.protocols import Clock
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.jobs.queue import REFUND_DEBTS, SEND_MAIL, SETTLE_PAYMENT
from shared.jobs.worker import Handler, Repeated, run_worker, stop_on_signals
from shared.logs import configure_logging
from shared.mail.sender import MailNotSent, deliver
from shared.mail.service import due_mails, give_up_old
from shared.models import Order
from shared.payments.providers import sumup_alone
from shared.services.identity import forget_empty_carts, forget_expired
from shared.services.registry import use_services
from shared.services.wiring import sql_services
from shared.settings import Settings, get_settings
from shared.web.state import utc_now

UNTOLD_AFTER = timedelta(seconds=15)
"""How long a job has, before the sweep does what it should have done."""
BATCH = 20
CART_SWEEP_S = 60.0
WALK_S = 60 * 60.0
"""How often it is looked whether an account's daily walk is due."""
DAY_S = 24 * 60 * 60.0
_log = structlog.get_logger("maypole.worker")


def handlers(till: Till) -> dict[str, Handler]:
    """Return what the worker does for each kind of job."""

    async def settle_payment(payload: dict[str, object]) -> None:
        await look_at_payment(till, _id_of(payload, "payment_id"))

    async def order_mail(payload: dict[str, object]) -> None:
        await write_order_mails(till, _id_of(payload, "order_id"))

    async def send_mail(payload: dict[str, object]) -> None:
        await send(till, _id_of(payload, "mail_id"), after_attempts=0)

    async def refund_debts(payload: dict[str, object]) -> None:
        await run_refunds(till, RefundJob.read(payload))

    return {SETTLE_PAYMENT: settle_payment, ORDER_MAIL: order_mail, SEND_MAIL: send_mail, REFUND_DEBTS: refund_debts}


def _id_of(payload: dict[str, object], name: str) -> int:
    """Return an id of a job's payload."""
    return int(str(payload[name]))


async def send(till: Till, mail_id: int, *, after_attempts: int) -> None:
    """Send a mail, unless somebody has tried since; one that could not go is due again in the sweep."""
    try:
        await deliver(till.database, till.settings, mail_id, clock=till.clock, after_attempts=after_attempts)
    except MailNotSent as error:
        _log.warning("mail_waits", mail_id=mail_id, error=str(error))


async def sweep(till: Till) -> None:
    """Do what is due and was brought by no job: payments, refunds, and the mails that tell of them. Safe to repeat."""
    use_services(till.services)
    await reconcile(till)
    await refund_automatically(till)
    await each(await _untold_orders(till), lambda order_id: write_order_mails(till, order_id))


async def sweep_mails(till: Till) -> None:
    """Send mails that wait, and give up those past their time: money never waits for a mail server. Safe to repeat."""
    await _give_up_mails(till)
    unsent = await _unsent_mails(till)
    await each(unsent, lambda mail_id: send(till, mail_id, after_attempts=unsent[mail_id]))


async def forget_old_rows(till: Till) -> None:
    """Delete sessions and sign-in links past their time, and note whose carts have become empty."""
    async with unit_of_work(till.database) as uow:
        await forget_expired(uow.session, now=till.clock())
        await forget_empty_carts(uow.session)
        await uow.commit()


async def sweep_carts(till: Till) -> None:
    """Take out of all carts what is over or has waited too long, a batch at a time."""
    older_than = till.clock() - timedelta(days=till.settings.cart_days)
    async with unit_of_work(till.database) as uow:
        dropped = await till.services.cart.drop_stale(uow.session, older_than=older_than)
        await uow.commit()
    if dropped:
        _log.info("carts_swept", lines=dropped)


async def _untold_orders(till: Till) -> list[int]:
    """Return paid orders whose mails are not written yet."""
    async with unit_of_work(till.database) as uow:
        statement = (
            select(Order.id)
            .where(Order.paid_at.is_not(None), Order.mail_queued_at.is_(None))
            .where(Order.paid_at <= till.clock() - UNTOLD_AFTER)
            .order_by(Order.id)
            .limit(BATCH)
        )
        return list(await uow.session.scalars(statement))


async def _give_up_mails(till: Till) -> None:
    """Mark mails that are no longer worth sending: a sign-in link that has expired lets nobody in."""
    async with unit_of_work(till.database) as uow:
        links_live = timedelta(minutes=till.settings.sign_in_link_minutes)
        given_up = await give_up_old(uow.session, now=till.clock(), secrets_live=links_live)
        await uow.commit()
    if given_up:
        _log.warning("mails_given_up", mails=given_up)


async def _unsent_mails(till: Till) -> dict[int, int]:
    """Return mails that wait to be sent (again), with their attempts."""
    async with unit_of_work(till.database) as uow:
        return await due_mails(uow.session, now=till.clock(), limit=BATCH)


async def run(settings: Settings, stop: asyncio.Event, *, clock: Clock = utc_now) -> None:
    """Run until ``stop`` is set."""
    if settings.database_url is None:
        raise RuntimeError("DATABASE_URL is not set: ./run sets it, and so must whoever starts the worker alone")
    url = settings.database_url.get_secret_value()
    async with _open_till(settings, url, clock) as till:
        await run_worker(url, handlers(till), _repeated(till), stop)


async def walk_histories(settings: Settings, url: str, *, clock: Clock = utc_now) -> list[Walked]:
    """Walk the history of every account at the provider now, and say what came of each. Safe to repeat."""
    async with _open_till(settings, url, clock) as till:
        use_services(till.services)
        return await walk_everything(till)


@asynccontextmanager
async def _open_till(settings: Settings, url: str, clock: Clock) -> AsyncIterator[Till]:
    """Open a till of this process's own, and close it again."""
    services = sql_services(settings, clock)
    refuse_stubs(services)
    database = Database(url, pool_size=settings.db_worker_pool_size, settings=settings)
    try:
        async with sumup_alone(settings, database, clock=clock) as gateways:
            yield Till(database, gateways, services, settings, clock)
    finally:
        await database.dispose()


async def walk_if_due(till: Till) -> None:
    """Walk the histories that are due."""
    use_services(till.services)
    await walk_due(till)


def _repeated(till: Till) -> tuple[Repeated, ...]:
    """Return what the worker does by the clock."""
    return (
        Repeated("sweep", lambda: sweep(till), till.settings.reconcile_every_s),
        Repeated("sweep mails", lambda: sweep_mails(till), till.settings.reconcile_every_s),
        Repeated("sweep carts", lambda: sweep_carts(till), CART_SWEEP_S),
        Repeated("walk histories", lambda: walk_if_due(till), WALK_S),
        Repeated("forget", lambda: forget_old_rows(till), DAY_S),
    )


async def _main(settings: Settings) -> None:
    """Run until told to stop."""
    await run(settings, stop_on_signals())


def main() -> None:
    """Run the worker in this process until it is told to stop."""
    settings = get_settings()
    configure_logging(settings)
    asyncio.run(_main(settings))
