"""docs/operating.md lists every setting, with its default and meaning, as the code has them."""

from __future__ import annotations

import re

import pytest

from shared.settings import Settings
from tests.support.settings_table import DOCUMENT, document_parts, fields, shown_default, table


def test_the_table_in_the_documentation_is_the_one_of_the_code() -> None:
    assert document_parts()[1] == table(), "run: .venv/bin/python -m tests.support.settings_table"


@pytest.mark.parametrize("name", fields())
def test_every_setting_has_a_meaning(name: str) -> None:
    assert (fields()[name].description or "").strip()


def test_every_setting_has_one_row() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", document_parts()[1], flags=re.MULTILINE)
    assert rows == [(name.upper(), shown_default(field), field.description) for name, field in fields().items()]


def test_no_secret_of_development_is_written_down() -> None:
    assert "development-only" not in DOCUMENT.read_text()


def test_the_text_names_no_setting_that_does_not_exist() -> None:
    known = {name.upper() for name in Settings.model_fields}
    others = {"MAYPOLE_OWNER_PASSWORD", "MAYPOLE_APP_PASSWORD", "POSTGRES_PASSWORD", "PYTHON", "CHROMIUM"}
    hosts = {"BLOG_HOST", "MARKET_HOST", "CART_HOST", "EVENTS_HOST"}  # of docker-compose.yml
    before, _, after = document_parts()
    named = set(re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)*)(?:=[^`]*)?`", before + after))
    assert named <= known | others | hosts
