"""A shop of which only the ear is there: it takes the notices of a sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Quart, request


class Listener:
    """A shop that takes notices; it answers with each status of ``answers`` in turn, the last one for ever.

    With ``together`` it answers nobody before so many are there at once.
    """

    def __init__(self, *answers: int, together: int = 1) -> None:
        self.notices: asyncio.Queue[Any] = asyncio.Queue()
        self._answers = list(answers)
        self._together = asyncio.Barrier(together)
        self.app = Quart(__name__)
        self.app.add_url_rule("/notice", "notice", self._take, methods=["POST"])

    async def _take(self) -> tuple[str, int]:
        await self._together.wait()
        await self.notices.put(await request.get_json())
        return "", self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
