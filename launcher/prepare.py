"""Make the virtual environment and fill it from a lock file; run by the system's Python, before there is any other.

Standard library only, for that reason. ``python3 launcher/prepare.py requirements.lock`` does nothing when that lock
file, or one that contains it, is already installed: a stamp in the environment holds its hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
INCLUDES = {"requirements-dev.lock": ("requirements.lock",)}
"""The lock file for development pins everything that the one for running pins."""

COMES = ("Collecting ", "Processing ", "Requirement already satisfied: ")
"""How pip's lines begin that name one more package."""


def main() -> int:
    """Install one lock file; return 0 when it is installed in the end."""
    lock = sys.argv[1]
    with _alone():
        if _is_installed(lock):
            return 0
        return _make_environment() or _install(lock)


def _make_environment() -> int:
    # It may be there and not work: made by a Python that has been removed or replaced since.
    if PYTHON.exists() and _works():
        return 0
    print(f"Making the virtual environment {ENVIRONMENT.name} …", flush=True)
    try:
        venv.EnvBuilder(with_pip=True, clear=True).create(ENVIRONMENT)
    except (subprocess.CalledProcessError, OSError) as wrong:
        return _fail(f"cannot make {ENVIRONMENT}: {wrong} (Debian and Ubuntu: apt install python3-venv)")
    return 0


def _install(lock: str) -> int:
    """Install the lock file with pip, show how far it is, and leave the stamp."""
    lines = (ROOT / lock).read_text().splitlines()
    packages = sum(1 for line in lines if line and line[0].isalnum())
    print(f"Installing {packages} packages from {lock} (only when it has changed) …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    # Hashes: what is installed is what was locked. Binaries only: no package's build runs here.
    options = ["--progress-bar", "off", "--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / lock)]
    said = _run_with_progress([*pip, *options], packages)
    if said is not None:
        print(said, file=sys.stderr)
        return _fail(f"pip could not install {lock}: what it said stands above")
    # The stamp last: an installation that was broken off is begun again.
    for name in (lock, *INCLUDES.get(lock, ())):
        _stamp(name).write_text(_hash(name))
    return 0


def _run_with_progress(command: list[str], packages: int) -> str | None:
    """Run pip, naming each package as it comes; return None when it worked, else all that it said."""
    said, number = [], 0
    pip = subprocess.Popen(  # noqa: S603 - our own command line
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with pip:
        for line in pip.stdout or ():
            said.append(line)
            number += line.startswith(COMES)
            if line.startswith("Collecting "):
                print(f"  [{number}/{packages}] {line.split()[1]}", flush=True)
            if line.startswith("Installing collected"):
                print("  unpacking …", flush=True)
    return None if pip.returncode == 0 else "".join(said)


def _is_installed(lock: str) -> bool:
    """Say whether the stamp of this lock file is the one of its present contents."""
    return PYTHON.exists() and _stamp(lock).exists() and _stamp(lock).read_text() == _hash(lock)


def _stamp(lock: str) -> Path:
    return ENVIRONMENT / f".{lock}.installed"


def _hash(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def _works() -> bool:
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([str(PYTHON), "-c", check], check=False, capture_output=True).returncode == 0  # noqa: S603


def _fail(message: str) -> int:
    print(f"maypole: {message}", file=sys.stderr)
    return 1


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one at a time prepare this checkout, where the system has file locks."""
    try:
        import fcntl  # Windows has none
    except ImportError:
        yield
        return
    with (ROOT / "requirements.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
