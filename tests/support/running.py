"""A whole installation, started the way that people start it: ``maypole up``, with ports and data of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.support.postgres import ROOT

PORTS = ("BLOG_PORT", "MARKET_PORT", "CART_PORT", "EVENTS_PORT", "SANDBOX_PORT", "OUTBOX_PORT")
UP = " is up after "


def free_ports(names: tuple[str, ...] = PORTS) -> dict[str, str]:
    """Return a different free port for each name."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in names]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return {name: str(probe.getsockname()[1]) for name, probe in zip(names, probes, strict=True)}


class Installation:
    """``maypole up`` as a process; read its output, signal it, and see what it leaves behind."""

    def __init__(self, data: Path, *options: str, **settings: str) -> None:
        """Start it in the background."""
        self.settings = {"DATA_DIR": str(data), **free_ports(), **settings}
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "launcher", "up", *options],
            cwd=ROOT,
            env={**os.environ, **self.settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, words: str) -> str:
        """Return the first line with these words; fail when the process ends without one."""
        for line in self.process.stdout or ():
            self.said.append(line)
            if words in line:
                return line
        raise AssertionError(f"never said {words!r}, but:\n{''.join(self.said)}")

    def family(self) -> list[psutil.Process]:
        """Return it and all that it has started, PostgreSQL's keeper and server included."""
        own = psutil.Process(self.process.pid)
        data = Path(self.settings["DATA_DIR"]) / "postgres" / "data" / "postmaster.pid"
        server = psutil.Process(int(data.read_text().split("\n")[0]))
        keeper = server.parent()
        return [own, *own.children(recursive=True), server, *([keeper] if keeper else [])]

    def child(self, name: str) -> psutil.Process:
        """Return the process that ``maypole`` runs as ``name``."""
        wanted = [name] if name in {"worker", "sandbox", "outbox"} else ["serve", name]
        for process in psutil.Process(self.process.pid).children(recursive=True):
            line = process.cmdline()
            if line[3 : 3 + len(wanted)] == wanted:
                return process
        raise AssertionError(f"there is no process {name}")

    def end(self, signum: signal.Signals | None = None) -> int:
        """Send a signal, read the rest of the output, and return the exit code."""
        if signum is not None:
            self.process.send_signal(signum)
        try:
            rest, _ = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()  # and with it all that it has started
            self.process.communicate()
            raise
        self.said.append(rest)
        return self.process.returncode

    @property
    def output(self) -> str:
        """All that it has said so far."""
        return "".join(self.said)
