"""The sandbox on a bad day: answers spoiled on order, money that moves by itself, notices lost, doubled and forged."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from shared.contracts.dtos import CancelOutcome, CheckoutStatus, RefundOutcome
from shared.contracts.errors import GatewayUnavailable, GatewayUnknown, Rejected
from shared.payments.sumup.gateway import SumUpGateway, sumup_client
from shared.settings import Settings
from tests.fakes.payments import MovableClock, an_attempt
from tests.support.notices import Listener
from tests.support.sandbox import SandboxControl, running_sandbox, serving, settings_for

KEY = {"Authorization": "Bearer sup_sk_sandbox"}
MERCHANT = "MSANDBOX"
GOOD: dict[str, Any] = {"checkout_reference": "r-1", "amount": 24.5, "currency": "GBP", "merchant_code": MERCHANT}
SPOILED = ("no_content", "empty", "unreadable", "truncated")


@pytest.fixture
async def client(sandbox: SandboxControl) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.url, headers=KEY, trust_env=False) as made:
        yield made


@pytest.fixture
async def gateway(
    quiet_settings: Settings, sandbox: SandboxControl, clock: MovableClock
) -> AsyncIterator[SumUpGateway]:
    """The adapter, led to the sandbox; nothing is held against the document, for the answers here fit none."""
    settings = settings_for(quiet_settings, sandbox)

    async def no_wait(_seconds: float) -> None:
        return None

    async with sumup_client(settings) as http:
        key = settings.sumup_api_key
        yield SumUpGateway(http, base_url=settings.sumup_origin, api_key=key, clock=clock, sleep=no_wait)


async def a_checkout(client: httpx.AsyncClient, **changes: Any) -> str:
    answer = await client.post("/v0.1/checkouts", json=GOOD | {"checkout_reference": str(uuid.uuid4())} | changes)
    return str(answer.json()["id"])


async def paid(client: httpx.AsyncClient, sandbox: SandboxControl) -> str:
    return str((await sandbox.pay(await a_checkout(client)))["id"])


async def transaction(client: httpx.AsyncClient, transaction_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v2.1/merchants/{MERCHANT}/transactions", params={"id": transaction_id})
    body: dict[str, Any] = answer.json()
    return body


async def refund(client: httpx.AsyncClient, transaction_id: str, amount: float = 5) -> httpx.Response:
    return await client.post(f"/v1.0/merchants/{MERCHANT}/payments/{transaction_id}/refunds", json={"amount": amount})


def events(shown: dict[str, Any]) -> list[tuple[str, str, float]]:
    return [(event["event_type"], event["status"], event["amount"]) for event in shown["transaction_events"]]


# --- successes that say nothing ---


@pytest.mark.parametrize(
    ("kind", "status", "beginning"),
    [("no_content", 204, ""), ("empty", 201, ""), ("unreadable", 201, "<html>"), ("truncated", 201, '{"amou')],
)
async def test_a_success_may_say_nothing(
    client: httpx.AsyncClient, sandbox: SandboxControl, kind: str, status: int, beginning: str
) -> None:
    await sandbox.fail_next("create", kind)
    answer = await client.post("/v0.1/checkouts", json=GOOD)
    assert (answer.status_code, answer.text[:6]) == (status, beginning)
    assert [one["reference"] for one in await sandbox.checkouts()] == ["r-1"]


@pytest.mark.parametrize("kind", SPOILED)
async def test_a_refund_that_answers_nothing_readable_was_accepted(
    gateway: SumUpGateway, client: httpx.AsyncClient, sandbox: SandboxControl, kind: str
) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.fail_next("refund", kind)
    answer = await gateway.refund(transaction_id, MERCHANT, Decimal("5.00"))
    assert answer.outcome is RefundOutcome.ACCEPTED
    assert events(await transaction(client, transaction_id)) == [("REFUND", "REFUNDED", 5)]
    assert len(await sandbox.calls("refund")) == 1


@pytest.mark.parametrize("kind", SPOILED)
async def test_a_new_checkout_that_cannot_be_read_is_unknown_and_then_found(
    gateway: SumUpGateway, sandbox: SandboxControl, kind: str
) -> None:
    attempt = an_attempt()
    await sandbox.fail_next("create", kind)
    with pytest.raises(GatewayUnknown):
        await gateway.create(attempt)
    assert len(await sandbox.calls("create")) == 1
    assert (await gateway.create(attempt)).status is CheckoutStatus.PENDING
    assert len(await sandbox.checkouts()) == 1


@pytest.mark.parametrize("kind", SPOILED)
async def test_a_deactivation_that_cannot_be_read_is_looked_up(
    gateway: SumUpGateway, sandbox: SandboxControl, kind: str
) -> None:
    checkout = await gateway.create(an_attempt())
    await sandbox.fail_next("cancel", kind)
    assert await gateway.cancel(checkout.id) is CancelOutcome.ALREADY_CLOSED


@pytest.mark.parametrize("kind", SPOILED)
async def test_a_read_that_cannot_be_read_is_tried_again_and_then_unavailable(
    gateway: SumUpGateway, sandbox: SandboxControl, kind: str
) -> None:
    checkout = await gateway.create(an_attempt())
    await sandbox.fail_next("get", kind, times=2)
    assert (await gateway.get(checkout.id)).id == checkout.id
    await sandbox.fail_next("get", kind, times=3)
    with pytest.raises(GatewayUnavailable):
        await gateway.get(checkout.id)
    assert len(await sandbox.calls("get")) == 6


@pytest.mark.parametrize("kind", ["status", "status_after", "cut_before", "cut_after", "slow_after"])
async def test_a_refund_is_never_sent_twice(
    gateway: SumUpGateway, client: httpx.AsyncClient, sandbox: SandboxControl, kind: str
) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.fail_next("refund", kind, status=502, body="<html>Bad Gateway</html>", delay_s=0)
    await gateway.refund(transaction_id, MERCHANT, Decimal("5.00"))
    assert len(await sandbox.calls("refund")) == 1


# --- reads behind the times ---


async def test_so_many_reads_are_stale_and_then_no_more(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout_id = await a_checkout(client)
    await sandbox.pay(checkout_id)
    await sandbox.fail_next("get", "stale", times=2)
    answers = [(await client.get(f"/v0.1/checkouts/{checkout_id}")).json()["status"] for _ in range(3)]
    assert answers == ["PENDING", "PENDING", "PAID"]


async def test_what_is_new_is_not_there_for_a_stale_read(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout_id = await a_checkout(client, checkout_reference="r-1")
    await sandbox.fail_next("get", "stale")
    await sandbox.fail_next("find", "stale")
    assert (await client.get(f"/v0.1/checkouts/{checkout_id}")).status_code == HTTPStatus.NOT_FOUND
    assert (await client.get("/v0.1/checkouts?checkout_reference=r-1")).json() == []
    assert len((await client.get("/v0.1/checkouts?checkout_reference=r-1")).json()) == 1


async def test_the_record_may_be_stale(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    await paid(client, sandbox)
    await sandbox.fail_next("history", "stale")
    path = f"/v2.1/merchants/{MERCHANT}/transactions/history"
    assert [len((await client.get(path)).json()["items"]) for _ in range(2)] == [0, 1]


async def test_a_transaction_is_missing_so_many_times(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.fail_next("transaction", "missing", times=2)
    answers = [await transaction(client, transaction_id) for _ in range(3)]
    assert [answer.get("error_code") for answer in answers] == ["NOT_FOUND", "NOT_FOUND", None]


# --- attempts ---


async def test_an_attempt_that_was_begun_is_decided_later(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout_id = await a_checkout(client)
    begun = await sandbox.begin(checkout_id)
    waiting = (await client.get(f"/v0.1/checkouts/{checkout_id}")).json()
    await sandbox.decline(checkout_id)
    await sandbox.pay(checkout_id)
    settled = (await client.get(f"/v0.1/checkouts/{checkout_id}")).json()
    assert (waiting["status"], [one["status"] for one in waiting["transactions"]]) == ("PENDING", ["PENDING"])
    assert [one["status"] for one in settled["transactions"]] == ["FAILED", "SUCCESSFUL"]
    assert settled["transactions"][0]["id"] == begun["id"] != settled["transaction_id"]


async def test_an_attempt_that_was_begun_is_cancelled_with_its_checkout(
    client: httpx.AsyncClient, sandbox: SandboxControl
) -> None:
    checkout_id = await a_checkout(client)
    await sandbox.begin(checkout_id)
    closed = (await client.delete(f"/v0.1/checkouts/{checkout_id}")).json()
    assert (closed["status"], [one["status"] for one in closed["transactions"]]) == ("EXPIRED", ["CANCELLED"])


@pytest.mark.parametrize(("order", "status"), [("payment_first", 409), ("payment_last", 200)])
async def test_a_deactivation_can_meet_a_payment(
    client: httpx.AsyncClient, sandbox: SandboxControl, order: str, status: int
) -> None:
    checkout_id = await a_checkout(client)
    await sandbox.race(checkout_id, order)
    assert (await client.delete(f"/v0.1/checkouts/{checkout_id}")).status_code == status
    assert (await client.get(f"/v0.1/checkouts/{checkout_id}")).json()["status"] == "PAID"


async def test_another_currency_can_be_paid(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout_id = await a_checkout(client)
    await sandbox.pay(checkout_id, currency="EUR")
    assert (await client.get(f"/v0.1/checkouts/{checkout_id}")).json()["currency"] == "EUR"


@pytest.mark.parametrize("payment_type", ["ECOM", "POS"])
async def test_a_payment_may_be_of_no_checkout(
    client: httpx.AsyncClient, sandbox: SandboxControl, payment_type: str
) -> None:
    taken = await sandbox.take(MERCHANT, Decimal("7.00"), payment_type)
    items = (await client.get(f"/v2.1/merchants/{MERCHANT}/transactions/history")).json()["items"]
    assert [(item["transaction_id"], item["payment_type"]) for item in items] == [(taken["id"], payment_type)]
    assert (await client.get("/v0.1/checkouts")).json() == []


# --- after the payment ---


@pytest.mark.parametrize(
    ("status", "simple_status", "left"), [("REFUNDED", "SUCCESSFUL", 19.5), ("FAILED", "REFUND_FAILED", 24.5)]
)
async def test_a_refund_stays_pending_until_it_ends(
    client: httpx.AsyncClient, sandbox: SandboxControl, status: str, simple_status: str, left: float
) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.refund_next("pending")
    assert (await refund(client, transaction_id)).status_code == HTTPStatus.CREATED
    pending = await transaction(client, transaction_id)
    await sandbox.settle_refunds(transaction_id, status)
    ended = await transaction(client, transaction_id)
    assert (events(pending), pending["links"][0]["max_amount"]) == ([("REFUND", "PENDING", 5)], 19.5)
    assert (events(ended), ended["links"][0]["max_amount"]) == ([("REFUND", status, 5)], left)
    assert (ended["status"], ended["simple_status"]) == ("SUCCESSFUL", simple_status)


@pytest.mark.parametrize(
    ("how", "code"), [("too_early", "CONFLICT"), ("balance", "NOT_ENOUGH_BALANCE"), ("processor", "PROCESSOR_DECLINED")]
)
async def test_a_refund_may_be_refused_and_asked_for_again(
    sumup: SumUpGateway, client: httpx.AsyncClient, sandbox: SandboxControl, how: str, code: str
) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.refund_next(how)
    refused = await sumup.refund(transaction_id, MERCHANT, Decimal("5.00"))
    again = await sumup.refund(transaction_id, MERCHANT, Decimal("5.00"))
    assert (refused.outcome, refused.code) == (RefundOutcome.REJECTED, code)
    assert refused.reason
    assert again.outcome is RefundOutcome.ACCEPTED
    assert len(events(await transaction(client, transaction_id))) == 1


async def test_a_refund_in_the_dashboard_goes_well_whatever_is_ordered_for_ours(
    client: httpx.AsyncClient, sandbox: SandboxControl
) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.refund_next("balance")
    await sandbox.refund(transaction_id, Decimal("4.50"))
    assert events(await transaction(client, transaction_id)) == [("REFUND", "REFUNDED", 4.5)]
    assert (await refund(client, transaction_id)).status_code == HTTPStatus.CONFLICT


async def test_a_chargeback_is_an_event_and_leaves_nothing_to_refund(
    client: httpx.AsyncClient, sandbox: SandboxControl
) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.charge_back(transaction_id)
    shown = await transaction(client, transaction_id)
    assert (events(shown), shown["simple_status"]) == ([("CHARGE_BACK", "SUCCESSFUL", 24.5)], "CHARGEBACK")
    assert shown["links"] == []
    assert (await refund(client, transaction_id)).status_code == HTTPStatus.CONFLICT


async def test_what_was_paid_out_is_still_paid_and_refundable(
    sumup: SumUpGateway, client: httpx.AsyncClient, sandbox: SandboxControl
) -> None:
    transaction_id = await paid(client, sandbox)
    await sandbox.pay_out(transaction_id)
    shown = await transaction(client, transaction_id)
    read = await sumup.transaction(transaction_id, MERCHANT)
    assert (events(shown), shown["simple_status"]) == ([("PAYOUT", "PAID_OUT", 24.5)], "PAID_OUT")
    assert read is not None
    assert (read.captured, read.refunded, read.charged_back) == (True, Decimal(0), Decimal(0))
    assert (await refund(client, transaction_id)).status_code == HTTPStatus.CREATED


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("/transactions/nobody/refund", {}, 404),
        ("/transactions/nobody/charge_back", {}, 404),
        ("/transactions/nobody/pay_out", {}, 404),
        ("/transactions/nobody/settle", {"status": "REFUNDED"}, 404),
        ("/transactions/nobody/settle", {"status": "LOST"}, 422),
        ("/checkouts/nobody/race", {"order": "payment_first"}, 404),
        ("/checkouts/nobody/begin", {}, 404),
        ("/payments", {"merchant_code": "NOBODY", "amount": "1.00"}, 404),
        ("/payments", {"merchant_code": MERCHANT, "amount": "0"}, 422),
        ("/refund_next", {"how": "never"}, 422),
        ("/notify_next", {"how": "loud"}, 422),
        ("/forge", {}, 422),
    ],
)
async def test_a_wrong_order_is_explained(
    client: httpx.AsyncClient, path: str, order: dict[str, Any], status: int
) -> None:
    answer = await client.post(f"/sandbox{path}", json=order)
    assert (answer.status_code, bool(answer.json())) == (status, True)


async def test_a_reset_forgets_what_was_ordered(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    await sandbox.refund_next("balance")
    await sandbox.notify_next("lost")
    await sandbox.fail_next("any", "empty")
    await sandbox.reset()
    assert (await refund(client, await paid(client, sandbox))).status_code == HTTPStatus.CREATED


# --- notices ---


class Noticed:
    """A shop that hears of what happens in a sandbox."""

    def __init__(self, control: SandboxControl, listener: Listener, url: str, client: httpx.AsyncClient) -> None:
        self.control = control
        self.listener = listener
        self.url = url
        self.client = client

    async def pay(self) -> str:
        """Pay for a new checkout that wants notices, and return its id."""
        checkout_id = await a_checkout(self.client, return_url=self.url)
        await self.control.pay(checkout_id)
        return checkout_id

    async def hear(self, times: int = 1) -> list[str]:
        """Wait for so many notices, and return what they are about."""
        return [(await asyncio.wait_for(self.listener.notices.get(), 5))["id"] for _ in range(times)]


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> Listener:
    return Listener(204, together=getattr(request, "param", 1))


@pytest.fixture
async def noticed(settings: Settings, listener: Listener) -> AsyncIterator[Noticed]:
    quick = settings.model_copy(update={"sandbox_webhook_delays_s": (0.0, 0.0)})
    async with (
        serving(listener.app) as shop,
        running_sandbox(quick) as control,
        httpx.AsyncClient(base_url=control.url, headers=KEY, trust_env=False) as client,
    ):
        yield Noticed(control, listener, f"{shop}/notice", client)


async def test_a_lost_notice_never_comes(noticed: Noticed) -> None:
    await noticed.control.notify_next("lost")
    lost = await noticed.pay()
    heard = await noticed.pay()
    assert await noticed.hear() == [heard]
    deliveries = {one["checkout_id"]: one for one in await noticed.control.webhooks()}
    assert (deliveries[lost]["lost"], deliveries[lost]["answers"]) == (True, [])


async def test_a_late_notice_comes_after_others(noticed: Noticed) -> None:
    await noticed.control.notify_next("late", delay_s=0.3)
    late = await noticed.pay()
    heard = await noticed.pay()
    assert await noticed.hear(2) == [heard, late]


async def test_a_doubled_notice_comes_twice_though_it_was_taken(noticed: Noticed) -> None:
    await noticed.control.notify_next("doubled")
    doubled = await noticed.pay()
    assert await noticed.hear(2) == [doubled] * 2
    once = await noticed.pay()
    assert await noticed.hear() == [once]
    assert noticed.listener.notices.empty()


@pytest.mark.parametrize("listener", [3], indirect=True)
async def test_concurrent_notices_go_off_at_the_same_instant(noticed: Noticed) -> None:
    await noticed.control.notify_next("concurrent", copies=3)
    concurrent = await noticed.pay()
    assert await noticed.hear(3) == [concurrent] * 3


async def test_anybody_can_forge_a_notice(noticed: Noticed) -> None:
    assert await noticed.control.forge(noticed.url, "nobody", event_type="MONEY_FOR_NOTHING") == HTTPStatus.NO_CONTENT
    assert await noticed.listener.notices.get() == {"event_type": "MONEY_FOR_NOTHING", "id": "nobody"}


# --- refusals ---


@pytest.mark.parametrize(
    "body",
    [
        '{"message": "Validation error", "error_code": "INVALID", "param": "amount"}',
        '[{"message": "wrong", "error_code": "INVALID", "param": "amount"}, {"message": "gone", "error_code": "MISSING"}]',
        '{"error_message": "checkout_payments_not_allowed", "error_code": "FORBIDDEN", "status_code": "403"}',
        '{"type": "https://developer.sumup.com/problem/bad-request", "title": "Bad Request", "status": 400}',
        '{"title": "Bad", "status": 400, "failed_constraints": [{"message": "no", "reference": "amount"}]}',
        "<html><body>Bad Request</body></html>",
        "",
    ],
)
async def test_every_shape_of_a_refusal_can_be_ordered_and_opens_nothing(
    gateway: SumUpGateway, sandbox: SandboxControl, body: str
) -> None:
    await sandbox.fail_next("create", "status", status=400, body=body)
    with pytest.raises(Rejected):
        await gateway.create(an_attempt())
    assert await sandbox.checkouts() == []
