"""Every file and folder that a comment, a docstring or a document names is in the repository."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests.support.postgres import ROOT

NOT_OURS = re.compile(r"^(\.(?!ci$)|__pycache__$|test-artifacts$|.*\.egg-info$)")
"""What is beside the repository's own files: what git, tools and runs leave behind."""

SUFFIXES = "py|md|sql|html|toml|json|yml|css|js|txt"
PART = r"[\w.<>{}*-]+"
BEGIN = r"(?<![\w./:@$%<>{}*\\=-])"
"""Nothing that is a part of an address, of a path from the root of a machine, or of a longer name goes before."""
FILE = re.compile(rf"{BEGIN}(?:\.{{1,2}}/)*(?:{PART}/)*{PART}\.(?:{SUFFIXES})(?![\w/-])(?!\.\w)")
FOLDER = re.compile(rf"{BEGIN}(?:{PART}/)+(?![\w/<{{*])")
PLACEHOLDER = re.compile(r"[<>{}]")

ALLOWED = {
    "secrets.json": "./run writes it into its data folder",
}
"""What is named and is not in the repository, each with the reason."""

STARTS = {"run", "test", "Dockerfile", "Caddyfile", ".dockerignore", ".gitignore"}
"""Files without a suffix whose comments begin with a hash."""
HASH = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)
COMMENTS = {
    ".html": re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL),
    ".txt": re.compile(r"\{#.*?#\}", re.DOTALL),
    ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
    ".js": re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL),
    ".sql": re.compile(r"--.*"),
    ".mako": re.compile(r"^##.*", re.MULTILINE),
    ".md": re.compile(r".+", re.DOTALL),
    ".toml": HASH,
    ".yml": HASH,
    ".ini": HASH,
    ".sh": HASH,
}
PROMISE = re.compile(r"money\.md,\s+promises? (\d+(?:(?:, | and | to |, and )\d+)*)")
SECTION = re.compile(r"sumup\.md § (\d+)")


def _files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield the repository's own files."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not NOT_OURS.match(path.name):
            yield from _files(path)
        elif path.is_file():
            yield path


@cache
def _known() -> frozenset[str]:
    """Return every file, and every folder with a slash at its end, relative to the repository."""
    files = [path.relative_to(ROOT) for path in _files()]
    folders = {parent for path in files for parent in path.parents if parent != Path()}
    return frozenset({*(path.as_posix() for path in files), *(f"{folder.as_posix()}/" for folder in folders)})


@cache
def _template_folders() -> tuple[str, ...]:
    """Return the folders from which templates are named."""
    return tuple(sorted(name for name in _known() if name.endswith("/templates/")))


def _words_of_python(path: Path) -> str:
    """Return the comments of a module, and its docstrings, those of attributes too."""
    with tokenize.open(path) as source:
        comments = [
            token.string for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT
        ]
    statements = [node.value for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Expr)]
    values = [value.value for value in statements if isinstance(value, ast.Constant)]
    return "\n".join([*comments, *(value for value in values if isinstance(value, str))])


@cache
def _words(path: Path) -> str:
    """Return what a file says to people: comments, docstrings, or the whole of a document."""
    if path.suffix == ".py":
        return _words_of_python(path)
    pattern = HASH if path.name in STARTS else COMMENTS.get(path.suffix)
    return "" if pattern is None else "\n".join(pattern.findall(path.read_text()))


def _named(words: str) -> list[str]:
    """Return the files and folders that a text names."""
    folders = (folder for folder in FOLDER.findall(words) if re.search(r"\w/$", folder))
    return [name for name in (*FILE.findall(words), *folders) if not PLACEHOLDER.search(name)]


def _is_known(name: str, citing: str) -> bool:
    """Tell whether a name is a file or folder, from the root, from the citing file's folder, or as a template."""
    beside = PurePosixPath(citing).parent.as_posix()
    bases = ("", "" if beside == "." else f"{beside}/", *_template_folders())
    return any(_matches(_flat(base + name)) for base in bases)


