"""Orders, for those who may see them: the list with its search, all of it as a file, and one order with its history."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, Response, request, url_for
from quart.typing import ResponseTypes

from cart.bp.admin_orders.services import OrderFilter, export_orders, list_orders, pages_in, troubles_of
from cart.wiring import current_payment_context
from shared.contracts.errors import BadInput
from shared.contracts.journal import SecurityEvent
from shared.contracts.paging import read_id_key, read_part
from shared.contracts.states import Role
from shared.db.uow import unit_of_work
from shared.services.security import note_security
from shared.web.forms import show_form
from shared.web.identity import current_scope, role_required, signed_in_user
from shared.web.state import request_session

from .forms import FilterForm
from .pages import OrdersPage, build_orders_page, views_of

bp = Blueprint("admin_orders", __name__, url_prefix="/admin/orders")
PAGE_SIZE = 50
LIST = "_types/admin_orders/index.html"


@bp.get("/")
@role_required(Role.ORDERS)
async def order_list() -> ResponseTypes:
    """Show the orders that the address asks for, newest first, a page at a time."""
    form = FilterForm.parse(request.args)
    try:
        wanted, before = (
            form.wanted(current_payment_context().settings.time_zone),
            read_id_key(request.args.get("before", "")),
        )
    # The form comes back with what was typed and no orders: all of them would look like an answer.
    except BadInput as refusal:
        return await show_form(LIST, await _refused(form, refusal), refusal)
    return await show_form(LIST, await _load_page(form, wanted, before))


@bp.get("/export.csv")
@role_required(Role.ORDERS)
async def export() -> ResponseTypes:
    """Send the orders that the address asks for as a file, all of them, as they are read.

    ``g.s`` is not used: a long file would keep one transaction open.
    """
    context, scope = current_payment_context(), current_scope(Role.ORDERS)
    wanted = FilterForm.parse(request.args).wanted(context.settings.time_zone)
    # Personal data: no proxy or browser keeps a copy of the file.
    async with unit_of_work(context.database) as uow:
        await note_security(
            uow.session, SecurityEvent.ORDERS_EXPORTED, user_id=signed_in_user().id, address=request.remote_addr
        )
        await uow.commit()
    headers = {"Content-Disposition": 'attachment; filename="orders.csv"', "Cache-Control": "no-store"}
    # Sent while it is read: memory does not grow with the number of orders.
    response = Response(export_orders(context, wanted, scope), content_type="text/csv; charset=utf-8", headers=headers)
    response.timeout = None  # as long as it takes: a slow line must not cut the file short
    return response


async def _load_page(form: FilterForm, wanted: OrderFilter, before: int | None) -> OrdersPage:
    """Return the stretch of the list that is asked for."""
    context, session, scope = current_payment_context(), request_session(), current_scope(Role.ORDERS)
    orders = partial(list_orders, session, wanted, scope, now=context.clock(), before=before)
    part = await read_part(orders, size=PAGE_SIZE, key_of=lambda row: str(row.id))
    troubles = await troubles_of(session, [row.id for row in part.rows], scope, context.clock())
    return build_orders_page(
        form,
        await pages_in(session, context, scope),
        time_zone=context.settings.time_zone,
        orders=views_of(part.rows, troubles),
        next_url=part.next_url(lambda key: url_for("admin_orders.order_list", before=key, **form.address)),
        export_url=url_for("admin_orders.export", **form.address) if part.rows else "",
    )


async def _refused(form: FilterForm, refusal: BadInput) -> OrdersPage:
    """Return the list's page with what is wrong with the form, and nothing found."""
    context, scope = current_payment_context(), current_scope(Role.ORDERS)
    pages = await pages_in(request_session(), context, scope)
    return build_orders_page(form, pages, time_zone=context.settings.time_zone, refusal=refusal)
