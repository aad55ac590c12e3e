"""``maypole audit``: what is wrong with seats and money, if anything, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.db.engine import Database
from shared.services.audit import Finding, run_audit
from shared.settings import Settings
from shared.web.state import utc_now

HEAD = ("check", "promise", "looked at", "wrong", "first ids")


@dataclass(frozen=True, slots=True)
class Report:
    """What came of all checks."""

    findings: Sequence[Finding]

    @property
    def wrong(self) -> list[Finding]:
        """The checks that found something."""
        return [finding for finding in self.findings if finding.wrong]

    @property
    def is_well(self) -> bool:
        """Whether none of them did."""
        return not self.wrong

    @property
    def text(self) -> str:
        """All checks as a table, what is wrong in words below it, and the verdict."""
        rows = [HEAD, *map(_row, self.findings)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = "\n".join(
            "  ".join(_cell(*pair) for pair in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows
        )
        words = "".join(f"\n{each.name}: {each.wrong} times it is not so that {each.says}." for each in self.wrong)
        verdict = (
            "All is well." if self.is_well else f"{len(self.wrong)} of {len(self.findings)} checks found something."
        )
        return f"{table}\n{words}\n{verdict}"


async def audit_site(settings: Settings, url: str) -> Report:
    """Make all checks on a database."""
    database = Database(url, pool_size=1, settings=settings)
    try:
        return Report(await run_audit(database, now=utc_now()))
    finally:
        await database.dispose()


def _row(finding: Finding) -> tuple[str, ...]:
    """Write one check as a row."""
    ids = f"{finding.thing} {', '.join(finding.first_ids)}" if finding.first_ids else ""
    return finding.name, str(finding.promise), f"{finding.looked_at:,}", f"{finding.wrong:,}", ids


def _cell(column: int, cell: tuple[str, int]) -> str:
    """Write a cell: names and ids to the left, numbers to the right."""
    words, width = cell
    return words.rjust(width) if 0 < column < len(HEAD) - 1 else words.ljust(width)
