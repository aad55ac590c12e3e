"""SumUp over plain httpx, behind the PaymentGateway protocol.

Why not the official SDK: docs/decisions/sumup-adapter.md. Ids are checked and escaped before they become
part of a path, so a forged one reaches no other endpoint with our key. Only here does money become a float.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote

import httpx
import structlog
from pydantic import SecretStr

from shared.clients.tls import tls_context
from shared.contracts.dtos import (
    Account,
    CancelOutcome,
    Checkout,
    CheckoutRequest,
    CheckoutStatus,
    HistoryPage,
    RefundAnswer,
    RefundOutcome,
    Transaction,
)
from shared.contracts.errors import (
    GatewayConflict,
    GatewayNotFound,
    GatewayUnavailable,
    GatewayUnknown,
    Rejected,
)
from shared.contracts.money import CENT
from shared.contracts.protocols import Clock, PaymentGateway
from shared.db.guard import refuse_inside_transaction
from shared.settings import Settings

from .answers import (
    UnreadableAnswer,
    is_uuid,
    read_account,
    read_checkout,
    read_checkouts,
    read_history,
    read_json,
    read_transaction,
)
from .wire import SumUpWire, is_refusal

LONGEST_REFERENCE = 64
"""The document says 90; SDK 0.4.0 and the current reference pages say 64."""

LARGEST_AMOUNT = Decimal(10) ** 12
"""Up to here a float holds every amount of two decimals exactly enough to be written back as the same text."""

HISTORY_LENGTH = 100
"""How many transactions are asked for at once."""

MERCHANT_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")

log = structlog.get_logger(__name__)


def sumup_client(settings: Settings) -> httpx.AsyncClient:
    """Return the client that all calls of a process share; the caller closes it.

    Proxy variables of the environment are for the real service, never for the sandbox on this machine.
    """
    read = settings.sumup_read_timeout_s
    connect = settings.sumup_connect_timeout_s
    return httpx.AsyncClient(
        timeout=httpx.Timeout(connect=connect, read=read, write=read, pool=connect),
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=5),
        # A redirect would carry our key elsewhere, and repeat a write (docs/sumup.md § 1 and § 8).
        follow_redirects=False,
        trust_env=not settings.uses_sandbox,
        verify=tls_context(trust_env=not settings.uses_sandbox),
    )


def parse_webhook(body: bytes) -> str | None:
    """Return the checkout id of a notice, or None for anything else (docs/sumup.md § 6).

    The notice is a hint without a state or a signature: the id must be a row of ours before anything is asked
    about it, and only the provider's own answer is believed.
    """
    try:
        notice = read_json(body.decode())
    except (UnicodeDecodeError, UnreadableAnswer):
        return None
    if not isinstance(notice, dict) or notice.get("event_type") != "CHECKOUT_STATUS_CHANGED":
        return None
    checkout_id = notice.get("id")
    # Upper and lower case mean the same in a uuid, but not in our lookup.
    return checkout_id.lower() if isinstance(checkout_id, str) and is_uuid(checkout_id) else None


class SumUpGateway(PaymentGateway):
    """The PaymentGateway protocol over SumUp's API; its promises are the protocol's."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        api_key: SecretStr,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take a client with timeouts (``sumup_client``); ``sleep`` waits between the tries of a read."""
        self._wire = SumUpWire(client, base_url=base_url, api_key=api_key, clock=clock, sleep=sleep)

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        """Open a checkout with a hosted page. After GatewayUnknown look it up with ``find``.

        Raises Rejected without a call for what could only be refused, and GatewayConflict("answer_mismatch")
        when the provider opened something else than was asked for.
        """
        refuse_inside_transaction()
        body = _creation(attempt)
        try:
            checkout = await self._wire.write("create", "POST", "/v0.1/checkouts", read_checkout, json=body)
        except GatewayConflict as error:
            if error.code != "DUPLICATED_CHECKOUT":
                raise
            return await self._existing(attempt)
        # What was opened is not what we asked for: nobody may be sent there to pay it (docs/money.md, promise 4).
        if not _answers(checkout, attempt):
            log.error("sumup_opened_another_checkout", checkout_id=checkout.id, reference=attempt.reference)
            raise GatewayConflict("answer_mismatch")
        return checkout

    async def get(self, checkout_id: str) -> Checkout:
        """Return a checkout; tried again while the provider does not answer."""
        refuse_inside_transaction()
        return await self._get(_checked(checkout_id))

    async def find(self, reference: str) -> Checkout | None:
        """Return the checkout of a reference, or None."""
        refuse_inside_transaction()
        return await self._find(reference)

    async def cancel(self, checkout_id: str) -> CancelOutcome:
        """Deactivate a checkout; whatever the provider answers but a plain yes, the checkout itself is read.

        Raises GatewayConflict or GatewayUnknown when it is still payable afterwards: keep holding, and repeat.
        """
        refuse_inside_transaction()
        path = _checkout_path(_checked(checkout_id))
        try:
            checkout = await self._wire.write("cancel", "DELETE", path, read_checkout)
        # 409 may mean paid or closed, a lost answer anything: only the checkout itself says which (docs/sumup.md § 4).
        except (GatewayConflict, GatewayUnknown) as error:
            return _closed_as((await self._get(checkout_id)).status, error)
        if checkout.status is CheckoutStatus.EXPIRED:
            return CancelOutcome.CANCELLED
        return _closed_as((await self._get(checkout_id)).status, GatewayUnknown("cancel: not closed"))

    async def transaction(self, transaction_id: str, merchant_code: str) -> Transaction | None:
        """Return a transaction with its refunds; None where it is not known, which may last a while after a payment."""
        refuse_inside_transaction()
        if not is_uuid(transaction_id):
            return None
        path = f"/v2.1/merchants/{_merchant(merchant_code)}/transactions"
        try:
            transaction = await self._wire.read("transaction", path, read_transaction, params={"id": transaction_id})
        except GatewayNotFound:
            return None
        # An answer about another transaction must not settle this payment.
        if transaction.id.lower() != transaction_id.lower():
            raise GatewayUnavailable("transaction: the answer is about another one")
        return transaction

    async def history(self, merchant_code: str, *, since: datetime, following: str | None = None) -> HistoryPage:
        """Return a page of an account's transactions; the link to the next one is a query, not an address."""
        refuse_inside_transaction()
        path = f"/v2.1/merchants/{_merchant(merchant_code)}/transactions/history"
        query = {"order": "ascending", "limit": str(HISTORY_LENGTH), "changes_since": since.isoformat()}
        if following is not None:
            # Whatever stands before the question mark is not believed: our key goes to no address from an answer.
            query |= dict(parse_qsl(following.rpartition("?")[2]))
        return await self._wire.read("history", path, read_history, params=query)

    async def refund(self, transaction_id: str, merchant_code: str, amount: Decimal) -> RefundAnswer:
        """Ask for a refund, once. Any 2xx means accepted, whatever its body; see docs/sumup.md § 7.

        Raises GatewayUnavailable only when no connection was made, so that nothing can have happened.
        """
        refuse_inside_transaction()
        try:
            path, body = _refund_path(transaction_id, merchant_code), {"amount": _number(amount)}
        except Rejected as error:
            # Nothing was sent, so this is as sure as the provider's own no.
            return RefundAnswer(RefundOutcome.REJECTED, error.code, f"We cannot send this: {', '.join(error.params)}.")
        try:
            # ``send`` and not ``write``: a 204 has no body to read, and the money has moved all the same (docs/sumup.md
            # § 7).
            response = await self._wire.send("refund", "POST", path, json=body)
        except GatewayUnknown as error:
            return RefundAnswer(RefundOutcome.UNKNOWN, "ANSWER_LOST", str(error))
        return self._refund_answer(response)

    async def check_account(self, merchant_code: str) -> Account:
        """Return the account behind the key."""
        refuse_inside_transaction()
        return await self._wire.read("account", f"/v1/merchants/{_merchant(merchant_code)}", read_account)

    async def _get(self, checkout_id: str) -> Checkout:
        checkout = await self._wire.read("get", _checkout_path(checkout_id), read_checkout)
        if checkout.id.lower() != checkout_id.lower():
            raise GatewayUnavailable("get: the answer is about another checkout")
        return checkout

    async def _find(self, reference: str) -> Checkout | None:
        """Search by reference, and believe only an answer that bears it."""
        found = await self._wire.read(
            "find", "/v0.1/checkouts", read_checkouts, params={"checkout_reference": reference}
        )
        # Should the provider ever pass over the filter, the list would hold other orders' checkouts.
        return next((checkout for checkout in found if checkout.reference == reference), None)

    async def _existing(self, attempt: CheckoutRequest) -> Checkout:
        """Return the checkout that an earlier try opened, if it is still what is wanted (docs/sumup.md § 8)."""
        checkout = await self._find(attempt.reference)
        if checkout is None:
            # It exists, for the provider refused a second one, but we cannot see it: it may be payable.
            raise GatewayUnknown("create: duplicated, but not found")
        # Paid or closed ones are not to be paid again, and one with another sum was never ours to offer.
        if checkout.status is CheckoutStatus.PENDING and _answers(checkout, attempt):
            return checkout
        raise GatewayConflict("reference_spent")

    def _refund_answer(self, response: httpx.Response) -> RefundAnswer:
        if response.is_success:
            return RefundAnswer(RefundOutcome.ACCEPTED)
        refusal = self._wire.refusal("refund", response)
        outcome = RefundOutcome.REJECTED if is_refusal(response) else RefundOutcome.UNKNOWN
        return RefundAnswer(outcome, refusal.code, refusal.reason)


