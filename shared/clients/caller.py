"""One app asks another one of ours: what the typed clients have in common.

A page that asks another app waits for its slowest answer, so a call has a timeout: a short one for what a page does
well without, a longer one for what it is there to show, which an app that has just started may not have at once. After
a failure the other app is left alone for a few seconds, so that pages stay quick while it is down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import httpx
import structlog
from pydantic import ValidationError

from shared.contracts.errors import Unavailable
from shared.db.guard import refuse_inside_transaction
from shared.settings import Settings

from .wire import Answer, Query

REST_SECONDS = 3.0
"""How long an app is not asked again after a failure."""
_ABOUT_THE_QUESTION = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY})
"""Refusals that say nothing against the app which answers."""

_log = structlog.get_logger("maypole.clients")
A = TypeVar("A", bound=Answer)


class CallFailed(Unavailable):
    """Another app of ours gave no answer, or none that can be used. ``answered`` is its status, where there was one."""

    def __init__(self, answered: int | None = None) -> None:
        """Take the status of the answer."""
        super().__init__()
        self.answered = answered


class Caller:
    """Asks one other app of ours; it remembers when that app last failed."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, app: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._app = app
        self._origin = settings.internal_origin_of(app)
        self._secret = settings.internal_secrets[0]
        self._short_while = settings.internal_timeout_ms / 1000
        self._timeout = max(settings.internal_page_timeout_ms / 1000, self._short_while)
        self._monotonic = monotonic
        self._rest_until = 0.0

    async def ask(self, path: str, answer: type[A], query: Query | None = None, *, briefly: bool = False) -> A:
        """Return the answer to a call. Safe to repeat. ``briefly``: it is not worth waiting for.

        Raises CallFailed: at once while the other app is being left alone, else in the time that the settings give.
        Raises RuntimeError inside a database transaction (docs/locking.md, "Transactions").
        """
        # A transaction that waits for another app's answer keeps its locks for that long.
        refuse_inside_transaction()
        if self._monotonic() < self._rest_until:
            raise CallFailed
        seconds = self._short_while if briefly else self._timeout
        try:
            # httpx's timeout is for each step, as connecting and reading; this one is for the call as a whole.
            async with asyncio.timeout(seconds):
                response = await self._get(path, query, seconds)
            return answer.model_validate_json(response.content)
        # An answer that cannot be read is a failure like no answer: that app may be of another version.
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            raise self._failed(error) from error

    async def ask_for_one(self, path: str, answer: type[A], query: Query | None = None) -> A | None:
        """Return the answer to a call, or None where the other app knows no such thing. Raises as ``ask``."""
        try:
            return await self.ask(path, answer, query)
        except CallFailed as failure:
            if failure.answered == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _get(self, path: str, query: Query | None, seconds: float) -> httpx.Response:
        """Make the call; raises httpx.HTTPStatusError for anything but a success."""
        response = await self._http.get(
            self._origin + path,
            # Defaults are left out: an app of an older version need not know a parameter that nobody has set.
            params=query.model_dump(mode="json", exclude_defaults=True) if query else None,
            headers={"Authorization": f"Bearer {self._secret.get_secret_value()}"},
            timeout=seconds,
            # A redirect would carry our secret elsewhere.
            follow_redirects=False,
        )
        return response.raise_for_status()

    def _failed(self, error: Exception) -> CallFailed:
        status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
        # One bad question must not keep all others from being asked.
        if status not in _ABOUT_THE_QUESTION:
            self._rest_until = self._monotonic() + REST_SECONDS
            # The kind of failure only: a validation error would quote the answer.
            _log.warning("call failed", asked=self._app, reason=type(error).__name__, status=status)
        return CallFailed(status)
