"""``./test``: runs the kinds of tests one after the other, each as a program of its own, and adds them up."""
# ruff: noqa: T201 - a command prints

from __future__ import annotations

import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.chromium import MISSING, ensure_chromium

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / ".data" / "test-reports"
BIN = Path(sys.executable).parent
LINT = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("lint-imports",))
TYPES = (("mypy",),)
CHECKS = {"lint": LINT, "types": TYPES}
KINDS = ("unit", "contracts", "integration", "concurrency", "properties", "kills", "browser")
SIDE_BY_SIDE = dict.fromkeys(("contracts", "integration", "concurrency", "properties", "kills", "browser"), 2)
"""Kinds whose tests run in so many processes: each test, or each process, has a database and a site of its own, and
they wait for those more than they work. The others are over in seconds."""
LONG = "long"
NO_TESTS = 5
HELP = f"""usage: ./test [KIND …] [pytest options]

Without a KIND: {", ".join((*CHECKS, *KINDS))}; everything but long.
./test browser -k word     one kind, with any option of pytest
./test tests/unit/test_x.py::test_y     anything that pytest takes
./test long                what takes minutes"""


@dataclass
class Outcome:
    """How one kind went."""

    kind: str
    code: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    said: str = ""
    """What a check has written; the tests write for themselves."""

    def line(self) -> str:
        """Say it in one line."""
        counted = ", ".join(f"{number} {word}" for word, number in self.counts.items() if number)
        verdict = "ok" if self.code == 0 else "no tests" if self.code == NO_TESTS else f"FAILED (exit {self.code})"
        return f"  {self.kind:<12}{self.seconds:8.1f} s   {verdict}{'   ' + counted if counted else ''}"


def main(arguments: list[str]) -> int:
    """Run what the arguments name and return the exit code."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(HELP)
        return 0
    kinds: list[str] = []
    while arguments and arguments[0] in (*CHECKS, *KINDS, LONG):
        kinds.append(arguments.pop(0))
    if not kinds and any(Path(part.split("::")[0]).exists() for part in arguments):
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
    began = time.monotonic()
    outcomes = run_all(kinds or [*CHECKS, *KINDS], arguments)
    return conclude(outcomes, time.monotonic() - began)


def run_all(kinds: list[str], arguments: list[str]) -> list[Outcome]:
    """Run the kinds one after the other; linters and types beside the first, for they leave a core free."""
    with ThreadPoolExecutor() as aside:
        checks = [aside.submit(_timed, partial(_check, kind)) for kind in kinds if kind in CHECKS]
        outcomes: list[Outcome] = []
        for kind in kinds:
            if kind not in CHECKS:
                print(f"\n--- {kind} ---", flush=True)
                outcomes.append(_timed(partial(_pytest, kind, arguments)))
            while checks:
                outcomes.insert(0, checks.pop().result())
                print(f"\n--- {outcomes[0].kind} ---\n{outcomes[0].said}", end="", flush=True)
    return outcomes


def _timed(work: Callable[[], Outcome]) -> Outcome:
    """Run one kind and note how long it took."""
    began = time.monotonic()
    outcome = work()
    outcome.seconds = time.monotonic() - began
    return outcome


def conclude(outcomes: list[Outcome], seconds: float) -> int:
    """Print the seconds of each kind and a closing line like pytest's; return the exit code of the whole."""
    print("\n--- seconds by kind ---")
    for outcome in outcomes:
        print(outcome.line())
    total: dict[str, int] = {}
    for outcome in outcomes:
        for word, number in outcome.counts.items():
            total[word] = total.get(word, 0) + number
    failed = [outcome for outcome in outcomes if outcome.code not in {0, NO_TESTS}]
    broken = [
        outcome.kind for outcome in failed if not outcome.counts.get("failed") and not outcome.counts.get("error")
    ]
    words = [f"{number} {word}" for word, number in total.items() if number] or ["no tests ran"]
    words += [f"{kind} failed" for kind in broken]
    print(f"\n{', '.join(words)} in {seconds:.2f}s", flush=True)
    if failed:
        return 1
    return NO_TESTS if all(outcome.code == NO_TESTS for outcome in outcomes) else 0


def _check(kind: str) -> Outcome:
    """Run linters or the type checker; all of them, so that one run shows everything."""
    done = [
        subprocess.run(
            [BIN / program, *rest], cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for program, *rest in CHECKS[kind]
    ]
    return Outcome(kind, code=max(abs(one.returncode) for one in done), said="".join(one.stdout for one in done))


def _pytest(kind: str, arguments: list[str]) -> Outcome:
    """Run pytest on one kind's folder and read the counts of its report."""
    if kind == "browser" and ensure_chromium() is None:
        print(MISSING)  # tests/conftest.py then skips them, with this reason
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{kind}.xml"
    report.unlink(missing_ok=True)
    where = ["-m", LONG, "tests"] if kind == LONG else ["-m", f"not {LONG}", f"tests/{kind}"]
    workers = ["-n", str(SIDE_BY_SIDE[kind]), "--dist", "worksteal"] if kind in SIDE_BY_SIDE else []
    command = [sys.executable, "-m", "pytest", *where, *workers, f"--junit-xml={report}", *arguments]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    return Outcome(kind, code=code, counts=_counts(report))


def _counts(report: Path) -> dict[str, int]:
    """Return how many tests passed, failed and so on."""
    if not report.exists():
        return {}
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - written by pytest just now
    if suite is None:
        return {}
    failed, errors, skipped, tests = (int(suite.get(name, "0")) for name in ("failures", "errors", "skipped", "tests"))
    return {"failed": failed, "error": errors, "passed": tests - failed - errors - skipped, "skipped": skipped}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
