"""What the adapter does when the provider is slow, busy or away, over a real socket: reads again, and never writes twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from shared.contracts.dtos import CancelOutcome, RefundOutcome
from shared.contracts.errors import GatewayError, GatewayUnavailable, GatewayUnknown, RateLimited
from shared.payments.sumup.gateway import SumUpGateway, sumup_client
from shared.payments.sumup.wire import READ_TRIES
from shared.settings import Settings
from tests.fakes.payments import START, MovableClock, an_attempt
from tests.support.sandbox import SandboxControl, settings_for

MERCHANT = "MSANDBOX"
PATIENCE_S = 0.5
LONGER_S = 1.0
PROBLEM = (
    '{"type": "https://developer.sumup.com/problem/too-many-requests", "title": "Too Many Requests", "status": 429}'
)

Call = Callable[[SumUpGateway, str, str], Awaitable[object]]
READS: dict[str, Call] = {
    "get": lambda gateway, checkout, _: gateway.get(checkout),
    "find": lambda gateway, checkout, _: gateway.find(checkout),
    "transaction": lambda gateway, _, transaction: gateway.transaction(transaction, MERCHANT),
    "history": lambda gateway, _checkout, _: gateway.history(MERCHANT, since=START),
    "account": lambda gateway, _checkout, _: gateway.check_account(MERCHANT),
}


@pytest.fixture
def waits() -> list[float]:
    """How long the adapter has waited between its tries."""
    return []


@pytest.fixture
async def gateway(
    quiet_settings: Settings, sandbox: SandboxControl, clock: MovableClock, waits: list[float]
) -> AsyncIterator[SumUpGateway]:
    """The adapter as it is in production, but for waits that are only noted."""
    async with opened(settings_for(quiet_settings, sandbox), clock, waits) as made:
        yield made


@pytest.fixture
async def hasty(
    quiet_settings: Settings, sandbox: SandboxControl, clock: MovableClock, waits: list[float]
) -> AsyncIterator[SumUpGateway]:
    """The same, with little patience."""
    settings = settings_for(quiet_settings, sandbox).model_copy(update={"sumup_read_timeout_s": PATIENCE_S})
    async with opened(settings, clock, waits) as made:
        yield made


@asynccontextmanager
async def opened(settings: Settings, clock: MovableClock, waits: list[float]) -> AsyncIterator[SumUpGateway]:
    async def note(seconds: float) -> None:
        waits.append(seconds)

    async with sumup_client(settings) as client:
        key = settings.sumup_api_key
        yield SumUpGateway(client, base_url=settings.sumup_origin, api_key=key, clock=clock, sleep=note)


@pytest.fixture
async def paid(gateway: SumUpGateway, sandbox: SandboxControl) -> tuple[str, str]:
    """A checkout that is paid, and its transaction."""
    checkout = await gateway.create(an_attempt())
    return checkout.id, str((await sandbox.pay(checkout.id))["id"])


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("kind", ["status", "cut_before"])
async def test_a_read_is_tried_again_with_growing_waits_of_unequal_length(
    gateway: SumUpGateway, sandbox: SandboxControl, paid: tuple[str, str], waits: list[float], operation: str, kind: str
) -> None:
    await sandbox.fail_next(operation, kind, times=READ_TRIES - 1)
    await READS[operation](gateway, *paid)
    first, second = waits
    assert 0.25 <= first <= 0.5 <= second <= 0.75
    assert first != 0.25
    assert len(await sandbox.calls(operation)) == READ_TRIES


@pytest.mark.parametrize("operation", READS)
async def test_a_read_is_given_up_after_its_last_try(
    gateway: SumUpGateway, sandbox: SandboxControl, paid: tuple[str, str], operation: str
) -> None:
    await sandbox.fail_next(operation, "status", times=READ_TRIES)
    with pytest.raises(GatewayUnavailable):
        await READS[operation](gateway, *paid)
    assert len(await sandbox.calls(operation)) == READ_TRIES


@pytest.mark.parametrize("operation", READS)
async def test_a_busy_provider_is_given_the_time_that_it_asks_for(
    gateway: SumUpGateway, sandbox: SandboxControl, paid: tuple[str, str], waits: list[float], operation: str
) -> None:
    await sandbox.fail_next(operation, "status", status=429, body=PROBLEM, headers={"Retry-After": "7"})
    await READS[operation](gateway, *paid)
    assert waits == [7.0]


async def test_a_long_wait_is_the_callers(
    gateway: SumUpGateway, sandbox: SandboxControl, paid: tuple[str, str], waits: list[float]
) -> None:
    await sandbox.fail_next("get", "status", status=429, body=PROBLEM, headers={"Retry-After": "60"})
    with pytest.raises(RateLimited) as refusal:
        await gateway.get(paid[0])
    assert (refusal.value.retry_after, waits, len(await sandbox.calls("get"))) == (60.0, [], 1)


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("status", 503, GatewayUnknown),
        ("status_after", 504, GatewayUnknown),
        ("status", 429, RateLimited),
        ("cut_before", 0, GatewayUnknown),
        ("cut_after", 0, GatewayUnknown),
    ],
)
async def test_a_checkout_is_never_asked_for_twice(
    gateway: SumUpGateway, sandbox: SandboxControl, kind: str, status: int, error: type[GatewayError]
) -> None:
    await sandbox.fail_next("create", kind, **({"status": status} if status else {}))
    with pytest.raises(error):
        await gateway.create(an_attempt())
    assert len(await sandbox.calls("create")) == 1


@pytest.mark.parametrize(
    ("kind", "status", "outcome"),
    [
        ("status", 503, RefundOutcome.UNKNOWN),
        ("status_after", 504, RefundOutcome.UNKNOWN),
        ("status", 429, RefundOutcome.REJECTED),
        ("cut_before", 0, RefundOutcome.UNKNOWN),
        ("cut_after", 0, RefundOutcome.UNKNOWN),
    ],
)
async def test_a_refund_is_never_asked_for_twice(
    gateway: SumUpGateway,
    sandbox: SandboxControl,
    paid: tuple[str, str],
    kind: str,
    status: int,
    outcome: RefundOutcome,
) -> None:
    await sandbox.fail_next("refund", kind, **({"status": status} if status else {}))
    assert (await gateway.refund(paid[1], MERCHANT, Decimal("5.00"))).outcome is outcome
    assert len(await sandbox.calls("refund")) == 1


@pytest.mark.parametrize("kind", ["status_after", "cut_after"])
async def test_a_deactivation_is_looked_up_and_not_repeated(
    gateway: SumUpGateway, sandbox: SandboxControl, kind: str
) -> None:
    checkout = await gateway.create(an_attempt())
    await sandbox.fail_next("cancel", kind)
    assert await gateway.cancel(checkout.id) is CancelOutcome.ALREADY_CLOSED
    assert len(await sandbox.calls("cancel")) == 1


# --- limits on every wait ---


async def test_a_slow_read_is_tried_again(hasty: SumUpGateway, sandbox: SandboxControl, paid: tuple[str, str]) -> None:
    await sandbox.fail_next("get", "slow_after", delay_s=LONGER_S)
    await hasty.get(paid[0])
    assert len(await sandbox.calls("get")) == 2


async def test_a_slow_answer_to_a_write_is_a_lost_one(
    hasty: SumUpGateway, sandbox: SandboxControl, paid: tuple[str, str]
) -> None:
    for operation in ("create", "refund"):
        await sandbox.fail_next(operation, "slow_after", delay_s=LONGER_S)
    with pytest.raises(GatewayUnknown):
        await hasty.create(an_attempt(reference="slow"))
    assert (await hasty.refund(paid[1], MERCHANT, Decimal("5.00"))).outcome is RefundOutcome.UNKNOWN
    assert await hasty.find("slow") is not None
    assert [len(await sandbox.calls(operation)) for operation in ("create", "refund")] == [2, 1]


async def test_a_slow_deactivation_is_looked_up(hasty: SumUpGateway, sandbox: SandboxControl) -> None:
    checkout = await hasty.create(an_attempt())
    await sandbox.fail_next("cancel", "slow_after", delay_s=LONGER_S)
    assert await hasty.cancel(checkout.id) is CancelOutcome.ALREADY_CLOSED
    assert len(await sandbox.calls("cancel")) == 1
