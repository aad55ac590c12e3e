"""Page accounts, for admins: who is paid for what each page sells."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from quart import Blueprint, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.accounts.services import (
    find_page_account,
    keep_page_account,
    list_page_accounts,
    pay_page_to,
    pay_page_to_default,
    refund_page_automatically,
)
from cart.wiring import current_payment_context
from shared.contracts.errors import ShopError
from shared.contracts.states import Role
from shared.web.forms import Sent, or_show_again, show_form
from shared.web.htmx import redirect_to
from shared.web.identity import recent_sign_in_required, role_required, signed_in_user
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .forms import AccountForm, RefundsForm
from .pages import RESULTS, AccountsPage, build_account_page

bp = Blueprint("accounts", __name__, url_prefix="/admin/accounts")
MINUTE = timedelta(minutes=1)


@bp.get("/")
@role_required(Role.ADMIN)
async def overview() -> str:
    """Show every page with the account that it is paid to."""
    context = current_payment_context()
    page = AccountsPage(
        accounts=tuple(await list_page_accounts(request_session(), context)),
        default_code=context.settings.sumup_merchant_code,
        time_zone=context.settings.time_zone,
        result=RESULTS.get(request.args.get("result", ""), ""),
    )
    return await render_template("_types/accounts/index.html", page=page)


@bp.get("/<int:page_post_id>/")
@role_required(Role.ADMIN)
@recent_sign_in_required
async def account(page_post_id: int) -> ResponseTypes:
    """Show one page's account, and the form for another one."""
    return await _show(page_post_id)


@bp.post("/<int:page_post_id>/")
@limit_per_person(20, MINUTE)
@role_required(Role.ADMIN)
@recent_sign_in_required
async def save(page_post_id: int) -> ResponseTypes:
    """Have the provider check the key, and the page paid to its account from now on.

    ``g.s`` is not used before: the use case opens its own units of work and calls the provider between them.
    """
    sent = await request.form
    # The code comes back into the form, the key never does.
    typed = sent.get("merchant_code", "").strip()
    return await or_show_again(_save(page_post_id, sent), partial(_show, page_post_id, typed=typed))


async def _save(page_post_id: int, sent: Sent) -> ResponseTypes:
    """Have the page paid to the account that a form names."""
    form = AccountForm.parse(sent)
    from_at = await pay_page_to(
        current_payment_context(),
        page_post_id=page_post_id,
        merchant_code=form.merchant_code,
        api_key=form.api_key,
        actor_user_id=signed_in_user().id,
        address=request.remote_addr,
    )
    return redirect_to(url_for("accounts.overview", result="saved" if from_at is None else "later"))


@bp.post("/<int:page_post_id>/default/")
@role_required(Role.ADMIN)
@recent_sign_in_required
async def use_default(page_post_id: int) -> ResponseTypes:
    """Have the page paid to the installation's own account again."""
    from_at = await pay_page_to_default(
        current_payment_context(),
        page_post_id=page_post_id,
        actor_user_id=signed_in_user().id,
        address=request.remote_addr,
    )
    return redirect_to(url_for("accounts.overview", result="default" if from_at is None else "later"))


@bp.post("/<int:page_post_id>/keep/")
@limit_per_person(60, MINUTE)
@role_required(Role.ADMIN)
@recent_sign_in_required
async def keep(page_post_id: int) -> ResponseTypes:
    """Have the page stay with the account that it is paid to now, whatever was to come."""
    await keep_page_account(
        current_payment_context(),
        page_post_id=page_post_id,
        actor_user_id=signed_in_user().id,
        address=request.remote_addr,
    )
    return redirect_to(url_for("accounts.overview", result="kept"))


@bp.post("/<int:page_post_id>/refunds/")
@role_required(Role.ADMIN)
@recent_sign_in_required
async def choose_refunds(page_post_id: int) -> ResponseTypes:
    """Say whether what is owed to the page's buyers goes back by itself, or when a person presses the button."""
    automatic = RefundsForm.parse(await request.form).automatic
    await refund_page_automatically(
        current_payment_context(),
        page_post_id=page_post_id,
        automatic=automatic,
        actor_user_id=signed_in_user().id,
        address=request.remote_addr,
    )
    return redirect_to(url_for("accounts.overview", result="automatic" if automatic else "by-person"))


async def _show(page_post_id: int, refusal: ShopError | None = None, *, typed: str | None = None) -> ResponseTypes:
    """Render a page's account, after a refusal with what was typed, but for the key."""
    context = current_payment_context()
    page = build_account_page(
        await find_page_account(request_session(), context, page_post_id),
        default_code=context.settings.sumup_merchant_code,
        currency=context.settings.currency,
        time_zone=context.settings.time_zone,
        typed=typed,
        refusal=refusal,
    )
    return await show_form("_types/accounts/account.html", page, refusal)
