"""From a committed attempt to the provider's page: call (no transaction), then write down what came of it."""

from __future__ import annotations

import structlog
from sqlalchemy import update

from cart.wiring import PaymentContext
from shared.contracts.dtos import Checkout, CheckoutRequest, PaymentDTO
from shared.contracts.errors import GatewayError, GatewayUnknown, Unavailable
from shared.contracts.journal import JournalThing
from shared.contracts.states import OrderState, PaymentState
from shared.db.uow import unit_of_work
from shared.models import Payment
from shared.services.journal import SYSTEM, record

from .attempts import Attempt, locked_attempt, read_payment, schedule_late_look, schedule_next_look
from .create_checkout import create_checkout
from .settle import record_status, release_order, settle

_log = structlog.get_logger("maypole.payment")
NOT_OPENED = (
    "The payment page could not be opened. Nothing was charged, and everything is still in your cart."
    " Please try again in a few minutes."
)


async def open_payment(context: PaymentContext, payment_id: int) -> str:
    """Open a committed attempt at the provider and return where to send the browser.

    That is the hosted page, or our own return page where the provider's answer was lost each time that it was asked
    (``create_checkout``): then the attempt is unknown, and looked up, never repeated under another reference. Safe to
    repeat: the reference stays the same. Raises Unavailable where nothing happened at the provider: then the order has
    let go and the cart is as it was.
    """
    payment = await read_payment(context, payment_id)
    if payment.state == PaymentState.OPEN and payment.hosted_url is not None:
        await _let_ask_again(context, payment_id)
        return payment.hosted_url
    if payment.state not in (PaymentState.CREATED, PaymentState.UNKNOWN):
        return await return_url(context, payment_id)
    try:
        gateway = await context.gateways.of(payment.merchant_code, payment.provider)
        request = await _request(context, payment)
        checkout = await create_checkout(gateway, request, try_seconds=context.settings.sumup_create_timeout_s)
    except GatewayUnknown:
        await _mark_unknown(context, payment_id)
        return await return_url(context, payment_id)
    except GatewayError as error:
        if await _give_up(context, payment_id, error):
            raise Unavailable(NOT_OPENED) from error
        return await return_url(context, payment_id)
    return await _opened(context, payment_id, checkout)


async def _let_ask_again(context: PaymentContext, payment_id: int) -> None:
    """Let the next look ask the provider at once: whoever goes to pay now comes back with news."""
    async with unit_of_work(context.database) as uow:
        asked = update(Payment).where(Payment.id == payment_id, Payment.asked_at.is_not(None))
        await uow.session.execute(asked.values(asked_at=None).execution_options(synchronize_session=False))
        await uow.commit()


async def return_url(context: PaymentContext, payment_id: int) -> str:
    """Return the address of our own page that says how a payment stands."""
    return _return_url(context, (await _tokens(context, payment_id))[0])


def _return_url(context: PaymentContext, token: str) -> str:
    """Put the return page's address together."""
    return f"{context.settings.url_of('cart')}/checkout/return/{token}/"


async def _tokens(context: PaymentContext, payment_id: int) -> tuple[str, str]:
    """Read a payment's two secret tokens: the browser's and the provider's."""
    async with unit_of_work(context.database) as uow:
        payment = await uow.session.get_one(Payment, payment_id)
        return payment.return_token, payment.webhook_token


async def _request(context: PaymentContext, payment: PaymentDTO) -> CheckoutRequest:
    """Put together what the provider is asked for. The description holds nothing personal."""
    return_token, webhook_token = await _tokens(context, payment.id)
    return CheckoutRequest(
        reference=payment.checkout_reference,
        amount=payment.amount,
        currency=payment.currency,
        merchant_code=payment.merchant_code,
        description=f"{context.settings.site_name} order",
        return_url=f"{context.settings.url_of('cart')}/payments/webhook/{webhook_token}/",
        redirect_url=_return_url(context, return_token),
        valid_until=payment.valid_until,
    )


async def _opened(context: PaymentContext, payment_id: int, checkout: Checkout) -> str:
    """Write down that the checkout is open, or whatever else it has become meanwhile."""
    payment = await record_status(context, payment_id, checkout)
    if payment.state == PaymentState.OPEN and payment.hosted_url is not None:
        return payment.hosted_url
    await settle(context, payment_id)  # it was given up meanwhile: then this checkout is closed again
    return await return_url(context, payment_id)


async def _mark_unknown(context: PaymentContext, payment_id: int) -> None:
    """Write down that the answer was lost: the attempt may exist at the provider."""
    async with locked_attempt(context, payment_id) as attempt:
        if attempt.payment.state == PaymentState.CREATED:
            attempt.payment.state = PaymentState.UNKNOWN
            schedule_next_look(attempt.payment, context.clock())
            await _note(attempt, PaymentState.UNKNOWN, "the provider's answer was lost")
        await attempt.uow.commit()


async def _give_up(context: PaymentContext, payment_id: int, error: GatewayError) -> bool:
    """Cancel an attempt that does not exist at the provider, and release its order; tell whether that was so.

    An attempt that was unknown before stays so, and is looked up. Another call for the same attempt may still be on its
    way: so this one is looked up a few times more, and a checkout that turns up is closed (``settle``).
    """
    _log.error("checkout_not_opened", payment_id=payment_id, error=type(error).__name__, detail=str(error))
    async with locked_attempt(context, payment_id) as attempt:
        if attempt.payment.state != PaymentState.CREATED:
            return False
        attempt.payment.state = PaymentState.CANCELLED
        schedule_late_look(attempt.payment, context.clock())
        await _note(attempt, PaymentState.CANCELLED, f"not opened: {type(error).__name__}")
        await release_order(context, attempt, OrderState.FAILED)
        await attempt.uow.commit()
    return True


async def _note(attempt: Attempt, event: PaymentState, why: str) -> None:
    """Tell of a payment's change."""
    await record(
        attempt.session,
        thing=JournalThing.PAYMENT,
        thing_id=attempt.payment.id,
        order_id=attempt.order.id,
        event=event,
        actor=SYSTEM,
        why=why,
    )
