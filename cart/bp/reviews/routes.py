"""Payments that are not what we asked for, and what only the provider knew: a person looks, and closes each."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from quart import Blueprint, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.notes import NoteForm
from cart.bp.reviews.services import (
    accept_payment,
    close_finding,
    find_finding,
    find_review,
    list_findings,
    list_reviews,
    refund_payment,
    settle_payment_elsewhere,
)
from cart.wiring import current_payment_context
from shared.contracts.access import PageScope
from shared.contracts.errors import NotFound, ShopError
from shared.contracts.paging import read_part
from shared.contracts.states import Role
from shared.web.forms import Sent, or_show_again, show_form
from shared.web.htmx import redirect_to
from shared.web.identity import current_scope, recent_sign_in_required, role_required, signed_in_user
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .forms import ShownForm
from .pages import RESULTS, FindingPage, ReviewPage, ReviewsPage, view_of_finding, view_of_review

bp = Blueprint("reviews", __name__, url_prefix="/admin/refunds/review")
MINUTE = timedelta(minutes=1)
MOST_SHOWN = 50


@bp.get("/")
@role_required(Role.REFUNDS)
async def overview() -> str:
    """Show what needs a person's judgement, oldest first."""
    session, scope = request_session(), _current_scope()
    reviews = await read_part(
        partial(list_reviews, session, scope), size=MOST_SHOWN, key_of=lambda row: str(row.payment_id)
    )
    findings = await read_part(partial(list_findings, session, scope), size=MOST_SHOWN, key_of=lambda row: str(row.id))
    page = ReviewsPage(
        reviews=tuple(view_of_review(row) for row in reviews.rows),
        findings=tuple(view_of_finding(row) for row in findings.rows),
        has_more=bool(reviews.next_key or findings.next_key),
        time_zone=current_payment_context().settings.time_zone,
        result=RESULTS.get(request.args.get("result", ""), ""),
    )
    return await render_template("_types/reviews/index.html", page=page)


# --- a payment ---


@bp.get("/<int:payment_id>/")
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def payment(payment_id: int) -> ResponseTypes:
    """Show what we asked for, what the provider says, and what can be decided."""
    return await _show(payment_id)


@bp.post("/<int:payment_id>/accept/")
@limit_per_person(30, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def accept(payment_id: int) -> ResponseTypes:
    """Take the payment as it is, and give what was ordered."""
    return await or_show_again(_accept(payment_id, await request.form), partial(_refuse, payment_id))


async def _accept(payment_id: int, sent: Sent) -> ResponseTypes:
    """Accept what was shown, and go to the list."""
    shown = ShownForm.parse(sent).shown
    await accept_payment(
        current_payment_context(), payment_id, shown=shown, actor_user_id=signed_in_user().id, scope=_current_scope()
    )
    return redirect_to(url_for("reviews.overview", result="accepted"))


@bp.post("/<int:payment_id>/give-back/")
@limit_per_person(30, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def refund_lines(payment_id: int) -> ResponseTypes:
    """Owe all of it back, and release the order."""
    return await or_show_again(_refund_lines(payment_id, await request.form), partial(_refuse, payment_id))


async def _refund_lines(payment_id: int, sent: Sent) -> ResponseTypes:
    """Owe back what was shown, and go to the list."""
    shown = ShownForm.parse(sent).shown
    await refund_payment(
        current_payment_context(), payment_id, shown=shown, actor_user_id=signed_in_user().id, scope=_current_scope()
    )
    return redirect_to(url_for("reviews.overview", result="given-back"))


@bp.post("/<int:payment_id>/elsewhere/")
@limit_per_person(30, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def elsewhere(payment_id: int) -> ResponseTypes:
    """Close it by somebody's word of what became of the money."""
    note = NoteForm.parse(await request.form).note
    return await or_show_again(_settle_elsewhere(payment_id, note), partial(_refuse, payment_id, typed=note))


async def _settle_elsewhere(payment_id: int, note: str) -> ResponseTypes:
    """Close a payment with a note, and go to the list."""
    await settle_payment_elsewhere(
        current_payment_context(), payment_id, note=note, actor_user_id=signed_in_user().id, scope=_current_scope()
    )
    return redirect_to(url_for("reviews.overview", result="elsewhere"))


async def _refuse(payment_id: int, refusal: ShopError, *, typed: str = "") -> ResponseTypes:
    """Show the payment again; where somebody has decided on it meanwhile, there is only the refusal to show."""
    try:
        return await _show(payment_id, refusal, typed=typed)
    except NotFound:
        raise refusal from None


async def _show(payment_id: int, refusal: ShopError | None = None, *, typed: str = "") -> ResponseTypes:
    """Render a payment, after a refusal with what was typed."""
    page = ReviewPage(
        view=view_of_review(await find_review(request_session(), _current_scope(), payment_id)),
        time_zone=current_payment_context().settings.time_zone,
        typed=typed,
        refusal=refusal,
    )
    return await show_form("_types/reviews/payment.html", page, refusal)


# --- a finding ---


@bp.get("/findings/<int:finding_id>/")
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def finding(finding_id: int) -> ResponseTypes:
    """Show what was found, and ask what became of it."""
    return await _show_finding(finding_id)


@bp.post("/findings/<int:finding_id>/")
@limit_per_person(60, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def close(finding_id: int) -> ResponseTypes:
    """Close a finding."""
    note = NoteForm.parse(await request.form).note
    return await or_show_again(_close(finding_id, note), partial(_show_finding, finding_id, typed=note))


async def _close(finding_id: int, note: str) -> ResponseTypes:
    """Close a finding with a note, and go to the list."""
    await close_finding(
        current_payment_context(), finding_id, note=note, actor_user_id=signed_in_user().id, scope=_current_scope()
    )
    return redirect_to(url_for("reviews.overview", result="closed"))


async def _show_finding(finding_id: int, refusal: ShopError | None = None, *, typed: str = "") -> ResponseTypes:
    """Render a finding, after a refusal with what was typed."""
    page = FindingPage(
        view=view_of_finding(await find_finding(request_session(), _current_scope(), finding_id)),
        time_zone=current_payment_context().settings.time_zone,
        typed=typed,
        refusal=refusal,
    )
    return await show_form("_types/reviews/finding.html", page, refusal)


def _current_scope() -> PageScope:
    """Return the pages whose money the signed-in person may decide on."""
    return current_scope(Role.REFUNDS)
