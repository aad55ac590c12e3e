"""The provider's webhook: a hint that a payment may have changed. What it says is asked of the provider, later."""

from __future__ import annotations

from http import HTTPStatus

from quart import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from cart.orders.queries import payment_by_webhook_token
from cart.payments.notices import store_notice
from shared.contracts.errors import NotFound
from shared.web.csrf import csrf_exempt
from shared.web.state import request_session

from .forms import LARGEST_NOTICE, read_notice

bp = Blueprint("payments", __name__, url_prefix="/payments")


@bp.post("/webhook/<token>/")
@csrf_exempt
async def webhook(token: str) -> Response:
    """Keep a notice that is about a payment of ours, have it settled in the background, and answer at once.

    Anything else looks as if this address did not exist, and causes no call to anybody.
    """
    body = await request.data
    # Before it is parsed: anybody may send to this address.
    if len(body) > LARGEST_NOTICE:
        raise RequestEntityTooLarge
    notice = read_notice(body)
    session = request_session()
    payment = None if notice is None else await payment_by_webhook_token(session, token)
    if notice is None or payment is None or not notice.names(payment.checkout_id):
        raise NotFound
    await store_notice(session, payment_id=payment.id, event_type=notice.event_type)
    return Response(b"", HTTPStatus.NO_CONTENT)
