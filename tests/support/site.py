"""The whole site as people run it: every process of ``maypole up``, on free ports, over one database of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from launcher.health import not_up_yet
from launcher.processes import Program, programs_of
from shared.db.engine import Database
from shared.settings import Settings
from tests.support.postgres import ROOT, Urls
from tests.support.running import free_ports

UP_WITHIN_S = 120.0
GONE_WITHIN_S = 15.0
LOOK_EVERY_S = 0.05
BAD_LEVELS = frozenset({"error", "critical"})


class Site:
    """The processes, each of which can be killed and started again, and what they have written."""

    def __init__(self, urls: Urls, folder: Path) -> None:
        """Take a database and a folder for data and logs; nothing is started yet."""
        self.environment = {
            "ENVIRONMENT": "development",
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": urls.app,
            "LOG_FORMAT": "json",
            "RECONCILE_EVERY_S": "1",
            # A badge that is late on a busy machine is none of the product's faults; how long a page waits is tested apart.
            "INTERNAL_TIMEOUT_MS": "3000",
            # One notice at once; who missed it does not get another while a test looks on.
            "SANDBOX_WEBHOOK_DELAYS_S": "0.1,3600",
            **free_ports(),
        }
        self.settings = Settings.model_validate({name.lower(): value for name, value in self.environment.items()})
        self.database = Database(urls.app, pool_size=4, settings=self.settings)
        self.programs: dict[str, Program] = {program.name: program for program in programs_of(self.settings)}
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._read: dict[Path, int] = {}

    def url(self, app: str, path: str = "/") -> str:
        """Return an address of one of the four apps, or of the sandbox."""
        origin = self.settings.sumup_origin if app == "sandbox" else self.settings.url_of(app)
        return origin + path

    async def start(self, *names: str) -> None:
        """Start these processes, or all, and return when they are healthy."""
        chosen = [self.programs[name] for name in names or self.programs]
        for program in chosen:
            self._start(program)
        late = await asyncio.to_thread(not_up_yet, chosen, self.settings.host, self._is_broken, UP_WITHIN_S)
        if late or self._is_broken():
            raise AssertionError(f"not up: {[program.name for program in late]}\n{self.ends_of_logs()}")

    def kill(self, *names: str) -> None:
        """Kill processes with all of their children, at once and without a word (SIGKILL)."""
        family = [member for name in names for member in _family(self._processes[name].pid)]
        for member in family:
            member.kill()
        psutil.wait_procs(family, timeout=GONE_WITHIN_S)
        for name in names:
            self._processes.pop(name).wait(GONE_WITHIN_S)

    def is_running(self, name: str) -> bool:
        """Say whether a process runs."""
        return name in self._processes and self._processes[name].poll() is None

    async def end(self) -> None:
        """End everything that was started; what does not go by itself is killed."""
        family = [member for process in self._processes.values() for member in _family(process.pid)]
        for process in self._processes.values():
            process.terminate()
        await asyncio.to_thread(_see_off, family)
        for process in self._processes.values():
            process.wait(GONE_WITHIN_S)
        self._processes.clear()
        await self.database.dispose()

    def new_complaints(self) -> list[str]:
        """Return what the processes have logged as errors since the last call."""
        return [line for path in sorted(self.logs.iterdir()) for line in self._new_lines(path) if _is_complaint(line)]

    def ends_of_logs(self, lines: int = 15) -> str:
        """Return the last lines of every log."""
        tails = ((path.stem, path.read_text(errors="replace").splitlines()[-lines:]) for path in self.logs.iterdir())
        return "\n".join(f"--- {name}\n" + "\n".join(tail) for name, tail in tails)

    def _start(self, program: Program) -> None:
        command = [sys.executable, "-m", "launcher", *program.arguments, "--end-with-parent"]
        environment = {**os.environ, **self.environment, "PYTHONUNBUFFERED": "1"}
        with (self.logs / f"{program.name}.log").open("ab") as log:
            self._processes[program.name] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def _is_broken(self) -> bool:
        """Say whether a process has ended by itself."""
        return any(process.poll() is not None for process in self._processes.values())

    def _new_lines(self, path: Path) -> list[str]:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            # A line that is still being written is left for the next call.
            whole, _, _ = file.read().rpartition(b"\n")
        self._read[path] = self._read.get(path, 0) + len(whole) + bool(whole)
        return whole.decode(errors="replace").splitlines()


@asynccontextmanager
async def running_site(urls: Urls, folder: Path) -> AsyncIterator[Site]:
    """Start a site, and end it after the block."""
    site = Site(urls, folder)
    try:
        await site.start()
        yield site
    finally:
        await site.end()


async def wait_until(condition: Callable[[], Awaitable[bool]], what: str, within_s: float = 30.0) -> None:
    """Ask again and again until it is so; fail, naming ``what``, when it is not so in time."""
    deadline = time.monotonic() + within_s
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {what}")
        await asyncio.sleep(LOOK_EVERY_S)


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _see_off(family: list[psutil.Process]) -> None:
    _, staying = psutil.wait_procs(family, timeout=GONE_WITHIN_S)
    for member in staying:
        member.kill()
    psutil.wait_procs(staying, timeout=GONE_WITHIN_S)


def _is_complaint(line: str) -> bool:
    try:
        return json.loads(line).get("level") in BAD_LEVELS
    except (ValueError, AttributeError):
        return line.startswith(("Traceback", "[ERROR]"))
