"""Steering for tests and demos, under ``/sandbox/``, for callers on this machine only. JSON in, JSON out.

| request | body | does |
|---|---|---|
| GET ``/sandbox/checkouts`` | | lists everything that the sandbox remembers |
| POST ``/sandbox/checkouts/<id>/pay`` | ``amount``, ``currency``, ``force`` | pays; another sum; a closed one |
| POST ``/sandbox/checkouts/<id>/begin`` | | begins an attempt to pay, which ``pay`` or ``decline`` then decides |
| POST ``/sandbox/checkouts/<id>/decline`` | | lets an attempt to pay fail |
| POST ``/sandbox/checkouts/<id>/race`` | ``order`` | lets the next DELETE meet a payment, before or after it |
| POST ``/sandbox/payments`` | ``merchant_code``, ``amount``, ``payment_type`` | takes a payment for no checkout |
| POST ``/sandbox/transactions/<id>/refund`` | ``amount`` | refunds in the dashboard |
| POST ``/sandbox/transactions/<id>/settle`` | ``status`` | ends pending refunds: ``REFUNDED`` or ``FAILED`` |
| POST ``/sandbox/transactions/<id>/charge_back`` | ``amount`` | lets the buyer's bank take money back |
| POST ``/sandbox/transactions/<id>/pay_out`` | | pays the merchant |
| POST ``/sandbox/refund_next`` | ``how``, ``times`` | lets refunds stay pending or be refused: ``ledger.Manner`` |
| POST ``/sandbox/notify_next`` | a ``webhooks.DeliveryFault`` | loses, delays or multiplies the next notices |
| POST ``/sandbox/forge`` | a ``webhooks.Forgery`` | sends a notice that is none |
| POST ``/sandbox/fail_next`` | a ``faults.Fault`` | lets the next answers of an operation fail |
| POST ``/sandbox/clock`` | ``forward_s`` | lets time pass |
| GET ``/sandbox/calls`` | | lists the requests to the API, in their order |
| GET ``/sandbox/webhooks`` | | lists the notices and what was answered to them |
| POST ``/sandbox/reset`` | | forgets everything |

A POST must say that it is JSON: a page of a foreign site cannot send that here without asking first.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue
from quart.wrappers import Response

from .bank import Race
from .faults import Fault
from .ledger import Manner, Settled, TakenBy
from .nearby import is_nearby
from .refused import Refused, not_found
from .webhooks import DeliveryFault, Forgery
from .world import here

steering = Blueprint("steering", __name__, url_prefix="/sandbox")


class Sum(BaseModel, extra="forbid"):
    """How much: all of it, or a part."""

    amount: Decimal | None = Field(None, gt=0, decimal_places=2)


class PaymentInstruction(Sum):
    """How to pay: another amount or currency than asked for, or a checkout that is closed already."""

    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    force: bool = False


class Taken(BaseModel, extra="forbid"):
    """What was paid without a checkout, to whom, and how."""

    merchant_code: str
    amount: Decimal = Field(gt=0, decimal_places=2)
    payment_type: TakenBy = "ECOM"


class Racing(BaseModel, extra="forbid"):
    """Which is first: the payment, or the DELETE."""

    order: Race


class RefundManner(BaseModel, extra="forbid"):
    """How the next refunds go."""

    how: Manner
    times: int = Field(1, ge=1)


class RefundsEnd(BaseModel, extra="forbid"):
    """How pending refunds end."""

    status: Settled


class Forward(BaseModel, extra="forbid"):
    """How much time is to pass."""

    forward_s: float


@steering.before_request
async def _only_from_here() -> ResponseReturnValue | None:
    """Refuse callers of other machines, and POSTs that a foreign page could send."""
    if not is_nearby():
        return {"error": "only from this machine"}, HTTPStatus.FORBIDDEN
    # A foreign page can send a form without asking, but not this content type: the browser asks us first, and we say
    # no.
    if request.method == "POST" and not request.is_json:
        return {"error": "send JSON"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return None


@steering.errorhandler(ValidationError)
async def _wrong_order(error: ValidationError) -> ResponseReturnValue:
    details = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
    return {"error": details}, HTTPStatus.UNPROCESSABLE_ENTITY


@steering.errorhandler(Refused)
async def _refused(refused: Refused) -> ResponseReturnValue:
    return refused.body, refused.status


@steering.get("/checkouts")
async def checkouts() -> Response:
    """List everything that is remembered."""
    return _listed(here().bank.find(None))


@steering.post("/checkouts/<checkout_id>/pay")
async def pay(checkout_id: str) -> ResponseReturnValue:
    """Pay a checkout."""
    order = PaymentInstruction.model_validate(await _order())
    attempt = here().bank.attempt(checkout_id, amount=order.amount, currency=order.currency, force=order.force)
    return attempt.model_dump(mode="json")


@steering.post("/checkouts/<checkout_id>/begin")
async def begin(checkout_id: str) -> ResponseReturnValue:
    """Begin an attempt to pay."""
    return here().bank.begin(checkout_id).model_dump(mode="json")


@steering.post("/checkouts/<checkout_id>/decline")
async def decline(checkout_id: str) -> ResponseReturnValue:
    """Let an attempt to pay fail."""
    return here().bank.attempt(checkout_id, decline=True).model_dump(mode="json")


@steering.post("/checkouts/<checkout_id>/race")
async def race(checkout_id: str) -> ResponseReturnValue:
    """Order a payment that meets the DELETE."""
    order = Racing.model_validate(await _order())
    here().bank.races[here().bank.get(checkout_id).id] = order.order
    return {}, HTTPStatus.CREATED


@steering.post("/payments")
async def take() -> ResponseReturnValue:
    """Take a payment that no shop knows of."""
    order = Taken.model_validate(await _order())
    merchant = here().merchants.get(order.merchant_code)
    if merchant is None:
        raise not_found()
    return here().ledger.take(merchant, order.amount, order.payment_type).model_dump(mode="json")


@steering.post("/transactions/<attempt_id>/refund")
async def refund(attempt_id: str) -> ResponseReturnValue:
    """Refund in the dashboard."""
    order = Sum.model_validate(await _order())
    return here().ledger.refund_by_hand(attempt_id, order.amount).model_dump(mode="json")


@steering.post("/transactions/<attempt_id>/settle")
async def settle(attempt_id: str) -> ResponseReturnValue:
    """End the pending refunds of a transaction."""
    order = RefundsEnd.model_validate(await _order())
    return here().ledger.settle_refunds(attempt_id, order.status).model_dump(mode="json")


@steering.post("/transactions/<attempt_id>/charge_back")
async def charge_back(attempt_id: str) -> ResponseReturnValue:
    """Let the buyer's bank take money back."""
    order = Sum.model_validate(await _order())
    return here().ledger.charge_back(attempt_id, order.amount).model_dump(mode="json")


