"""The badge is never worth a page: the client's every failure is "no number"."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest

from shared.clients import cart
from shared.clients.cart import REST_SECONDS, CartClient, CartSummaryAnswer
from shared.contracts.dtos import CartSummaryDTO
from shared.settings import DEV_SECRET, Settings

SUMMARY = CartSummaryDTO(
    count=1,
    total=Decimal("4.50"),
    calendar_count=2,
    calendar_total=Decimal("20.00"),
    ticket_count=3,
    ticket_total=Decimal("36.00"),
    open_orders=1,
)
ANSWER = CartSummaryAnswer.from_dto(SUMMARY).model_dump(mode="json")


class Ticker:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Server:
    """The cart app: answers with what it was given, and notes what it was asked."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)


def _client(server: Server, ticker: Ticker | None = None) -> CartClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    return CartClient(http, Settings(), monotonic=ticker or Ticker())


async def test_the_summary_of_a_person_is_asked_for_and_read() -> None:
    server = Server(lambda _: httpx.Response(200, json={**ANSWER, "something": "new"}))

    assert await _client(server).cart_summary(user_id=7, session_id=None) == SUMMARY
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
        lambda _: httpx.Response(200, json={key: value for key, value in ANSWER.items() if key != "ticket_total"}),
    ],
)
async def test_an_answer_that_is_no_summary_is_no_number(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    assert await _client(Server(answer)).cart_summary(user_id=7, session_id=None) is None


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down", request=request)


async def test_after_a_failure_the_cart_app_is_left_alone_for_a_while() -> None:
    ticker, server = Ticker(), Server(_refuse)
    client = _client(server, ticker)

    await client.cart_summary(user_id=7, session_id=None)
    ticker.now = REST_SECONDS - 0.1
    await client.cart_summary(user_id=7, session_id=None)
    assert len(server.asked) == 1

    server.answer = lambda _: httpx.Response(200, json=ANSWER)
    ticker.now = REST_SECONDS
    assert await client.cart_summary(user_id=7, session_id=None) == SUMMARY


async def test_a_call_inside_a_transaction_is_a_mistake_that_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RuntimeError("inside a transaction")

    monkeypatch.setattr(cart, "refuse_inside_transaction", refuse)
    with pytest.raises(RuntimeError):
        await _client(Server(_refuse)).cart_summary(user_id=7, session_id=None)
