"""Keep one PostgreSQL server running as long as somebody uses it; a program of its own, standard library only.

Everybody who uses the server holds a shared lock on one file. The keeper waits for the exclusive lock on it: the
kernel gives it when the last user has released theirs, however that user ended, SIGKILL included. Then the server is
stopped with SIGINT (PostgreSQL's fast shutdown) and waited for. So no start leaves an orphan, and two may share a
server.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

READY_WITHIN_S = 120.0
STOPPED_WITHIN_S = 60.0
POLL_S = 0.01
STATUS_LINE = 8  # of postmaster.pid: starting, ready, standby or stopping


@dataclass(frozen=True)
class Job:
    """What to run, as whom, and the files to meet at."""

    command: list[str]
    data: str
    log: str
    users_lock: str
    keeper_lock: str
    user: int | None
    group: int | None

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what ``to_json`` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Write it for the command line; it holds no secret."""
        return json.dumps(self.__dict__)


def main() -> int:
    """Return 0 once the server accepts connections (the keeper lives on in the background), else 1."""
    job = Job.from_json(sys.argv[1])
    answer, tell = os.pipe()
    # The parent answers and leaves; the child keeps the server, and so outlives whoever has started it.
    if os.fork():
        os.close(tell)
        return 0 if os.read(answer, 1) == b"+" else 1
    os.close(answer)
    try:
        _keep(job, tell)
    finally:
        os._exit(1)


def _keep(job: Job, tell: int) -> None:
    """Start the server, say so, and stay until nobody uses it."""
    _leave_the_terminal(job.log)
    alone = Path(job.keeper_lock).open("a")  # noqa: SIM115 - open, and so locked, until this process ends
    # Without waiting: a second keeper of one server must fail at once.
    fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    server = _start(job)
    signal.signal(signal.SIGTERM, _passer_on(server))
    watcher = threading.Thread(target=_end_with, args=(server,), daemon=True)
    if not _becomes_ready(server, Path(job.data)):
        _stop(server)
        return
    watcher.start()
    with contextlib.suppress(BrokenPipeError):  # who asked may have been killed meanwhile
        os.write(tell, b"+")
    os.close(tell)
    with Path(job.users_lock).open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        _stop(server)


def _leave_the_terminal(log: str) -> None:
    """Become a session of our own, so that Ctrl-C at the terminal does not reach us or the server."""
    os.setsid()
    # Who reads the starter's output to its end would wait for as long as the keeper held it open.
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)


def _start(job: Job) -> subprocess.Popen[bytes]:
    as_account: dict[str, Any] = {} if job.user is None else {"user": job.user, "group": job.group, "extra_groups": []}
    return subprocess.Popen(  # noqa: S603 - our own command line
        job.command, cwd="/", umask=0o077, env={"PATH": os.defpath, "LC_ALL": "C"}, **as_account
    )


def _becomes_ready(server: subprocess.Popen[bytes], data: Path) -> bool:
    """Wait until the server's own status file says ready, or it has ended."""
    deadline = time.monotonic() + READY_WITHIN_S
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            # The pid is compared: until the server has written its own file, an older one may still lie there.
            if len(lines) >= STATUS_LINE and lines[0] == str(server.pid) and lines[7].strip() == "ready":
                return True
        time.sleep(POLL_S)
    return False


def _passer_on(server: subprocess.Popen[bytes]) -> Callable[[int, FrameType | None], None]:
    """Return a signal handler that stops the server; the watcher then ends this process."""

    def handler(_signum: int, _frame: FrameType | None) -> None:
        server.send_signal(signal.SIGINT)

    return handler


def _end_with(server: subprocess.Popen[bytes]) -> None:
    """End this process as soon as the server has ended; the locks go with it."""
    server.wait()
    os._exit(0)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server: SIGINT and wait; should that take too long, SIGQUIT, from which PostgreSQL recovers."""
    for signum, patience in ((signal.SIGINT, STOPPED_WITHIN_S), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        server.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience)
            return


if __name__ == "__main__":
    sys.exit(main())
