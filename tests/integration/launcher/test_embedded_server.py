"""The embedded PostgreSQL: who starts it, who may use it, and that it never outlives its users."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from launcher.postgres import place
from launcher.postgres.account import SystemAccount
from launcher.postgres.server import EmbeddedPostgresError, ServerOptions, start_server
from tests.support.homes import temporary_home, wait_for_the_end
from tests.support.postgres import ROOT, TestPostgres

CAREFREE = ServerOptions(durable=False, max_connections=20)
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with temporary_home() as path:
        start_server(path, CAREFREE).stop()
        yield path


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """Give the folder of a server that has been started before; making one takes a second or more."""
    with temporary_home() as path:
        subprocess.run(["cp", "-a", made, path], check=True)
        yield path


@pytest.fixture
def new_home() -> Iterator[Path]:
    with temporary_home() as path:
        yield path


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def start_elsewhere(home: Path, then: str) -> subprocess.Popen[bytes]:
    """Start the server from another process, which does ``then`` once it runs and says so on its output."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from launcher.postgres.server import ServerOptions, start_server\n"
        f"server = start_server(Path({str(home)!r}), ServerOptions(durable=False, max_connections=20))\n"
        "print('up', flush=True)\n"
        f"{then}\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "data" / "postmaster.pid").read_text().split("\n")[0]))


def keeper(home: Path) -> psutil.Process:
    found = postmaster(home).parent()
    assert found is not None
    return found


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


# -- as it is while it runs


async def test_it_listens_on_loopback_alone_and_on_no_socket_file(postgres: TestPostgres) -> None:
    url = postgres.server.url("superuser", "postgres")
    assert await ask(url, "SHOW listen_addresses") == "127.0.0.1"
    assert not await ask(url, "SHOW unix_socket_directories")


async def test_nobody_is_trusted(postgres: TestPostgres) -> None:
    url = postgres.server.url("superuser", "postgres")
    assert await ask(url, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'") == 0
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(f"postgresql://postgres:wrong@127.0.0.1:{postgres.server.port}/postgres", "SELECT 1")


async def test_it_sorts_by_code_point_everywhere(postgres: TestPostgres) -> None:
    query = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'postgres'"
    assert await ask(postgres.server.url("superuser", "postgres"), query) == "bC.UTF-8"


@pytest.mark.parametrize("role", ["owner", "app"])
async def test_the_roles_are_no_superusers(role: str, postgres: TestPostgres) -> None:
    url = postgres.server.url(role, "maypole")  # type: ignore[arg-type]
    query = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert await ask(url, query) is False
    assert await ask(url, "SELECT current_user") == f"maypole_{role}"


async def test_the_files_are_private(postgres: TestPostgres) -> None:
    home = postgres.server.home
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "users.lock").stat().st_mode) == 0o600


@AS_ROOT
async def test_root_drops_to_another_account(postgres: TestPostgres) -> None:
    assert postgres.server.account is not None
    assert set(postmaster(postgres.server.home).uids()) == {postgres.server.account.uid} != {0}
    assert postmaster(postgres.server.home).gids().effective == postgres.server.account.gid


# -- one life after the other


async def test_it_is_durable_unless_told_otherwise(new_home: Path) -> None:
    with start_server(new_home) as server:
        assert await ask(server.url("app"), "SHOW fsync") == "on"
        assert await ask(server.url("app"), "SHOW synchronous_commit") == "on"


async def test_the_second_start_keeps_data_passwords_and_port(home: Path) -> None:
    with start_server(home, CAREFREE) as first:
        await ask(first.url("owner"), "CREATE TABLE kept (id int)")
    with start_server(home, CAREFREE) as second:
        assert second.url("owner") == first.url("owner")
        assert await ask(second.url("owner"), "SELECT count(*) FROM kept") == 0


async def test_stopping_waits_until_it_has_ended(home: Path) -> None:
    server = start_server(home, CAREFREE)
    main = postmaster(home)
    server.stop()
    assert not main.is_running()
    assert not (home / "data" / "postmaster.pid").exists()
    server.stop()


async def test_another_port_is_taken_when_somebody_has_the_remembered_one(home: Path) -> None:
    with start_server(home, CAREFREE) as first:
        port = first.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with start_server(home, CAREFREE) as second:
            assert second.port != port
            assert await ask(second.url("app"), "SELECT 1") == 1


async def test_a_path_longer_than_a_socket_may_have_is_no_trouble(home: Path) -> None:
    deep = home.joinpath(*["a-folder-with-a-name-of-some-length"] * 4)
    with start_server(deep, CAREFREE) as server:
        assert await ask(server.url("app"), "SELECT 1") == 1
    wait_for_the_end(deep)


# -- several users


async def test_two_processes_share_it_and_the_last_one_stops_it(home: Path) -> None:
    other = start_elsewhere(home, "sys.stdin.read(); server.stop()")
    main = postmaster(home)
    with start_server(home, CAREFREE) as server:
        other.communicate()  # it lets go and ends
        assert await ask(server.url("app"), "SELECT 1") == 1
        assert postmaster(home) == main
    assert not main.is_running()


async def test_many_starters_at_once_get_one_server(new_home: Path) -> None:
    servers = await asyncio.gather(*(asyncio.to_thread(start_server, new_home, CAREFREE) for _ in range(5)))
    assert len({server.port for server in servers}) == 1
    main = postmaster(new_home)
    await asyncio.gather(*(asyncio.to_thread(server.stop) for server in servers))
    assert not main.is_running()


