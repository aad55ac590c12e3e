"""Giving back money of one order: choose, see what will happen, confirm, and see what did."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.debts.listing import debts_of_request
from cart.orders.things import find_cancellable
from cart.refunds.batch import debts_in_hand
from cart.refunds.refund_lines import refund_lines
from cart.refunds.refundable import find_refundable, shares_of
from cart.wiring import current_payment_context
from shared.contracts.errors import NotFound, ShopError
from shared.contracts.states import Role
from shared.web.forms import Sent, or_show_again, show_form
from shared.web.htmx import redirect_to
from shared.web.identity import current_scope, recent_sign_in_required, role_required, signed_in_user
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .forms import DecisionForm, RefundForm
from .order_pages import PreviewPage, build_choice_page, build_outcome_page

bp = Blueprint("order_refunds", __name__, url_prefix="/admin/orders/<int:order_id>/refund")
MINUTE = timedelta(minutes=1)


@bp.get("/")
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def choose(order_id: int) -> ResponseTypes:
    """Ask what is to be refunded; whoever comes back from the next page finds what they chose."""
    return await _show_choice(order_id, form=RefundForm.parse(request.args))


@bp.get("/preview/")
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def preview(order_id: int) -> ResponseTypes:
    """Say what will happen; nothing does before the button there is pressed."""
    form = RefundForm.parse(request.args)
    order = await find_refundable(request_session(), current_scope(Role.REFUNDS), order_id)
    try:
        shares = shares_of(order, form.wish)
    except ShopError as refusal:
        return await _show_choice(order_id, refusal, form=form)
    cancellable = await find_cancellable(request_session(), current_payment_context(), order_id)
    page = PreviewPage(order, shares, form, key=uuid4(), cancellable=cancellable)
    return await make_response(await render_template("_types/refunds/preview.html", page=page))


@bp.post("/")
@limit_per_person(30, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def confirm(order_id: int) -> ResponseTypes:
    """Refund what was shown; a second press changes nothing.

    ``g.s`` is not used before: the use case opens its own units of work and calls the provider between them.
    """
    sent = await request.form
    return await or_show_again(_confirm(order_id, sent), partial(_show_choice, order_id, form=RefundForm.parse(sent)))


async def _confirm(order_id: int, sent: Sent) -> ResponseTypes:
    """Refund what a form says, and go to what came of it."""
    decision = DecisionForm.parse(sent).decision(signed_in_user().id)
    await refund_lines(current_payment_context(), order_id, decision, current_scope(Role.REFUNDS))
    return redirect_to(url_for("order_refunds.outcome", order_id=order_id, key=decision.key))


@bp.get("/<uuid:key>/")
@role_required(Role.REFUNDS)
async def outcome(order_id: int, key: UUID) -> ResponseTypes:
    """Say what did happen, as it stands now."""
    session = request_session()
    debts = await debts_of_request(session, current_scope(Role.REFUNDS), order_id, key)
    if not debts:
        raise NotFound
    page = build_outcome_page(debts, in_hand=await debts_in_hand(session, [debt.id for debt in debts]))
    return await make_response(await render_template("_types/refunds/outcome.html", page=page))


async def _show_choice(order_id: int, refusal: ShopError | None = None, *, form: RefundForm) -> ResponseTypes:
    """Render the form, after a refusal with what was chosen and typed."""
    order = await find_refundable(request_session(), current_scope(Role.REFUNDS), order_id)
    page = build_choice_page(order, form, refusal)
    return await show_form("_types/refunds/choice.html", page, refusal)
