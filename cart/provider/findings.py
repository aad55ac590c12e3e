"""Findings: what a person has to look at, written down once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import HistoryItem, Transaction
from shared.contracts.money import CENT
from shared.contracts.states import FindingKind
from shared.models import ProviderFinding


async def note_finding(
    session: AsyncSession,
    merchant_code: str,
    transaction: Transaction | HistoryItem,
    kind: FindingKind,
    amount: Decimal,
    *,
    provider_event: str = "",
    payment_id: int | None = None,
    happened_at: datetime | None = None,
) -> int:
    """Write a finding down, unless it is known; return how many are new: 1 or 0.

    ``provider_event`` names the movement that it is about: another one of the same sum is a finding of its own.
    """
    statement = insert(ProviderFinding).values(
        merchant_code=merchant_code,
        transaction_id=transaction.id if isinstance(transaction, Transaction) else transaction.transaction_id,
        transaction_code=transaction.code,
        kind=kind,
        payment_id=payment_id,
        amount=amount.quantize(CENT),
        currency=transaction.currency,
        provider_event=provider_event,
        happened_at=happened_at,
    )
    # Found every night again: it is told once, and stays decided once somebody has decided it.
    added = await session.execute(statement.on_conflict_do_nothing().returning(ProviderFinding.id))
    return len(added.all())
