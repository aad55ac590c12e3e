from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest

from shared.contracts.dtos import MovementStatus
from shared.contracts.protocols import PaymentGateway
from shared.payments.sumup.gateway import SumUpGateway, sumup_client
from shared.payments.sumup.wire import READ_TRIES
from shared.settings import Settings
from tests.fakes.gateway import FakeGateway
from tests.fakes.gateway_trouble import Race
from tests.fakes.payments import MovableClock
from tests.support.sandbox import SandboxControl, running_sandbox, settings_for
from tests.support.sumup_document import PATH, Document

HISTORY_LENGTH = 2
"""How long a page of the provider's record is in these tests."""

WRITES = {"create", "cancel", "refund"}


class FakeProvider:
    """The fake, with what its shopper and its network do."""

    def __init__(self, clock: MovableClock) -> None:
        self._fake = FakeGateway(clock=clock, history_length=HISTORY_LENGTH)
        self.gateway: PaymentGateway = self._fake

    async def pay(
        self, checkout_id: str, *, amount: Decimal | None = None, currency: str | None = None, force: bool = False
    ) -> str:
        return self._fake.pay(checkout_id, amount=amount, currency=currency, force=force).id

    async def decline(self, checkout_id: str) -> str:
        self._fake.decline_next()
        return self._fake.pay(checkout_id).id

    async def lose_answer(self, operation: str) -> None:
        self._fake.drop_next_answer(operation)

    async def lose_request(self, operation: str) -> None:
        self._fake.drop_next_request(operation)

    async def make_stale(self, operation: str) -> None:
        self._fake.stale_next(operation)

    async def hide_transaction(self) -> None:
        self._fake.hide_next()

    async def race(self, checkout_id: str, order: Race) -> None:
        self._fake.race(checkout_id, order)

    async def take(self, amount: Decimal, *, at_reader: bool = False) -> str:
        return self._fake.take(amount, at_reader=at_reader).id

    async def hold_refund(self) -> None:
        self._fake.hold_refunds()

    async def settle_refund(self, transaction_id: str, *, done: bool) -> None:
        self._fake.settle_refund(transaction_id, MovementStatus.DONE if done else MovementStatus.VOID)

    async def refund_by_hand(self, transaction_id: str, amount: Decimal) -> None:
        self._fake.refund_by_hand(transaction_id, amount)

    async def charge_back(self, transaction_id: str) -> None:
        self._fake.charge_back(transaction_id)

    async def count(self, operation: str) -> int:
        return self._fake.calls[operation]


class SandboxProvider:
    """The SumUp adapter over a real socket, and the sandbox at its other end."""

    def __init__(self, gateway: SumUpGateway, control: SandboxControl) -> None:
        self.gateway: PaymentGateway = gateway
        self._control = control

    async def pay(
        self, checkout_id: str, *, amount: Decimal | None = None, currency: str | None = None, force: bool = False
    ) -> str:
        return str((await self._control.pay(checkout_id, amount=amount, currency=currency, force=force))["id"])

    async def decline(self, checkout_id: str) -> str:
        return str((await self._control.decline(checkout_id))["id"])

    async def lose_answer(self, operation: str) -> None:
        # A read is tried again, so its answer is lost only when every try loses it.
        await self._control.fail_next(operation, "cut_after", times=1 if operation in WRITES else READ_TRIES)

    async def lose_request(self, operation: str) -> None:
        await self._control.fail_next(operation, "cut_before", times=1 if operation in WRITES else READ_TRIES)

    async def make_stale(self, operation: str) -> None:
        await self._control.fail_next(operation, "stale")

    async def hide_transaction(self) -> None:
        await self._control.fail_next("transaction", "missing")

    async def race(self, checkout_id: str, order: Race) -> None:
        await self._control.race(checkout_id, order)

    async def take(self, amount: Decimal, *, at_reader: bool = False) -> str:
        return str((await self._control.take("MSANDBOX", amount, "POS" if at_reader else "ECOM"))["id"])

    async def hold_refund(self) -> None:
        await self._control.refund_next("pending")

    async def settle_refund(self, transaction_id: str, *, done: bool) -> None:
        await self._control.settle_refunds(transaction_id, "REFUNDED" if done else "FAILED")

    async def refund_by_hand(self, transaction_id: str, amount: Decimal) -> None:
        await self._control.refund(transaction_id, amount)

    async def charge_back(self, transaction_id: str) -> None:
        await self._control.charge_back(transaction_id)

    async def count(self, operation: str) -> int:
        return len(await self._control.calls(operation))


Provider = FakeProvider | SandboxProvider


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def quiet_settings(settings: Settings) -> Settings:
    """Settings of a sandbox that sends no notices."""
    return settings.model_copy(update={"sandbox_webhook_delays_s": ()})


@pytest.fixture
async def sandbox(quiet_settings: Settings, clock: MovableClock) -> AsyncIterator[SandboxControl]:
    async with running_sandbox(quiet_settings, clock=clock) as control:
        yield control


@pytest.fixture
def document() -> Document | None:
    """SumUp's document, where it lies beside the project."""
    return Document() if PATH.exists() else None


@pytest.fixture
async def sumup(
    quiet_settings: Settings,
    sandbox: SandboxControl,
    clock: MovableClock,
    document: Document | None,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[SumUpGateway]:
    """The adapter, led to the sandbox; every exchange is held against SumUp's document."""
    settings = settings_for(quiet_settings, sandbox)
    monkeypatch.setattr("shared.payments.sumup.gateway.HISTORY_LENGTH", HISTORY_LENGTH)

    async def check(response: httpx.Response) -> None:
        await response.aread()
        if document is not None:
            document.check(response.request, response)

    async def no_wait(_seconds: float) -> None:
        return None

    async with sumup_client(settings) as client:
        client.event_hooks["response"].append(check)
        yield SumUpGateway(
            client,
            base_url=settings.sumup_origin,
            api_key=settings.sumup_api_key,
            clock=clock,
            sleep=no_wait,
        )


@pytest.fixture(params=["fake", "sumup"])
def provider(request: pytest.FixtureRequest, clock: MovableClock) -> Provider:
    """Both gateways in turn: what one promises, the other keeps."""
    if request.param == "fake":
        return FakeProvider(clock)
    return SandboxProvider(request.getfixturevalue("sumup"), request.getfixturevalue("sandbox"))
