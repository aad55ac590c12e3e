"""The badge is never worth a page: the client's every failure is "no number"."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import httpx
import pytest

from shared.clients import caller
from shared.clients.caller import REST_SECONDS, CallFailed
from shared.clients.cart import CartClient, CartSummaryAnswer
from shared.contracts.dtos import CartSummaryDTO
from shared.contracts.owner import CartOwner
from shared.contracts.states import LineKind
from shared.settings import DEV_SECRET, Settings
from tests.fakes.apps import Server, Ticker, refuse

SUMMARY = CartSummaryDTO(
    count=1,
    total=Decimal("4.50"),
    calendar_count=2,
    calendar_total=Decimal("20.00"),
    ticket_count=3,
    ticket_total=Decimal("36.00"),
    open_orders=1,
)
ANSWER = CartSummaryAnswer.model_validate(SUMMARY).model_dump(mode="json")

SESSION = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
JAM = {"kind": "product", "title": "Jam", "detail": "", "quantity": 3, "unit_price": "4.50", "total": "13.50"}


def _client(server: Server, ticker: Ticker | None = None) -> CartClient:
    return CartClient(server.http(), Settings(), monotonic=ticker or Ticker())


async def test_the_summary_of_a_person_is_asked_for_and_read() -> None:
    server = Server(lambda _: httpx.Response(200, json={**ANSWER, "something": "new"}))

    assert await _client(server).cart_summary(CartOwner.of_user(7)) == SUMMARY
    (asked,) = server.asked
    assert str(asked.url) == "http://127.0.0.1:8002/internal/v1/cart/summary?user_id=7"
    assert asked.headers["Authorization"] == f"Bearer {DEV_SECRET}"


def test_money_goes_over_as_text() -> None:
    assert ANSWER["ticket_total"] == "36.00"


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(500, text="oops"),
        lambda _: httpx.Response(401, json={"error": {}}),
        lambda _: httpx.Response(302, headers={"Location": "http://evil.example/"}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json=[]),
        lambda _: httpx.Response(200, json={**ANSWER, "ticket_count": -1}),
        lambda _: httpx.Response(200, json={**ANSWER, "ticket_total": "NaN"}),
        lambda _: httpx.Response(200, json={**ANSWER, "ticket_total": "36"}),
        lambda _: httpx.Response(200, json={**ANSWER, "ticket_total": 36.0}),
        lambda _: httpx.Response(200, json={key: value for key, value in ANSWER.items() if key != "ticket_total"}),
    ],
)
async def test_an_answer_that_is_no_summary_is_no_number(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    assert await _client(Server(answer)).cart_summary(CartOwner.of_user(7)) is None


async def test_after_a_failure_the_cart_app_is_left_alone_for_a_while() -> None:
    ticker, server = Ticker(), Server(refuse)
    client = _client(server, ticker)

    await client.cart_summary(CartOwner.of_user(7))
    ticker.now = REST_SECONDS - 0.1
    await client.cart_summary(CartOwner.of_user(7))
    assert len(server.asked) == 1

    server.answer = lambda _: httpx.Response(200, json=ANSWER)
    ticker.now = REST_SECONDS
    assert await client.cart_summary(CartOwner.of_user(7)) == SUMMARY


async def test_a_call_inside_a_transaction_is_a_mistake_that_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        raise RuntimeError("inside a transaction")

    monkeypatch.setattr(caller, "refuse_inside_transaction", inside)
    with pytest.raises(RuntimeError):
        await _client(Server(refuse)).cart_summary(CartOwner.of_user(7))


async def test_the_lines_of_an_anonymous_cart_are_asked_for_and_read() -> None:
    server = Server(lambda _: httpx.Response(200, json={**ANSWER, "lines": [JAM]}))
    (line,) = await _client(server).cart_lines(CartOwner.of_session(SESSION))
    assert (line.kind, line.total, line.start_at) == (LineKind.PRODUCT, Decimal("13.50"), None)
    assert server.asked[0].url.query.decode() == f"session_id={SESSION}&lines=1"


async def test_lines_that_cannot_be_had_are_a_failure_and_no_empty_cart() -> None:
    with pytest.raises(CallFailed):
        await _client(Server(refuse)).cart_lines(CartOwner.of_user(7))
