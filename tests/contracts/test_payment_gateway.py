"""The promises of PaymentGateway, kept by the fake and by the SumUp adapter over a real socket."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import CancelOutcome, Checkout, CheckoutStatus, RefundOutcome
from shared.contracts.errors import (
    GatewayConflict,
    GatewayNotFound,
    GatewayUnavailable,
    GatewayUnknown,
    Rejected,
)
from shared.contracts.protocols import PaymentGateway
from tests.contracts.conftest import Provider
from tests.fakes.payments import START, MovableClock, an_attempt

MERCHANT = "MSANDBOX"


async def paid(provider: Provider, amount: str = "24.50") -> Checkout:
    checkout = await provider.gateway.create(an_attempt(amount=Decimal(amount)))
    await provider.pay(checkout.id)
    return await provider.gateway.get(checkout.id)


def transaction_of(checkout: Checkout) -> str:
    assert checkout.transaction_id is not None
    return checkout.transaction_id


async def test_a_new_checkout_is_pending_on_the_asked_terms(provider: Provider) -> None:
    attempt = an_attempt(amount=Decimal("10.00"))
    checkout = await provider.gateway.create(attempt)
    assert checkout.status is CheckoutStatus.PENDING
    assert (checkout.reference, checkout.amount, checkout.currency, checkout.merchant_code, checkout.valid_until) == (
        attempt.reference,
        attempt.amount,
        attempt.currency,
        attempt.merchant_code,
        attempt.valid_until,
    )
    assert checkout.hosted_url is not None
    assert checkout.transaction_id is None


async def test_get_and_find_show_the_same_checkout(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    assert await provider.gateway.get(checkout.id) == checkout
    assert await provider.gateway.find(checkout.reference) == checkout


async def test_a_repeated_attempt_opens_no_second_checkout(provider: Provider) -> None:
    attempt = an_attempt()
    assert await provider.gateway.create(attempt) == await provider.gateway.create(attempt)


async def test_a_lost_answer_to_create_is_found_by_reference(provider: Provider) -> None:
    attempt = an_attempt()
    await provider.lose_answer("create")
    with pytest.raises(GatewayUnknown):
        await provider.gateway.create(attempt)
    found = await provider.gateway.find(attempt.reference)
    assert found is not None
    assert await provider.gateway.create(attempt) == found


async def test_a_reference_on_other_terms_is_spent(provider: Provider) -> None:
    attempt = an_attempt()
    await provider.gateway.create(attempt)
    with pytest.raises(GatewayConflict, match="reference_spent"):
        await provider.gateway.create(an_attempt(reference=attempt.reference, amount=Decimal("1.00")))


async def test_a_reference_stays_spent_after_payment_and_after_cancelling(provider: Provider) -> None:
    attempts = [an_attempt(), an_attempt()]
    first, second = [await provider.gateway.create(attempt) for attempt in attempts]
    await provider.pay(first.id)
    await provider.gateway.cancel(second.id)
    for attempt in attempts:
        with pytest.raises(GatewayConflict, match="reference_spent"):
            await provider.gateway.create(attempt)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"currency": "EUR"}, "currency"),
        ({"merchant_code": "MOTHER"}, "merchant_code"),
        ({"reference": "x" * 65}, "checkout_reference"),
        ({"reference": ""}, "checkout_reference"),
        ({"amount": Decimal("1.005")}, "amount"),
        ({"amount": Decimal("0.00")}, "amount"),
        ({"amount": Decimal("-1.00")}, "amount"),
        ({"valid_until": START.replace(tzinfo=None)}, "valid_until"),
    ],
)
async def test_what_cannot_be_sold_is_rejected(provider: Provider, changes: dict[str, Any], param: str) -> None:
    with pytest.raises(Rejected) as refusal:
        await provider.gateway.create(an_attempt(**changes))
    assert refusal.value.params == (param,)


async def test_an_unknown_reference_is_none(provider: Provider) -> None:
    assert await provider.gateway.find(str(uuid.uuid4())) is None


@pytest.mark.parametrize("checkout_id", [str(uuid.UUID(int=7)), "../../v1/merchants/MSANDBOX", ""])
async def test_an_unknown_checkout_is_not_found(provider: Provider, checkout_id: str) -> None:
    with pytest.raises(GatewayNotFound):
        await provider.gateway.get(checkout_id)
    with pytest.raises(GatewayNotFound):
        await provider.gateway.cancel(checkout_id)


async def test_an_id_that_is_no_uuid_causes_no_call(provider: Provider) -> None:
    with pytest.raises(GatewayNotFound):
        await provider.gateway.get("../../v1/merchants/MSANDBOX")
    assert await provider.count("get") == await provider.count("account") == 0


async def test_a_declined_checkout_can_still_be_paid(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    failed = await provider.decline(checkout.id)
    declined = await provider.gateway.get(checkout.id)
    await provider.pay(checkout.id)
    settled = await provider.gateway.get(checkout.id)
    assert (declined.status, declined.transaction_id) == (CheckoutStatus.FAILED, None)
    assert settled.status is CheckoutStatus.PAID
    assert settled.transaction_id not in {None, failed}
    assert settled.transaction_code


async def test_a_payment_of_another_amount_shows_that_amount(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    await provider.pay(checkout.id, amount=Decimal("1.00"))
    assert (await provider.gateway.get(checkout.id)).amount == Decimal("1.00")


async def test_a_checkout_expires_at_its_time(provider: Provider, clock: MovableClock) -> None:
    checkout = await provider.gateway.create(an_attempt())
    clock.forward(minutes=29, seconds=59)
    before = await provider.gateway.get(checkout.id)
    clock.forward(seconds=1)
    after = await provider.gateway.get(checkout.id)
    assert (before.status, after.status) == (CheckoutStatus.PENDING, CheckoutStatus.EXPIRED)


async def test_a_cancelled_checkout_is_closed(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    assert await provider.gateway.cancel(checkout.id) is CancelOutcome.CANCELLED
    assert (await provider.gateway.get(checkout.id)).status is CheckoutStatus.EXPIRED
    assert await provider.gateway.cancel(checkout.id) is CancelOutcome.ALREADY_CLOSED


async def test_a_declined_checkout_can_be_cancelled(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    await provider.decline(checkout.id)
    assert await provider.gateway.cancel(checkout.id) is CancelOutcome.CANCELLED


async def test_a_paid_checkout_is_not_cancelled(provider: Provider) -> None:
    checkout = await paid(provider)
    assert await provider.gateway.cancel(checkout.id) is CancelOutcome.ALREADY_PAID
    assert (await provider.gateway.get(checkout.id)).status is CheckoutStatus.PAID


async def test_a_lost_answer_to_cancel_is_looked_up(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    await provider.lose_answer("cancel")
    assert await provider.gateway.cancel(checkout.id) is CancelOutcome.ALREADY_CLOSED


async def test_money_that_arrives_after_cancelling_is_seen(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    await provider.gateway.cancel(checkout.id)
    await provider.pay(checkout.id, force=True)
    assert (await provider.gateway.get(checkout.id)).status is CheckoutStatus.PAID
    assert await provider.gateway.cancel(checkout.id) is CancelOutcome.ALREADY_PAID


@pytest.mark.parametrize("operation", ["get", "find", "transaction"])
async def test_a_read_that_cannot_be_had_is_unavailable(provider: Provider, operation: str) -> None:
    checkout = await paid(provider)
    await provider.lose_answer(operation)
    reads: dict[str, Callable[[], Awaitable[object]]] = {
        "get": lambda: provider.gateway.get(checkout.id),
        "find": lambda: provider.gateway.find(checkout.reference),
        "transaction": lambda: provider.gateway.transaction(transaction_of(checkout), MERCHANT),
    }
    with pytest.raises(GatewayUnavailable):
        await reads[operation]()
    await reads[operation]()


async def test_a_transaction_shows_what_was_given_back(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    for part in ("4.50", "5.00"):
        answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal(part))
        assert answer.outcome is RefundOutcome.ACCEPTED
    transaction = await provider.gateway.transaction(transaction_id, MERCHANT)
    assert transaction is not None
    assert (transaction.captured, transaction.amount, transaction.refunded) == (True, Decimal("24.50"), Decimal("9.50"))
    assert len({refund.id for refund in transaction.refunds}) == 2


async def test_a_full_refund_leaves_the_checkout_paid(provider: Provider) -> None:
    checkout = await paid(provider)
    await provider.gateway.refund(transaction_of(checkout), MERCHANT, Decimal("24.50"))
    transaction = await provider.gateway.transaction(transaction_of(checkout), MERCHANT)
    assert transaction is not None
    assert (transaction.captured, transaction.refunded) == (True, Decimal("24.50"))
    assert (await provider.gateway.get(checkout.id)).status is CheckoutStatus.PAID


async def test_a_lost_answer_to_a_refund_is_unknown_and_not_repeated(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.lose_answer("refund")
    answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal("5.00"))
    transaction = await provider.gateway.transaction(transaction_id, MERCHANT)
    assert answer.outcome is RefundOutcome.UNKNOWN
    assert transaction is not None
    assert transaction.refunded == Decimal("5.00")
    assert await provider.count("refund") == 1


async def test_more_than_was_paid_is_not_given_back(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.gateway.refund(transaction_id, MERCHANT, Decimal("20.00"))
    answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal("4.51"))
    assert (answer.outcome, answer.code) == (RefundOutcome.REJECTED, "INVALID_AMOUNT")
    assert answer.reason


async def test_what_was_given_back_wholly_is_not_refundable(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.gateway.refund(transaction_id, MERCHANT, Decimal("24.50"))
    answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal("0.01"))
    assert (answer.outcome, answer.code) == (RefundOutcome.REJECTED, "CONFLICT")


async def test_a_failed_payment_is_not_captured_nor_refundable(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    failed = await provider.decline(checkout.id)
    transaction = await provider.gateway.transaction(failed, MERCHANT)
    answer = await provider.gateway.refund(failed, MERCHANT, Decimal("1.00"))
    assert transaction is not None
    assert not transaction.captured
    assert (answer.outcome, answer.code) == (RefundOutcome.REJECTED, "CONFLICT")


@pytest.mark.parametrize(("merchant_code", "amount"), [(MERCHANT, "0.00"), (MERCHANT, "-1.00"), ("MOTHER", "1.00")])
async def test_a_wrong_refund_is_rejected(provider: Provider, merchant_code: str, amount: str) -> None:
    transaction_id = transaction_of(await paid(provider))
    answer = await provider.gateway.refund(transaction_id, merchant_code, Decimal(amount))
    assert answer.outcome is RefundOutcome.REJECTED
    assert answer.reason


async def test_an_unknown_transaction_is_none_and_not_refundable(provider: Provider) -> None:
    unknown = str(uuid.uuid4())
    assert await provider.gateway.transaction(unknown, MERCHANT) is None
    assert (await provider.gateway.refund(unknown, MERCHANT, Decimal("1.00"))).outcome is RefundOutcome.REJECTED


async def test_a_transaction_of_another_merchant_is_none(provider: Provider) -> None:
    assert await provider.gateway.transaction(transaction_of(await paid(provider)), "MOTHER") is None


async def test_the_account_behind_the_key_is_shown(provider: Provider) -> None:
    account = await provider.gateway.check_account(MERCHANT)
    assert (account.merchant_code, account.currency, account.sandbox) == (MERCHANT, "GBP", True)
    with pytest.raises(GatewayNotFound):
        await provider.gateway.check_account("MOTHER")


GATEWAY_CALLS: dict[str, Callable[[PaymentGateway], Awaitable[object]]] = {
    "create": lambda gateway: gateway.create(an_attempt()),
    "get": lambda gateway: gateway.get(str(uuid.uuid4())),
    "find": lambda gateway: gateway.find("reference"),
    "cancel": lambda gateway: gateway.cancel(str(uuid.uuid4())),
    "transaction": lambda gateway: gateway.transaction(str(uuid.uuid4()), MERCHANT),
    "refund": lambda gateway: gateway.refund(str(uuid.uuid4()), MERCHANT, Decimal("1.00")),
    "account": lambda gateway: gateway.check_account(MERCHANT),
}


async def test_no_call_is_made_inside_a_database_transaction(provider: Provider, session: AsyncSession) -> None:
    await session.execute(text("select 1"))
    for operation, call in GATEWAY_CALLS.items():
        with pytest.raises(RuntimeError, match="inside a database transaction"):
            await call(provider.gateway)
        assert await provider.count(operation) == 0
    await session.rollback()
    assert await provider.gateway.find("reference") is None
