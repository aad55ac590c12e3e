"""Processes that end with the process that started them, even when that one is killed."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import threading
import time

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 0.5


def end_with_parent(signum: signal.Signals = signal.SIGTERM) -> None:
    """From now on, get ``signum`` when the parent of this process ends. To be called by the main thread, early."""
    parent = os.getppid()
    if platform.system() == "Linux":
        # prctl(2), PR_SET_PDEATHSIG: Python has no function for it.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:  # it ended just before
            os.kill(os.getpid(), signum)
        return
    # macOS has nothing like it. An orphan is given to another parent at once, so its parent's id changes.
    threading.Thread(target=_watch, args=(parent, signum), daemon=True).start()


def _watch(parent: int, signum: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signum)
