"""Runs the programs of ``maypole up`` together: shows what they say, and ends all of them when one ends.

That suits a machine where a person looks on: the line that says what died is the last one on the screen. (Containers
restart one by one: docker-compose.yml.)
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from .database import ROOT
from .processes import Program

KILL_AFTER_S = 5.0
"""How long a program has for ending in order."""

LONGEST_LINE = 2**20


class Manager:
    """The running programs. ``watch`` runs beside them once all have been started; ``failure`` says why all ended."""

    def __init__(
        self,
        programs: Sequence[Program],
        environment: Callable[[Program], Mapping[str, str]],
        watch: Callable[[Manager], Coroutine[None, None, None]],
    ) -> None:
        self.failure = ""
        self._programs = programs
        self._environment = environment
        self._watch = watch
        self._running: dict[str, Process] = {}
        self._width = max(len(name) for name in ("system", *(program.name for program in programs)))
        self._stop = asyncio.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether the end has begun."""
        return self._stop.is_set()

    def stop(self, why: str = "") -> None:
        """Stop all, because of ``why``, or because somebody asked for it. Safe to repeat: the first reason counts."""
        if not self.is_stopping:
            self.failure = why
            self._stop.set()

    async def run(self) -> None:
        """Run until one program ends or somebody stops us; returns when all have ended."""
        # A signal that comes during the start is looked at after it, so that no program is missed when all must stop.
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, self.stop)
        self._look_for_a_reader()
        try:
            async with asyncio.TaskGroup() as group:
                for program in self._programs:
                    await self._start(program)
                for name, process in self._running.items():
                    group.create_task(self._pass_on(name, process))
                    group.create_task(self._follow(name, process))
                group.create_task(self._watch(self))
                await self._stop.wait()
                await self._end_all()
        except BaseException:
            self._send(signal.SIGKILL)
            raise

    def show(self, text: str) -> None:
        """Print; where nobody takes the output any more (``./run | head``), end and be quiet."""
        try:
            print(text, flush=True)
        except OSError:
            self._go_quiet()

    def _look_for_a_reader(self) -> None:
        """End as soon as nobody reads our output; otherwise that would be seen only when there is something to say."""
        output = sys.stdout.fileno()
        if stat.S_ISFIFO(os.fstat(output).st_mode):
            asyncio.get_running_loop().add_reader(output, self._go_quiet)  # a pipe to write to has but this to tell

    def _go_quiet(self) -> None:
        asyncio.get_running_loop().remove_reader(sys.stdout.fileno())
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
        self.stop("nobody takes the output any more")

    async def _start(self, program: Program) -> None:
        # A session of its own: Ctrl-C reaches us alone, and what a program has started is ended with it.
        self._running[program.name] = process = await asyncio.create_subprocess_exec(
            *program.command,
            cwd=ROOT,
            env=self._environment(program),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        self._say("system", f"{program.name} started (pid={process.pid})")

    async def _pass_on(self, name: str, process: Process) -> None:
        """Show each line that a program says."""
        if process.stdout is None:
            return
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                line = b"(a line that is too long to show)\n"
            if not line:
                return
            self._say(name, line.decode(errors="replace").rstrip())

    async def _follow(self, name: str, process: Process) -> None:
        """Wait for a program's end; where nobody has asked for it, all end."""
        code = await process.wait()
        self.stop(f"{name} {_how_it_ended(code)}")

    async def _end_all(self) -> None:
        self._send(signal.SIGTERM)
        ends = [asyncio.ensure_future(process.wait()) for process in self._running.values()]
        _, late = await asyncio.wait(ends, timeout=KILL_AFTER_S)
        if late:
            self._send(signal.SIGKILL)

    def _send(self, signum: signal.Signals) -> None:
        """Send a signal to every program that still runs, and to what it has started."""
        for process in self._running.values():
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signum)

    def _say(self, name: str, text: str) -> None:
        self.show(f"{datetime.now():%H:%M:%S} {name:<{self._width}} | {text}")  # noqa: DTZ005 - a person's own clock


def _how_it_ended(code: int) -> str:
    """Say in words what a return code means."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended by itself with code {code}"
