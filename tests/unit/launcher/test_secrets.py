"""A production on one machine makes its own secrets, once, where nobody else can read them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from launcher.failures import CommandError
from launcher.secrets import FILE, MADE, fill_in


def production(folder: Path, **given: str) -> dict[str, str]:
    return {"ENVIRONMENT": "production", "DATA_DIR": str(folder), **given}


def test_what_is_missing_is_made_once_and_found_again(tmp_path: Path) -> None:
    first, again, other = production(tmp_path), production(tmp_path), production(tmp_path)
    assert fill_in(first, make=True) == list(MADE)
    assert fill_in(again, make=True) == []
    assert fill_in(other, make=False) == []
    assert first == again == other
    assert len({first[name] for name in MADE}) == len(MADE)


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    fill_in(production(tmp_path / "data"), make=True)
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


def test_what_is_set_is_never_replaced(tmp_path: Path) -> None:
    given = production(tmp_path, SECRET_KEY="mine")
    assert fill_in(given, make=True) == ["INTERNAL_SECRETS", "CREDENTIALS_KEYS"]
    assert given["SECRET_KEY"] == "mine"
    assert "SECRET_KEY" not in (tmp_path / FILE).read_text()


def test_only_up_makes_any(tmp_path: Path) -> None:
    given = production(tmp_path)
    assert fill_in(given, make=False) == []
    assert given == production(tmp_path)
    assert not any(tmp_path.iterdir())


def test_development_has_no_use_for_them(tmp_path: Path) -> None:
    assert fill_in({"DATA_DIR": str(tmp_path)}, make=True) == []
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    fill_in(production(tmp_path), make=True)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(CommandError, match="mode 600"):
        fill_in(production(tmp_path), make=False)


def test_a_link_is_refused(tmp_path: Path) -> None:
    fill_in(production(tmp_path / "real"), make=True)
    (tmp_path / FILE).symlink_to(tmp_path / "real" / FILE)
    with pytest.raises(CommandError, match="file of your own"):
        fill_in(production(tmp_path), make=False)


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / FILE).touch(0o600)
    with pytest.raises(CommandError, match="backup"):
        fill_in(production(tmp_path), make=True)


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot be kept"):
        fill_in(production(tmp_path / "file" / "data"), make=True)
