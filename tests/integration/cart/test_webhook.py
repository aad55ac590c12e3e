"""The provider's notices: kept when they are about a payment of ours, otherwise not found, and never believed."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping

import pytest
from quart import Quart
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cart.provider.reconcile import look_at_payment
from cart.wiring import PAYMENT_CONTEXT
from shared.contracts.dtos import Checkout
from shared.contracts.states import PaymentState
from shared.models import Payment, PaymentNotice
from tests.factories.orders import make_order
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import FillCart, Show, payments_of
from tests.support.visitor import Visitor


@pytest.fixture
async def payment(session: AsyncSession, ada: Visitor, show: Show) -> Payment:
    """A payment that is open."""
    made = await make_order(session, show.entry, user_id=ada.id)
    await session.commit()
    return made.paying


async def _send(app: Quart, token: str, body: bytes | Mapping[str, object]) -> int:
    """Send a notice as the provider does: no cookie, no Origin."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await app.test_client().post(
        f"/payments/webhook/{token}/", data=data, headers={"Content-Type": "application/json"}
    )
    return answer.status_code


async def _kept(session: AsyncSession) -> tuple[int, int]:
    """Return how many notices and how many jobs there are."""
    await session.commit()
    notices = await session.scalar(select(func.count()).select_from(PaymentNotice))
    jobs = await session.scalar(text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'settle_payment'"))
    return notices or 0, jobs or 0


def _notice(payment: Payment, **changes: object) -> dict[str, object]:
    return {"event_type": "CHECKOUT_STATUS_CHANGED", "id": payment.checkout_id, **changes}


async def test_a_notice_is_kept_and_a_job_looks_the_payment_up(
    app: Quart, payment: Payment, session: AsyncSession, gateway: FakeGateway
) -> None:
    assert await _send(app, payment.webhook_token, _notice(payment, status="PAID", extra={"a": 1})) == 204
    assert await _kept(session) == (1, 1)
    assert not gateway.calls  # answered first, looked up later
    await session.refresh(payment)
    assert payment.state == PaymentState.OPEN  # and what it said was not believed


async def test_notices_that_come_again_and_again_are_one_look(
    app: Quart, payment: Payment, session: AsyncSession
) -> None:
    statuses = await asyncio.gather(*(_send(app, payment.webhook_token, _notice(payment)) for _ in range(20)))
    assert statuses == [204] * 20
    assert await _kept(session) == (20, 1)


async def test_a_notice_that_comes_while_the_provider_is_asked_stays_open(
    app: Quart,
    ada: Visitor,
    show: Show,
    fill_cart: FillCart,
    session: AsyncSession,
    gateway: FakeGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await fill_cart(ada, show, 2)
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [payment] = await payments_of(session, ada)
    await _send(app, payment.webhook_token, _notice(payment))
    ask = gateway.get

    async def ask_slowly(checkout_id: str) -> Checkout:
        answer = await ask(checkout_id)
        await _send(app, payment.webhook_token, _notice(payment))
        return answer

    monkeypatch.setattr(gateway, "get", ask_slowly)
    await look_at_payment(app.extensions[PAYMENT_CONTEXT], payment.id)

    handled = select(PaymentNotice.handled_at.is_not(None)).order_by(PaymentNotice.id)
    await session.commit()
    assert list(await session.scalars(handled)) == [True, False]


BAD_BODIES = {
    "another checkout": {"event_type": "CHECKOUT_STATUS_CHANGED", "id": str(uuid.uuid4())},
    "a path for an id": {"event_type": "CHECKOUT_STATUS_CHANGED", "id": "../../v1/merchants/MSANDBOX/padding00"},
    "a number for an id": {"event_type": "CHECKOUT_STATUS_CHANGED", "id": 7},
    "no id": {"event_type": "CHECKOUT_STATUS_CHANGED"},
    "no event": {"id": str(uuid.uuid4())},
    "no JSON": b"{{{",
    "no text at all": b"",
    "no UTF-8": b"\xff\xfe{}",
    "a list": b"[]",
    "NUL": b'{"event_type": "a\\u0000b", "id": "x"}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_what_is_no_notice_of_this_payment_is_not_found_and_causes_no_call(
    app: Quart, payment: Payment, session: AsyncSession, gateway: FakeGateway, body: bytes | dict[str, object]
) -> None:
    assert await _send(app, payment.webhook_token, body) == 404
    assert await _kept(session) == (0, 0)
    assert not gateway.calls


async def test_an_event_with_control_characters_is_not_kept(
    app: Quart, payment: Payment, session: AsyncSession
) -> None:
    assert await _send(app, payment.webhook_token, _notice(payment, event_type="a\x00b")) == 404
    assert await _kept(session) == (0, 0)


async def test_an_unknown_token_is_not_found_whatever_it_says(
    app: Quart, payment: Payment, session: AsyncSession, gateway: FakeGateway
) -> None:
    assert await _send(app, "no-such-token", _notice(payment)) == 404
    assert await _kept(session) == (0, 0)
    assert not gateway.calls


async def test_a_notice_before_the_checkout_is_known_is_not_found(
    app: Quart, session: AsyncSession, ada: Visitor, show: Show
) -> None:
    made = await make_order(session, show.entry, user_id=ada.id, payment_state=PaymentState.CREATED)
    await session.commit()
    body = {"event_type": "CHECKOUT_STATUS_CHANGED", "id": str(uuid.uuid4())}
    assert await _send(app, made.paying.webhook_token, body) == 404


async def test_a_large_body_is_refused(app: Quart, payment: Payment, session: AsyncSession) -> None:
    assert await _send(app, payment.webhook_token, _notice(payment, padding="x" * 5000)) == 413
    assert await _kept(session) == (0, 0)
