"""``g.s``: one database session for a request, opened lazily and committed before the response is sent.

It is committed when the answer's status is below 400 and rolled back otherwise, so a refusal never leaves half of
its work behind and nobody is told "done" before it is (docs/locking.md, "Transactions"). Routes never commit.
"""

from __future__ import annotations

from typing import cast

from quart import Quart, g
from quart.ctx import _AppCtxGlobals
from quart.typing import ResponseTypes
from sqlalchemy.ext.asyncio import AsyncSession

from .state import app_state

_SLOT = "_maypole_session"


class RequestGlobals(_AppCtxGlobals):
    """Quart's ``g``, with the request's session as ``s``."""

    @property
    def s(self) -> AsyncSession:
        """The request's session; the database is not asked for anything before the first statement."""
        session = self.get(_SLOT)
        if session is None:
            session = app_state().database.sessions()
            setattr(self, _SLOT, session)
        return cast("AsyncSession", session)


async def discard_session() -> None:
    """Roll back and close the request's session, if there is one. A later ``g.s`` is a new one."""
    session: AsyncSession | None = g.pop(_SLOT, None)
    if session is not None:
        # Closing rolls back what was not committed, and frees the connection.
        await session.close()


async def _finish(response: ResponseTypes) -> ResponseTypes:
    session: AsyncSession | None = g.get(_SLOT)
    if session is not None and response.status_code < 400:  # noqa: PLR2004 - where HTTP's refusals begin
        await session.commit()
    await discard_session()
    return response


async def _tear_down(_error: BaseException | None) -> None:
    await discard_session()


def install_session(app: Quart) -> None:
    """Give ``app`` its ``g.s``. To be called after everything else that looks at responses.

    Quart runs these functions last-come first, so the commit comes before cookies are set and headers are written;
    when it fails, the response that was ready is thrown away and an error page takes its place.
    """
    app.app_ctx_globals_class = RequestGlobals
    app.after_request(_finish)
    app.teardown_request(_tear_down)
