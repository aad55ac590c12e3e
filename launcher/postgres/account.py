"""As whom PostgreSQL runs: it refuses to run as root, so root drops to an account that exists already."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

CANDIDATES = ("postgres", "nobody", "daemon")


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message is one clear line for the person who runs it."""


@dataclass(frozen=True)
class SystemAccount:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int

    def may(self, mode: int, path: Path) -> bool:
        """Say whether this account has the rights ``mode`` (of 4 read, 2 write, 1 enter or run) on ``path`` itself."""
        found = path.stat()
        # Owner, group, others: as the kernel does, the first that fits decides, even if a later one would allow more.
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        return (stat.S_IMODE(found.st_mode) >> shift) & mode == mode

    def can_enter(self, folder: Path) -> bool:
        """Say whether this account can get into ``folder`` through all the folders above it."""
        return all(self.may(1, step) for step in (folder, *folder.parents))


def account_to_drop_to(data: Path) -> SystemAccount | None:
    """Return whom to run as when we are root (who owns the data already, else the first that exists); else None."""
    if os.geteuid() != 0:
        return None
    # The files' owner, else PostgreSQL refuses them: another account may have been chosen first.
    if data.exists() and data.stat().st_uid != 0:
        return _account(pwd.getpwuid(data.stat().st_uid))
    for name in CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return _account(found)
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root and none of the accounts postgres, nobody and daemon exists: "
        "run this as an ordinary user, or set DATABASE_URL to a PostgreSQL of yours"
    )


def _account(found: pwd.struct_passwd) -> SystemAccount:
    """Return the entry of the password file with its own group, where that group exists."""
    try:
        grp.getgrgid(found.pw_gid)
    except KeyError as missing:
        raise EmbeddedPostgresError(
            f"the account {found.pw_name} has no group: set DATABASE_URL to a PostgreSQL of yours"
        ) from missing
    return SystemAccount(found.pw_name, found.pw_uid, found.pw_gid)
