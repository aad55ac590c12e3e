"""The hash in the address of static files."""

from __future__ import annotations

from pathlib import Path

import pytest
from quart import Quart

from shared.web.static_files import install_static, version_of


def test_the_hash_changes_with_any_file_and_any_name(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    first = version_of(tmp_path)
    (tmp_path / "a.css").write_text("b")
    second = version_of(tmp_path)
    (tmp_path / "a.css").rename(tmp_path / "b.css")
    third = version_of(tmp_path)

    assert len({first, second, third}) == 3
    assert version_of(tmp_path) == third


@pytest.mark.parametrize("name", ["no.css", "x" * 5000, "%00", "..%2f..%2fsettings.py", "..%5c..%5csettings.py", "."])
async def test_what_is_no_file_of_ours_is_not_found(tmp_path: Path, name: str) -> None:
    app = Quart(__name__)
    asset = install_static(app, max_age=60, folder=tmp_path)
    assert (await app.test_client().get(asset(name))).status_code == 404
