"""Log lines: one line each, whatever a stranger sends."""

from __future__ import annotations

import logging

from shared.logs import _formatter
from shared.settings import Settings


def line_of(log_format: str, message: str) -> str:
    """Write one line of a library's, as an installation does."""
    settings = Settings.model_validate({"log_format": log_format})
    record = logging.LogRecord("hypercorn", logging.INFO, __file__, 1, message, (), None)
    return _formatter(settings).format(record)


def test_a_stranger_can_neither_end_a_line_nor_steer_the_terminal() -> None:
    written = line_of("text", "GET /a\n2026-11-26 [info] paid\x1b[2J\u202e")
    assert written.isprintable()
    assert r"GET /a\n2026-11-26 [info] paid\x1b[2J\u202e" in written


def test_json_escapes_by_itself() -> None:
    assert line_of("json", "a\nb").count("\n") == 0


def test_the_words_of_a_line_are_kept() -> None:
    assert "Grüße für £1" in line_of("text", "Grüße für £1")
