"""``maypole up``: everything on one machine, from one command."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from errno import EADDRINUSE
from pathlib import Path
from types import FrameType
from typing import NoReturn

import asyncpg

from shared.logs import configure_logging
from shared.settings import Settings

from .database import DatabaseUrls, given_urls, installation_database, url_for_asyncpg
from .failures import CommandError
from .health import cannot_listen, not_up_yet
from .manager import Manager
from .migrations import migrate
from .processes import Program, environment_of, log_file_of, programs_of

HEALTHY_WITHIN_S = 60.0
STOPPED = 128


def up(settings: Settings, *, verbose: bool = False) -> int:
    """Start all that the settings ask for and stay until it ends; return the exit code.

    Each process keeps its log in a file, and shows warnings and errors alone; a verbose one shows all of it.
    """
    began = time.monotonic()
    # Until the manager takes over: an exit in order leaves the ``with`` blocks, which plain SIGTERM would skip.
    signal.signal(signal.SIGTERM, _leave)
    programs = programs_of(settings)
    # Before the database starts: the common mistakes are told at once, and leave nothing behind.
    check_ports(programs, settings.host)
    check_folder(settings.data_dir)
    if not verbose:
        configure_logging(settings.model_copy(update={"log_file": log_file_of(settings, "launcher")}))
    print("Connecting to the database…" if given_urls(settings) else "Starting the database…", flush=True)
    with installation_database(settings) as urls:
        print("Migrating…", flush=True)
        migrate(urls.owner)
        if settings.environment == "development":
            load_demo_once(settings, urls)
        else:
            asyncio.run(_retire_demo_accounts(urls.owner))
        print("Starting the apps…", flush=True)
        failure = asyncio.run(_run(settings, urls, began, verbose=verbose))
        signal.signal(signal.SIGTERM, _leave)  # the loop has taken it away
        return _said_at_the_end(failure)


def check_ports(programs: list[Program], host: str) -> None:
    """Raise ``CommandError`` when a port is wanted twice, or somebody else has it."""
    wanted: dict[int, Program] = {}
    for program in programs:
        if program.port is not None and (first := wanted.setdefault(program.port, program)) is not program:
            raise CommandError(f"{first.port_setting} and {program.port_setting} are both {program.port}")
    for program, wrong in cannot_listen(programs, host):
        if wrong.errno != EADDRINUSE:
            raise CommandError(f"cannot listen on port {program.port} of HOST {host}: {wrong.strerror}")
        raise CommandError(
            f"port {program.port} on {host} is taken: stop what listens there, or set {program.port_setting}"
        )


def check_folder(folder: Path) -> None:
    """Raise ``CommandError`` when there is no such folder and none can be made."""
    nearest = next(step for step in (folder, *folder.absolute().parents) if step.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise CommandError(f"{nearest} is no folder that can be written to: set DATA_DIR to one")


def load_demo_once(settings: Settings, urls: DatabaseUrls) -> bool:
    """Load the demo data unless there is a page already; return whether it was loaded."""
    if asyncio.run(_has_pages(urls.app)):
        return False
    # Here and not above: an app's own image has no demo, and serves without it.
    from demo.load import load_demo

    print("Loading the demo data…", flush=True)
    asyncio.run(load_demo(settings, urls.app))
    return True


async def _run(settings: Settings, urls: DatabaseUrls, began: float, *, verbose: bool) -> str:
    """Run the programs together until they end; return why, or nothing where somebody asked for it."""
    programs = programs_of(settings)

    async def watch(manager: Manager) -> None:
        late = await asyncio.to_thread(
            not_up_yet, programs, settings.host, lambda: manager.is_stopping, HEALTHY_WITHIN_S
        )
        if manager.is_stopping:
            return
        if late:
            manager.stop(f"{', '.join(p.name for p in late)} did not become healthy in {HEALTHY_WITHIN_S:.0f} s")
            return
        manager.show(welcome(settings, time.monotonic() - began, verbose=verbose))

    manager = Manager(programs, lambda program: environment_of(program, settings, urls, verbose=verbose), watch)
    await manager.run()
    return manager.failure


def _said_at_the_end(failure: str) -> int:
    """Say why everything has ended; return the exit code: 0 when it was asked to stop."""
    if failure:
        with suppress(OSError):  # the screen may be what has gone
            print(f"maypole: {failure}; everything was stopped", file=sys.stderr)
        return 1
    print("Stopped.")
    return 0


def welcome(settings: Settings, seconds: float, *, verbose: bool = False) -> str:
    """Return where to go, and as whom."""
    lines = [
        "",
        f"{settings.site_name} is up after {seconds:.1f} s.",
        "",
        f"  Pages and sign-in   {settings.url_of('blog')}/",
        f"  Tickets, bookings   {settings.url_of('events')}/",
        f"  Products            {settings.url_of('market')}/",
        f"  Cart and orders     {settings.url_of('cart')}/",
    ]
    if settings.uses_outbox:
        lines += [f"  Mails               {settings.url_of('blog')}/outbox/   (sign-in links arrive here)"]
    if settings.uses_sandbox:
        lines += [f"  SumUp sandbox       {settings.sumup_origin}/"]
    if settings.environment == "development":
        lines += ["", "Demo accounts (sign in with the address; the link is in the outbox):", *_accounts()]
    if not verbose:
        lines += ["", f"Requests are logged in {settings.data_dir / 'logs'}; ./run --verbose shows them here."]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])


def _accounts() -> list[str]:
    from demo.load import DEMO_ACCOUNTS

    return [f"  {email:<28}{who}" for email, who in DEMO_ACCOUNTS]


def _leave(_signum: int, _frame: FrameType | None) -> NoReturn:
    """End in order on SIGTERM, before the processes run: what is open is closed."""
    sys.exit(STOPPED + signal.SIGTERM)


async def _retire_demo_accounts(owner_url: str) -> None:
    """Take every role from the accounts of the demo data: whoever tried the site first has them in the database."""
    connection = await asyncpg.connect(url_for_asyncpg(owner_url))
    try:
        # Nobody has an address at a domain that is kept for examples (RFC 2606), so nobody real loses anything.
        await connection.execute(
            "DELETE FROM user_roles WHERE user_id IN (SELECT id FROM users WHERE email LIKE '%.example')"
        )
    finally:
        await connection.close()


async def _has_pages(app_url: str) -> bool:
    connection = await asyncpg.connect(url_for_asyncpg(app_url))
    try:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM posts WHERE is_page)"))
    finally:
        await connection.close()
