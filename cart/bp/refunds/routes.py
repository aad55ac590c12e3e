"""The refund queue, for admins: who is owed what and why, and one button that gives it back."""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.cart.cart_views import signed_in_user
from cart.bp.cart.forms import read_key
from cart.bp.refunds.services import list_debts, refund_debt
from cart.wiring import current_till
from shared.contracts.errors import BadInput, NotFound, ShopError
from shared.contracts.states import DebtState, RefundState, Role
from shared.web.htmx import redirect_to
from shared.web.identity import role_required
from shared.web.limits import limit_per_person
from shared.web.session import discard_session
from shared.web.state import request_session

from .pages import RESULTS, RefundsPage, view_of

bp = Blueprint("refunds", __name__, url_prefix="/admin/refunds")
PAGE_SIZE = 50
MINUTE = timedelta(minutes=1)


@bp.get("/")
@role_required(Role.ADMIN)
async def queue() -> ResponseTypes:
    """Show what is owed, oldest first (or, with ``state=settled``, what was), a page at a time."""
    return await _show(await _load_page())


@bp.post("/<int:debt_id>/")
@limit_per_person(60, MINUTE)
@role_required(Role.ADMIN)
async def refund(debt_id: int) -> ResponseTypes:
    """Give one debt back through the provider; a second press changes nothing."""
    try:
        state = await refund_debt(current_till(), debt_id=debt_id, actor_user_id=signed_in_user().id)
    except NotFound:
        raise
    except ShopError as refusal:
        await discard_session()
        return await _show(await _load_page(problem=str(refusal)), refusal.status)
    return redirect_to(url_for("refunds.queue", result=state.value))


async def _show(page: RefundsPage, status: int = 200) -> ResponseTypes:
    """Render the queue."""
    return await make_response(await render_template("_types/refunds/index.html", page=page), status)


async def _load_page(problem: str = "") -> RefundsPage:
    """Return the part of the queue that the address names."""
    state, after = _read_state(), read_key(request.args.get("after", ""))
    found = await list_debts(request_session(), state=state, after=after, limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    kind, result = _read_result()
    more = len(found) > PAGE_SIZE
    return RefundsPage(
        debts=tuple(view_of(row) for row in shown),
        state=state,
        next_url=url_for("refunds.queue", state=state.value, after=shown[-1].id) if more else "",
        time_zone=current_till().settings.time_zone,
        result_kind=kind,
        result=result,
        problem=problem,
    )


def _read_state() -> DebtState:
    """Return which debts are asked for; raises BadInput."""
    try:
        return DebtState(request.args.get("state", DebtState.OWED))
    except ValueError:
        raise BadInput("There is no such list.", field="state") from None


def _read_result() -> tuple[str, str]:
    """Return the words for the result that the address carries; nothing for any other text in it."""
    try:
        return RESULTS[RefundState(request.args.get("result", ""))]
    except ValueError:
        return "", ""