def _creation(attempt: CheckoutRequest) -> dict[str, Any]:
    """Return the body that opens a checkout; members without a value are left out, never null."""
    if not 0 < len(attempt.reference) <= LONGEST_REFERENCE:
        raise Rejected("INVALID", ("checkout_reference",))
    if attempt.valid_until.tzinfo is None:
        raise Rejected("INVALID", ("valid_until",))
    body = {
        "checkout_reference": attempt.reference,
        "amount": _number(attempt.amount),
        "currency": attempt.currency,
        "merchant_code": attempt.merchant_code,
        "description": attempt.description,
        "return_url": attempt.return_url,
        "redirect_url": attempt.redirect_url,
        "valid_until": attempt.valid_until.isoformat(timespec="milliseconds"),
        "hosted_checkout": {"enabled": True},
    }
    return {name: value for name, value in body.items() if value != ""}


def _number(amount: Decimal) -> float:
    """Return an amount as the JSON number that the provider wants. Raises Rejected for what is no price."""
    if not amount.is_finite() or not 0 < amount < LARGEST_AMOUNT or amount != amount.quantize(CENT):
        raise Rejected("INVALID", ("amount",))
    return float(amount)


def _answers(checkout: Checkout, attempt: CheckoutRequest) -> bool:
    return (checkout.reference, checkout.amount, checkout.currency, checkout.merchant_code) == (
        attempt.reference,
        attempt.amount,
        attempt.currency,
        attempt.merchant_code,
    )


