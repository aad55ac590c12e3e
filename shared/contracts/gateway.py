"""The border to the payment provider: what we ask, what it answers, and what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from .money import ZERO

if TYPE_CHECKING:
    from pydantic import SecretStr


class CheckoutStatus(StrEnum):
    """What the provider says of a checkout; an unknown word counts as pending (docs/sumup.md § 4)."""

    PENDING = "pending"
    FAILED = "failed"  # not the end: the same checkout can still be paid (docs/sumup.md § 4)
    PAID = "paid"
    EXPIRED = "expired"


class CancelOutcome(StrEnum):
    """What became of the attempt to deactivate a checkout."""

    CANCELLED = "cancelled"
    ALREADY_PAID = "already_paid"  # the buyer was quicker, so the money is honoured
    ALREADY_CLOSED = "already_closed"


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What the gateway needs to open a checkout. ``reference`` is one per attempt, never used twice."""

    reference: str
    amount: Decimal
    currency: str
    merchant_code: str
    # Nothing personal: it can be read in the provider's dashboard (docs/sumup.md § 2).
    description: str
    return_url: str
    """Where the provider sends its server-to-server notice (SumUp's misleading name)."""
    redirect_url: str
    """Where the buyer's browser goes afterwards."""
    # With a zone: the provider refuses it without one (docs/sumup.md § 2).
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout as the provider shows it."""

    id: str
    reference: str
    status: CheckoutStatus
    # Not rounded: where it has more than two decimals, comparing it with ours must fail (docs/sumup.md § 10).
    amount: Decimal
    currency: str
    merchant_code: str
    hosted_url: str | None = None
    transaction_id: str | None = None
    transaction_code: str | None = None
    valid_until: datetime | None = None
    # Kept for whoever has to look into a payment; left out of comparisons, for the provider may add members any time.
    raw: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)


class MovementStatus(StrEnum):
    """How far a refund at the provider has come."""

    DONE = "done"
    UNDER_WAY = "under_way"  # also every word that we do not know (docs/sumup.md § 7)
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Movement:
    """One refund, or one chargeback, as the provider's transaction shows it."""

    # Tells two refunds of one sum apart.
    id: str
    amount: Decimal
    status: MovementStatus


@dataclass(frozen=True, slots=True)
class Transaction:
    """A captured payment, and what was refunded of it."""

    id: str
    code: str
    amount: Decimal
    currency: str
    captured: bool
    refunds: tuple[Movement, ...] = ()
    chargebacks: tuple[Movement, ...] = ()
    """What the buyer's bank took back, without asking us."""
    reference: str = ""
    """The reference of the checkout that it paid; empty where there was none, or the provider does not say."""

    @property
    def refunded(self) -> Decimal:
        """What was refunded, or is on its way back."""
        # Under way counts as well: it must not make room for a second refund (docs/sumup.md § 7).
        return sum((r.amount for r in self.refunds if r.status is not MovementStatus.VOID), ZERO)

    @property
    def refunded_so_far(self) -> Decimal:
        """What was refunded for certain."""
        return sum((r.amount for r in self.refunds if r.status is MovementStatus.DONE), ZERO)

    @property
    def charged_back(self) -> Decimal:
        """What the buyer's bank took back, or is about to."""
        return sum((c.amount for c in self.chargebacks if c.status is not MovementStatus.VOID), ZERO)

    @property
    def left(self) -> Decimal:
        """What can still be refunded."""
        # A chargeback leaves less to refund, though it is no refund: the buyer has that money already.
        return self.amount - self.refunded - self.charged_back


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One entry of the provider's own record of an account. ``transaction`` shows more, refunds and chargebacks too."""

    transaction_id: str
    code: str
    amount: Decimal
    currency: str
    captured: bool
    at: datetime | None = None
    online: bool = True
    """Whether it was paid over the internet: what was taken at a card reader or in cash is no payment of an order."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A part of the provider's record; ``following`` asks for the next part, None: this was the last."""

    items: tuple[HistoryItem, ...]
    # A query and never an address: our key goes to nobody whom an answer names (docs/sumup.md § 5).
    following: str | None = None


