"""Log lines: one line each, whatever a stranger sends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.logs import _formatter, configure_logging
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


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The root logger, without handlers for the time of a test."""
    logger = logging.getLogger()
    monkeypatch.setattr(logger, "handlers", [])
    level = logger.level
    yield logger
    logger.setLevel(level)
    for handler in logger.handlers:
        handler.close()


def test_with_a_file_only_warnings_reach_the_screen_and_the_file_gets_all(
    root: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # again, as an app in one process with its server does
        configure_logging(Settings(log_file=tmp_path / "logs" / "blog.log"))
    logging.getLogger("maypole.a").info("a request")
    logging.getLogger("maypole.a").warning("a warning")
    shown = capsys.readouterr().err
    assert ("a request" in shown, "a warning" in shown) == (False, True)
    assert len((tmp_path / "logs" / "blog.log").read_text().splitlines()) == 2


def test_a_file_does_not_grow_for_ever(root: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.logs.FILE_BYTES", 1000)
    configure_logging(Settings(log_file=tmp_path / "blog.log"))
    for number in range(100):
        logging.getLogger("maypole.a").info("request %d", number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blog.log", "blog.log.1"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000


def test_json_escapes_by_itself() -> None:
    assert line_of("json", "a\nb").count("\n") == 0


def test_the_words_of_a_line_are_kept() -> None:
    assert "Grüße für £1" in line_of("text", "Grüße für £1")
