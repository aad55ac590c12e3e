"""The mails that the development mail server has kept as files."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


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
    # ``default`` by name: what the parser takes otherwise, compat32, has no content manager to read a text by.
    message = message_from_bytes(path.read_bytes(), EmailMessage, policy=default)
    subject, recipient, sent = (str(message[name] or "") for name in ("Subject", "To", "Date"))
    return KeptMail(path.stem, subject, recipient, sent, _part(message, "plain"), _part(message, "html"))


def kept_mails(folder: Path, *, most: int = 50) -> list[KeptMail]:
    """Return the newest mails, newest first."""
    # Their names begin with the time, so that no file is opened only to be sorted.
    return [_read(path) for path in sorted(folder.glob("*.eml"), reverse=True)[:most]]


def kept_mail(folder: Path, name: str) -> KeptMail | None:
    """Return one mail, or None. Only a name that the folder lists is opened, so no path leads out of it."""
    path = next((path for path in folder.glob("*.eml") if path.stem == name), None)
    return None if path is None else _read(path)
