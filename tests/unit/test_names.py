"""A class's name says which class it is: no two of the product have one name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("shared", "blog", "market", "events", "cart", "launcher", "demo", "sandbox")


def places_of_classes(root: Path) -> dict[str, list[str]]:
    """Return where each class is defined, by its name; one inside another or in a function is not counted."""
    places = defaultdict(list)
    for part in PARTS:
        for path in sorted((root / part).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(str(path.relative_to(root)))
    return dict(places)


def test_no_two_classes_have_one_name() -> None:
    places = places_of_classes(ROOT)
    assert len(places) > 300
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
