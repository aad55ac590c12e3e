"""The refund queue: who is owed what and why, and the ways to refund it, for the pages of whoever looks."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.notes import NoteForm
from cart.debts.listing import find_debt, list_debts
from cart.refunds.batch import Batch, find_batch, find_progress, start_batch
from cart.refunds.by_hand import settle_by_hand
from cart.refunds.refund import refund_debt
from cart.wiring import current_payment_context
from shared.contracts.access import PageScope
from shared.contracts.errors import BadInput, ShopError
from shared.contracts.paging import read_id_key, read_part
from shared.contracts.states import DebtState, RefundState, Role
from shared.labels import REFUND_WORDS
from shared.services.cart.attention import count_to_look_at
from shared.web.forms import or_show_again, show_form
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_scope, recent_sign_in_required, role_required, signed_in_user
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .forms import BatchForm, ProgressQuery
from .pages import SAID, AtOncePage, ByHandPage, ProgressPage, RefundsPage, view_of

bp = Blueprint("refunds", __name__, url_prefix="/admin/refunds")
PAGE_SIZE = 50
MINUTE = timedelta(minutes=1)
FEWEST_AT_ONCE = 2


@bp.get("/")
@role_required(Role.REFUNDS)
async def queue() -> ResponseTypes:
    """Show what is owed, oldest first (or, with ``state=settled``, what was), a page at a time."""
    return await _show()


@bp.post("/<int:debt_id>/")
@limit_per_person(60, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def refund(debt_id: int) -> ResponseTypes:
    """Give one debt back through the provider; a second press changes nothing."""
    return await or_show_again(_refund(debt_id), _show)


async def _refund(debt_id: int) -> ResponseTypes:
    """Give a debt back, and go to the queue, which says what came of it."""
    state = await refund_debt(
        current_payment_context(), debt_id=debt_id, actor_user_id=signed_in_user().id, scope=_current_scope()
    )
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
    note = NoteForm.parse(await request.form).note
    return await or_show_again(_settle_by_hand(debt_id, note), partial(_show_by_hand, debt_id, typed=note))


async def _settle_by_hand(debt_id: int, note: str) -> ResponseTypes:
    """Note a debt as paid back, and go to the queue."""
    await settle_by_hand(
        current_payment_context(), debt_id=debt_id, note=note, actor_user_id=signed_in_user().id, scope=_current_scope()
    )
    return redirect_to(url_for("refunds.queue", result="by-hand"))


async def _show_by_hand(debt_id: int, refusal: ShopError | None = None, *, typed: str = "") -> ResponseTypes:
    """Render the form, after a refusal with what was typed."""
    row = await find_debt(request_session(), _current_scope(), debt_id)
    page = ByHandPage(
        debt=view_of(row), time_zone=current_payment_context().settings.time_zone, typed=typed, refusal=refusal
    )
    return await show_form("_types/refunds/by_hand.html", page, refusal)


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
    return await or_show_again(_start_batch(BatchForm.parse(await request.form).batch), _show_at_once)


async def _start_batch(shown: Batch) -> ResponseTypes:
    """Start it, and go to how far it has come."""
    since = await start_batch(
        current_payment_context(), shown=shown, scope=_current_scope(), actor_user_id=signed_in_user().id
    )
    return redirect_to(url_for("refunds.progress", last=shown.last_id, since=since.isoformat()))


@bp.get("/at-once/progress/")
@role_required(Role.REFUNDS)
async def progress() -> ResponseTypes:
    """Say how far it has come; htmx asks again and again for the part of the page that says so."""
    asked = ProgressQuery.parse(request.args)
    last_id, since = asked.last, asked.since
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
    return await show_form("_types/refunds/at_once.html", page, refusal)


# --- the queue ---


def _current_scope() -> PageScope:
    """Return the pages whose money the signed-in person may refund."""
    return current_scope(Role.REFUNDS)


async def _show(refusal: ShopError | None = None) -> ResponseTypes:
    """Render the queue; after a refusal with why nothing was done."""
    page = await _load_page("" if refusal is None else str(refusal))
    return await show_form("_types/refunds/index.html", page, refusal)


async def _load_page(problem: str) -> RefundsPage:
    """Return the part of the queue that the address names."""
    state, after, scope = _read_state(), read_id_key(request.args.get("after", "")), _current_scope()
    debts = partial(list_debts, request_session(), scope, state=state, after=after)
    part = await read_part(debts, size=PAGE_SIZE, key_of=lambda row: str(row.id))
    kind, result = _read_result()
    at_once = await find_batch(request_session(), scope) if state is DebtState.OWED and part.rows else None
    return RefundsPage(
        debts=tuple(view_of(row) for row in part.rows),
        state=state,
        next_url=part.next_url(lambda key: url_for("refunds.queue", state=state.value, after=key)),
        time_zone=current_payment_context().settings.time_zone,
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
        return SAID[result] if result in SAID else REFUND_WORDS[RefundState(result)].pressed
    except ValueError:
        return "", ""
