"""Serves one app with Granian: one worker process, ASGI."""

from __future__ import annotations

import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from .family import end_with_parent

STOP_WITHIN_S = 4
"""Shorter than the five seconds that the process manager waits before it kills."""


def serve_factory(target: str, host: str, port: int) -> None:
    """Serve what the factory ``module:function`` makes, until SIGINT or SIGTERM; requests that run are finished."""
    server = Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        factory=True,
        log_access=False,
        workers_kill_timeout=STOP_WITHIN_S,
    )
    server.serve(target_loader=load_in_worker)


def load_in_worker(target: str) -> Callable[..., Any]:
    """Make the app, in Granian's worker process, which must not outlive Granian."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_DFL)  # what serves nobody yet need not end in order
    end_with_parent()
    module, function = target.split(":")
    made: Callable[..., Any] = getattr(import_module(module), function)()
    return made
