"""``maypole sync``: the apps as trees of their own, and what has drifted since."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launcher import app as maypole
from launcher import sync
from launcher.failures import CommandError
from launcher.sync import MANIFEST, drift_of, sync_to
from shared.settings import APPS


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a small source with the shape of the real one, so that a test may change it."""
    top = tmp_path / "source"
    for file in (
        *(f"{app}/app.py" for app in APPS),
        "shared/settings.py",
        "shared/__pycache__/settings.pyc",
        "alembic/env.py",
    ):
        (top / file).parent.mkdir(parents=True, exist_ok=True)
        (top / file).write_text(file)
    for file in ("alembic.ini", "pyproject.toml", "requirements.lock", "Dockerfile"):
        (top / file).write_text(file)
    monkeypatch.setattr(sync, "ROOT", top)
    return top


@pytest.fixture
def trees(source: Path, tmp_path: Path) -> Path:
    sync_to(tmp_path / "trees")
    return tmp_path / "trees"


@pytest.mark.parametrize("app", APPS)
def test_a_tree_holds_its_app_shared_and_the_migrations_and_no_other_app(app: str, trees: Path) -> None:
    found = {path.relative_to(trees / app).as_posix() for path in (trees / app).rglob("*") if path.is_file()}
    assert found == {
        f"{app}/app.py", "shared/settings.py", "alembic/env.py", "alembic.ini", "pyproject.toml", "requirements.lock",
        "Dockerfile", MANIFEST,
    }  # fmt: skip


def test_the_manifest_has_the_hash_of_every_file(trees: Path) -> None:
    files = json.loads((trees / "cart" / MANIFEST).read_text())["files"]
    assert set(files) | {MANIFEST} == {
        path.relative_to(trees / "cart").as_posix() for path in (trees / "cart").rglob("*") if path.is_file()
    }
    assert all(len(digest) == 64 for digest in files.values())


def test_nothing_has_drifted_right_after(trees: Path) -> None:
    assert drift_of(trees) == []


def test_what_changed_here_is_told_from_what_changed_there(trees: Path, source: Path) -> None:
    (source / "shared/settings.py").write_text("newer")
    (trees / "blog/alembic/env.py").write_text("edited")
    (trees / "cart/cart/app.py").unlink()
    (trees / "market/shared/own.py").write_text("added")
    assert drift_of(trees) == [
        "blog: changed there: alembic/env.py",
        "blog: changed here since: shared/settings.py",
        "market: not ours: shared/own.py",
        "market: changed here since: shared/settings.py",
        "cart: missing: cart/app.py",
        "cart: changed here since: shared/settings.py",
        "events: changed here since: shared/settings.py",
    ]


def test_writing_again_brings_the_trees_up_to_date(trees: Path, source: Path) -> None:
    (source / "shared/settings.py").rename(source / "shared/renamed.py")
    sync_to(trees)
    assert drift_of(trees) == []
    assert not (trees / "cart/shared/settings.py").exists()


def test_somebodys_changes_are_not_overwritten_unasked(trees: Path) -> None:
    edited = trees / "events/shared/settings.py"
    edited.write_text("edited")
    with pytest.raises(CommandError, match=r"^events/shared/settings\.py was changed there and would be lost"):
        sync_to(trees)
    assert edited.read_text() == "edited"
    sync_to(trees, force=True)
    assert edited.read_text() == "shared/settings.py"


def test_what_else_lies_in_a_tree_is_left_alone(trees: Path) -> None:
    (trees / "cart/README.md").write_text("theirs")
    sync_to(trees)
    assert (trees / "cart/README.md").read_text() == "theirs"
    assert drift_of(trees) == []


@pytest.mark.parametrize("inside", [".", "shared", "cart/bp"])
def test_the_source_is_never_written_into_itself(inside: str, source: Path) -> None:
    with pytest.raises(CommandError, match="in the source itself"):
        sync_to(source / inside)


def test_the_command_exits_with_1_on_drift(trees: Path, source: Path) -> None:
    assert CliRunner().invoke(maypole, ["sync", "--check", str(trees)]).exit_code == 0
    (source / "shared/settings.py").write_text("newer")
    drifted = CliRunner().invoke(maypole, ["sync", "--check", str(trees)])
    assert drifted.exit_code == 1
    assert "cart: changed here since: shared/settings.py" in drifted.output


def test_trees_that_were_never_written_have_drifted(source: Path, tmp_path: Path) -> None:
    assert drift_of(tmp_path / "none") == [f"{app}: was never written" for app in APPS]


@pytest.mark.parametrize(
    ("command", "lacking"), [("sandbox", "sandbox"), ("outbox", "sandbox"), ("reconcile-history", "cart")]
)
def test_an_apps_tree_says_in_one_line_what_it_lacks(tmp_path: Path, command: str, lacking: str) -> None:
    sync_to(tmp_path)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "launcher", command],
        cwd=tmp_path / "blog",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "blog"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        [f"maypole: this installation has no {lacking}: run the command where the whole source is"],
    )
