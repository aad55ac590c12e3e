"""The mail server of development: it sends nothing on, and keeps the newest mails as files that /outbox/ shows."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import uuid4

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from shared.settings import Settings, get_settings

MOST_MAILS = 500
LARGEST_MAIL = 2 * 1024 * 1024
_log = structlog.get_logger("maypole.outbox")


def outbox_folder(settings: Settings) -> Path:
    """Return where the files lie."""
    return settings.data_dir / "outbox"


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
        """Write a file that is either whole or not there."""
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / f"{name}.eml")

    def _drop_oldest(self) -> None:
        """Keep the newest files only; names begin with the time."""
        for path in sorted(self._folder.glob("*.eml"), reverse=True)[self._most :]:
            path.unlink(missing_ok=True)


@asynccontextmanager
async def running_outbox(folder: Path, *, host: str, port: int, most: int = MOST_MAILS) -> AsyncIterator[int]:
    """Serve an outbox for the time of the block; gives the port (``port=0``: one that is free)."""
    handler = Outbox(folder, most=most)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="outbox", data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, loop=loop),
        host,
        port,
    )
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _serve(settings: Settings) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    folder = outbox_folder(settings)
    async with running_outbox(folder, host=settings.host, port=settings.outbox_port) as port:
        _log.info("outbox ready", port=port, folder=os.fspath(folder))
        await stop.wait()


def main() -> None:
    """Run the development mail server in this process until it is told to stop."""
    asyncio.run(_serve(get_settings()))


# --- Reading ---


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail of the outbox. ``name`` is its file's, without the suffix."""

    name: str
    subject: str
    recipient: str
    sent: str
    text: str
    html: str


def _part(message: EmailMessage, kind: str) -> str:
    """Return the text of a mail's part, or nothing where it has none."""
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())


def _read(path: Path) -> KeptMail:
    """Read one file."""
    message = message_from_bytes(path.read_bytes(), EmailMessage, policy=default)
    subject, recipient, sent = (str(message[name] or "") for name in ("Subject", "To", "Date"))
    return KeptMail(path.stem, subject, recipient, sent, _part(message, "plain"), _part(message, "html"))


def kept_mails(folder: Path, *, most: int = 50) -> list[KeptMail]:
    """Return the newest mails, newest first."""
    return [_read(path) for path in sorted(folder.glob("*.eml"), reverse=True)[:most]]


def kept_mail(folder: Path, name: str) -> KeptMail | None:
    """Return one mail, or None. Only a name that the folder lists is opened, so no path leads out of it."""
    path = next((path for path in folder.glob("*.eml") if path.stem == name), None)
    return None if path is None else _read(path)


if __name__ == "__main__":
    main()
