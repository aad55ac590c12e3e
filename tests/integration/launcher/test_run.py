"""``./run``: one command that starts everything, one key that stops it, and nothing left behind."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from shared.settings import APPS
from tests.support.homes import temporary_home
from tests.support.postgres import ROOT
from tests.support.running import UP, Installation, free_ports

GONE_WITHIN_S = 30
SECRETS = {
    "SECRET_KEY": "0123456789abcdef" * 2,
    "INTERNAL_SECRETS": "fedcba9876543210" * 2,
    "SUMUP_BASE_URL": "https://api.sumup.com",
}
ORIGINS = {f"{app}_URL": f"https://{app.lower()}.shop.test" for app in ("BLOG", "MARKET", "CART", "EVENTS")}


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Give one data folder to all tests here, as one person's ./run has; each test leaves nothing running on it."""
    with temporary_home() as home:
        yield home.parent


@contextmanager
def started(data: Path, *options: str) -> Iterator[Installation]:
    """Start one, and end it if it still runs in the end."""
    installation = Installation(data, *options)
    try:
        yield installation
    finally:
        if installation.process.poll() is None:
            installation.end(signal.SIGTERM)


@pytest.fixture
def installation(data: Path) -> Iterator[Installation]:
    with started(data) as running:
        yield running


def all_gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=GONE_WITHIN_S)[1]


def test_it_says_where_to_go_and_as_whom_when_all_apps_are_healthy(installation: Installation) -> None:
    installation.read_until(UP)
    installation.read_until("Ctrl-C stops everything")
    for app in APPS:
        port = installation.settings[f"{app.upper()}_PORT"]
        assert f"http://localhost:{port}/" in installation.output
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            assert answer.status == 200
    assert "admin@maypole.example" in installation.output


def test_requests_go_to_a_file_and_not_to_the_screen(installation: Installation, data: Path) -> None:
    installation.read_until("Ctrl-C stops everything")
    port = installation.settings["BLOG_PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/?{port}", timeout=30) as answer:
        assert answer.status == 200
    assert installation.end(signal.SIGINT) == 0
    assert [line for line in installation.output.splitlines() if "[info" in line] == []
    assert "path=/ " in (data / "logs" / "blog.log").read_text()


@pytest.mark.long
def test_a_verbose_one_shows_requests(data: Path) -> None:
    with started(data, "--verbose") as talkative:
        talkative.read_until("Ctrl-C stops everything")
        with urllib.request.urlopen(f"http://127.0.0.1:{talkative.settings['BLOG_PORT']}/", timeout=30):
            talkative.read_until("path=/ ")


def test_ctrl_c_stops_everything_and_leaves_no_orphan(installation: Installation) -> None:
    installation.read_until(UP)
    family = installation.family()
    assert len(family) > len(APPS) * 2
    assert installation.end(signal.SIGINT) == 0
    assert all_gone(family)
    assert installation.output.rstrip().endswith("Stopped.")


def test_the_next_start_keeps_the_data(data: Path) -> None:
    with started(data) as first:
        first.read_until("Starting the apps")
    with started(data) as second:
        second.read_until("Starting the apps")
    assert "Loading the demo data" not in second.output


@pytest.mark.long
def test_a_stop_during_the_start_stops_everything(installation: Installation) -> None:
    installation.read_until("worker started")
    family = installation.family()
    assert installation.end(signal.SIGTERM) == 0
    assert all_gone(family)


@pytest.mark.long
def test_a_process_that_dies_is_named_and_ends_the_rest(installation: Installation) -> None:
    installation.read_until(UP)
    family = installation.family()
    installation.child("market").kill()
    assert installation.end() == 1
    assert "market was killed by SIGKILL; everything was stopped" in installation.output
    assert all_gone(family)


@pytest.mark.long
def test_even_a_killed_run_leaves_no_orphan(installation: Installation) -> None:
    installation.read_until(UP)
    family = installation.family()
    installation.process.kill()
    assert all_gone(family)
    installation.process.communicate()


