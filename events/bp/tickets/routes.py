"""Buying tickets, and looking at what one has."""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, make_response, render_template, request
from quart.typing import ResponseTypes

from events.bp.entries.choice_query import choice_from_query, choice_query
from events.bp.entries.services.entry_page import BuyState, entry_page, find_entry, with_host
from shared.contracts.dtos import EntryDTO
from shared.contracts.errors import BadInput, SignInRequired
from shared.contracts.paths import entry_path
from shared.web.hosts import host_by_id
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_cart_identity, sign_in_required
from shared.web.limits import limit_per_person
from shared.web.state import app_state, request_session

from .forms import BuyForm
from .services.buying import AddedTicketsPage, put_into_cart, sign_in_page, still_in_cart
from .services.my_tickets import my_tickets, ticket_by_code

bp = Blueprint("tickets", __name__)


@bp.post("/tickets/buy/")
@limit_per_person(30, timedelta(minutes=1))
async def buy_tickets() -> ResponseTypes:
    """Put tickets into the cart, pending; who is not signed in is asked to, and finds the choice kept afterwards."""
    # Before the sign-in: a choice that cannot be read at all need not be carried through it.
    form = BuyForm.parse(await request.form)
    entry = await find_entry(request_session(), form.entry_id)
    user_id = current_cart_identity()["user_id"]
    # Tickets need an account (the specification, step 9); the choice comes back in the address.
    if user_id is None:
        return await _ask_to_sign_in(entry, form)
    try:
        choice = form.choice()
        page = await put_into_cart(request_session(), entry, choice, user_id=user_id, now=app_state().clock())
    except BadInput as refusal:
        return await _refuse(entry, form, refusal)
    return await _show_added(page, choice)


@bp.get("/entries/<int:entry_id>/added/")
@sign_in_required
async def added(entry_id: int) -> ResponseTypes:
    """Say what was added; a page of its own, so that reloading it adds nothing."""
    entry = await find_entry(request_session(), entry_id)
    types = [each.id for each in entry.ticket_types] or [None]
    choice = choice_from_query(request.args, types)
    page = await still_in_cart(request_session(), entry, choice, user_id=_user_id())
    # Checked out or taken out meanwhile: "added" would be a lie.
    if page is None:
        return redirect_to(entry_path(entry.id))
    return await make_response(await render_template("_types/tickets/added.html", page=page))


@bp.get("/tickets/")
@sign_in_required
async def index() -> str:
    """Show a person's tickets and bookings."""
    page = await my_tickets(request_session(), user_id=_user_id(), now=app_state().clock())
    return await render_template("_types/tickets/index.html", page=page)


@bp.get("/tickets/<code>/")
@sign_in_required
async def ticket(code: str) -> str:
    """Show one ticket, to be printed or shown at the door; only to its owner."""
    page = await ticket_by_code(request_session(), code, user_id=_user_id())
    return await render_template("_types/tickets/ticket.html", page=page)


def _user_id() -> int:
    user_id = current_cart_identity()["user_id"]
    if user_id is None:
        raise SignInRequired
    return user_id


async def _ask_to_sign_in(entry: EntryDTO, form: BuyForm) -> ResponseTypes:
    """Answer 401 with the way to the sign-in page and back to this event."""
    template = "_types/tickets/_sign_in.html" if is_htmx() else "_types/tickets/sign_in.html"
    return await make_response(await render_template(template, page=sign_in_page(entry, form)), 401)


async def _refuse(entry: EntryDTO, form: BuyForm, refusal: BadInput) -> ResponseTypes:
    """Answer 422 with the form as it was typed, and what is wrong with it."""
    state = BuyState(form.typed, form.errors, str(refusal))
    page = entry_page(entry, choice_query=choice_query(form.chosen), state=state)
    if is_htmx():
        return await make_response(await render_template("_types/tickets/_buy_form.html", page=page), refusal.status)
    # Only for the whole page: htmx swaps the form, which shows no host.
    page = with_host(page, await host_by_id(entry.calendar_container_id))
    return await make_response(await render_template("_types/entries/entry.html", page=page), refusal.status)


async def _show_added(page: AddedTicketsPage, choice: dict[int | None, int]) -> ResponseTypes:
    """Show the result in the form's place, or, without script, on the page that a reload may repeat."""
    if is_htmx():
        return await make_response(await render_template("_types/tickets/_buy_result.html", page=page))
    # 303, so that a reload of the answer does not buy twice.
    return redirect_to(f"{page.path}added/{choice_query(choice)}")
