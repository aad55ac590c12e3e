"""Whether ports are free before the start, and whether the programs answer after it."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from .processes import Program

LOOK_EVERY_S = 0.1
ANSWER_WITHIN_S = 3
OK = 200
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, and where to knock then


def cannot_listen(programs: list[Program], host: str) -> list[tuple[Program, OSError]]:
    """Return the programs that cannot listen on their port, and why."""
    ports = ((program, _cannot_bind(host, program.port)) for program in programs if program.port is not None)
    return [(program, wrong) for program, wrong in ports if wrong is not None]


def not_up_yet(programs: list[Program], host: str, give_up: Callable[[], bool], within_s: float) -> list[Program]:
    """Wait until all programs are up and return []; else those that are not, after ``within_s`` or on ``give_up``."""
    waiting = [program for program in programs if program.port is not None]
    deadline = time.monotonic() + within_s
    while waiting and time.monotonic() < deadline and not give_up():
        waiting = [program for program in waiting if not _is_up(program, host)]
        if waiting:
            time.sleep(LOOK_EVERY_S)
    return waiting


def _cannot_bind(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the servers do: without it a port that was just left would count as taken for a minute (TIME_WAIT).
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as wrong:
            return wrong
        return None


def _is_up(program: Program, host: str) -> bool:
    knock = EVERYWHERE.get(host, host)
    try:
        if program.health_path is None:
            socket.create_connection((knock, program.port or 0), ANSWER_WITHIN_S).close()
            return True
        netloc = f"[{knock}]" if ":" in knock else knock
        address = f"http://{netloc}:{program.port}{program.health_path}"
        with _direct.open(address, timeout=ANSWER_WITHIN_S) as answer:
            return bool(answer.status == OK)
    except (OSError, urllib.error.URLError):
        return False


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that the environment names is no way to our own ports."""
