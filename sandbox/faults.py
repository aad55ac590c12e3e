"""Things that go wrong between a shop and SumUp, on order: the next answer lost, late or refused.

A kind is one function of the fault and of the act that it spoils; a new kind is a new line in ``KINDS``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field
from quart import Response, g

from .refused import not_found

CUT_HEADER = "x-sandbox-cut"

Act = Callable[[], Awaitable[Response]]
Operation = Literal["create", "find", "get", "update", "cancel", "transaction", "history", "refund", "account"]
Kind = Literal[
    "status",
    "status_after",
    "slow",
    "slow_after",
    "cut_before",
    "cut_after",
    "no_content",
    "empty",
    "unreadable",
    "truncated",
    "stale",
    "missing",
]
STALE = "sandbox_stale"
"""Set on the request's ``g`` where it is to be answered with what was, before the last change."""


class Fault(BaseModel, extra="forbid"):
    """One order: which operation fails, how, and how many times.

    ``status``, ``body`` and ``headers`` are for the kinds that answer something, ``delay_s`` for the slow ones.
    ``…_after`` means that the request took effect first. It does as well for ``no_content`` (a 204), and for ``empty``,
    ``unreadable`` and ``truncated``, which keep the status and spoil the body. ``stale`` reads show what was before
    the last change; ``missing`` ones find nothing, as a transaction is not found at first.
    """

    operation: Operation | Literal["any"]
    kind: Kind
    times: int = Field(1, ge=1)
    status: int = Field(503, ge=200, le=599)
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = Field(default_factory=dict)
    delay_s: float = Field(1.0, ge=0)


class Faults:
    """The orders that are still to come, first come first served."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def order(self, fault: Fault) -> None:
        """Let the next ``times`` requests of that operation fail."""
        self._waiting.extend([fault] * fault.times)

    def clear(self) -> None:
        """Let everything work again."""
        self._waiting.clear()

    async def around(self, operation: Operation, act: Act) -> Response:
        """Do ``act``, spoiled by the first order for this operation, if there is one."""
        fault = next((one for one in self._waiting if one.operation in {operation, "any"}), None)
        if fault is None:
            return await act()
        # Before it acts: the act may wait, and a second request meanwhile must not take the same order.
        self._waiting.remove(fault)
        return await KINDS[fault.kind](fault, act)


async def _answer(fault: Fault, _act: Act) -> Response:
    return Response(fault.body, status=fault.status, headers=fault.headers, content_type=fault.content_type)


async def _answer_after(fault: Fault, act: Act) -> Response:
    await act()
    return await _answer(fault, act)


async def _slow(fault: Fault, act: Act) -> Response:
    """Wait, then do it; who hangs up before that has it never done."""
    await asyncio.sleep(fault.delay_s)
    return await act()


async def _slow_after(fault: Fault, act: Act) -> Response:
    answer = await act()
    await asyncio.sleep(fault.delay_s)
    return answer


async def _cut(_fault: Fault, _act: Act) -> Response:
    return Response("{", headers={CUT_HEADER: "1"})


async def _cut_after(fault: Fault, act: Act) -> Response:
    await act()
    return await _cut(fault, act)


async def _no_content(_fault: Fault, act: Act) -> Response:
    answer = await act()
    # A refusal keeps its own answer: a 204 in its place would claim that it was done.
    return Response("", status=HTTPStatus.NO_CONTENT) if answer.status_code < HTTPStatus.MULTIPLE_CHOICES else answer


async def _empty(_fault: Fault, act: Act) -> Response:
    return await _with_body(await act(), lambda _: b"")


async def _unreadable(_fault: Fault, act: Act) -> Response:
    """Do it, and answer with what a proxy may put in the place of JSON."""
    return await _with_body(await act(), lambda _: b"<html><body>OK</body></html>")


async def _truncated(_fault: Fault, act: Act) -> Response:
    """Do it, and answer with the first half of the body, as if that were all."""
    return await _with_body(await act(), lambda body: body[: len(body) // 2])


async def _stale(_fault: Fault, act: Act) -> Response:
    """Read what was before the last change."""
    # The routes look at the mark: only they know which checkout or transaction is read.
    setattr(g, STALE, True)
    return await act()


async def _missing(_fault: Fault, _act: Act) -> Response:
    """Find nothing, as SumUp says it."""
    refused = not_found()
    return Response(json.dumps(refused.body), status=refused.status, content_type=refused.media_type)


async def _with_body(answer: Response, change: Callable[[bytes], bytes]) -> Response:
    body = change(await answer.get_data(as_text=False))
    return Response(body, status=answer.status_code, content_type=answer.content_type)


KINDS: dict[Kind, Callable[[Fault, Act], Awaitable[Response]]] = {
    "status": _answer,
    "status_after": _answer_after,
    "slow": _slow,
    "slow_after": _slow_after,
    "cut_before": _cut,
    "cut_after": _cut_after,
    "no_content": _no_content,
    "empty": _empty,
    "unreadable": _unreadable,
    "truncated": _truncated,
    "stale": _stale,
    "missing": _missing,
}


class CutConnections:
    """ASGI middleware that breaks an answer off where a fault asked for it.

    A server closes the connection when an app ends in the middle of a body whose length it has announced, and
    that is as near to a cut cable as ASGI comes.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass everything on, but for an answer that is marked."""
        cut = False

        async def cutting(message: dict[str, Any]) -> None:
            nonlocal cut
            if message["type"] == "http.response.start":
                cut = any(name.lower() == CUT_HEADER.encode() for name, _ in message["headers"])
                # A length is announced and one byte sent: when the app then ends, the server can only close the
                # connection.
                if cut:
                    await send(message | {"headers": [(b"content-length", b"1000")]})
                    await send({"type": "http.response.body", "body": b"{", "more_body": True})
            if not cut:
                await send(message)

        await self._app(scope, receive, cutting)