class RefundOutcome(StrEnum):
    """What the provider said to a refund. ``UNKNOWN``: look the transaction up, never repeat blindly."""

    ACCEPTED = "accepted"  # no money has moved yet for certain: the transaction's record tells (docs/sumup.md § 7)
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """A refund's outcome and, when it was refused, the provider's code and words for an admin."""

    outcome: RefundOutcome
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """The merchant account behind a key."""

    merchant_code: str
    name: str
    currency: str
    # Asked for, since the form of a key does not tell a test account (docs/sumup.md § 1).
    sandbox: bool


class PaymentGateway(Protocol):
    """One account at a payment provider, such as SumUp.

    All calls have timeouts, and refuse to run while the task has a transaction.

    Errors are those of ``contracts.errors`` under GatewayError: Rejected, AuthFailed, NotAllowed,
    GatewayNotFound, GatewayConflict, RateLimited, GatewayUnavailable (nothing happened there), GatewayUnknown
    (sent, answer lost). Amounts are major units with two decimals.
    """

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        """Open a checkout with a hosted page.

        Safe to repeat with the same reference: a checkout that exists already under it, pending and with the
        same amount, currency and merchant, is returned; another one raises GatewayConflict("reference_spent").
        """
        ...

    async def get(self, checkout_id: str) -> Checkout:
        """Return a checkout. Raises GatewayNotFound; an id that is no uuid causes no call."""
        ...

    async def find(self, reference: str) -> Checkout | None:
        """Return the checkout of a reference, or None. How a lost answer of ``create`` is looked up."""
        ...

    # Not the last word: a closed checkout is read again, in case somebody was paying (docs/sumup.md § 4).
    async def cancel(self, checkout_id: str) -> CancelOutcome:
        """Deactivate a checkout. Safe to repeat. After ALREADY_PAID read it and honour it."""
        ...

    # None is no alarm: what was paid for is given without it, only a refund has to wait (docs/sumup.md § 5).
    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        """Return a transaction with its refunds; None where the provider does not know it (yet)."""
        ...

    async def history(self, merchant_code: str, *, since: datetime, following: str | None = None) -> HistoryPage:
        """Return a page of an account's transactions that were made or changed at or after ``since``, oldest first.

        ``following`` is that of the page before. What changes meanwhile may come twice, and is never left out.
        """
        ...

    # Always with an amount: nobody says what one without means once a part has gone back (docs/sumup.md § 7).
    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        """Ask for a refund, once: never repeated by the gateway, and NOT safe to repeat."""
        ...

    async def check_account(self, merchant_code: str) -> Account:
        """Return the account behind the key: a good start-up check of key, merchant code and currency."""
        ...


class Provider(Protocol):
    """One payment provider, as each of our accounts there sees it."""

    async def of(self, merchant_code: str) -> PaymentGateway:
        """Return the gateway that uses this account's key.

        Raises AccountMissing (a GatewayError: nothing was sent) where we have no key for it.
        """
        ...

    def with_key(self, api_key: SecretStr) -> PaymentGateway:
        """Return the gateway that uses a key, whosever it is: how one is tried before it is kept."""
        ...


class Gateways(Protocol):
    """The payment providers, by name. A payment keeps the name of the one that it was begun at."""

    @property
    def elsewhere(self) -> Mapping[str, str]:
        """The accounts that are not at the default provider, each with the name of its own."""
        ...

    def name_of(self, merchant_code: str) -> str:
        """Return the name of the provider that an account is at: where a new payment to it is begun."""
        ...

    # By the payment's own provider: the account may be at another one by now.
    async def of(self, merchant_code: str, provider: str | None = None) -> PaymentGateway:
        """Return the gateway that uses this account's key, at the provider of this name, else the account's own.

        Raises AccountMissing (a GatewayError: nothing was sent) where we have no key for it, or no such provider.
        """
        ...

    def with_key(self, api_key: SecretStr) -> PaymentGateway:
        """Return the gateway of the default provider that uses a key: how one is tried before it is kept."""
        ...
