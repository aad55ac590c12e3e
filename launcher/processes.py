"""The processes of an installation under ``maypole up``: their commands and environments (``manager`` runs them)."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from shared.settings import APPS, Settings

from .database import DatabaseUrls


@dataclass(frozen=True)
class Program:
    """One process: a command of ours, and where it can be seen to be up (a path: over HTTP; none: it listens)."""

    name: str
    arguments: tuple[str, ...]
    port: int | None = None
    port_setting: str = ""
    health_path: str | None = None

    @property
    def command(self) -> list[str]:
        """The command, with its arguments."""
        return [sys.executable, "-m", "launcher", *self.arguments, "--end-with-parent"]


def programs_of(settings: Settings) -> list[Program]:
    """Return the processes that these settings ask for, the ones that others need first."""
    found = []
    if settings.uses_sandbox:
        found.append(Program("sandbox", ("sandbox",), settings.sandbox_port, "SANDBOX_PORT", "/health"))
    if settings.uses_outbox:
        found.append(Program("outbox", ("outbox",), settings.outbox_port, "OUTBOX_PORT"))
    apps = [app_program(settings, app, "/health/ready") for app in APPS]
    return [*found, *apps, Program("worker", ("worker",))]


def app_program(settings: Settings, app: str, health_path: str) -> Program:
    """Return the process of one of the four apps."""
    return Program(app, ("serve", app), settings.port_of(app), f"{app.upper()}_PORT", health_path)


ONLY_FOR: dict[str, frozenset[str]] = {
    "SUMUP_API_KEY": frozenset({"cart", "worker", "sandbox"}),
    "CREDENTIALS_KEYS": frozenset({"cart", "worker"}),
    "SMTP_USERNAME": frozenset({"worker"}),
    "SMTP_PASSWORD": frozenset({"worker"}),
    "DATABASE_URL": frozenset({*APPS, "worker"}),
    "SECRET_KEY": frozenset({*APPS, "worker"}),
    "SECRET_KEYS_BEFORE": frozenset({"cart", "worker"}),
    "INTERNAL_SECRETS": frozenset({*APPS, "worker"}),
    "MIGRATE_DATABASE_URL": frozenset(),
}
"""Settings that open something, each with the processes that have a use for it: no other one can lose it."""


def environment_of(program: Program, settings: Settings, urls: DatabaseUrls, *, verbose: bool) -> dict[str, str]:
    """Return a program's environment: ours, with the apps' database, a log file, and none of the others' secrets.

    A verbose one has no log file: all that it logs is shown.
    """
    logged = {} if verbose else {"LOG_FILE": str(log_file_of(settings, program.name))}
    every = {**os.environ, **logged, "DATABASE_URL": urls.app, "PYTHONUNBUFFERED": "1"}
    anybody = frozenset({program.name})
    return {name: value for name, value in every.items() if program.name in ONLY_FOR.get(name.upper(), anybody)}


def log_file_of(settings: Settings, name: str) -> Path:
    """Return where a program writes what is not shown."""
    return settings.data_dir.absolute() / "logs" / f"{name}.log"
