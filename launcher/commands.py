"""The commands and their options; what each does is in the module that it imports."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.contracts.states import Role
from shared.logs import configure_logging
from shared.settings import APPS, Settings, get_settings

from .failures import CommandError, plain_failures

# Less than the five seconds after which Docker gives the health check of the image up (Dockerfile).
HEALTHY_WITHIN_S = 4.0

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run and look after a Maypole site.",
)


@app.callback()
def secrets_of_this_machine() -> None:
    """Run and look after a Maypole site."""
    with plain_failures():
        from .secrets import fill_in

        # For every command: they all read the same settings, and some of them open what these secrets sealed.
        fill_in(os.environ, make=False)


user = typer.Typer(no_args_is_help=True, help="Accounts, and who is an admin.")
app.add_typer(user, name="user")

WithParent = Annotated[bool, typer.Option("--end-with-parent", hidden=True, help="End when the starting process ends.")]
AppName = Annotated[str, typer.Argument(envvar="APP", help=f"One of {', '.join(APPS)}.")]
Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


@app.command()
def up(
    verbose: Annotated[bool, typer.Option(help="Show every request, instead of logging it to a file.")] = False,
) -> None:
    """Start the database, the four apps, the worker and, for trying it out, the SumUp sandbox and a mail outbox."""
    with plain_failures():
        from .up import up as run_all

        try:
            _make_secrets()
            settings = get_settings()
            _require_account(settings)
            _require_mail(settings)
            code = run_all(settings, verbose=verbose)
        except KeyboardInterrupt:
            # What a shell reports for a process that Ctrl-C ended: 128 + SIGINT.
            code = 130
        sys.exit(code)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema, as the owner's role."""
    with plain_failures():
        from .database import installation_database
        from .migrations import migrate as run_migrations

        configure_logging(get_settings())
        with installation_database(get_settings()) as urls:
            run_migrations(urls.owner)
        print("The database has the newest schema.")


@app.command()
def demo() -> None:
    """Load the demo data into a site that has no page yet."""
    with plain_failures():
        from .migrations import migrated_database
        from .up import load_demo_once

        settings = get_settings()
        with migrated_database(settings) as urls:
            loaded = load_demo_once(settings, urls)
        print("The demo data is loaded." if loaded else "There are pages already: nothing was loaded.")


@app.command()
def serve(name: AppName, end_with_parent: WithParent = False) -> None:
    """Serve one of the four apps."""
    with plain_failures():
        from .serve import serve_factory

        _leave_with_parent(end_with_parent)
        _check_app(name)
        settings = get_settings()
        # Only the cart app takes money; the other apps run without an account.
        if name == "cart":
            _require_account(settings)
        serve_factory(f"{name}.app:create_app", settings.host, settings.port_of(name))


@app.command()
def healthy(name: AppName) -> None:
    """Exit with 0 when an app on this machine answers its health check, else with 1."""
    with plain_failures():
        from .health import not_up_yet
        from .processes import app_program

        _check_app(name)
        settings = get_settings()
        if not_up_yet(
            [app_program(settings, name, "/health")], settings.host, lambda: False, within_s=HEALTHY_WITHIN_S
        ):
            raise CommandError(f"{name} does not answer")


@app.command("sandbox")
def serve_sandbox(end_with_parent: WithParent = False) -> None:
    """Serve the SumUp sandbox: payments to try, with no money in them."""
    with plain_failures():
        import sandbox.app

        from .serve import serve_factory

        _leave_with_parent(end_with_parent)
        settings = get_settings()
        if settings.environment == "production":
            raise CommandError("the sandbox is no place for payments in production: set SUMUP_BASE_URL")
        serve_factory(f"{sandbox.app.__name__}:create_app", settings.host, settings.sandbox_port)


@app.command()
def worker(end_with_parent: WithParent = False) -> None:
    """Run the background work: unfinished payments, expired orders, refunds, mails."""
    with plain_failures():
        _leave_with_parent(end_with_parent)
        _require_account(get_settings())
        _require_mail(get_settings())
        _require_database()
        from cart.worker import main

        main()


@app.command("reconcile-history")
def reconcile_history() -> None:
    """Compare SumUp's own record with ours now, as the worker does once a day; exit with 1 where that was not possible.

    What nobody knew of is written down for the admins: foreign payments, refunds made in the dashboard, chargebacks.
    """
    with plain_failures():
        from cart.worker import reconcile_histories

        from .migrations import migrated_database

        settings = get_settings()
        _require_account(settings)
        with migrated_database(settings) as urls:
            reconciles = asyncio.run(reconcile_histories(settings, urls.app))
        print("\n".join(map(str, reconciles)))
        sys.exit(0 if all(reconcile.is_complete for reconcile in reconciles) else 1)


@app.command()
def outbox(end_with_parent: WithParent = False) -> None:
    """Take mails on a local port and keep them as files, in development."""
    with plain_failures():
        _leave_with_parent(end_with_parent)
        from sandbox.outbox import main

        configure_logging(get_settings())
        main()