@pytest.mark.long
def test_it_ends_when_nobody_takes_its_output_any_more(installation: Installation) -> None:
    installation.read_until("worker started")
    family = installation.family()
    assert installation.process.stdout is not None
    installation.process.stdout.close()
    assert all_gone(family[1:])
    assert installation.process.wait(GONE_WITHIN_S) == 1


# -- what it says when it cannot start: one line, and an exit code


def refusal(**settings: str) -> str:
    """Return the one line that ``./run`` says before it ends."""
    with temporary_home() as home:
        refused = Installation(home.parent, **settings)
        assert refused.end() == 1
    lines = [line for line in refused.output.splitlines() if line.startswith("maypole: ")]
    assert len(lines) == 1, refused.output
    assert "Traceback" not in refused.output
    return lines[0]


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert refusal(CART_PORT=port) == (
            f"maypole: port {port} on 127.0.0.1 is taken: stop what listens there, or set CART_PORT"
        )


@pytest.mark.long
def test_one_port_for_two_apps_is_named() -> None:
    port = free_ports(("ONE",))["ONE"]
    assert refusal(BLOG_PORT=port, EVENTS_PORT=port) == f"maypole: BLOG_PORT and EVENTS_PORT are both {port}"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ada:hidden@127.0.0.1:1/shop", "cannot connect to postgresql://ada:***@127.0.0.1:1/shop: "),
        ("mysql://127.0.0.1/shop", "must begin with postgresql://, not with mysql://"),
        ("hidden nonsense", "is no address like postgresql://user:password@host:5432/database"),
    ],
)
def test_a_broken_database_url_is_explained_without_its_password(url: str, words: str) -> None:
    said = refusal(DATABASE_URL=url)
    assert said.startswith("maypole: DATABASE_URL")
    assert words in said
    assert "hidden" not in said


@pytest.mark.long
def test_a_setting_that_is_no_number_is_named() -> None:
    assert refusal(CART_PORT="many").startswith("maypole: CART_PORT: ")


@pytest.mark.long
def test_the_same_mistake_in_a_list_is_told_once() -> None:
    assert refusal(SANDBOX_WEBHOOK_DELAYS_S="soon,later").count("SANDBOX_WEBHOOK_DELAYS_S") == 1


@pytest.mark.long
@pytest.mark.parametrize("path", ["/dev/null", "/dev/null/data"])
def test_a_data_folder_that_cannot_be_is_told(path: str) -> None:
    assert refusal(DATA_DIR=path) == "maypole: /dev/null is no folder that can be written to: set DATA_DIR to one"


@pytest.mark.long
def test_an_address_that_is_none_of_this_machine_is_told() -> None:
    # Of the documentation's addresses (RFC 5737): nobody's.
    mail = {"SMTP_HOST": "mail.shop.test", "SMTP_STARTTLS": "true", "MAIL_FROM": "box@shop.test"}
    production = {"ENVIRONMENT": "production", "SUMUP_API_KEY": "sup_sk_real", **SECRETS, **ORIGINS, **mail}
    said = refusal(HOST="192.0.2.1", **production)
    assert re.fullmatch(r"maypole: cannot listen on port [0-9]+ of HOST 192\.0\.2\.1: .+", said)


@pytest.mark.long
def test_production_is_refused_with_the_key_of_the_sandbox() -> None:
    assert "SUMUP_API_KEY" in refusal(ENVIRONMENT="production", **SECRETS, **ORIGINS)


@pytest.mark.long
def test_production_is_refused_without_a_mail_server() -> None:
    assert "SMTP_HOST" in refusal(ENVIRONMENT="production", SUMUP_API_KEY="sup_sk_real", **SECRETS, **ORIGINS)


@pytest.mark.long
def test_production_is_refused_with_the_secrets_of_development() -> None:
    assert "SECRET_KEY" in refusal(ENVIRONMENT="production")


@pytest.mark.long
def test_too_old_a_python_is_told_which_is_needed(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi\n')
    old.chmod(0o755)
    done = subprocess.run(
        [ROOT / "run"], env={"PYTHON": str(old), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"maypole: needs Python 3.11 or newer, and {old} is Python 3.9.2\n"
