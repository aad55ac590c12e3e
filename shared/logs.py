"""How log lines look: structlog for ours and for every library's, as text for people or JSON for machines."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor

from shared.settings import Settings

FILE_BYTES = 5_000_000
"""How long a log file grows; the one before it is kept beside it."""

_QUIET = ("httpx", "httpcore", "asyncio", "mail.log")
"""Libraries whose "info" is of no use to whoever runs a shop."""


def _shared_processors() -> list[Processor]:
    return [
        # Brings the request's id into every line, those of libraries included.
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def escape_control_characters(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Keep what a stranger sent (a path, a header) from ending a line of text or steering a terminal."""
    return {key: _escaped(value) if isinstance(value, str) else value for key, value in line.items()}


def _escaped(value: str) -> str:
    return value if value.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)


def _formatter(settings: Settings, *, colors: bool = False) -> logging.Formatter:
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.log_format == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain traces: the pretty ones take seconds, and print local variables, tokens and addresses among them.
        plain = structlog.dev.plain_traceback
        last.append(escape_control_characters)
        last.append(structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain))
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared_processors(), processors=last)


def configure_logging(settings: Settings) -> None:
    """Send all log lines of this process to its standard error. Safe to repeat.

    With a LOG_FILE they go there, and only warnings and errors to standard error as well.
    """
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    root = logging.getLogger()
    screen = _handler(root, "maypole", logging.StreamHandler)
    screen.setFormatter(_formatter(settings, colors=sys.stderr.isatty()))
    if settings.log_file is not None:
        screen.setLevel(logging.WARNING)
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        kept = _handler(root, f"maypole {settings.log_file}", partial(_kept, settings.log_file))
        kept.setFormatter(_formatter(settings))
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _handler(root: logging.Logger, name: str, make: Callable[[], logging.Handler]) -> logging.Handler:
    """Return our handler of this name; it is made only once."""
    # Each app of one process calls this, and a second handler would write each line twice.
    found = next((handler for handler in root.handlers if handler.name == name), None)
    if found is None:
        found = make()
        found.name = name
        root.addHandler(found)
    return found


def _kept(path: Path) -> logging.Handler:
    """Return a handler that writes to a file of bounded size."""
    return RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=1, encoding="utf-8", delay=True)
