"""The adapter's reading of what the network and SumUp may answer, over a transport of the tests' own."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr

from shared.contracts.dtos import CancelOutcome, CheckoutStatus, MovementStatus, RefundOutcome
from shared.contracts.errors import (
    AuthFailed,
    GatewayConflict,
    GatewayError,
    GatewayNotFound,
    GatewayUnavailable,
    GatewayUnknown,
    NotAllowed,
    RateLimited,
    Rejected,
)
from shared.payments.sumup.gateway import SumUpGateway, parse_webhook, sumup_client
from shared.settings import Settings
from tests.fakes.payments import START, MovableClock, an_attempt

KEY = "sup_sk_very_secret"
ID = "88fcf8de-304d-4820-8f1c-ec880290eb92"
PAYMENT = "410fc44a-5956-44e1-b5cc-19c6f8d727a4"
MERCHANT = "MSANDBOX"
PROBLEM = "https://developer.sumup.com/problem/"

Script = httpx.Response | type[httpx.TransportError]


def a_checkout(**changes: Any) -> dict[str, Any]:
    """Return a checkout as SumUp writes it."""
    body: dict[str, Any] = {
        "id": ID,
        "checkout_reference": "r-1",
        "amount": 24.5,
        "currency": "GBP",
        "merchant_code": MERCHANT,
        "status": "PENDING",
        "transactions": [],
    }
    return body | changes


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, text="" if body is None else json.dumps(body), headers=headers)


class Provider:
    """Answers each request with the next line of a script, and remembers requests and waits."""

    def __init__(self) -> None:
        self.script: list[Script] = []
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def will(self, *script: Script) -> None:
        self.script.extend(script)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert self.script, f"nothing is scripted for {request.method} {request.url}"
        line = self.script.pop(0)
        if isinstance(line, httpx.Response):
            return line
        raise line("no luck", request=request)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def gateway(provider: Provider) -> AsyncIterator[SumUpGateway]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(provider.handle)) as client:
        yield SumUpGateway(
            client,
            base_url="https://api.sumup.test/",
            api_key=SecretStr(KEY),
            clock=MovableClock(),
            sleep=provider.sleep,
        )


# --- what is sent ---


async def test_money_is_a_number_and_nothing_is_null(gateway: SumUpGateway, provider: Provider) -> None:
    attempt = an_attempt(reference="r-1", amount=Decimal("24.50"), description="")
    provider.will(answer(201, a_checkout()))
    await gateway.create(attempt)
    (request,) = provider.requests
    assert json.loads(request.content, parse_float=Decimal) == {
        "checkout_reference": "r-1",
        "amount": Decimal("24.5"),
        "currency": "GBP",
        "merchant_code": MERCHANT,
        "return_url": attempt.return_url,
        "redirect_url": attempt.redirect_url,
        "valid_until": "2026-11-28T20:00:00.000+00:00",
        "hosted_checkout": {"enabled": True},
    }


async def test_the_key_goes_into_the_header_and_nowhere_else(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(200, a_checkout()), answer(401, {"type": f"{PROBLEM}unauthorized"}))
    with structlog.testing.capture_logs() as logs:
        await gateway.get(ID)
        with pytest.raises(AuthFailed):
            await gateway.get(ID)
    assert provider.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in f"{logs} {gateway} {vars(gateway)} {provider.requests[0].url}"
    assert len(logs) == 2


@pytest.mark.parametrize("amount", ["0.01", "0.29", "1.10", "1234567.89", "99999999999.99"])
async def test_no_amount_changes_on_its_way(gateway: SumUpGateway, provider: Provider, amount: str) -> None:
    provider.will(answer(201, a_checkout(amount=float(amount))))
    checkout = await gateway.create(an_attempt(reference="r-1", amount=Decimal(amount)))
    assert json.loads(provider.requests[0].content, parse_float=Decimal)["amount"] == Decimal(amount)
    assert str(checkout.amount) == amount


@pytest.mark.parametrize(
    "forged", ["../../v1/merchants/MSANDBOX", f"{ID}/../x", f"{ID}\n", f" {ID}", "", "1", ID + "0"]
)
async def test_a_forged_id_causes_no_call(gateway: SumUpGateway, provider: Provider, forged: str) -> None:
    with pytest.raises(GatewayNotFound):
        await gateway.get(forged)
    with pytest.raises(GatewayNotFound):
        await gateway.cancel(forged)
    assert await gateway.transaction(forged, MERCHANT) is None
    assert (await gateway.refund(forged, MERCHANT, Decimal("1.00"))).outcome is RefundOutcome.REJECTED
    assert provider.requests == []


@pytest.mark.parametrize("forged", ["../x", "M/../x", "", "M?x=1", "M#"])
async def test_a_forged_merchant_code_causes_no_call(gateway: SumUpGateway, provider: Provider, forged: str) -> None:
    with pytest.raises(Rejected):
        await gateway.transaction(PAYMENT, forged)
    with pytest.raises(Rejected):
        await gateway.check_account(forged)
    assert (await gateway.refund(PAYMENT, forged, Decimal("1.00"))).outcome is RefundOutcome.REJECTED
    assert provider.requests == []


async def test_a_reference_is_escaped(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(200, []))
    await gateway.find("a&b=c/../#")
    assert provider.requests[0].url.path == "/v0.1/checkouts"
    assert dict(provider.requests[0].url.params) == {"checkout_reference": "a&b=c/../#"}


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1E+30", "0.001", "0", "-5"])
async def test_what_is_no_price_is_not_sent(gateway: SumUpGateway, provider: Provider, amount: str) -> None:
    with pytest.raises(Rejected):
        await gateway.create(an_attempt(amount=Decimal(amount)))
    assert (await gateway.refund(PAYMENT, MERCHANT, Decimal(amount))).outcome is RefundOutcome.REJECTED
    assert provider.requests == []


# --- the five shapes of an error, and others ---

TITLED = {"title": "Bad Request", "status": 400}


@pytest.mark.parametrize(
    ("body", "code", "params"),
    [
        ({"error_code": "MISSING", "message": "Validation error", "param": "amount"}, "MISSING", ("amount",)),
        ({"error_code": "INVALID", "message": "no param"}, "INVALID", ()),
        (
            [{"error_code": "INVALID", "param": "amount"}, {"error_code": "MISSING", "param": "currency"}],
            "INVALID",
            ("amount", "currency"),
        ),
        ({"error_message": "no", "error_code": "FORBIDDEN", "status_code": 400}, "FORBIDDEN", ()),
        ({"type": f"{PROBLEM}bad-request", "title": "Bad Request", "status": 400}, "BAD_REQUEST", ()),
        (TITLED | {"failed_constraints": [{"message": "m", "reference": "currency"}]}, "HTTP_400", ("currency",)),
        (TITLED | {"error_code": "INVALID", "param": "amount", "failed_constraints": "?"}, "INVALID", ("amount",)),
        ({"type": "about:blank"}, "HTTP_400", ()),
        ({"error_code": 5, "param": ["x"], "errors": [5, {"code": None}]}, "HTTP_400", ()),
        ([], "HTTP_400", ()),
        ("text", "HTTP_400", ()),
        (None, "HTTP_400", ()),
    ],
)
async def test_every_shape_of_an_error_is_read(
    gateway: SumUpGateway, provider: Provider, body: Any, code: str, params: tuple[str, ...]
) -> None:
    provider.will(answer(400, body))
    with pytest.raises(Rejected) as refusal:
        await gateway.create(an_attempt())
    assert (refusal.value.code, refusal.value.params, refusal.value.status) == (code, params, 400)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, AuthFailed),
        (403, NotAllowed),
        (404, GatewayNotFound),
        (409, GatewayConflict),
        (422, Rejected),
        (429, RateLimited),
        (408, GatewayUnknown),
        (302, GatewayUnknown),
        (500, GatewayUnknown),
        (502, GatewayUnknown),
        (504, GatewayUnknown),
    ],
)
async def test_each_status_has_its_error(
    gateway: SumUpGateway, provider: Provider, status: int, error: type[GatewayError]
) -> None:
    provider.will(httpx.Response(status, html="<h1>Proxy</h1>", headers={"Location": "https://elsewhere.test/"}))
    with pytest.raises(GatewayError) as refusal:
        await gateway.create(an_attempt())
    assert type(refusal.value) is error
    assert len(provider.requests) == 1


async def test_the_trace_of_a_refusal_is_logged_and_its_words_are_not(
    gateway: SumUpGateway, provider: Provider
) -> None:
    provider.will(answer(403, {"error_code": "FORBIDDEN", "error_message": "jo@example.com", "trace_id": "abc"}))
    with structlog.testing.capture_logs() as logs, pytest.raises(NotAllowed):
        await gateway.create(an_attempt())
    assert [(line["code"], line["trace_id"]) for line in logs] == [("FORBIDDEN", "abc")]
    assert "jo@example.com" not in str(logs)


# --- create ---

NOTHING_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
ANSWER_LOST = [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]


@pytest.mark.parametrize("failure", NOTHING_SENT)
async def test_what_was_never_sent_is_unavailable(
    gateway: SumUpGateway, provider: Provider, failure: type[httpx.TransportError]
) -> None:
    provider.will(failure, failure)
    with pytest.raises(GatewayUnavailable):
        await gateway.create(an_attempt())
    with pytest.raises(GatewayUnavailable):
        await gateway.refund(PAYMENT, MERCHANT, Decimal("1.00"))
    assert len(provider.requests) == 2


@pytest.mark.parametrize("failure", ANSWER_LOST)
async def test_a_lost_answer_to_create_is_unknown_and_not_repeated(
    gateway: SumUpGateway, provider: Provider, failure: type[httpx.TransportError]
) -> None:
    provider.will(failure)
    with pytest.raises(GatewayUnknown):
        await gateway.create(an_attempt())
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        "[]",
        "null",
        json.dumps(a_checkout(id="../x")),
        json.dumps(a_checkout(id=None)),
        json.dumps(a_checkout(amount="24.5")),
        json.dumps(a_checkout(amount=True)),
        json.dumps(a_checkout()).replace("24.5", "NaN"),
        json.dumps(a_checkout()).replace("24.5", "1e999999"),
        json.dumps(a_checkout(status=None)),
        "[" * 100_000,
    ],
)
async def test_an_unreadable_success_is_unknown(gateway: SumUpGateway, provider: Provider, body: str) -> None:
    provider.will(httpx.Response(201, text=body))
    with pytest.raises(GatewayUnknown):
        await gateway.create(an_attempt())


@pytest.mark.parametrize(
    "changes", [{"amount": 1}, {"currency": "EUR"}, {"merchant_code": "MOTHER"}, {"checkout_reference": "r-2"}]
)
async def test_another_checkout_than_asked_for_is_not_taken(
    gateway: SumUpGateway, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.will(answer(201, a_checkout(**changes)))
    with pytest.raises(GatewayConflict, match="answer_mismatch"):
        await gateway.create(an_attempt(reference="r-1"))


DUPLICATED = {"error_code": "DUPLICATED_CHECKOUT", "message": "exists"}


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ([a_checkout(status="PAID")], GatewayConflict),
        ([a_checkout(status="EXPIRED")], GatewayConflict),
        ([a_checkout(status="FAILED")], GatewayConflict),
        ([a_checkout(amount=24.51)], GatewayConflict),
        ([a_checkout(checkout_reference="r-2")], GatewayUnknown),
        ([], GatewayUnknown),
    ],
)
async def test_a_duplicate_that_is_not_the_same_is_not_taken(
    gateway: SumUpGateway, provider: Provider, found: Any, error: type[GatewayError]
) -> None:
    provider.will(answer(409, DUPLICATED), answer(200, found))
    with pytest.raises(error):
        await gateway.create(an_attempt(reference="r-1"))


async def test_a_duplicate_on_the_same_terms_is_the_checkout(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(409, DUPLICATED), answer(200, [a_checkout(amount=24.50)]))
    assert (await gateway.create(an_attempt(reference="r-1"))).id == ID


async def test_another_conflict_is_passed_on(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(409, {"error_code": "CONFLICT"}))
    with pytest.raises(GatewayConflict, match="CONFLICT"):
        await gateway.create(an_attempt())


# --- reads ---


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError, httpx.ReadTimeout, answer(503), answer(502), answer(302), answer(200, []), answer(200)],
)
async def test_a_read_is_tried_three_times_and_then_unavailable(
    gateway: SumUpGateway, provider: Provider, failure: Script
) -> None:
    provider.will(failure, failure, failure)
    with pytest.raises(GatewayUnavailable):
        await gateway.get(ID)
    assert len(provider.requests) == 3
    assert len(provider.waits) == 2
    assert all(0 < wait <= 4.25 for wait in provider.waits)


async def test_a_read_succeeds_at_its_third_try(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(httpx.ReadTimeout, answer(500), answer(200, a_checkout()))
    assert (await gateway.get(ID)).id == ID


async def test_a_refused_read_is_not_repeated(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(404, {"error_code": "NOT_FOUND"}))
    with pytest.raises(GatewayNotFound):
        await gateway.get(ID)


async def test_a_read_waits_as_long_as_it_is_asked_to(gateway: SumUpGateway, provider: Provider) -> None:
    date = (START + timedelta(seconds=4)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    provider.will(answer(429, **{"Retry-After": "7"}), answer(429, **{"Retry-After": date}), answer(200, a_checkout()))
    await gateway.get(ID)
    assert provider.waits == [7.0, 4.0]


async def test_a_long_wait_is_left_to_the_caller(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(429, **{"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as refusal:
        await gateway.get(ID)
    assert refusal.value.retry_after == 3600
    assert provider.waits == []


@pytest.mark.parametrize("value", ["soon", "-5", ""])
async def test_an_unreadable_wait_is_a_back_off(gateway: SumUpGateway, provider: Provider, value: str) -> None:
    provider.will(answer(429, **{"Retry-After": value}), answer(200, a_checkout()))
    await gateway.get(ID)
    assert len(provider.waits) == 1
    assert 0 < provider.waits[0] < 1


async def test_an_answer_about_another_checkout_is_not_believed(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(200, a_checkout(id=str(uuid.uuid4()))))
    with pytest.raises(GatewayUnavailable):
        await gateway.get(ID)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING", CheckoutStatus.PENDING),
        ("FAILED", CheckoutStatus.FAILED),
        ("PAID", CheckoutStatus.PAID),
        ("EXPIRED", CheckoutStatus.EXPIRED),
        ("SOMETHING_NEW", CheckoutStatus.PENDING),
    ],
)
async def test_a_status_is_in_our_words(
    gateway: SumUpGateway, provider: Provider, word: str, status: CheckoutStatus
) -> None:
    provider.will(answer(200, a_checkout(status=word)))
    assert (await gateway.get(ID)).status is status


FAILED_FIRST = [
    {"id": "f1", "transaction_code": "TF", "status": "FAILED"},
    {"id": "s1", "transaction_code": "TS", "status": "SUCCESSFUL"},
]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"transactions": FAILED_FIRST, "transaction_id": "s1", "transaction_code": "TS"}, ("s1", "TS")),
        ({"transactions": FAILED_FIRST, "transaction_id": "s1"}, ("s1", "TS")),
        ({"transactions": FAILED_FIRST}, ("s1", "TS")),
        ({"transactions": [*FAILED_FIRST, FAILED_FIRST[1]]}, (None, None)),
        ({"transactions": FAILED_FIRST[:1]}, (None, None)),
        ({"transactions": [], "transaction_id": "s9"}, ("s9", None)),
        ({"transactions": None}, (None, None)),
    ],
)
async def test_the_transaction_that_paid_is_chosen(
    gateway: SumUpGateway, provider: Provider, members: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    provider.will(answer(200, a_checkout(status="PAID", **members)))
    checkout = await gateway.get(ID)
    assert (checkout.transaction_id, checkout.transaction_code) == expected


@pytest.mark.parametrize(
    ("text", "amount"), [("10", "10.00"), ("10.1", "10.10"), ("0.29", "0.29"), ("10.001", "10.001")]
)
async def test_amounts_are_exact(gateway: SumUpGateway, provider: Provider, text: str, amount: str) -> None:
    provider.will(httpx.Response(200, text=json.dumps(a_checkout()).replace("24.5", text)))
    assert str((await gateway.get(ID)).amount) == amount


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//x", 5, "http://[", None])
async def test_a_page_that_no_browser_may_see_is_none(gateway: SumUpGateway, provider: Provider, address: Any) -> None:
    provider.will(answer(200, a_checkout(hosted_checkout_url=address)))
    assert (await gateway.get(ID)).hosted_url is None


# --- cancel ---


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ([answer(200, a_checkout(status="EXPIRED"))], CancelOutcome.CANCELLED),
        ([answer(409, {"error_code": "CHECKOUT_PROCESSED"}), "PAID"], CancelOutcome.ALREADY_PAID),
        ([answer(409, {"error_code": "CHECKOUT_PROCESSED"}), "EXPIRED"], CancelOutcome.ALREADY_CLOSED),
        ([httpx.ReadTimeout, "EXPIRED"], CancelOutcome.ALREADY_CLOSED),
        ([httpx.ReadTimeout, "PAID"], CancelOutcome.ALREADY_PAID),
        ([answer(502), "PAID"], CancelOutcome.ALREADY_PAID),
        ([answer(204), "EXPIRED"], CancelOutcome.ALREADY_CLOSED),
        ([answer(200, a_checkout(status="PENDING")), "PAID"], CancelOutcome.ALREADY_PAID),
        ([httpx.ReadTimeout, "PENDING"], GatewayUnknown),
        ([httpx.ReadTimeout, "FAILED"], GatewayUnknown),
        ([answer(409, {"error_code": "CHECKOUT_PROCESSED"}), "PENDING"], GatewayConflict),
        ([answer(200, a_checkout(status="PENDING")), "PENDING"], GatewayUnknown),
        ([httpx.ConnectError], GatewayUnavailable),
        ([answer(404, {"error_code": "NOT_FOUND"})], GatewayNotFound),
        ([answer(429)], RateLimited),
    ],
)
async def test_a_cancelled_checkout_is_read_before_it_is_believed(
    gateway: SumUpGateway, provider: Provider, script: list[Any], outcome: CancelOutcome | type[GatewayError]
) -> None:
    provider.will(*(answer(200, a_checkout(status=line)) if isinstance(line, str) else line for line in script))
    if isinstance(outcome, CancelOutcome):
        assert await gateway.cancel(ID) is outcome
    else:
        with pytest.raises(outcome):
            await gateway.cancel(ID)
    assert [request.method for request in provider.requests] == ["DELETE", "GET"][: len(script)]


# --- refund and transaction ---


@pytest.mark.parametrize("body", [(200, "{}"), (201, "{}"), (204, ""), (202, "<html>"), (201, "{")])
async def test_any_success_of_a_refund_is_accepted(
    gateway: SumUpGateway, provider: Provider, body: tuple[int, str]
) -> None:
    provider.will(httpx.Response(body[0], text=body[1]))
    assert (await gateway.refund(PAYMENT, MERCHANT, Decimal("5.00"))).outcome is RefundOutcome.ACCEPTED
    (request,) = provider.requests
    assert request.url.path == f"/v1.0/merchants/{MERCHANT}/payments/{PAYMENT}/refunds"
    assert json.loads(request.content) == {"amount": 5.0}


@pytest.mark.parametrize("failure", [*ANSWER_LOST, answer(500), answer(503), answer(302), answer(408)])
async def test_an_unclear_answer_to_a_refund_is_unknown_and_sent_once(
    gateway: SumUpGateway, provider: Provider, failure: Script
) -> None:
    provider.will(failure)
    assert (await gateway.refund(PAYMENT, MERCHANT, Decimal("5.00"))).outcome is RefundOutcome.UNKNOWN
    assert len(provider.requests) == 1


TOO_MUCH = {
    "type": f"{PROBLEM}unprocessable-entity",
    "detail": "Refund failed.",
    "errors": [{"code": "INVALID_AMOUNT", "detail": "Amount exceeds the refundable amount"}],
}


@pytest.mark.parametrize(
    ("status", "body", "code", "reason"),
    [
        (400, {"type": f"{PROBLEM}bad-request", "detail": "amount must be greater than zero"}, "BAD_REQUEST", "amount"),
        (401, None, "HTTP_401", ""),
        (403, {"type": f"{PROBLEM}forbidden", "detail": "not allowed"}, "FORBIDDEN", "not allowed"),
        (404, {"type": f"{PROBLEM}not-found", "detail": "Transaction not found"}, "NOT_FOUND", "Transaction not found"),
        (409, {"error_code": "NOT_ENOUGH_BALANCE", "message": "too little"}, "NOT_ENOUGH_BALANCE", "too little"),
        (422, TOO_MUCH, "INVALID_AMOUNT", "Refund failed. Amount exceeds the refundable amount"),
        (429, None, "HTTP_429", ""),
    ],
)
async def test_a_refused_refund_says_why(
    gateway: SumUpGateway, provider: Provider, status: int, body: Any, code: str, reason: str
) -> None:
    provider.will(answer(status, body))
    refused = await gateway.refund(PAYMENT, MERCHANT, Decimal("5.00"))
    assert (refused.outcome, refused.code) == (RefundOutcome.REJECTED, code)
    assert reason in refused.reason


def a_transaction(**changes: Any) -> dict[str, Any]:
    body = {"id": PAYMENT, "transaction_code": "T1", "amount": 20, "currency": "GBP", "status": "SUCCESSFUL"}
    return body | changes


def event(kind: str, status: str, amount: float) -> dict[str, Any]:
    return {"id": 1, "event_type": kind, "status": status, "amount": amount}


async def test_only_refunds_that_may_have_happened_count(gateway: SumUpGateway, provider: Provider) -> None:
    events = [
        event("PAYOUT", "PAID_OUT", 20),
        event("REFUND", "REFUNDED", 1),
        event("REFUND", "SUCCESSFUL", -2),
        event("REFUND", "PENDING", 3),
        event("REFUND", "SCHEDULED", 4),
        event("REFUND", "FAILED", 5),
        event("REFUND", "NEW_WORD", 0.5),
        event("CHARGE_BACK", "SUCCESSFUL", 6),
    ]
    provider.will(answer(200, a_transaction(transaction_events=events)))
    transaction = await gateway.transaction(PAYMENT, MERCHANT)
    assert transaction is not None
    assert [refund.status for refund in transaction.refunds] == [
        MovementStatus.DONE,
        MovementStatus.DONE,
        MovementStatus.UNDER_WAY,
        MovementStatus.UNDER_WAY,
        MovementStatus.VOID,
        MovementStatus.UNDER_WAY,
    ]
    assert transaction.refunded == Decimal("10.50")


@pytest.mark.parametrize(
    ("changes", "captured"),
    [
        ({}, True),
        ({"status": "REFUNDED"}, True),
        ({"status": None, "simple_status": "PAID_OUT"}, True),
        ({"status": "FAILED", "simple_status": "FAILED"}, False),
        ({"status": "PENDING"}, False),
        ({"status": "CANCELLED"}, False),
    ],
)
async def test_what_was_captured(
    gateway: SumUpGateway, provider: Provider, changes: dict[str, Any], captured: bool
) -> None:
    provider.will(answer(200, a_transaction(**changes)))
    transaction = await gateway.transaction(PAYMENT, MERCHANT)
    assert transaction is not None
    assert transaction.captured is captured


async def test_a_transaction_that_is_not_there_yet_is_none(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(404, {"error_code": "NOT_FOUND"}))
    assert await gateway.transaction(PAYMENT, MERCHANT) is None


async def test_an_answer_about_another_transaction_is_not_believed(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(answer(200, a_transaction(id=ID)))
    with pytest.raises(GatewayUnavailable):
        await gateway.transaction(PAYMENT, MERCHANT)


async def test_what_the_bank_took_back_is_told_from_refunds(gateway: SumUpGateway, provider: Provider) -> None:
    events = [event("REFUND", "REFUNDED", 1), event("CHARGE_BACK", "SUCCESSFUL", 6), event("PAYOUT", "PAID_OUT", 3)]
    provider.will(answer(200, a_transaction(transaction_events=events, foreign_transaction_id="r-1")))
    transaction = await gateway.transaction(PAYMENT, MERCHANT)
    assert transaction is not None
    assert (transaction.charged_back, transaction.refunded) == (Decimal("6.00"), Decimal("1.00"))
    assert (transaction.left, transaction.reference) == (transaction.amount - 7, "r-1")


# --- the record ---


def an_entry(**changes: Any) -> dict[str, Any]:
    """Return an entry of the list of transactions as SumUp writes it."""
    body = {"transaction_id": PAYMENT, "amount": 10, "currency": "GBP", "status": "SUCCESSFUL", "payment_type": "ECOM"}
    return body | changes


def a_page(*entries: Any, following: str | None = None) -> httpx.Response:
    links = [{"rel": "self", "href": "x=y"}] + ([{"rel": "next", "href": following}] if following else [])
    return answer(200, {"items": list(entries), "links": links})


async def test_the_record_is_asked_for_from_a_time_on(gateway: SumUpGateway, provider: Provider) -> None:
    provider.will(a_page())
    await gateway.history(MERCHANT, since=START)
    assert provider.requests[0].url.path == f"/v2.1/merchants/{MERCHANT}/transactions/history"
    assert provider.requests[0].url.params["changes_since"] == START.isoformat()


@pytest.mark.parametrize(
    "link",
    [
        "limit=2&oldest_ref=abc",
        "?limit=2&oldest_ref=abc",
        "https://evil.test/steal?limit=2&oldest_ref=abc",
        "//evil.test/v2.1/merchants?limit=2&oldest_ref=abc",
    ],
)
async def test_a_link_to_the_next_page_leads_to_no_other_address(
    gateway: SumUpGateway, provider: Provider, link: str
) -> None:
    provider.will(a_page(an_entry(), following=link), a_page())
    first = await gateway.history(MERCHANT, since=START)
    await gateway.history(MERCHANT, since=START, following=first.following)
    first_call, second = [request.url for request in provider.requests]
    assert (second.host, second.path) == (first_call.host, first_call.path)
    assert (second.params["limit"], second.params["oldest_ref"]) == ("2", "abc")
    assert second.params["changes_since"] == START.isoformat()


@pytest.mark.parametrize(
    ("changes", "captured", "online"),
    [
        ({}, True, True),
        ({"status": "REFUNDED"}, True, True),
        ({"status": "CHARGE_BACK"}, True, True),
        ({"status": "FAILED"}, False, True),
        ({"type": "PAYMENT"}, True, True),
        ({"type": "REFUND"}, False, True),
        ({"type": "CHARGE_BACK"}, False, True),
        ({"payment_type": "POS"}, True, False),
        ({"payment_type": "CASH"}, True, False),
        ({"payment_type": "APM"}, True, True),
    ],
)
async def test_an_entry_is_in_our_words(
    gateway: SumUpGateway, provider: Provider, changes: dict[str, Any], captured: bool, online: bool
) -> None:
    provider.will(a_page(an_entry(**changes)))
    (item,) = (await gateway.history(MERCHANT, since=START)).items
    assert (item.transaction_id, item.amount, item.captured, item.online) == (
        PAYMENT,
        Decimal("10.00"),
        captured,
        online,
    )


@pytest.mark.parametrize(
    "body", [[], {}, {"items": {}}, {"items": [5]}, {"items": [{"transaction_id": PAYMENT}]}, {"items": [], "links": 5}]
)
async def test_a_record_that_cannot_be_read_is_unavailable(
    gateway: SumUpGateway, provider: Provider, body: Any
) -> None:
    provider.will(*[answer(200, body)] * 3)
    with pytest.raises(GatewayUnavailable):
        await gateway.history(MERCHANT, since=START)


# --- account, webhook, client ---


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"company": {"name": "Hall Trust"}, "business_profile": {"name": "The Hall"}}, "Hall Trust"),
        ({"company": {}, "business_profile": {"name": "The Hall"}}, "The Hall"),
        ({}, MERCHANT),
    ],
)
async def test_an_account_has_a_name(
    gateway: SumUpGateway, provider: Provider, parts: dict[str, Any], name: str
) -> None:
    provider.will(answer(200, {"merchant_code": MERCHANT, "default_currency": "GBP"} | parts))
    account = await gateway.check_account(MERCHANT)
    assert (account.name, account.sandbox) == (name, False)


@pytest.mark.parametrize(
    ("body", "checkout_id"),
    [
        (b'{"event_type":"CHECKOUT_STATUS_CHANGED","id":"%s"}' % ID.encode(), ID),
        (b'{"event_type":"CHECKOUT_STATUS_CHANGED","id":"%s"}' % ID.upper().encode(), ID),
        (b'{"event_type":"SOMETHING_NEW","id":"%s"}' % ID.encode(), None),
        (b'{"event_type":"CHECKOUT_STATUS_CHANGED","id":"../x"}', None),
        (b'{"event_type":"CHECKOUT_STATUS_CHANGED","id":5}', None),
        (b'{"event_type":"CHECKOUT_STATUS_CHANGED"}', None),
        (b"[]", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_a_notice_is_an_id_or_nothing(body: bytes, checkout_id: str | None) -> None:
    assert parse_webhook(body) == checkout_id


async def test_the_client_has_a_limit_for_everything(settings: Settings) -> None:
    async with sumup_client(settings) as client:
        assert client.timeout == httpx.Timeout(connect=5.0, read=15.0, write=15.0, pool=5.0)
        assert not client.follow_redirects


async def test_a_provider_that_says_nothing_is_given_up(settings: Settings, silent_url: str) -> None:
    quick = settings.model_copy(update={"sumup_read_timeout_s": 0.05, "sumup_base_url": silent_url})

    async def at_once(_seconds: float) -> None:
        return None

    async with sumup_client(quick) as client:
        gateway = SumUpGateway(
            client,
            base_url=quick.sumup_origin,
            api_key=SecretStr(KEY),
            clock=lambda: datetime.now(UTC),
            sleep=at_once,
        )
        calls: list[tuple[Callable[[], Awaitable[object]], type[GatewayError]]] = [
            (lambda: gateway.create(an_attempt()), GatewayUnknown),
            (lambda: gateway.get(ID), GatewayUnavailable),
        ]
        for call, error in calls:
            with pytest.raises(error):
                await call()
        assert (await gateway.refund(PAYMENT, MERCHANT, Decimal("1.00"))).outcome is RefundOutcome.UNKNOWN
