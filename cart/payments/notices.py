"""Webhooks: stored first, believed never (docs/sumup.md § 6)."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.jobs.queue import SETTLE_PAYMENT, enqueue
from shared.models import PaymentNotice

LONGEST_EVENT_TYPE = 64


async def store_notice(session: AsyncSession, *, payment_id: int, event_type: str) -> None:
    """Keep a notice and ask the worker to look the payment up, in one transaction. Safe to repeat.

    Notices that come while a look waits cause none of their own.
    """
    await session.execute(
        insert(PaymentNotice).values(payment_id=payment_id, event_type=event_type[:LONGEST_EVENT_TYPE])
    )
    await enqueue(session, SETTLE_PAYMENT, {"payment_id": payment_id}, once=True)
