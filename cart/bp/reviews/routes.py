"""Payments that are not what we asked for, and what only the provider knew: a person looks, and closes each."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.refunds.forms import read_shown_amount
from cart.bp.reviews.services import (
    accept_payment,
    close_finding,
    find_finding,
    find_review,
    give_back_payment,
    list_findings,
    list_reviews,
    settle_payment_elsewhere,
)
from cart.wiring import current_till
from shared.contracts.access import PageScope
from shared.contracts.errors import NotFound, ShopError
from shared.contracts.states import Role
from shared.web.htmx import redirect_to
from shared.web.identity import current_scope, recent_sign_in_required, role_required, signed_in_user
from shared.web.limits import limit_per_person
from shared.web.session import discard_session
from shared.web.state import request_session

from .pages import RESULTS, FindingPage, ReviewPage, ReviewsPage, view_of_finding, view_of_review

bp = Blueprint("reviews", __name__, url_prefix="/admin/refunds/review")
MINUTE = timedelta(minutes=1)
MOST_SHOWN = 50


@bp.get("/")
@role_required(Role.REFUNDS)
async def overview() -> str:
    """Show what needs a person's judgement, oldest first."""
    session, scope = request_session(), _current_scope()
    reviews = await list_reviews(session, scope, limit=MOST_SHOWN + 1)
    findings = await list_findings(session, scope, limit=MOST_SHOWN + 1)
    page = ReviewsPage(
        reviews=tuple(view_of_review(row) for row in reviews[:MOST_SHOWN]),
        findings=tuple(view_of_finding(row) for row in findings[:MOST_SHOWN]),
        has_more=max(len(reviews), len(findings)) > MOST_SHOWN,
        time_zone=current_till().settings.time_zone,
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
    try:
        shown = read_shown_amount((await request.form).get("shown", ""))
        await accept_payment(
            current_till(), payment_id, shown=shown, actor_user_id=signed_in_user().id, scope=_current_scope()
        )
    except NotFound:
        raise
    except ShopError as refusal:
        return await _refuse(payment_id, refusal)
    return redirect_to(url_for("reviews.overview", result="accepted"))


@bp.post("/<int:payment_id>/give-back/")
@limit_per_person(30, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def give_back(payment_id: int) -> ResponseTypes:
    """Owe all of it back, and let the order go."""
    try:
        shown = read_shown_amount((await request.form).get("shown", ""))
        await give_back_payment(
            current_till(), payment_id, shown=shown, actor_user_id=signed_in_user().id, scope=_current_scope()
        )
    except NotFound:
        raise
    except ShopError as refusal:
        return await _refuse(payment_id, refusal)
    return redirect_to(url_for("reviews.overview", result="given-back"))


@bp.post("/<int:payment_id>/elsewhere/")
@limit_per_person(30, MINUTE)
@role_required(Role.REFUNDS)
@recent_sign_in_required
async def elsewhere(payment_id: int) -> ResponseTypes:
    """Close it by somebody's word of what became of the money."""
    typed = (await request.form).get("note", "")
    try:
        await settle_payment_elsewhere(
            current_till(), payment_id, note=typed, actor_user_id=signed_in_user().id, scope=_current_scope()
        )
    except NotFound:
        raise
    except ShopError as refusal:
        return await _refuse(payment_id, refusal, typed)
    return redirect_to(url_for("reviews.overview", result="elsewhere"))


async def _refuse(payment_id: int, refusal: ShopError, typed: str = "") -> ResponseTypes:
    """Show the payment again; where somebody has decided on it meanwhile, there is only the refusal to show."""
    await discard_session()
    try:
        return await _show(payment_id, typed, refusal)
    except NotFound:
        raise refusal from None


async def _show(payment_id: int, typed: str = "", refusal: ShopError | None = None) -> ResponseTypes:
    """Render a payment, after a refusal with what was typed."""
    page = ReviewPage(
        view=view_of_review(await find_review(request_session(), _current_scope(), payment_id)),
        time_zone=current_till().settings.time_zone,
        typed=typed,
        refusal=refusal,
    )
    html = await render_template("_types/reviews/payment.html", page=page)
    return await make_response(html, HTTPStatus.OK if refusal is None else refusal.status)


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
    typed = (await request.form).get("note", "")
    try:
        await close_finding(
            current_till(), finding_id, note=typed, actor_user_id=signed_in_user().id, scope=_current_scope()
        )
    except NotFound:
        raise
    except ShopError as refusal:
        await discard_session()
        return await _show_finding(finding_id, typed, refusal)
    return redirect_to(url_for("reviews.overview", result="closed"))


async def _show_finding(finding_id: int, typed: str = "", refusal: ShopError | None = None) -> ResponseTypes:
    """Render a finding, after a refusal with what was typed."""
    page = FindingPage(
        view=view_of_finding(await find_finding(request_session(), _current_scope(), finding_id)),
        time_zone=current_till().settings.time_zone,
        typed=typed,
        refusal=refusal,
    )
    html = await render_template("_types/reviews/finding.html", page=page)
    return await make_response(html, HTTPStatus.OK if refusal is None else refusal.status)


def _current_scope() -> PageScope:
    """Return the pages whose money the signed-in person may decide on."""
    return current_scope(Role.REFUNDS)
