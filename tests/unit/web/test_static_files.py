"""The hash in the address of static files."""

from __future__ import annotations

from pathlib import Path

from shared.web.static_files import version_of


def test_the_hash_changes_with_any_file_and_any_name(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    first = version_of(tmp_path)
    (tmp_path / "a.css").write_text("b")
    second = version_of(tmp_path)
    (tmp_path / "a.css").rename(tmp_path / "b.css")
    third = version_of(tmp_path)

    assert len({first, second, third}) == 3
    assert version_of(tmp_path) == third
