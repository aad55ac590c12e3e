"""A payment provider in memory, and the process that calls it: either may be cut off at any call."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TypeVar

from shared.contracts.dtos import (
    CancelOutcome,
    Checkout,
    CheckoutRequest,
    RefundAnswer,
    Transaction,
)
from tests.fakes.gateway import FakeGateway

Answer = TypeVar("Answer")


class Killed(Exception):
    """The process that made the call is gone."""


class NastyGateway(FakeGateway):
    """The fake, with ``kill_next("refund")``: the next such call is made, and whoever made it never hears of it."""

    kills: Counter[str]

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._trouble = type(self._trouble)()
        self.kills = Counter()

    def kill_next(self, operation: str) -> None:
        """Let the caller of the next call of this operation be killed, once the call has taken effect."""
        self.kills[operation] += 1

    # --- what the provider itself knows ---

    def checkouts(self) -> list[Checkout]:
        """Return all checkouts as they are now."""
        return [self._known(checkout_id) for checkout_id in self._checkouts]

    def transactions(self) -> list[Transaction]:
        """Return everything that was paid."""
        return [each for each in self._transactions.values() if each.captured]

    # --- the calls ---

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        return self._or_killed("create", await super().create(attempt))

    async def get(self, checkout_id: str) -> Checkout:
        return self._or_killed("get", await super().get(checkout_id))

    async def find(self, reference: str) -> Checkout | None:
        return self._or_killed("find", await super().find(reference))

    async def cancel(self, checkout_id: str) -> CancelOutcome:
        return self._or_killed("cancel", await super().cancel(checkout_id))

    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        return self._or_killed("transaction", await super().transaction(transaction_id, merchant_code))

    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        return self._or_killed("refund", await super().refund(transaction_id, merchant_code, amount))

    def _or_killed(self, operation: str, answer: Answer) -> Answer:
        if self.kills[operation]:
            self.kills[operation] -= 1
            raise Killed(operation)
        return answer
