"""Creating a checkout at the provider: where the answer is lost it is asked for again at once, for the buyer waits."""

from __future__ import annotations

import asyncio

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from shared.contracts.dtos import Checkout, CheckoutRequest
from shared.contracts.errors import GatewayError, GatewayUnavailable, GatewayUnknown
from shared.contracts.protocols import PaymentGateway

TRIES = 3

_log = structlog.get_logger("maypole.payment")


async def create_checkout(gateway: PaymentGateway, request: CheckoutRequest, *, try_seconds: float) -> Checkout:
    """Create a checkout, with at most ``TRIES`` calls of at most ``try_seconds`` each. Safe to repeat.

    No try makes a second checkout: the provider keeps one for a reference, and the gateway returns the one that is
    there. Raises GatewayUnknown where any of the tries may have taken effect; every other GatewayError says that there
    is no checkout. What the provider refuses is not asked for again.
    """
    one_try = _OneTry(gateway, request, try_seconds)
    tries = AsyncRetrying(
        stop=stop_after_attempt(TRIES),
        retry=retry_if_exception_type((GatewayUnknown, GatewayUnavailable)),
        before_sleep=_note,
        reraise=True,
    )
    return await tries(one_try)


class _OneTry:
    """One call after the other for the same checkout; remembers whether an earlier one may have taken effect."""

    def __init__(self, gateway: PaymentGateway, request: CheckoutRequest, seconds: float) -> None:
        self._gateway = gateway
        self._request = request
        self._seconds = seconds
        self._may_exist = False

    async def __call__(self) -> Checkout:
        try:
            # Not wait_for: that makes a task of its own, which the guard against open transactions cannot see into.
            async with asyncio.timeout(self._seconds):
                return await self._gateway.create(self._request)
        except TimeoutError as error:
            self._may_exist = True
            raise GatewayUnknown(f"create: no answer within {self._seconds} s") from error
        except GatewayError as error:
            self._may_exist = self._may_exist or isinstance(error, GatewayUnknown)
            if self._may_exist and not isinstance(error, GatewayUnknown):
                # A refusal is about this call. The one before it may still have created the checkout.
                raise GatewayUnknown(f"create: {type(error).__name__} after a lost answer") from error
            raise


def _note(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _log.warning("checkout_is_asked_for_again", after_try=state.attempt_number, reason=str(error))
