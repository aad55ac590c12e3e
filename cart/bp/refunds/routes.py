"""The refund queue: who is owed what and why, and the ways to give it back, for the pages of whoever looks."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.debts.listing import find_debt, list_debts
from cart.refunds.batch import find_batch, find_progress, start_batch
from cart.refunds.by_hand import settle_by_hand
from cart.refunds.refund import refund_debt
from cart.wiring import current_till
from shared.contracts.access import PageScope
from shared.contracts.errors import BadInput, NotFound, ShopError
from shared.contracts.states import DebtState, RefundState, Role
from shared.services.cart.attention import count_to_look_at
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_scope, recent_sign_in_required, role_required, signed_in_user
from shared.web.ids import read_id, read_key
from shared.web.limits import limit_per_person
from shared.web.session import discard_session
from shared.web.state import request_session

from .forms import read_batch, read_moment
from .pages import RESULTS, SAID, AtOncePage, ByHandPage, ProgressPage, RefundsPage, view_of

bp = Blueprint("refunds", __name__, url_prefix="/admin/refunds")
PAGE_SIZE = 50
MINUTE = timedelta(minutes=1)
FEWEST_AT_ONCE = 2


@bp.get("/")
@role_required(Role.REFUNDS)
async def queue() -> ResponseTypes:
    """Show what is owed, oldest first (or, with ``state=settled``, what was), a page at a time."""
    return await _show(await _load_page())


@bp.post("/<int:debt_id>/")
@limit_per_person(60, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def refund(debt_id: int) -> ResponseTypes:
    """Give one debt back through the provider; a second press changes nothing."""
    try:
        state = await refund_debt(
            current_till(), debt_id=debt_id, actor_user_id=signed_in_user().id, scope=_current_scope()
        )
    except NotFound:
        raise
    except ShopError as refusal:
        await discard_session()
        return await _show(await _load_page(problem=str(refusal)), refusal.status)
    return redirect_to(url_for("refunds.queue", result=state.value))


# --- by hand ---


@bp.get("/<int:debt_id>/by-hand/")
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def ask_by_hand(debt_id: int) -> ResponseTypes:
    """Ask how a debt was paid back."""
    return await _show_by_hand(debt_id)


@bp.post("/<int:debt_id>/by-hand/")
@limit_per_person(60, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def by_hand(debt_id: int) -> ResponseTypes:
    """Note a debt as paid back outside the provider; a second press changes nothing."""
    typed = (await request.form).get("note", "")
    try:
        await settle_by_hand(
            current_till(), debt_id=debt_id, note=typed, actor_user_id=signed_in_user().id, scope=_current_scope()
        )
    except NotFound:
        raise
    except ShopError as refusal:
        await discard_session()
        return await _show_by_hand(debt_id, typed, refusal)
    return redirect_to(url_for("refunds.queue", result="by-hand"))


async def _show_by_hand(debt_id: int, typed: str = "", refusal: ShopError | None = None) -> ResponseTypes:
    """Render the form, after a refusal with what was typed."""
    row = await find_debt(request_session(), _current_scope(), debt_id)
    page = ByHandPage(debt=view_of(row), time_zone=current_till().settings.time_zone, typed=typed, refusal=refusal)
    html = await render_template("_types/refunds/by_hand.html", page=page)
    return await make_response(html, HTTPStatus.OK if refusal is None else refusal.status)


# --- all at once ---


@bp.get("/at-once/")
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def ask_at_once() -> ResponseTypes:
    """Ask whether everything is to be refunded, and say how much that is."""
    return await _show_at_once()


@bp.post("/at-once/")
@limit_per_person(10, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def at_once() -> ResponseTypes:
    """Have the worker refund exactly what was shown."""
    shown, scope = read_batch(await request.form), _current_scope()
    try:
        since = await start_batch(current_till(), shown=shown, scope=scope, actor_user_id=signed_in_user().id)
    except ShopError as refusal:
        await discard_session()
        return await _show_at_once(refusal)
    return redirect_to(url_for("refunds.progress", last=shown.last_id, since=since.isoformat()))


@bp.get("/at-once/progress/")
@role_required(Role.REFUNDS)
async def progress() -> ResponseTypes:
    """Say how far it has come; htmx asks again and again for the part of the page that says so."""
    last_id, since = read_id(request.args.get("last"), "last"), read_moment(request.args.get("since", ""))
    page = ProgressPage(
        progress=await find_progress(request_session(), _current_scope(), last_id=last_id, since=since),
        poll_url=url_for("refunds.progress", last=last_id, since=since.isoformat()),
        queue_url=url_for("refunds.queue"),
    )
    name = "_progress" if is_htmx() else "progress"
    return await make_response(await render_template(f"_types/refunds/{name}.html", page=page))


async def _show_at_once(refusal: ShopError | None = None) -> ResponseTypes:
    """Render the question, as it stands now."""
    batch = await find_batch(request_session(), _current_scope())
    page = AtOncePage(batch, "" if refusal is None else str(refusal))
    html = await render_template("_types/refunds/at_once.html", page=page)
    return await make_response(html, HTTPStatus.OK if refusal is None else refusal.status)


# --- the queue ---


def _current_scope() -> PageScope:
    """Return the pages whose money the signed-in person may give back."""
    return current_scope(Role.REFUNDS)


async def _show(page: RefundsPage, status: int = HTTPStatus.OK) -> ResponseTypes:
    """Render the queue."""
    return await make_response(await render_template("_types/refunds/index.html", page=page), status)


async def _load_page(problem: str = "") -> RefundsPage:
    """Return the part of the queue that the address names."""
    state, after, scope = _read_state(), read_key(request.args.get("after", "")), _current_scope()
    found = await list_debts(request_session(), scope, state=state, after=after, limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    kind, result = _read_result()
    more = len(found) > PAGE_SIZE
    at_once = await find_batch(request_session(), scope) if state is DebtState.OWED and shown else None
    return RefundsPage(
        debts=tuple(view_of(row) for row in shown),
        state=state,
        next_url=url_for("refunds.queue", state=state.value, after=shown[-1].id) if more else "",
        time_zone=current_till().settings.time_zone,
        at_once=at_once.count if at_once is not None and at_once.count >= FEWEST_AT_ONCE else 0,
        to_look_at=await count_to_look_at(request_session(), scope),
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
    result = request.args.get("result", "")
    try:
        return SAID[result] if result in SAID else RESULTS[RefundState(result)]
    except ValueError:
        return "", ""
