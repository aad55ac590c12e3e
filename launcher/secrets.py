"""The secrets of a production on one machine: made once, and kept beside its data, so that nobody copies ours."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, MutableMapping
from pathlib import Path

from cryptography.fernet import Fernet

from .failures import CommandError

FILE = "secrets.json"
MADE: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_hex(32),
    "INTERNAL_SECRETS": lambda: secrets.token_hex(32),
    "CREDENTIALS_KEYS": lambda: Fernet.generate_key().decode(),
}
"""The settings that are secrets of ours alone, and how each is made."""


def fill_in(environment: MutableMapping[str, str], *, make: bool) -> list[str]:
    """Give an environment of production the secrets that it lacks, from ``DATA_DIR``; return which were made now.

    What is set is never replaced. ``make``: a secret that the file has not is made and written down (by ``up`` alone:
    a container gets its secrets from outside). Safe to repeat. Raises CommandError where others could read the file.
    """
    missing = [name for name in MADE if not environment.get(name)]
    if environment.get("ENVIRONMENT") != "production" or not missing:
        return []
    path = Path(environment.get("DATA_DIR") or ".data") / FILE
    kept = _read(path)
    new = {name: MADE[name]() for name in missing if name not in kept} if make else {}
    if new:
        _write(path, kept | new)
    environment.update({name: value for name, value in (kept | new).items() if name in missing})
    return list(new)


def _read(path: Path) -> dict[str, str]:
    try:
        # lstat: a link could lead to a file that somebody else may change.
        mode = path.lstat().st_mode
        if path.is_symlink() or mode & 0o077:
            raise CommandError(f"{path} can be read by others: make it a file of your own, with mode 600")
        return {str(name): str(value) for name, value in json.loads(path.read_text()).items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except ValueError as wrong:
        raise CommandError(f"{path} is no longer readable: restore it from a backup") from wrong


def _write(path: Path, values: dict[str, str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        # Born with its mode: between a write and a chmod anybody could read it.
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(values, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as wrong:
        raise CommandError(f"the secrets cannot be kept in {path}: {wrong.strerror}") from wrong
