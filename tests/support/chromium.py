"""The browser of the browser tests: found, or installed where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ON_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")
MISSING = (
    "no Chromium: install it (Debian: apt-get install chromium; elsewhere: .venv/bin/playwright install chromium), "
    "or set CHROMIUM to its path"
)


def find_chromium() -> str | None:
    """Return the path of a Chromium: what CHROMIUM names, else one on the path, else Playwright's own; else None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    on_path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if on_path or ON_MAC.exists():
        return on_path or str(ON_MAC)
    return _of_playwright()


def ensure_chromium() -> str | None:
    """Return the path of a Chromium, installing Debian's when there is none and we are root; else None."""
    found = find_chromium()
    if found or shutil.which("apt-get") is None or os.geteuid() != 0:
        return found
    print("Installing Chromium with apt-get …", flush=True)  # noqa: T201 - it takes a while
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", "-q", *words], check=False, stdout=subprocess.DEVNULL, env=environment)
    return find_chromium()


def _of_playwright() -> str | None:
    """Return the browser that ``playwright install`` has put into the user's cache."""
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", ask], check=False, capture_output=True, text=True)
    path = done.stdout.strip()
    return path if path and Path(path).exists() else None
