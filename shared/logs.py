"""How log lines look: structlog for ours and for every library's, as text for people or JSON for machines."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

from shared.settings import Settings

_QUIET = ("httpx", "httpcore", "asyncio", "mail.log")
"""Libraries whose "info" is of no use to whoever runs a shop."""


def _shared_processors() -> list[Processor]:
    """Return what every line goes through, whoever wrote it."""
    return [
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
    """Write what cannot be seen as Python would."""
    return value if value.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)


def _formatter(settings: Settings) -> logging.Formatter:
    """Return the formatter for the chosen form of log lines."""
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.log_format == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain traces: the pretty ones take seconds, and print local variables, tokens and addresses among them.
        plain = structlog.dev.plain_traceback
        last.append(escape_control_characters)
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain))
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared_processors(), processors=last)


def configure_logging(settings: Settings) -> None:
    """Send all log lines of this process to its standard error. Safe to repeat."""
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    root = logging.getLogger()
    ours = next((handler for handler in root.handlers if handler.name == "maypole"), None)
    if ours is None:
        ours = logging.StreamHandler()
        ours.name = "maypole"
        root.addHandler(ours)
    ours.setFormatter(_formatter(settings))
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
