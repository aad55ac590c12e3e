"""The security journal, for admins: who signed in, who was given power, and who used it."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, render_template, request, url_for

from cart.wiring import current_payment_context
from shared.contracts.paging import read_id_key, read_part
from shared.contracts.states import Role
from shared.web.identity import role_required
from shared.web.state import request_session

from .pages import SecurityPage, view_of
from .services import list_security

bp = Blueprint("security", __name__, url_prefix="/admin/security")
PAGE_SIZE = 50


@bp.get("/")
@role_required(Role.ADMIN)
async def journal() -> str:
    """Show what happened, newest first, a page at a time."""
    rows = partial(list_security, request_session(), before=read_id_key(request.args.get("before", "")))
    part = await read_part(rows, size=PAGE_SIZE, key_of=lambda row: str(row.id))
    page = SecurityPage(
        rows=tuple(view_of(row) for row in part.rows),
        next_url=part.next_url(lambda key: url_for("security.journal", before=key)),
        time_zone=current_payment_context().settings.time_zone,
    )
    return await render_template("_types/security/index.html", page=page)