# -- what killed starters leave behind


def test_a_starter_that_is_killed_leaves_no_server(home: Path) -> None:
    end(start_elsewhere(home, "os.kill(os.getpid(), signal.SIGKILL)"))
    wait_for_the_end(home)
    assert not (home / "data" / "postmaster.pid").exists()


async def test_a_server_whose_keeper_was_killed_is_recovered(home: Path) -> None:
    other = start_elsewhere(home, "sys.stdin.read()")
    left = postmaster(home)
    keeper(home).kill()
    wait_for_the_end(home)
    end(other)
    assert left.is_running()
    with start_server(home, CAREFREE) as server:
        assert not left.is_running()
        assert await ask(server.url("app"), "SELECT 1") == 1


async def test_a_crash_of_the_server_itself_is_recovered(home: Path) -> None:
    other = start_elsewhere(home, "sys.stdin.read()")
    postmaster(home).kill()
    wait_for_the_end(home)
    end(other)
    with start_server(home, CAREFREE) as server:
        assert await ask(server.url("app"), "SELECT 1") == 1


async def test_a_pid_file_that_names_a_strangers_process_is_dropped(home: Path) -> None:
    (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'data'}\n")
    with start_server(home, CAREFREE) as server:
        assert await ask(server.url("app"), "SELECT 1") == 1
    assert psutil.pid_exists(os.getpid())


async def test_a_data_folder_that_was_never_finished_is_made_anew(home: Path) -> None:
    (home / "data").rename(home / "data.new-0000")
    with start_server(home, CAREFREE) as server:
        assert await ask(server.url("app"), "SELECT 1") == 1
    assert not (home / "data.new-0000").exists()


async def test_roles_that_were_never_made_are_made_at_the_next_start(home: Path) -> None:
    with start_server(home, CAREFREE) as server:
        await ask(server.url("superuser", "postgres"), "DROP DATABASE maypole")
        await ask(server.url("superuser", "postgres"), "DROP ROLE maypole_app")
    path = home / "secrets.json"
    path.write_text(path.read_text().replace("true", "false"))
    with start_server(home, CAREFREE) as server:
        assert await ask(server.url("app"), "SELECT current_user") == "maypole_app"


# -- what it says when it cannot


def test_a_platform_without_binaries_is_told_to_set_database_url(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedPostgresError, match=r"^there is no embedded PostgreSQL for .*: set DATABASE_URL .*$"):
        start_server(home, CAREFREE)


def test_data_of_another_release_are_refused(home: Path) -> None:
    (home / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedPostgresError, match="of PostgreSQL 12 and the binaries are of 18"):
        start_server(home, CAREFREE)


def test_lost_passwords_are_said_to_be_lost(home: Path) -> None:
    (home / "secrets.json").unlink()
    with pytest.raises(EmbeddedPostgresError, match=r"secrets\.json is missing"):
        start_server(home, CAREFREE)


def test_a_server_that_cannot_start_gives_the_reason_of_its_log(home: Path) -> None:
    wrong = ServerOptions(durable=False, more={"shared_buffers": "no size"})
    with pytest.raises(EmbeddedPostgresError, match=r"shared_buffers"):
        start_server(home, wrong)


# -- as root, in folders that are closed to the account


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with temporary_home() as path:
        monkeypatch.setattr(place, "ELSEWHERE", (path,))
        yield path


@AS_ROOT
async def test_a_closed_folder_is_left_alone_and_another_is_taken(tmp_path: Path, elsewhere: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = [(step, stat.S_IMODE(step.stat().st_mode)) for step in (closed, *closed.parents)]
    with start_server(closed / "postgres", CAREFREE) as server:
        assert server.home.parent == elsewhere
        assert await ask(server.url("app"), "SELECT 1") == 1
    assert list(closed.iterdir()) == []
    assert before == [(step, stat.S_IMODE(step.stat().st_mode)) for step in (closed, *closed.parents)]
    assert place.choose_home(closed / "postgres", server.account) == server.home


@AS_ROOT
async def test_closed_binaries_are_copied_to_where_the_account_can_run_them(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = place._installed()
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    for folder in (installed, *place._libraries(installed)):
        shutil.copytree(folder, closed / folder.name)
    monkeypatch.setattr(place, "_installed", lambda: closed / installed.name)
    with start_server(home, CAREFREE) as server:
        assert Path(postmaster(home).exe()).is_relative_to(home)
        assert await ask(server.url("app"), "SELECT 1") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@AS_ROOT
def test_a_folder_that_somebody_else_has_made_is_refused(new_home: Path) -> None:
    new_home.mkdir()
    os.chown(new_home, 65534, 65534)
    with pytest.raises(EmbeddedPostgresError, match="belongs to another user"):
        start_server(new_home, CAREFREE)


def test_the_rights_of_an_account_are_those_of_owner_group_or_others(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o640)
    own = file.stat()
    assert SystemAccount("owner", own.st_uid, own.st_gid).may(6, file)
    assert SystemAccount("group", own.st_uid + 1, own.st_gid).may(4, file)
    assert not SystemAccount("group", own.st_uid + 1, own.st_gid).may(2, file)
    assert not SystemAccount("other", own.st_uid + 1, own.st_gid + 1).may(4, file)


def test_a_server_can_be_released_by_whoever_holds_it_in_a_block(home: Path) -> None:
    with pytest.raises(ZeroDivisionError), start_server(home, CAREFREE):
        raise ZeroDivisionError
    assert not (home / "data" / "postmaster.pid").exists()
