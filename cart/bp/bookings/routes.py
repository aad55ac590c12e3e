"""Bookings that wait for approval, for admins: the queue, one of them, and the two answers, each confirmed once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from http import HTTPStatus

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from cart.bp.bookings.services import decide_booking, find_waiting, list_waiting, order_of, owed_if_declined
from cart.bp.notes import NoteForm
from cart.wiring import current_payment_context
from shared.contracts.dtos import ZERO
from shared.contracts.errors import BadInput, Conflict
from shared.contracts.paging import moment_key, read_moment_key, read_part
from shared.contracts.states import Role
from shared.web.forms import show_form
from shared.web.htmx import redirect_to
from shared.web.identity import role_required, signed_in_user
from shared.web.limits import limit_per_person
from shared.web.session import discard_session
from shared.web.state import request_session

from .pages import RESULTS, BookingsPage, build_booking_page, view_of

bp = Blueprint("bookings", __name__, url_prefix="/admin/bookings")
PAGE_SIZE = 50
MINUTE = timedelta(minutes=1)


@bp.get("/")
@role_required(Role.ADMIN)
async def queue() -> ResponseTypes:
    """Show what waits, soonest first, a page at a time."""
    return await _show_queue()


@bp.get("/<int:entry_id>/")
@role_required(Role.ADMIN)
async def booking(entry_id: int) -> ResponseTypes:
    """Show one booking that waits, with its order."""
    return await _show_booking(entry_id)


@bp.get("/<int:entry_id>/approve/")
@role_required(Role.ADMIN)
async def ask_to_approve(entry_id: int) -> ResponseTypes:
    """Say what approving does, and ask whether it is wanted."""
    return await _show_booking(entry_id, "approve")


@bp.get("/<int:entry_id>/decline/")
@role_required(Role.ADMIN)
async def ask_to_decline(entry_id: int) -> ResponseTypes:
    """Say what declining does, and ask whether it is wanted."""
    return await _show_booking(entry_id, "decline")


@bp.post("/<int:entry_id>/approve/")
@limit_per_person(60, MINUTE)
@role_required(Role.ADMIN)
async def approve(entry_id: int) -> ResponseTypes:
    """Confirm a booking."""
    return await _decide(entry_id, approved=True)


@bp.post("/<int:entry_id>/decline/")
@limit_per_person(60, MINUTE)
@role_required(Role.ADMIN)
async def decline(entry_id: int) -> ResponseTypes:
    """Decline a booking; what was paid for it is owed back."""
    return await _decide(entry_id, approved=False)


async def _decide(entry_id: int, *, approved: bool) -> ResponseTypes:
    note = NoteForm.parse(await request.form).note
    try:
        owed = await decide_booking(
            current_payment_context(),
            entry_id=entry_id,
            approved=approved,
            actor_user_id=signed_in_user().id,
            note=note,
        )
    # Somebody else has decided meanwhile: the queue of now says so better than the form of then.
    except Conflict as refusal:
        return await _refuse(refusal)
    except BadInput as refusal:
        await discard_session()
        return await _show_booking(entry_id, "approve" if approved else "decline", note, refusal)
    result = "approved" if approved else "owed" if owed else "declined"
    return redirect_to(url_for("bookings.queue", result=result))


async def _refuse(refusal: Conflict) -> ResponseTypes:
    """Show the queue as it is now, with why nothing was done."""
    await discard_session()
    return await _show_queue(str(refusal))


async def _show_queue(problem: str = "") -> ResponseTypes:
    """Render the part of the queue that the address names."""
    context, result = current_payment_context(), request.args.get("result", "")
    # After a refusal from the start: the key's own row may be the one that has gone.
    after = None if problem else read_moment_key(request.args.get("after", ""))
    waiting = partial(list_waiting, request_session(), context, after=after)
    part = await read_part(waiting, size=PAGE_SIZE, key_of=lambda each: moment_key(each.entry.start_at, each.entry.id))
    page = BookingsPage(
        bookings=tuple(view_of(each, context.clock()) for each in part.rows),
        next_url=part.next_url(lambda key: url_for("bookings.queue", after=key)),
        result=RESULTS.get(result, ""),
        owes=result == "owed",
        problem=problem,
    )
    html = await render_template("_types/bookings/index.html", page=page)
    return await make_response(html, HTTPStatus.CONFLICT if problem else HTTPStatus.OK)


async def _show_booking(
    entry_id: int, question: str = "", typed: str = "", refusal: BadInput | None = None
) -> ResponseTypes:
    """Render one booking, or the queue where it waits no more; after a refusal with what was typed."""
    context, session = current_payment_context(), request_session()
    try:
        waiting = await find_waiting(session, context, entry_id)
    except Conflict as gone:
        return await _refuse(gone)
    page = build_booking_page(
        waiting,
        await order_of(session, waiting),
        now=context.clock(),
        time_zone=context.settings.time_zone,
        question=question,
        # Asked only where it is shown: the list has no need of it.
        owed=await owed_if_declined(session, waiting.entry) if question == "decline" else ZERO,
        typed=typed,
        refusal=refusal,
    )
    return await show_form("_types/bookings/booking.html", page, refusal)
