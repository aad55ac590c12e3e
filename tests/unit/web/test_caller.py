"""What all typed clients have in common: when a call fails, and when the other app is left alone."""

from __future__ import annotations

from http import HTTPStatus

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from shared.clients.caller import REST_SECONDS, Caller, CallFailed
from shared.clients.wire import Answer, Moment, Query
from shared.settings import APPS, Settings
from tests.fakes.apps import Server, Ticker, refuse


class Greeting(Answer):
    text: str


class Times(Answer):
    at: Moment


class Wish(Query):
    tone: str = "plain"
    length: int = 3


def _caller(server: Server, ticker: Ticker | None = None, app: str = "events") -> Caller:
    return Caller(server.http(), Settings(), app, monotonic=ticker or Ticker())


def _says(status: int, **body: str) -> Server:
    return Server(lambda _: httpx.Response(status, json=body))


@pytest.mark.parametrize("app", APPS)
async def test_each_app_is_asked_at_its_own_address(app: str) -> None:
    server = _says(200, text="hello")
    await _caller(server, app=app).ask("/internal/v1/greeting", Greeting)
    assert str(server.asked[0].url) == f"http://127.0.0.1:{Settings().port_of(app)}/internal/v1/greeting"


async def test_of_two_secrets_the_first_is_sent() -> None:
    server = _says(200, text="hello")
    settings = Settings(internal_secrets=(SecretStr("n" * 32), SecretStr("o" * 32)))
    await Caller(server.http(), settings, "cart").ask("/x", Greeting)
    assert server.asked[0].headers["Authorization"] == f"Bearer {'n' * 32}"


async def test_what_is_as_it_always_is_need_not_be_said() -> None:
    server = _says(200, text="hello")
    await _caller(server).ask("/x", Greeting, Wish(length=5))
    assert server.asked[0].url.query == b"length=5"


async def test_what_a_reader_does_not_know_it_ignores() -> None:
    assert await _caller(_says(200, text="hello", mood="good")).ask("/x", Greeting) == Greeting(text="hello")


async def test_a_moment_is_utc_and_one_without_a_zone_is_none() -> None:
    answer = await _caller(_says(200, at="2026-11-26T19:30:00+01:00")).ask("/x", Times)
    assert answer.model_dump(mode="json") == {"at": "2026-11-26T18:30:00Z"}
    with pytest.raises(CallFailed):
        await _caller(_says(200, at="2026-11-26T19:30:00")).ask("/x", Times)


async def test_a_failure_is_a_page_that_says_not_available() -> None:
    with pytest.raises(CallFailed) as failure:
        await _caller(Server(refuse)).ask("/x", Greeting)
    assert (failure.value.status, failure.value.code, failure.value.answered) == (503, "unavailable", None)


async def test_what_the_other_app_does_not_know_is_none() -> None:
    server = _says(HTTPStatus.NOT_FOUND)
    assert await _caller(server).ask_for_one("/x", Greeting) is None
    with pytest.raises(CallFailed):
        await _caller(server).ask("/x", Greeting)
    with pytest.raises(CallFailed):
        await _caller(_says(HTTPStatus.INTERNAL_SERVER_ERROR)).ask_for_one("/x", Greeting)


@pytest.mark.parametrize("status", [HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY])
async def test_a_bad_question_is_no_reason_not_to_ask_another(status: HTTPStatus) -> None:
    server = _says(status)
    caller = _caller(server)
    with pytest.raises(CallFailed):
        await caller.ask("/bad", Greeting)
    server.answer = lambda _: httpx.Response(200, json={"text": "hello"})
    assert (await caller.ask("/good", Greeting)).text == "hello"


@pytest.mark.parametrize("status", [302, 401, 500, 503])
async def test_after_a_failure_the_app_is_left_alone_for_a_while(status: int) -> None:
    ticker, server = Ticker(), _says(status)
    caller = _caller(server, ticker)
    for now in (0.0, REST_SECONDS - 0.1):
        ticker.now = now
        with pytest.raises(CallFailed):
            await caller.ask("/x", Greeting)
    assert len(server.asked) == 1
    ticker.now = REST_SECONDS
    with pytest.raises(CallFailed):
        await caller.ask("/x", Greeting)
    assert len(server.asked) == 2


async def test_the_log_names_the_kind_of_failure_and_nothing_of_the_answer() -> None:
    with capture_logs() as lines, pytest.raises(CallFailed):
        await _caller(_says(200, texts="ada@maypole.example")).ask("/x", Greeting)
    assert lines == [
        {
            "event": "call failed",
            "asked": "events",
            "reason": "ValidationError",
            "status": None,
            "log_level": "warning",
        }
    ]
