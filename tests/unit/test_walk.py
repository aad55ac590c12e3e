"""The walk through the code in docs/architecture.md names functions that are where it says, each once."""

from __future__ import annotations

import ast
import re
from collections import Counter

from tests.support.documents import QUOTED, section
from tests.support.postgres import ROOT

WALK = section("architecture.md", "From the Buy button to the confirmed ticket")
NAME = re.compile(r"[A-Za-z]\w+")
PATH = re.compile(r"[\w/]+\.py")


def _walked() -> list[tuple[str, str]]:
    """Return each named function or class with the file that is named after it."""
    words, found = QUOTED.findall(WALK), []
    for number, word in enumerate(words):
        if NAME.fullmatch(word):
            path = next((later for later in words[number + 1 :] if PATH.fullmatch(later)), None)
            if path is not None:
                found.append((word, path))
    return found


def _defined(path: str) -> set[str]:
    """Return the functions, methods and classes of a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, kinds)}


def test_the_walk_names_what_is_there() -> None:
    states = {"pending", "reserved", "confirmed", "paid"}
    walked = [(name, path) for name, path in _walked() if name not in states]
    assert len(walked) > 30
    assert [(name, path) for name, path in walked if name not in _defined(path)] == []


def test_the_walk_names_each_function_once() -> None:
    named = Counter(pair for pair in _walked() if pair[0] in _defined(pair[1]))
    assert [name for name, times in named.items() if times > 1] == []