@app.command()
def sync(
    folder: Annotated[Path, typer.Argument(help="Where the four trees are, or are to be.")],
    check: Annotated[bool, typer.Option(help="Change nothing; say what has drifted and exit with 1.")] = False,
    force: Annotated[bool, typer.Option(help="Overwrite files that were changed in the trees.")] = False,
) -> None:
    """Write each app as a tree of its own: the app, its copy of shared/, the migrations, a manifest of hashes."""
    with plain_failures():
        from .sync import drift_of, sync_to

        if not check:
            print(sync_to(folder, force=force))
            return
        drift = drift_of(folder)
        print("\n".join(drift) if drift else "Nothing has drifted.")
        sys.exit(1 if drift else 0)


@user.command("create")
def user_create(email: Email, name: Annotated[str, typer.Option(help="How the pages greet them.")] = "") -> None:
    """Make an account; the person then signs in with a link by e-mail."""
    with plain_failures():
        from .migrations import migrated_database
        from .users import create_user

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(create_user(settings, urls.app, email, name)))


@user.command("admin")
def user_admin(
    email: Email, revoke: Annotated[bool, typer.Option("--revoke", help="Take the role away instead.")] = False
) -> None:
    """Make a person an admin, with an account when they have none."""
    with plain_failures():
        from .migrations import migrated_database
        from .users import set_admin

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(set_admin(settings, urls.app, email, revoke=revoke)))


@user.command("role")
def user_role(
    email: Email,
    role: Annotated[Role, typer.Argument(help="orders: sees orders; refunds: also refunds money.")],
    page: Annotated[
        str | None, typer.Option(help="The slug of the page that it is for; without it, everywhere.")
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the role away instead.")] = False,
) -> None:
    """Give a person a role, on one page or everywhere, with an account when they have none."""
    with plain_failures():
        from .migrations import migrated_database
        from .users import set_role

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(set_role(settings, urls.app, email, role, page=page, revoke=revoke)))


@user.command("list")
def user_list() -> None:
    """List everybody who has a role, and who is locked."""
    with plain_failures():
        from .migrations import migrated_database
        from .users import list_users

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(list_users(settings, urls.app)))


@user.command("sign-out")
def user_sign_out(email: Email) -> None:
    """Sign a person out on all devices, and end their open sign-in links."""
    with plain_failures():
        from .migrations import migrated_database
        from .users import sign_user_out

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(sign_user_out(settings, urls.app, email)))


@user.command("lock")
def user_lock(
    email: Email, unlock: Annotated[bool, typer.Option("--unlock", help="Let them in again instead.")] = False
) -> None:
    """Let nobody in with an account any more, and sign it out everywhere; what it bought stays."""
    with plain_failures():
        from .migrations import migrated_database
        from .users import lock_user

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(lock_user(settings, urls.app, email, unlock=unlock)))


@user.command("forget")
def user_forget(email: Email) -> None:
    """Make a person's address, account and mails anonymous; orders and payments stay, as the books need them."""
    with plain_failures():
        from .migrations import migrated_database
        from .users import forget_user

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(forget_user(settings, urls.app, email)))


@app.command()
def audit(
    provider: Annotated[bool, typer.Option("--provider", help="Compare with SumUp's own record as well.")] = False,
    days: Annotated[int, typer.Option(min=1, help="How many days of SumUp's record.")] = 90,
) -> None:
    """Check every promise about money and seats over the whole database, and exit with 1 where one is broken."""
    with plain_failures():
        from .audit import audit_site
        from .migrations import migrated_database

        settings = get_settings()
        with migrated_database(settings) as urls:
            report = asyncio.run(audit_site(settings, urls.app, provider_days=days if provider else None))
        print(report.text)
        sys.exit(0 if report.is_well else 1)


@app.command("new-key")
def print_new_key() -> None:
    """Print a new key for CREDENTIALS_KEYS."""
    from shared.payments.vault import new_key

    print(new_key())


@app.command()
def reseal() -> None:
    """Encrypt the pages' SumUp keys anew with the first of CREDENTIALS_KEYS, so that the others can be dropped."""
    with plain_failures():
        from .accounts import reseal_keys
        from .migrations import migrated_database

        settings = get_settings()
        with migrated_database(settings) as urls:
            print(asyncio.run(reseal_keys(settings, urls.app)))


def _check_app(name: str) -> None:
    if name not in APPS:
        raise CommandError(f"there is no app {name}: it is one of {', '.join(APPS)}")


def _require_account(settings: Settings) -> None:
    if settings.lacks_account:
        raise CommandError("set SUMUP_API_KEY and SUMUP_MERCHANT_CODE to those of your SumUp account in production")


def _make_secrets() -> None:
    from .secrets import fill_in

    made = fill_in(os.environ, make=True)
    if made:
        print(f"Made {', '.join(made)}: they are kept in DATA_DIR, which belongs into your backups.", flush=True)


def _require_mail(settings: Settings) -> None:
    if settings.mail_problem:
        raise CommandError(settings.mail_problem)


def _keep_private() -> None:
    # Mails with sign-in links, logs, the sandbox's payments: what a process of ours writes is its owner's alone.
    os.umask(0o077)


def _leave_with_parent(wanted: bool) -> None:
    _keep_private()
    if wanted:
        from .family import end_with_parent

        end_with_parent()


def _require_database() -> None:
    if get_settings().database_url is None:
        raise CommandError("set DATABASE_URL (./run sets it for the processes that it starts)")
