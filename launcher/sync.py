"""``maypole sync``: one tree an app, for those who deploy the apps from separate repositories.

``shared/`` has one source, this one. A tree's manifest holds the hash of every file as it was written, so that a file
which was changed in a tree (it differs from the manifest) can be told from one that the source has moved on from.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from shared.settings import APPS

from .database import ROOT
from .failures import CommandError

COMMON = ("shared", "launcher", "alembic", "alembic.ini", "pyproject.toml", "requirements.lock", "Dockerfile")
MANIFEST = "maypole-manifest.json"
LEFT_OUT = ("__pycache__", ".pyc")


@dataclass(frozen=True)
class Tree:
    """The tree of one app: its source here and its copy there, as paths with hashes."""

    app: str
    folder: Path

    def source(self) -> dict[str, str]:
        """Return the files that the tree should have."""
        return _hashes(ROOT, (self.app, *COMMON))

    def copy(self) -> dict[str, str]:
        """Return the files that it has, of those that are ours."""
        return _hashes(self.folder, (self.app, *COMMON))

    def manifest(self) -> dict[str, str]:
        """Return the files as they were last written; nothing when it never was."""
        path = self.folder / MANIFEST
        return dict(json.loads(path.read_text())["files"]) if path.exists() else {}

    def drift(self) -> list[str]:
        """Say what differs, a line a file."""
        source, copy, manifest = self.source(), self.copy(), self.manifest()
        if not manifest:
            return [f"{self.app}: was never written"]
        words = {path: _word(source.get(path), copy.get(path), manifest.get(path)) for path in source | copy}
        return [f"{self.app}: {words[path]}: {path}" for path in sorted(words) if words[path]]

    def changed_there(self) -> list[str]:
        """Return the files that writing would overwrite or remove although they are not as we wrote them."""
        source, copy, manifest = self.source(), self.copy(), self.manifest()
        # As we wrote it, or already as it would be written: neither loses anything.
        return sorted(path for path, found in copy.items() if found not in {manifest.get(path), source.get(path)})

    def write(self) -> int:
        """Make the tree like the source; return how many files it has."""
        source = self.source()
        # What was removed here must go there as well: an old module would still be imported.
        for path in self.copy().keys() - source.keys():
            (self.folder / path).unlink()
        for path in source:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target)
        written = json.dumps({"app": self.app, "files": source}, indent=1, sort_keys=True)
        (self.folder / MANIFEST).write_text(written + "\n")
        return len(source)


def sync_to(folder: Path, *, force: bool = False) -> str:
    """Write the four trees into ``folder``; raise ``CommandError`` when that would lose somebody's changes."""
    trees = _trees(folder)
    changed = [f"{tree.app}/{path}" for tree in trees for path in tree.changed_there()]
    if changed and not force:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise CommandError(
            f"{changed[0]}{more} was changed there and would be lost: move it here first, or use --force"
        )
    files = sum(tree.write() for tree in trees)
    return f"Wrote {files} files in {len(trees)} trees to {folder}."


def drift_of(folder: Path) -> list[str]:
    """Return what differs between the four trees and this source, a line a file."""
    return [line for tree in _trees(folder) for line in tree.drift()]


def _trees(folder: Path) -> list[Tree]:
    target = folder.resolve()
    ours = [ROOT / name for name in (*APPS, *COMMON)]
    if target == ROOT or any(target == place or place in target.parents for place in ours):
        raise CommandError(f"{folder} is in the source itself: name a folder outside of it")
    missing = [app for app in APPS if not (ROOT / app).is_dir()]
    if missing:
        raise CommandError(f"this is no whole source: {', '.join(missing)} is missing")
    return [Tree(app, target / app) for app in APPS]


def _word(source: str | None, copy: str | None, manifest: str | None) -> str:
    if source == copy:
        return ""
    if copy is None:
        return "missing"
    if copy != manifest:
        return "changed there" if manifest else "not ours"
    return "removed here since" if source is None else "changed here since"


def _hashes(top: Path, names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
        place = top / name
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and not any(part.endswith(LEFT_OUT) for part in file.parts):
                found[file.relative_to(top).as_posix()] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found
