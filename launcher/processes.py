"""The processes of an installation under ``maypole up``, and the manager that runs them together.

The manager is honcho's. It ends all when one ends, which suits a machine where a person looks on: the line that says
what died is the last one on the screen. (Containers restart one by one: docker-compose.yml.)
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.printer import Printer
from honcho.process import Process

from shared.settings import APPS, Settings

from .database import ROOT, DatabaseUrls
from .family import end_with_parent

BORN_WITHIN_S = 30.0


@dataclass(frozen=True)
class Program:
    """One process: a command of ours, and where it can be seen to be up (a path: over HTTP; none: it listens)."""

    name: str
    arguments: tuple[str, ...]
    port: int | None = None
    port_setting: str = ""
    health_path: str | None = None

    @property
    def command_line(self) -> str:
        """The command for the shell, which it replaces."""
        return "exec " + shlex.join([sys.executable, "-m", "launcher", *self.arguments, "--end-with-parent"])


def programs_of(settings: Settings) -> list[Program]:
    """Return the processes that these settings ask for, the ones that others need first."""
    found = []
    if settings.uses_sandbox:
        found.append(Program("sandbox", ("sandbox",), settings.sandbox_port, "SANDBOX_PORT", "/health"))
    if uses_outbox(settings):
        found.append(Program("outbox", ("outbox",), settings.outbox_port, "OUTBOX_PORT"))
    apps = [app_program(settings, app, "/health/ready") for app in APPS]
    return [*found, *apps, Program("worker", ("worker",))]


def app_program(settings: Settings, app: str, health_path: str) -> Program:
    """Return the process of one of the four apps."""
    return Program(app, ("serve", app), settings.port_of(app), f"{app.upper()}_PORT", health_path)


def uses_outbox(settings: Settings) -> bool:
    """Say whether mails go to the development outbox: nobody has named a mail server."""
    return settings.environment == "development" and not settings.model_fields_set & {"smtp_host", "smtp_port"}


def environment_of(urls: DatabaseUrls) -> dict[str, str]:
    """Return the environment of the processes: ours, with the apps' database, and without the owner's."""
    inherited = {name: value for name, value in os.environ.items() if name.upper() != "MIGRATE_DATABASE_URL"}
    return {**inherited, "DATABASE_URL": urls.app, "PYTHONUNBUFFERED": "1"}


class FamilyProcess(Process):  # type: ignore[misc]  # honcho brings no types
    """A process of honcho's whose go-between does not outlive the manager."""

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Run the command and pass its output on; called in a process of its own."""
        end_with_parent(signal.SIGKILL)  # it ignores SIGTERM; its child then gets SIGTERM
        super().run(events, ignore_signals)


class CarefulPrinter(Printer):  # type: ignore[misc]  # honcho brings no types
    """Honcho's printer, which says once that nobody takes the output any more (``./run | head``), and goes quiet."""

    def __init__(self, closed: Callable[[], None]) -> None:
        super().__init__(sys.stdout)
        self._closed = closed

    def write(self, message: Any) -> None:
        """Print one message."""
        try:
            super().write(message)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
            self._closed()


class FamilyManager(Manager):  # type: ignore[misc]  # honcho brings no types
    """Honcho's manager, for our programs; ``watch`` runs beside it once all are born."""

    def __init__(
        self, programs: list[Program], environment: dict[str, str], watch: Callable[[FamilyManager], None]
    ) -> None:
        super().__init__(CarefulPrinter(lambda: self.fail("nobody takes the output any more")))
        self._process_ctor = FamilyProcess
        self._watch = watch
        self.failure = ""
        for program in programs:
            self.add_process(program.name, program.command_line, env=environment, cwd=str(ROOT))

    def fail(self, why: str) -> None:
        """Stop all, because of ``why``."""
        self.failure = why
        self.terminate()

    @property
    def is_stopping(self) -> bool:
        """Whether the end has begun."""
        return bool(self._terminating)

    def loop(self) -> None:
        """Run until one process ends or somebody stops us; returns when all have ended."""
        multiprocessing.set_start_method("fork", force=True)  # a go-between must be our own child
        try:
            super().loop()
        except BaseException:
            for found in self._processes.values():
                if "process" in found:
                    found["process"].kill()  # the go-between; what it runs ends with it
            raise

    def terminate(self) -> None:
        """Stop all processes, and note who ended unasked; safe to repeat."""
        if not self._terminating and not self.failure:
            ended = [(name, found["returncode"]) for name, found in self._processes.items() if "returncode" in found]
            self.failure = "; ".join(f"{name} {_how_it_ended(code)}" for name, code in ended)
        super().terminate()

    def _start(self) -> None:
        """Start all, and hold signals back until every process is known, so that none is missed when it must stop."""
        held: list[int] = []
        usual = {signum: signal.signal(signum, _holder(held)) for signum in (signal.SIGINT, signal.SIGTERM)}
        super()._start()
        self._await_births()
        for signum, handler in usual.items():
            signal.signal(signum, handler)
        threading.Thread(target=self._watch, args=(self,), daemon=True).start()
        if held:
            signal.raise_signal(signal.Signals(held[0]))

    def _await_births(self) -> None:
        """Wait for the process ids, and hand all messages on to the loop."""
        seen = []
        deadline = time.monotonic() + BORN_WITHIN_S
        while not self._all_started() and time.monotonic() < deadline:
            try:
                message = self.events.get(timeout=1)
            except queue.Empty:
                continue
            seen.append(message)
            if message.type == "start":
                self._processes[message.name]["pid"] = message.data["pid"]
        for message in seen:
            self.events.put(message)


def _how_it_ended(code: int) -> str:
    """Say in words what a return code means."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended by itself with code {code}"


def _holder(held: list[int]) -> Callable[[int, FrameType | None], None]:
    """Return a signal handler that only takes note."""

    def handler(signum: int, _frame: FrameType | None) -> None:
        held.append(signum)

    return handler
