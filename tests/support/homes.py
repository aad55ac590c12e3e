"""Folders for servers that a test starts of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OPEN_TO_ALL = Path("/var/tmp")  # noqa: S108 - pytest's own folder is closed to the account that root drops to
PATIENCE_S = 60


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Give the path of a folder that does not exist yet and that any account may reach; remove it afterwards."""
    top = Path(tempfile.mkdtemp(prefix="maypole-test-", dir=OPEN_TO_ALL if os.geteuid() == 0 else None))
    if os.geteuid() == 0:
        top.chmod(0o711)
    try:
        yield top / "postgres"
    finally:
        if (top / "postgres" / "keeper.lock").exists():
            wait_for_the_end(top / "postgres")
        shutil.rmtree(top)


def wait_for_the_end(home: Path) -> None:
    """Return as soon as no keeper, and so no server, holds the folder; fail when that takes too long."""
    with (home / "keeper.lock").open("a") as file:
        waiter = threading.Thread(target=fcntl.flock, args=(file, fcntl.LOCK_EX), daemon=True)
        waiter.start()
        waiter.join(PATIENCE_S)
        if waiter.is_alive():
            raise AssertionError(f"a server still runs in {home}")
