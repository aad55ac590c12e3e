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
from cart.provider.accounts import reconcile_all, reconcile_due
from cart.provider.history import Reconciled
from cart.provider.reconcile import each, look_at_payment, reconcile
from cart.refunds.automatic import refund_automatically
from cart.refunds.batch import RefundJob, run_refunds
from cart.wiring import PaymentContext, refuse_stubs
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
from shared.services.browsers import forget_browsers
from shared.services.forgetting import empty_networks, empty_old_mails
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
"""How often it is looked whether an account's daily reconcile is due."""
DAY_S = 24 * 60 * 60.0
_log = structlog.get_logger("maypole.worker")


def handlers(context: PaymentContext) -> dict[str, Handler]:
    """Return what the worker does for each kind of job."""

    async def settle_payment(payload: dict[str, object]) -> None:
        await look_at_payment(context, _id_of(payload, "payment_id"))

    async def order_mail(payload: dict[str, object]) -> None:
        await write_order_mails(context, _id_of(payload, "order_id"))

    async def send_mail(payload: dict[str, object]) -> None:
        await send(context, _id_of(payload, "mail_id"), after_attempts=0)

    async def refund_debts(payload: dict[str, object]) -> None:
        await run_refunds(context, RefundJob.read(payload))

    return {SETTLE_PAYMENT: settle_payment, ORDER_MAIL: order_mail, SEND_MAIL: send_mail, REFUND_DEBTS: refund_debts}


def _id_of(payload: dict[str, object], name: str) -> int:
    """Return an id of a job's payload."""
    return int(str(payload[name]))


async def send(context: PaymentContext, mail_id: int, *, after_attempts: int) -> None:
    """Send a mail, unless somebody has tried since; one that could not go is due again in the sweep."""
    try:
        await deliver(context.database, context.settings, mail_id, clock=context.clock, after_attempts=after_attempts)
    except MailNotSent as error:
        _log.warning("mail_waits", mail_id=mail_id, error=str(error))


async def sweep(context: PaymentContext) -> None:
    """Do what is due and was brought by no job: payments, refunds, and the mails that tell of them. Safe to repeat."""
    use_services(context.services)
    # Payments before refunds before mails: what is given decides what is owed, and that what is written.
    await reconcile(context)
    await refund_automatically(context)
    await each(await _orders_without_mails(context), lambda order_id: write_order_mails(context, order_id))


async def sweep_mails(context: PaymentContext) -> None:
    """Send mails that wait, and give up those past their time: money never waits for a mail server. Safe to repeat."""
    await _give_up_mails(context)
    unsent = await _unsent_mails(context)
    await each(unsent, lambda mail_id: send(context, mail_id, after_attempts=unsent[mail_id]))


async def forget_old_rows(context: PaymentContext) -> None:
    """Delete sessions, links, browsers and what mails said, each past its time, and note whose carts are empty."""
    async with unit_of_work(context.database) as uow:
        await forget_expired(uow.session, now=context.clock())
        await forget_browsers(uow.session, now=context.clock())
        await forget_empty_carts(uow.session)
        await empty_networks(uow.session, older_than=context.clock() - timedelta(days=1))
        older_than = context.clock() - timedelta(days=context.settings.mail_days)
        await empty_old_mails(uow.session, older_than=older_than, now=context.clock())
        await uow.commit()


async def sweep_carts(context: PaymentContext) -> None:
    """Take out of all carts what is over or has waited too long, a batch at a time."""
    older_than = context.clock() - timedelta(days=context.settings.cart_days)
    async with unit_of_work(context.database) as uow:
        dropped = await context.services.cart.drop_stale(uow.session, older_than=older_than)
        await uow.commit()
    if dropped:
        _log.info("carts_swept", lines=dropped)


async def _orders_without_mails(context: PaymentContext) -> list[int]:
    """Return paid orders whose mails are not written yet."""
    async with unit_of_work(context.database) as uow:
        statement = (
            select(Order.id)
            .where(Order.paid_at.is_not(None), Order.mail_queued_at.is_(None))
            .where(Order.paid_at <= context.clock() - UNTOLD_AFTER)
            .order_by(Order.id)
            .limit(BATCH)
        )
        return list(await uow.session.scalars(statement))


async def _give_up_mails(context: PaymentContext) -> None:
    """Mark mails that are no longer worth sending: a sign-in link that has expired lets nobody in."""
    async with unit_of_work(context.database) as uow:
        links_live = timedelta(minutes=context.settings.sign_in_link_minutes)
        given_up = await give_up_old(uow.session, now=context.clock(), secrets_live=links_live)
        await uow.commit()
    if given_up:
        _log.warning("mails_given_up", mails=given_up)


async def _unsent_mails(context: PaymentContext) -> dict[int, int]:
    """Return mails that wait to be sent (again), with their attempts."""
    async with unit_of_work(context.database) as uow:
        return await due_mails(uow.session, now=context.clock(), limit=BATCH)


async def run(settings: Settings, stop: asyncio.Event, *, clock: Clock = utc_now) -> None:
    """Run until ``stop`` is set."""
    # In words, for whoever starts the worker by hand: the apps have their address from ./run.
    if settings.database_url is None:
        raise RuntimeError("DATABASE_URL is not set: ./run sets it, and so must whoever starts the worker alone")
    url = settings.database_url.get_secret_value()
    async with _open_context(settings, url, clock) as context:
        await run_worker(url, handlers(context), _repeated(context), stop)


async def reconcile_histories(settings: Settings, url: str, *, clock: Clock = utc_now) -> list[Reconciled]:
    """Reconcile the history of every account at the provider now, and say what came of each. Safe to repeat."""
    async with _open_context(settings, url, clock) as context:
        use_services(context.services)
        return await reconcile_all(context)


@asynccontextmanager
async def _open_context(settings: Settings, url: str, clock: Clock) -> AsyncIterator[PaymentContext]:
    """Open a context of this process's own, and close it again."""
    services = sql_services(settings, clock)
    # At the start, not at the first order: a process that cannot sell must not take money.
    refuse_stubs(services)
    database = Database(url, pool_size=settings.db_worker_pool_size, settings=settings)
    try:
        async with sumup_alone(settings, database, clock=clock) as gateways:
            yield PaymentContext(database, gateways, services, settings, clock)
    finally:
        await database.dispose()


async def reconcile_if_due(context: PaymentContext) -> None:
    """Reconcile the histories that are due."""
    use_services(context.services)
    await reconcile_due(context)


def _repeated(context: PaymentContext) -> tuple[Repeated, ...]:
    """Return what the worker does by the clock."""
    return (
        Repeated("sweep", lambda: sweep(context), context.settings.reconcile_every_s),
        Repeated("sweep mails", lambda: sweep_mails(context), context.settings.reconcile_every_s),
        Repeated("sweep carts", lambda: sweep_carts(context), CART_SWEEP_S),
        Repeated("reconcile histories", lambda: reconcile_if_due(context), WALK_S),
        Repeated("forget", lambda: forget_old_rows(context), DAY_S),
    )


async def _main(settings: Settings) -> None:
    """Run until told to stop."""
    await run(settings, stop_on_signals())


def main() -> None:
    """Run the worker in this process until it is told to stop."""
    settings = get_settings()
    configure_logging(settings)
    asyncio.run(_main(settings))
