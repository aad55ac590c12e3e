"""A payment provider in memory, between whose calls something else happens: how a race is made to happen every time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from shared.contracts.dtos import Checkout, CheckoutRequest, RefundAnswer, Transaction
from tests.fakes.gateway import FakeGateway

Interruption = Callable[[], Awaitable[object]]


class InterruptedGateway(FakeGateway):
    """The fake, with ``interrupt("create", action)``: the next such call is made, then ``action`` runs, then it answers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._interruptions: dict[str, Interruption] = {}

    def interrupt(self, operation: str, action: Interruption) -> None:
        """Let something happen before the answer to the next call of this operation."""
        self._interruptions[operation] = action

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        answer = await super().create(attempt)
        await self._interrupt("create")
        return answer

    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        answer = await super().transaction(transaction_id, merchant_code)
        await self._interrupt("transaction")
        return answer

    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        answer = await super().refund(transaction_id, merchant_code, amount)
        await self._interrupt("refund")
        return answer

    async def _interrupt(self, operation: str) -> None:
        action = self._interruptions.pop(operation, None)
        if action is not None:
            await action()
