"""The mail server of development: it sends nothing on, and keeps the newest mails as files that /outbox/ shows."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from shared.settings import Settings, get_settings

MOST_MAILS = 500
LARGEST_MAIL = 2 * 1024 * 1024
_log = structlog.get_logger("maypole.outbox")


class Outbox:
    """The handler of the mail server."""

    def __init__(self, folder: Path, *, most: int = MOST_MAILS) -> None:
        self._folder = folder
        self._most = most
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail, and drop the oldest where there are too many."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}"
        self._write(name, content)
        self._drop_oldest()
        _log.info("mail kept", name=name)
        return "250 kept"

    def _write(self, name: str, content: bytes) -> None:
        # The blog's page lists ``*.eml`` while we write: it must never see half a mail.
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / f"{name}.eml")

    def _drop_oldest(self) -> None:
        # Names begin with the time, so their order is that of arrival.
        for path in sorted(self._folder.glob("*.eml"), reverse=True)[self._most :]:
            path.unlink(missing_ok=True)


@asynccontextmanager
async def running_outbox(folder: Path, *, host: str, port: int, most: int = MOST_MAILS) -> AsyncIterator[int]:
    """Serve an outbox for the time of the block; gives the port (``port=0``: one that is free)."""
    handler = Outbox(folder, most=most)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        # aiosmtpd's usual controller serves in a thread of its own; this way it shares our loop, and stops with it.
        lambda: SMTP(handler, hostname="outbox", data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, loop=loop),
        host,
        port,
    )
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    folder = settings.outbox_folder
    async with running_outbox(folder, host=settings.host, port=settings.outbox_port) as port:
        _log.info("outbox ready", port=port, folder=os.fspath(folder))
        await stop.wait()


def main() -> None:
    """Run the development mail server in this process until it is told to stop."""
    asyncio.run(_serve(get_settings()))
