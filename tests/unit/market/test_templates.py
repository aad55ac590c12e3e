"""What the market's templates take: one page object, or what the page that includes them names; nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, meta, nodes

from shared.web.factory import HOUSE

FOLDER = HOUSE / "market" / "templates" / "_types" / "products"
EVERYWHERE = {"page_url"}
TAKES = {
    "_add_form.html": {"page"},
    "_add_result.html": {"page"},
    "_cards.html": {"cards"},
    "_price.html": {"card"},
    "_quick_add.html": {"quick"},
    "_seller.html": {"shop"},
    "_where.html": {"shop"},
}
"""What each fragment is given; a page is given ``page``."""


def templates() -> list[Path]:
    return sorted(FOLDER.glob("*.html"))


def test_every_fragment_is_in_the_contract() -> None:
    assert {path.name for path in templates() if path.name.startswith("_")} == set(TAKES)


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_a_template_takes_what_its_contract_says(path: Path) -> None:
    tree = Environment(autoescape=True).parse(path.read_text())
    macros = {name for imported in tree.find_all(nodes.FromImport) for name in imported.names}

    assert meta.find_undeclared_variables(tree) - macros - EVERYWHERE == TAKES.get(path.name, {"page"})
