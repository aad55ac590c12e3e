"""Creating a checkout with its three tries: over every gateway, whatever is lost on the way."""

from __future__ import annotations

import asyncio

import pytest

from cart.payments.create_checkout import TRIES, create_checkout
from shared.contracts.dtos import Checkout, CheckoutRequest
from shared.contracts.errors import (
    GatewayConflict,
    GatewayError,
    GatewayUnavailable,
    GatewayUnknown,
    NotAllowed,
    RateLimited,
    Rejected,
)
from shared.settings import Settings
from tests.contracts.conftest import Provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.payments import MovableClock, an_attempt

PATIENT_S = 60.0
HASTY_S = 0.01


class SilentGateway(FakeGateway):
    """The fake, whose first answers never come; ``after`` says whether those requests took effect."""

    def __init__(self, silent: int, *, after: bool) -> None:
        super().__init__(clock=MovableClock())
        self._silent = silent
        self._after = after

    async def create(self, attempt: CheckoutRequest) -> Checkout:
        is_silent = self.calls["create"] < self._silent
        if is_silent and not self._after:
            self.calls["create"] += 1
            await asyncio.Event().wait()
        checkout = await super().create(attempt)
        if is_silent:
            await asyncio.Event().wait()
        return checkout


def failing(*errors: GatewayError) -> FakeGateway:
    gateway = FakeGateway()
    for error in errors:
        gateway.fail_next(error, "create")
    return gateway


@pytest.mark.parametrize("times", range(1, TRIES))
async def test_an_answer_that_is_lost_is_asked_for_again(provider: Provider, times: int) -> None:
    attempt = an_attempt()
    for _ in range(times):
        await provider.lose_answer("create")
    checkout = await create_checkout(provider.gateway, attempt, try_seconds=PATIENT_S)
    assert await provider.gateway.find(attempt.reference) == checkout
    assert await provider.count("create") == times + 1


@pytest.mark.parametrize("times", range(1, TRIES))
async def test_a_request_that_is_lost_is_sent_again(provider: Provider, times: int) -> None:
    attempt = an_attempt()
    for _ in range(times):
        await provider.lose_request("create")
    checkout = await create_checkout(provider.gateway, attempt, try_seconds=PATIENT_S)
    assert await provider.gateway.find(attempt.reference) == checkout
    assert await provider.count("create") == times + 1


async def test_when_every_answer_is_lost_it_is_unknown_and_can_be_looked_up(provider: Provider) -> None:
    attempt = an_attempt()
    for _ in range(TRIES):
        await provider.lose_answer("create")
    with pytest.raises(GatewayUnknown):
        await create_checkout(provider.gateway, attempt, try_seconds=PATIENT_S)
    assert await provider.gateway.find(attempt.reference) is not None
    assert await provider.count("create") == TRIES


async def test_a_reference_that_is_spent_is_asked_for_once(provider: Provider) -> None:
    attempt = an_attempt()
    checkout = await provider.gateway.create(attempt)
    await provider.gateway.cancel(checkout.id)
    with pytest.raises(GatewayConflict, match="reference_spent"):
        await create_checkout(provider.gateway, attempt, try_seconds=PATIENT_S)
    assert await provider.count("create") == 2


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("silent", range(1, TRIES))
async def test_a_provider_that_says_nothing_is_asked_again(silent: int, *, after: bool) -> None:
    gateway = SilentGateway(silent, after=after)
    attempt = an_attempt()
    checkout = await create_checkout(gateway, attempt, try_seconds=HASTY_S)
    assert await gateway.find(attempt.reference) == checkout
    assert gateway.calls["create"] == silent + 1


async def test_a_provider_that_never_says_anything_is_unknown() -> None:
    gateway = SilentGateway(TRIES, after=False)
    with pytest.raises(GatewayUnknown):
        await create_checkout(gateway, an_attempt(), try_seconds=HASTY_S)
    assert gateway.calls["create"] == TRIES


async def test_a_provider_out_of_reach_is_asked_again_and_then_unavailable() -> None:
    gateway = failing(*[GatewayUnavailable("no route")] * TRIES)
    with pytest.raises(GatewayUnavailable):
        await create_checkout(gateway, an_attempt(), try_seconds=PATIENT_S)
    assert gateway.calls["create"] == TRIES


@pytest.mark.parametrize("error", [Rejected("INVALID"), NotAllowed("FORBIDDEN"), RateLimited(60.0)])
async def test_what_is_refused_is_not_asked_for_again(error: GatewayError) -> None:
    gateway = failing(error)
    with pytest.raises(type(error)):
        await create_checkout(gateway, an_attempt(), try_seconds=PATIENT_S)
    assert gateway.calls["create"] == 1


@pytest.mark.parametrize(
    "error", [GatewayUnavailable("no route"), NotAllowed("FORBIDDEN"), RateLimited(60.0), GatewayConflict("CONFLICT")]
)
async def test_no_refusal_after_a_lost_answer_says_that_there_is_no_checkout(error: GatewayError) -> None:
    gateway = failing(GatewayUnknown("lost"), *[error] * TRIES)
    with pytest.raises(GatewayUnknown):
        await create_checkout(gateway, an_attempt(), try_seconds=PATIENT_S)


def test_all_tries_together_leave_the_buyer_waiting_for_less_than_eight_seconds() -> None:
    assert TRIES * Settings.model_fields["sumup_create_timeout_s"].default <= 7.5
