"""Serves one app with Granian: one worker process, ASGI."""

from __future__ import annotations

import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from shared.logs import configure_logging
from shared.settings import get_settings

from .family import end_with_parent

OUR_LOG: dict[str, Any] = {"formatters": {}, "handlers": {}, "loggers": {"_granian": {}, "granian.access": {}}}
"""Granian's lines go the way of all others, in their form."""

STOP_WITHIN_S = 4
"""Shorter than the five seconds that the process manager waits before it kills."""


def serve_factory(target: str, host: str, port: int) -> None:
    """Serve what the factory ``module:function`` makes, until SIGINT or SIGTERM; requests that run are finished."""
    configure_logging(get_settings())
    server = Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        # No app has any.
        websockets=False,
        factory=True,
        # The apps write their own line for each request, without the secrets of its address.
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=OUR_LOG,
        workers_kill_timeout=STOP_WITHIN_S,
    )
    server.serve(target_loader=load_in_worker)


def load_in_worker(target: str) -> Callable[..., Any]:
    """Make the app, in Granian's worker process, which must not outlive Granian."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_DFL)  # what serves nobody yet need not end in order
    end_with_parent()
    configure_logging(get_settings())
    module, function = target.split(":")
    made: Callable[..., Any] = getattr(import_module(module), function)()
    return made
