"""One order, for those who may see it: its history, and what may be done to it besides refunding money.

Who may only look may ask the provider and write notes; to cancel takes the right to refund.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.admin_orders.services import (
    OrderHistory,
    add_note,
    ask_provider,
    cancel_order_lines,
    give_up_order,
    read_order_history,
    troubles_of,
)
from cart.payments.fence import PutBackOutcome
from cart.wiring import current_payment_context
from shared.contracts.errors import ShopError
from shared.contracts.journal import SecurityEvent
from shared.contracts.states import Role
from shared.services.security import note_security
from shared.web.forms import Sent, or_show_again, show_form
from shared.web.htmx import redirect_to
from shared.web.identity import current_scope, role_required, signed_in_user
from shared.web.limits import limit_per_person
from shared.web.state import request_session

from .forms import LinesForm, OrderNoteForm, nothing_chosen
from .pages import CancelPage, GiveUpPage, build_history_page, line_views

bp = Blueprint("admin_order", __name__, url_prefix="/admin/orders/<int:order_id>")
MINUTE = timedelta(minutes=1)


@bp.get("/")
@role_required(Role.ORDERS)
async def history(order_id: int) -> ResponseTypes:
    """Show an order with all that became of it; that somebody looked is written down."""
    response = await _show(order_id)
    # After it was found: an order that is not theirs to see tells nobody anything.
    await note_security(
        request_session(),
        SecurityEvent.ORDER_OPENED,
        user_id=signed_in_user().id,
        address=request.remote_addr,
        data={"order": order_id},
    )
    return response


@bp.get("/cancel/")
@role_required(Role.REFUNDS)
async def ask_to_cancel(order_id: int) -> ResponseTypes:
    """Let lines be chosen; once they are, say what cancelling them does, and ask whether it is wanted."""
    # "go" tells a press of the button from the first look at the page.
    if "line" not in request.args:
        return await _show_cancel(order_id, (), nothing_chosen() if "go" in request.args else None)
    return await _show_cancel(order_id, LinesForm.parse(request.args).line)


@bp.post("/cancel/")
@limit_per_person(60, MINUTE)
@role_required(Role.REFUNDS)
async def cancel(order_id: int) -> ResponseTypes:
    """Cancel the chosen lines; money is refunded elsewhere, or not at all."""
    return await or_show_again(_cancel(order_id, await request.form), partial(_show, order_id))


async def _cancel(order_id: int, sent: Sent) -> ResponseTypes:
    """Cancel the lines that a form names."""
    done = await cancel_order_lines(
        current_payment_context(),
        order_id=order_id,
        line_ids=LinesForm.parse(sent).line,
        scope=current_scope(Role.REFUNDS),
        actor_user_id=signed_in_user().id,
    )
    return _back(order_id, "cancelled" if done else "nothing-cancelled")


@bp.get("/give-up/")
@role_required(Role.REFUNDS)
async def ask_to_give_up(order_id: int) -> ResponseTypes:
    """Say what giving an unpaid order up does, and ask whether it is wanted."""
    told = await read_order_history(request_session(), current_payment_context(), order_id, current_scope(Role.REFUNDS))
    page = GiveUpPage(order=told.order, buyer_email=told.buyer_email, lines=line_views(told))
    return await make_response(await render_template("_types/admin_orders/give_up.html", page=page))


@bp.post("/give-up/")
@limit_per_person(30, MINUTE)
@role_required(Role.REFUNDS)
async def give_up(order_id: int) -> ResponseTypes:
    """Give an unpaid order up, once it is certain that nobody can pay it any more.

    ``g.s`` is not used before: the use case opens its own units of work and calls the provider between them.
    """
    return await or_show_again(_give_up(order_id), partial(_show, order_id))


async def _give_up(order_id: int) -> ResponseTypes:
    """Give an order up, and go back to it."""
    outcome: PutBackOutcome = await give_up_order(
        current_payment_context(),
        order_id=order_id,
        scope=current_scope(Role.REFUNDS),
        actor_user_id=signed_in_user().id,
    )
    return _back(order_id, outcome.value)


@bp.post("/ask/")
@limit_per_person(30, MINUTE)
@role_required(Role.ORDERS)
async def ask(order_id: int) -> ResponseTypes:
    """Ask the provider about the order's payments and refunds now, outside any transaction of the request's."""
    # A POST: it may change the order, and a link in a mail must not.
    answer = await ask_provider(current_payment_context(), order_id=order_id, scope=current_scope(Role.ORDERS))
    return _back(order_id, f"asked-{answer}")


@bp.post("/notes/")
@limit_per_person(60, MINUTE)
@role_required(Role.ORDERS)
async def note(order_id: int) -> ResponseTypes:
    """Keep a note for others who look at the order."""
    sent = await request.form
    return await or_show_again(_note(order_id, sent), partial(_show, order_id, note=sent.get("body", "")))


async def _note(order_id: int, sent: Sent) -> ResponseTypes:
    """Keep the note that a form brings."""
    body, scope = OrderNoteForm.parse(sent).body, current_scope(Role.ORDERS)
    is_new = await add_note(
        current_payment_context(), order_id=order_id, body=body, scope=scope, author_id=signed_in_user().id
    )
    return _back(order_id, "noted" if is_new else "noted-already")


def _back(order_id: int, result: str) -> ResponseTypes:
    return redirect_to(url_for("admin_order.history", order_id=order_id, result=result))


async def _show(order_id: int, refusal: ShopError | None = None, *, note: str = "") -> ResponseTypes:
    """Render an order as it is now; after a refusal with why nothing was done, and a note as it was typed."""
    context, session, scope = current_payment_context(), request_session(), current_scope(Role.ORDERS)
    told = await read_order_history(session, context, order_id, scope)
    page = build_history_page(
        told,
        # Read after the order: what was settled just now is no trouble any more.
        troubles=(await troubles_of(session, [order_id], scope, context.clock())).get(order_id, ()),
        time_zone=context.settings.time_zone,
        refund_url=url_for("order_refunds.choose", order_id=order_id) if _may_refund(told) else "",
        may_cancel=_may_refund(told),
        result="" if refusal else request.args.get("result", ""),
        refusal=refusal,
        note=note,
    )
    return await show_form("_types/admin_orders/order.html", page, refusal)


def _may_refund(told: OrderHistory) -> bool:
    """Tell whether whoever looks may cancel some of an order's lines, or refund their money."""
    scope = current_scope(Role.REFUNDS)
    return any(scope.covers([line.page_post_id]) for line in told.order.lines)


async def _show_cancel(order_id: int, wanted: Collection[int], refusal: ShopError | None = None) -> ResponseTypes:
    """Render the choice of what is to be cancelled, or the question about what was chosen."""
    told = await read_order_history(request_session(), current_payment_context(), order_id, current_scope(Role.REFUNDS))
    # Only what can be cancelled is offered; a stale page may name others, which "is_gone" answers.
    lines = tuple(line for line in line_views(told) if line.can_cancel)
    chosen = tuple(line for line in lines if line.id in wanted)
    page = CancelPage(
        order=told.order,
        buyer_email=told.buyer_email,
        lines=lines,
        chosen=chosen,
        is_gone=bool(wanted) and not chosen,
        refusal=refusal if lines else None,
    )
    return await show_form("_types/admin_orders/cancel.html", page, page.refusal)
