"""Steering for tests and demos, under ``/sandbox/``, for callers on this machine only. JSON in, JSON out.

| request | body | does |
|---|---|---|
| GET ``/sandbox/checkouts`` | | lists everything that the sandbox remembers |
| POST ``/sandbox/checkouts/<id>/pay`` | ``amount``, ``force`` | pays; another amount; though it is closed |
| POST ``/sandbox/checkouts/<id>/decline`` | | lets an attempt to pay fail |
| POST ``/sandbox/fail_next`` | a ``faults.Fault`` | lets the next answers of an operation fail |
| POST ``/sandbox/clock`` | ``forward_s`` | lets time pass |
| GET ``/sandbox/calls`` | | lists the requests to the API, in their order |
| GET ``/sandbox/webhooks`` | | lists the notices and what was answered to them |
| POST ``/sandbox/reset`` | | forgets everything |

A POST must say that it is JSON: a page of a foreign site cannot send that here without asking first.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue
from quart.wrappers import Response

from .faults import Fault
from .refused import Refused
from .world import here

steering = Blueprint("steering", __name__, url_prefix="/sandbox")


class Payment(BaseModel, extra="forbid"):
    """How to pay: another amount than asked for, or a checkout that is closed already."""

    amount: Decimal | None = Field(None, gt=0, decimal_places=2)
    force: bool = False


class Forward(BaseModel, extra="forbid"):
    """How much time is to pass."""

    forward_s: float


@steering.before_request
async def _only_from_here() -> ResponseReturnValue | None:
    """Refuse callers of other machines, and POSTs that a foreign page could send."""
    try:
        near = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        near = False
    if not near:
        return {"error": "only from this machine"}, HTTPStatus.FORBIDDEN
    if request.method == "POST" and not request.is_json:
        return {"error": "send JSON"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return None


@steering.errorhandler(ValidationError)
async def _wrong_order(error: ValidationError) -> ResponseReturnValue:
    """Say what is wrong with an order."""
    details = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
    return {"error": details}, HTTPStatus.UNPROCESSABLE_ENTITY


@steering.errorhandler(Refused)
async def _refused(refused: Refused) -> ResponseReturnValue:
    """Pass SumUp's own refusal on."""
    return refused.body, refused.status


@steering.get("/checkouts")
async def checkouts() -> Response:
    """List everything that is remembered."""
    return _listed(here().bank.find(None))


@steering.post("/checkouts/<checkout_id>/pay")
async def pay(checkout_id: str) -> ResponseReturnValue:
    """Pay a checkout."""
    order = Payment.model_validate(await _order())
    attempt = here().bank.attempt(checkout_id, amount=order.amount, force=order.force)
    return attempt.model_dump(mode="json")


@steering.post("/checkouts/<checkout_id>/decline")
async def decline(checkout_id: str) -> ResponseReturnValue:
    """Let an attempt to pay fail."""
    return here().bank.attempt(checkout_id, decline=True).model_dump(mode="json")


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
    world.faults.clear()
    world.calls.clear()
    world.messenger.deliveries.clear()
    return {}


async def _order() -> Any:
    """Return the order; an unreadable body is an empty one, which says what is missing."""
    return await request.get_json(silent=True) or {}


def _listed(items: Iterable[BaseModel]) -> Response:
    """Answer with a list."""
    body = current_app.json.dumps([item.model_dump(mode="json") for item in items])
    return Response(body, content_type="application/json")
