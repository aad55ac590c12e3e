"""The data folder of the embedded PostgreSQL, its passwords, and what a killed start may have left behind."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from .account import EmbeddedPostgresError, SystemAccount
from .place import own_folder

SUPERUSER = "postgres"
ROLES_SQL = Path(__file__).resolve().parents[2] / "shared" / "db" / "roles.sql"
LOG_LIMIT = 10_000_000
# Built in, and so the same on every machine: an index that is sorted by another system's rules is a broken one.
LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")


@dataclass(frozen=True)
class Secrets:
    """What is remembered between starts: the port, the passwords, and whether the roles are made."""

    port: int = 0
    superuser: str = ""
    owner: str = ""
    app: str = ""
    prepared: bool = False


@dataclass(frozen=True)
class Cluster:
    """One data folder in a home folder, with the binaries and the account that belong to it."""

    home: Path
    programs: Path
    account: SystemAccount | None

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder, private to its account."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.home / "server.log"

    def secrets(self) -> Secrets:
        """Return the remembered values, made on first use."""
        path = self.home / "secrets.json"
        if path.exists():
            return Secrets(**json.loads(path.read_text()))
        # New passwords would not fit the roles in the data, and say so only at the first connection.
        if self.data.exists():
            raise EmbeddedPostgresError(f"{path} is missing, and with it the passwords of {self.data}: bring it back")
        made = Secrets(
            superuser=secrets.token_urlsafe(24), owner=secrets.token_urlsafe(24), app=secrets.token_urlsafe(24)
        )
        self.remember(made)
        return made

    def remember(self, values: Secrets) -> None:
        """Write the values, readable by us alone, all of them or none."""
        path = self.home / "secrets.json"
        # mkstemp makes it 0600 from the first byte on; a rename takes the old one's place whole.
        handle, unfinished = tempfile.mkstemp(prefix="secrets.new-", dir=self.home)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(values), file)
        Path(unfinished).replace(path)

    def ensure_data(self, *, durable: bool) -> Secrets:
        """Make the data folder when there is none, refuse one of another PostgreSQL; return its secrets."""
        # Of starts that were killed. Nobody else is at work here: ``start_server`` holds the start's lock.
        for left in (*self.home.glob("data.new-*"), *self.home.glob("password-*"), *self.home.glob("secrets.new-*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if not self.data.exists():
            self._initdb(durable=durable)
        ours, theirs = self._major(), (self.data / "PG_VERSION").read_text().strip()
        if ours != theirs:
            raise EmbeddedPostgresError(
                f"{self.data} is of PostgreSQL {theirs} and the binaries are of {ours}: dump it with the old release"
            )
        return self.secrets()

    def clear_leftovers(self) -> None:
        """Stop a server whose starter was killed, and drop a pid file that names a process which is not ours."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        main = int(pid_file.read_text().split("\n", 1)[0])
        # The postmaster first: once it is gone its children leave by themselves.
        for process in sorted(self._processes(), key=lambda found: found.pid != main):
            _stop(process)
        pid_file.unlink(missing_ok=True)

    def trim_log(self) -> None:
        """Put a log aside that has become long."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))

    def last_words(self) -> str:
        """Return the last line of the log that says what is wrong."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        wrong = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "could not", "rror"))]
        return (wrong or lines or ["nothing"])[-1].strip()

    def prepare(self, known: Secrets) -> Secrets:
        """Make the roles and the database, once; the server runs."""
        if known.prepared:
            return known
        # By the environment, never as arguments: those stand in the list of processes for everybody to read.
        environment = {
            "PATH": os.defpath,
            "PGPASSWORD": known.superuser,
            "MAYPOLE_OWNER_PASSWORD": known.owner,
            "MAYPOLE_APP_PASSWORD": known.app,
        }
        where = ["-h", "127.0.0.1", "-p", str(known.port), "-U", SUPERUSER, "-d", "postgres"]
        _run([str(self.programs / "psql"), "-X", *where, "-f", str(ROLES_SQL)], env=environment)
        done = replace(known, prepared=True)
        self.remember(done)
        return done

    def _major(self) -> str:
        said = _run([str(self.programs / "postgres"), "--version"], env={"PATH": os.defpath})
        return said.split()[2].split(".")[0]

    def _initdb(self, *, durable: bool) -> None:
        """Make the data folder under another name first, so that a killed start leaves none that is half made."""
        # The roles are in the data folder: whoever makes that anew has to make them anew, too.
        known = replace(self.secrets(), prepared=False)
        self.remember(known)
        unfinished = own_folder(self.home / f"data.new-{secrets.token_hex(4)}", self.account)
        handle, password = tempfile.mkstemp(prefix="password-", dir=self.home)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(known.superuser)
            if self.account is not None:
                os.chown(password, self.account.uid, self.account.gid)
            options = [
                *LOCALE,
                "--auth=scram-sha-256",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--no-instructions",
                *([] if durable else ["--no-sync"]),
            ]
            command = [str(self.programs / "initdb"), "-D", str(unfinished), *options]
            _run(command, env={"PATH": os.defpath, "LC_ALL": "C"}, account=self.account)
        finally:
            Path(password).unlink()
        unfinished.rename(self.data)

    def _processes(self) -> list[psutil.Process]:
        """Return the processes that work in our data folder: PostgreSQL's processes all do."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if Path(process.cwd()) == self.data:
                    found.append(process)
        return found


def _stop(process: psutil.Process) -> None:
    """Stop one process of PostgreSQL and wait: gently, then less so."""
    # PostgreSQL's fast shutdown, then the immediate one, which is recovered from at the next start; at last SIGKILL.
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process.send_signal(signum)
            process.wait(20)
        if not process.is_running():
            return


def _run(command: list[str], *, env: dict[str, str], account: SystemAccount | None = None) -> str:
    as_account: dict[str, Any] = (
        {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    )
    started = time.monotonic()
    # cwd: the account may not be able to enter ours, and PostgreSQL's programs then complain or fail.
    done = subprocess.run(  # noqa: S603 - our own command line
        command, cwd="/", env=env, capture_output=True, text=True, timeout=120, check=False, umask=0o077, **as_account
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        took = f"after {time.monotonic() - started:.0f} s"
        raise EmbeddedPostgresError(f"{Path(command[0]).name} failed {took} and said: {said}")
    return str(done.stdout)
