"""The promises of PaymentGateway, kept by the fake and by the SumUp adapter over a real socket."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import CancelOutcome, Checkout, CheckoutStatus, HistoryPage, RefundOutcome, Transaction
from shared.contracts.errors import (
    GatewayConflict,
    GatewayNotFound,
    GatewayUnavailable,
    GatewayUnknown,
    Rejected,
)
from shared.contracts.protocols import PaymentGateway
from tests.contracts.conftest import Provider
from tests.fakes.gateway_trouble import Race
from tests.fakes.payments import START, MovableClock, an_attempt

MERCHANT = "MSANDBOX"


async def paid(provider: Provider, amount: str = "24.50") -> Checkout:
    checkout = await provider.gateway.create(an_attempt(amount=Decimal(amount)))
    await provider.pay(checkout.id)
    return await provider.gateway.get(checkout.id)


async def shown(provider: Provider, transaction_id: str) -> Transaction:
    transaction = await provider.gateway.transaction(transaction_id, MERCHANT)
    assert transaction is not None
    return transaction


async def reconciled(provider: Provider, since: datetime = START) -> list[HistoryPage]:
    pages = [await provider.gateway.history(MERCHANT, since=since)]
    while pages[-1].following is not None and len(pages) < 9:
        pages.append(await provider.gateway.history(MERCHANT, since=since, following=pages[-1].following))
    return pages


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


async def test_a_transaction_shows_what_was_refunded(provider: Provider) -> None:
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


async def test_more_than_was_paid_is_not_refunded(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.gateway.refund(transaction_id, MERCHANT, Decimal("20.00"))
    answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal("4.51"))
    assert (answer.outcome, answer.code) == (RefundOutcome.REJECTED, "INVALID_AMOUNT")
    assert answer.reason


async def test_what_was_refunded_wholly_is_not_refundable(provider: Provider) -> None:
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


# --- what comes late, or was never asked for ---


async def test_a_lost_request_to_create_opens_nothing_and_can_be_repeated(provider: Provider) -> None:
    attempt = an_attempt()
    await provider.lose_request("create")
    with pytest.raises(GatewayUnknown):
        await provider.gateway.create(attempt)
    assert await provider.gateway.find(attempt.reference) is None
    assert (await provider.gateway.create(attempt)).status is CheckoutStatus.PENDING


async def test_a_lost_request_to_refund_is_unknown_and_gives_nothing_back(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.lose_request("refund")
    answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal("5.00"))
    assert answer.outcome is RefundOutcome.UNKNOWN
    assert (await shown(provider, transaction_id)).refunded == Decimal("0.00")
    assert await provider.count("refund") == 1


async def test_a_lost_request_to_cancel_leaves_it_payable_and_says_so(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    await provider.lose_request("cancel")
    with pytest.raises(GatewayUnknown):
        await provider.gateway.cancel(checkout.id)
    assert (await provider.gateway.get(checkout.id)).status is CheckoutStatus.PENDING


async def test_a_payment_may_be_seen_late(provider: Provider) -> None:
    checkout = await paid(provider)
    await provider.make_stale("get")
    await provider.make_stale("find")
    stale = [await provider.gateway.get(checkout.id), await provider.gateway.find(checkout.reference)]
    assert [one.status for one in stale if one] == [CheckoutStatus.PENDING, CheckoutStatus.PENDING]
    assert await provider.gateway.get(checkout.id) == await provider.gateway.find(checkout.reference) == checkout


async def test_a_refund_may_be_seen_late(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.gateway.refund(transaction_id, MERCHANT, Decimal("5.00"))
    await provider.make_stale("transaction")
    assert (await shown(provider, transaction_id)).refunded == Decimal("0.00")
    assert (await shown(provider, transaction_id)).refunded == Decimal("5.00")


async def test_a_transaction_may_be_missing_at_first(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.hide_transaction()
    assert await provider.gateway.transaction(transaction_id, MERCHANT) is None
    assert (await shown(provider, transaction_id)).captured


async def test_a_transaction_names_the_reference_that_it_paid(provider: Provider) -> None:
    checkout = await paid(provider)
    assert (await shown(provider, transaction_of(checkout))).reference == checkout.reference


async def test_a_payment_in_another_currency_shows_that_currency(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    await provider.pay(checkout.id, currency="EUR")
    assert (await provider.gateway.get(checkout.id)).currency == "EUR"


async def test_a_second_payment_of_one_checkout_leaves_the_first_in_its_place(provider: Provider) -> None:
    checkout = await paid(provider)
    second = await provider.pay(checkout.id, force=True)
    assert second != transaction_of(checkout) == transaction_of(await provider.gateway.get(checkout.id))
    assert (await shown(provider, second)).captured


@pytest.mark.parametrize(
    ("order", "outcome"),
    [("payment_first", CancelOutcome.ALREADY_PAID), ("payment_last", CancelOutcome.CANCELLED)],
)
async def test_a_payment_that_meets_the_cancelling_is_there_afterwards(
    provider: Provider, order: Race, outcome: CancelOutcome
) -> None:
    checkout = await provider.gateway.create(an_attempt())
    await provider.race(checkout.id, order)
    assert await provider.gateway.cancel(checkout.id) is outcome
    assert (await provider.gateway.get(checkout.id)).status is CheckoutStatus.PAID


@pytest.mark.parametrize(("done", "refunded_so_far"), [(True, "5.00"), (False, "0.00")])
async def test_a_refund_under_way_succeeds_or_fails_later(provider: Provider, done: bool, refunded_so_far: str) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.hold_refund()
    answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal("5.00"))
    under_way = await shown(provider, transaction_id)
    await provider.settle_refund(transaction_id, done=done)
    settled = await shown(provider, transaction_id)
    assert answer.outcome is RefundOutcome.ACCEPTED
    assert (under_way.refunded, under_way.refunded_so_far) == (Decimal("5.00"), Decimal("0.00"))
    assert settled.refunded == settled.refunded_so_far == Decimal(refunded_so_far)
    assert settled.captured


async def test_a_refund_made_in_the_dashboard_is_seen(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.refund_by_hand(transaction_id, Decimal("4.50"))
    assert (await shown(provider, transaction_id)).refunded_so_far == Decimal("4.50")
    assert await provider.count("refund") == 0


async def test_what_the_bank_took_back_is_no_refund_and_cannot_be_refunded(provider: Provider) -> None:
    transaction_id = transaction_of(await paid(provider))
    await provider.charge_back(transaction_id)
    transaction = await shown(provider, transaction_id)
    answer = await provider.gateway.refund(transaction_id, MERCHANT, Decimal("1.00"))
    assert (transaction.captured, transaction.charged_back, transaction.refunded) == (
        True,
        Decimal("24.50"),
        Decimal("0.00"),
    )
    assert (answer.outcome, answer.code) == (RefundOutcome.REJECTED, "CONFLICT")


# --- the provider's own record ---


async def test_the_record_has_every_payment_page_by_page(provider: Provider) -> None:
    paid_for = [transaction_of(await paid(provider, amount)) for amount in ("1.00", "2.00", "3.00")]
    by_link = await provider.take(Decimal("4.00"))
    pages = await reconciled(provider)
    assert [item.transaction_id for page in pages for item in page.items] == [*paid_for, by_link]
    assert [item.amount for page in pages for item in page.items] == [Decimal(amount) for amount in range(1, 5)]
    assert [len(page.items) for page in pages] == [2, 2]


async def test_the_record_tells_what_was_taken_at_the_counter(provider: Provider) -> None:
    for at_reader in (True, False):
        await provider.take(Decimal("4.00"), at_reader=at_reader)
    (page,) = await reconciled(provider)
    assert [item.online for item in page.items] == [False, True]


async def test_the_record_shows_what_failed_as_not_captured(provider: Provider) -> None:
    checkout = await provider.gateway.create(an_attempt())
    failed = await provider.decline(checkout.id)
    await provider.pay(checkout.id)
    (page,) = await reconciled(provider)
    assert [(item.transaction_id == failed, item.captured) for item in page.items] == [(True, False), (False, True)]


async def test_the_record_begins_with_what_changed_since(provider: Provider, clock: MovableClock) -> None:
    first, second = transaction_of(await paid(provider)), transaction_of(await paid(provider))
    clock.forward(days=1)
    await provider.refund_by_hand(second, Decimal("1.00"))
    later = await provider.take(Decimal("4.00"))
    ids = [item.transaction_id for page in await reconciled(provider, since=clock()) for item in page.items]
    assert ids == [second, later]
    assert first not in ids


async def test_an_account_without_payments_has_an_empty_record(provider: Provider) -> None:
    assert await reconciled(provider) == [HistoryPage(())]


async def test_a_record_that_cannot_be_had_is_unavailable(provider: Provider) -> None:
    await provider.lose_answer("history")
    with pytest.raises(GatewayUnavailable):
        await reconciled(provider)


async def test_another_accounts_record_is_not_shown(provider: Provider) -> None:
    with pytest.raises(GatewayNotFound):
        await provider.gateway.history("MOTHER", since=START)


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
    "history": lambda gateway: gateway.history(MERCHANT, since=START),
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
