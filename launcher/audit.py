"""``maypole audit``: what is wrong with seats and money, if anything, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.audit.check import Check
from shared.audit.provider import audit_provider
from shared.audit.run import CHECKS, Finding, checks_of, run_audit
from shared.contracts.errors import GatewayError
from shared.db.engine import Database
from shared.payments.providers import sumup_alone
from shared.settings import Settings
from shared.web.state import utc_now

from .failures import CommandError

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


async def audit_site(settings: Settings, url: str, *, provider_days: int | None = None) -> Report:
    """Make all checks on a database; with ``provider_days`` compare so much of the provider's record as well.

    Raises CommandError where the provider cannot be asked.
    """
    database = Database(url, pool_size=1, settings=settings)
    try:
        findings = await run_audit(database, now=utc_now(), checks=_checks())
        if provider_days is not None:
            findings += await _ask_provider(database, settings, utc_now() - timedelta(days=provider_days))
        return Report(findings)
    finally:
        await database.dispose()


def _checks() -> tuple[Check, ...]:
    """Return the checks of everything that the cart app sells.

    In another app's image there is no cart app: there they are those of tickets, bookings and products, and a line of
    any other kind is reported.
    """
    try:
        from cart.wiring import KINDS
    except ModuleNotFoundError:
        return CHECKS
    return checks_of([kind.audited for kind in KINDS])


async def _ask_provider(database: Database, settings: Settings, since: datetime) -> list[Finding]:
    async with sumup_alone(settings, database, clock=utc_now) as gateways:
        try:
            return await audit_provider(database, gateways, settings.sumup_merchant_code, since=since, now=utc_now())
        except GatewayError as error:
            # Not a finding: nothing was compared, and a table without those rows would read as if all were well.
            raise CommandError(f"SumUp could not be asked ({type(error).__name__}): nothing was compared") from error


def _row(finding: Finding) -> tuple[str, ...]:
    ids = f"{finding.thing} {', '.join(finding.first_ids)}" if finding.first_ids else ""
    return finding.name, str(finding.promise), f"{finding.looked_at:,}", f"{finding.wrong:,}", ids


def _cell(column: int, cell: tuple[str, int]) -> str:
    words, width = cell
    return words.rjust(width) if 0 < column < len(HEAD) - 1 else words.ljust(width)