def _closed_as(status: CheckoutStatus, refusal: GatewayConflict | GatewayUnknown) -> CancelOutcome:
    """Say how a checkout is closed; raise ``refusal`` when it is not."""
    match status:
        case CheckoutStatus.PAID:
            return CancelOutcome.ALREADY_PAID
        case CheckoutStatus.EXPIRED:
            return CancelOutcome.ALREADY_CLOSED
    # Neither paid nor closed: it can still be paid, so its seats stay held, and this is tried again.
    raise refusal


def _checked(checkout_id: str) -> str:
    """Return the id if it has the form of one; no call is made with any other."""
    if not is_uuid(checkout_id):
        raise GatewayNotFound("NOT_FOUND")
    return checkout_id


def _merchant(code: str) -> str:
    """Return a merchant code that is safe in a path."""
    if not MERCHANT_FORM.fullmatch(code):
        raise Rejected("INVALID", ("merchant_code",))
    return quote(code, safe="")


def _checkout_path(checkout_id: str) -> str:
    return f"/v0.1/checkouts/{quote(checkout_id, safe='')}"


def _refund_path(transaction_id: str, merchant_code: str) -> str:
    if not is_uuid(transaction_id):
        raise Rejected("INVALID", ("transaction_id",))
    return f"/v1.0/merchants/{_merchant(merchant_code)}/payments/{quote(transaction_id, safe='')}/refunds"