def _matches(path: str) -> bool:
    """Tell whether there is such a path; it may have stars."""
    return any(fnmatchcase(known, path) for known in _known()) if "*" in path else path in _known()


def _flat(path: str) -> str:
    """Follow the dots of a path: ``docs/../README.md`` is ``README.md``."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def missing(words: str, citing: str) -> list[str]:
    """Return what a text of the file ``citing`` names and the repository does not have."""
    return sorted({name for name in _named(words) if name not in ALLOWED and not _is_known(name, citing)})


@cache
def _sources() -> tuple[str, ...]:
    """Return the files that say something and have a word that looks like a file's."""
    own = Path(__file__).resolve()
    return tuple(path.relative_to(ROOT).as_posix() for path in _files() if path != own and _may_name(path))


def _may_name(path: Path) -> bool:
    """Tell whether it is worth taking a file apart."""
    says = path.suffix == ".py" or path.suffix in COMMENTS or path.name in STARTS
    return says and bool(_named(path.read_text())) and bool(_words(path))


@pytest.mark.parametrize("source", _sources())
def test_what_a_file_names_is_in_the_repository(source: str) -> None:
    assert missing(_words(ROOT / source), source) == []


def test_promises_and_sections_that_are_cited_exist() -> None:
    words = "\n".join(_words(ROOT / source) for source in _sources())
    promises = {number for cited in PROMISE.findall(words) for number in re.findall(r"\d+", cited)}
    assert promises
    assert promises <= set(re.findall(r"^### (\d+)\. ", _words(ROOT / "docs" / "money.md"), re.MULTILINE))
    sections = set(SECTION.findall(words))
    assert sections
    assert sections <= set(re.findall(r"^## (\d+)\. ", _words(ROOT / "docs" / "sumup.md"), re.MULTILINE))


def test_what_is_allowed_is_still_named() -> None:
    named = {name for source in _sources() for name in _named(_words(ROOT / source))}
    assert set(ALLOWED) <= named


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("see docs/nowhere.md, promise 5", ["docs/nowhere.md"]),
        ("see `NOWHERE.md` § 4", ["NOWHERE.md"]),
        ("the folder shared/nowhere/ holds it", ["shared/nowhere/"]),
        ("[a link](../nowhere.md#part)", ["../nowhere.md"]),
        ("all of docs/no*where.md", ["docs/no*where.md"]),
        ("docs/money.md, README.md, shared/, alembic/versions/*.py, _types/base.html", []),
        ("bp/<blueprint>/routes.py and templates/email/<kind>/body.txt", []),
        ("http://localhost:8000/outbox/ and /internal/v1/pages/ and https://example.org/x.html", []),
        ("and/or, 1/2, text/html, */*", []),
    ],
)
def test_a_name_is_told_from_other_words(words: str, found: list[str]) -> None:
    assert missing(words, "README.md") == found


def test_a_name_is_looked_for_beside_the_file_that_has_it() -> None:
    assert missing("money.md says so", "docs/locking.md") == []
    assert missing("money.md says so", "shared/settings.py") == ["money.md"]


def test_comments_docstrings_and_what_is_written_below_an_attribute_are_read(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""One a.md."""\nX = "b.md"  # two c.md\n"""Three d.md."""\n')
    assert _named(_words(module)) == ["c.md", "a.md", "d.md"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", "<p>b.md</p>{# a.md #}"),
        ("style.css", "p { } /* a.md */"),
        ("script.js", "const x = 'b.md' // a.md"),
        ("roles.sql", "SELECT 'b.md' -- a.md"),
        ("some.toml", 'x = "b.md" # a.md'),
        ("run", "cat b.md # a.md"),
        ("note.md", "a.md"),
    ],
)
def test_every_kind_of_file_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert _named(_words(tmp_path / name)) == ["a.md"]