@steering.post("/transactions/<attempt_id>/pay_out")
async def pay_out(attempt_id: str) -> ResponseReturnValue:
    """Pay the merchant."""
    return here().ledger.pay_out(attempt_id).model_dump(mode="json")


@steering.post("/refund_next")
async def refund_next() -> ResponseReturnValue:
    """Order how the next refunds go."""
    order = RefundManner.model_validate(await _order())
    here().ledger.order(order.how, order.times)
    return {}, HTTPStatus.CREATED


@steering.post("/notify_next")
async def notify_next() -> ResponseReturnValue:
    """Order what becomes of the next notices."""
    here().messenger.order(DeliveryFault.model_validate(await _order()))
    return {}, HTTPStatus.CREATED


@steering.post("/forge")
async def forge() -> ResponseReturnValue:
    """Send a notice that is none, and tell what was answered."""
    return {"status": await here().messenger.forge(Forgery.model_validate(await _order()))}


@steering.post("/fail_next")
async def fail_next() -> ResponseReturnValue:
    """Order a fault."""
    here().faults.order(Fault.model_validate(await _order()))
    return {}, HTTPStatus.CREATED


@steering.post("/clock")
async def clock() -> ResponseReturnValue:
    """Let time pass."""
    here().clock.forward(Forward.model_validate(await _order()).forward_s)
    return {"now": here().clock().isoformat()}


@steering.get("/calls")
async def calls() -> Response:
    """List the requests to the API."""
    return _listed(here().calls)


@steering.get("/webhooks")
async def webhooks() -> Response:
    """List the notices."""
    return _listed(here().messenger.deliveries)


@steering.post("/reset")
async def reset() -> ResponseReturnValue:
    """Forget everything."""
    world = here()
    world.bank.store.clear()
    world.bank.races.clear()
    world.ledger.clear()
    world.faults.clear()
    world.calls.clear()
    world.messenger.clear()
    return {}


async def _order() -> Any:
    # An unreadable body counts as an empty one: the model's own message then says which members are missing.
    return await request.get_json(silent=True) or {}


def _listed(items: Iterable[BaseModel]) -> Response:
    body = current_app.json.dumps([item.model_dump(mode="json") for item in items])
    return Response(body, content_type="application/json")
