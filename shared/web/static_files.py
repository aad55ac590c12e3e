"""Static files: served by each app itself, kept by browsers for a year under an address with a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from quart import Quart, Response, redirect, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

STATIC_FOLDER = Path(__file__).resolve().parent.parent / "browser" / "static"


ROBOTS = """User-agent: *
Disallow: /account
Disallow: /admin/
Disallow: /auth/
Disallow: /checkout/
Disallow: /orders/
Disallow: /tickets/
"""
"""What is somebody's own is of no use to a search engine."""


def version_of(folder: Path) -> str:
    """Return a hash of all files below ``folder``, names and contents.

    One for the whole folder, not one for each file: a style sheet's own relative addresses then carry it as well.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def install_static(app: Quart, *, max_age: int, folder: Path = STATIC_FOLDER) -> Callable[[str], str]:
    """Serve ``folder`` at ``/static/<hash>/…``; returns ``asset``, which gives a file's address.

    An address with another hash (a page from before a deployment) gets today's file, not to be kept.
    """
    version = version_of(folder)

    async def serve(requested: str, filename: str) -> Response:
        try:
            response = await send_from_directory(folder, filename)
        except (OSError, ValueError) as wrong:  # a name that no file system takes
            raise NotFound from wrong
        # ``immutable``: browsers do not even ask again. It is safe, for another content has another address.
        keep = f"public, max-age={max_age}, immutable"
        response.headers["Cache-Control"] = keep if requested == version else "no-cache"
        return response

    async def icon() -> WerkzeugResponse:
        return redirect(asset("favicon.svg"))

    async def robots() -> Response:
        return Response(ROBOTS, mimetype="text/plain")

    def asset(filename: str) -> str:
        return f"/static/{version}/{filename}"

    app.add_url_rule("/static/<requested>/<path:filename>", "static_file", serve)
    app.add_url_rule("/favicon.ico", "favicon", icon)
    app.add_url_rule("/robots.txt", "robots", robots)
    return asset
