"""Requests to SumUp: sending, trying reads again, and telling "nothing was sent" from "the answer was lost".

Ids and codes are logged, never headers, bodies or keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import structlog
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from shared.contracts.errors import GatewayUnavailable, GatewayUnknown, RateLimited
from shared.contracts.protocols import Clock

from .answers import UnreadableAnswer, read_json
from .refusals import Refusal, error_of, read_refusal

T = TypeVar("T")

READ_TRIES = 3
LONGEST_WAIT_S = 10.0
"""What a read waits for at most before its next try; when the provider asks for more, the caller decides."""

# Only here is it certain that no byte of the request has left: everything else may have taken effect.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
BACKOFF = wait_exponential_jitter(multiplier=0.25, max=4.0, jitter=0.25)

log = structlog.get_logger(__name__)


class SumUpWire:
    """One account's connection to the API. ``sleep`` waits between the tries of a read."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        api_key: SecretStr,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._clock = clock
        self._sleep = sleep

    async def send(self, operation: str, method: str, path: str, **content: Any) -> httpx.Response:
        """Send once and return the answer, whatever its status.

        Raises GatewayUnavailable when nothing was sent, GatewayUnknown when the answer was lost.
        """
        try:
            response = await self._client.request(
                method, self._base_url + path, headers=self._headers(), follow_redirects=False, **content
            )
        except NOT_SENT as error:
            log.warning("sumup_unreachable", operation=operation, path=path, reason=type(error).__name__)
            raise GatewayUnavailable(f"{operation}: {type(error).__name__}") from error
        # After NOT_SENT, for it is the base of those as well.
        except httpx.RequestError as error:
            log.warning("sumup_answer_lost", operation=operation, path=path, reason=type(error).__name__)
            raise GatewayUnknown(f"{operation}: {type(error).__name__}") from error
        if response.is_success:
            log.info("sumup_answered", operation=operation, path=path, status=response.status_code)
        return response

    async def write(self, operation: str, method: str, path: str, parse: Callable[[Any], T], **content: Any) -> T:
        """Send once and return what ``parse`` makes of the body of a success.

        Raises as ``send``, the refusal's own error for a 4xx, and GatewayUnknown for every other answer: a 5xx,
        a redirect or an unreadable success does not tell whether the request took effect.
        """
        response = await self.send(operation, method, path, **content)
        if is_refusal(response):
            raise error_of(self.refusal(operation, response))
        if not response.is_success:
            raise GatewayUnknown(f"{operation}: {self.refusal(operation, response).code}")
        try:
            return parse(read_json(response.text))
        except UnreadableAnswer as error:
            log.warning("sumup_unreadable", operation=operation, status=response.status_code, reason=str(error))
            raise GatewayUnknown(f"{operation}: {error}") from error

    async def read(self, operation: str, path: str, parse: Callable[[Any], T], **content: Any) -> T:
        """Get something, trying again while the provider does not answer, and return what ``parse`` makes of it.

        Raises the refusal's own error for a 4xx, RateLimited, or GatewayUnavailable.
        """
        tries = AsyncRetrying(
            stop=stop_after_attempt(READ_TRIES),
            wait=_wait,
            retry=retry_if_exception(_may_try_again),
            sleep=self._sleep,
            reraise=True,
        )
        return await tries(self._read_once, operation, path, parse, content)

    def refusal(self, operation: str, response: httpx.Response) -> Refusal:
        """Read an answer that is no success, and log its codes."""
        refusal = read_refusal(response, self._clock())
        log.warning(
            "sumup_refused",
            operation=operation,
            status=refusal.status,
            code=refusal.code,
            params=refusal.params,
            trace_id=refusal.trace_id,
        )
        return refusal

    async def _read_once(self, operation: str, path: str, parse: Callable[[Any], T], content: dict[str, Any]) -> T:
        try:
            return await self.write(operation, "GET", path, parse, **content)
        except GatewayUnknown as error:
            # A read changes nothing, so a lost answer to it is no more than "not available".
            raise GatewayUnavailable(str(error)) from error

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._api_key.get_secret_value()}",
            "Accept": "application/problem+json, application/json",
        }


def is_refusal(response: httpx.Response) -> bool:
    """Tell whether an answer says that nothing happened: a 4xx, but for 408, the sign of a request lost on its way."""
    return response.is_client_error and response.status_code != httpx.codes.REQUEST_TIMEOUT


def _may_try_again(error: BaseException) -> bool:
    if isinstance(error, RateLimited):
        # A page waits for this: a provider that asks for more patience is asked again by the worker.
        return (error.retry_after or 0.0) <= LONGEST_WAIT_S
    return isinstance(error, GatewayUnavailable)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return error.retry_after
    return BACKOFF(state)
