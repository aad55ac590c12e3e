"""``maypole audit``, as whoever runs the site sees it."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from launcher import app as maypole
from launcher.audit import Report
from shared.audit.run import CHECKS, Finding
from shared.db.engine import Database
from shared.settings import Settings, get_settings


def a_finding(*, wrong: int = 0, first_ids: tuple[str, ...] = ()) -> Finding:
    return Finding("seats of events", 1, "what is held is what its rows hold", "entry", 1_234_567, wrong, first_ids)


@pytest.fixture
def site(database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the command find the test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def audit() -> Result:
    return CliRunner().invoke(maypole, ["audit"])


def test_a_report_without_findings_says_that_all_is_well() -> None:
    lines = Report([a_finding()]).text.splitlines()

    assert lines[0].split() == ["check", "promise", "looked", "at", "wrong", "first", "ids"]
    assert lines[1].split() == ["seats", "of", "events", "1", "1,234,567", "0"]
    assert lines[-1] == "All is well."


def test_a_report_names_what_is_wrong_in_words_and_by_its_first_ids() -> None:
    report = Report([a_finding(wrong=7, first_ids=("3", "4")), a_finding()])

    assert not report.is_well
    assert "entry 3, 4" in report.text
    assert "seats of events: 7 times it is not so that what is held is what its rows hold." in report.text
    assert report.text.splitlines()[-1] == "1 of 2 checks found something."


@pytest.mark.usefixtures("site")
def test_the_command_ends_well_on_a_new_site() -> None:
    result = audit()

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "All is well.")
    assert len(result.stdout.splitlines()) == len(CHECKS) + 3


@pytest.mark.usefixtures("site")
async def test_the_command_fails_where_a_promise_is_broken(database: Database) -> None:
    async with database.sessions() as session:
        await session.execute(text("INSERT INTO users (email) VALUES ('ada@maypole.example')"))
        await session.execute(
            text(
                "INSERT INTO orders (number, user_id, merchant_code, currency, total, expires_at, state)"
                " SELECT 'A-1', id, 'MSANDBOX', 'GBP', 0, now(), 'pending' FROM users"
            )
        )
        await session.commit()

    result = await to_thread(audit)

    assert result.exit_code == 1
    assert "totals of orders: 1 times" in result.stdout
