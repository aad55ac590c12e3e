"""Booking times: a month, a day, and into the cart, with an account or without."""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, make_response, render_template, request, url_for
from quart.typing import ResponseTypes

from shared.contracts.errors import BadInput, NotFound
from shared.web.htmx import is_htmx, redirect_to
from shared.web.identity import current_cart_owner, ensure_session_id
from shared.web.limits import limit_per_person
from shared.web.state import app_state, request_session

from .forms import BookForm, choice_query
from .services.adding import added_page, put_into_cart
from .services.bookable import FoundDay, find_day
from .services.day_page import day_page
from .services.month_page import month_page

bp = Blueprint("bookings", __name__)


@bp.get("/calendars/<slug>/book/")
async def month(slug: str) -> str:
    """Show a month and what of each day is free."""
    page = await month_page(request_session(), slug, request.args.get("month", ""), now=app_state().clock())
    return await render_template("_types/bookings/month.html", page=page)


@bp.get("/calendars/<slug>/book/<day>/")
async def day(slug: str, day: str) -> ResponseTypes:
    """Show the times of a day; one that cannot be booked at all is not found, and says why."""
    page = day_page(await _find(slug, day))
    # Not found outside of what is offered, or search engines would follow days for ever.
    status = 200 if page.is_offered else NotFound.status
    return await make_response(await render_template("_types/bookings/day.html", page=page), status)


@bp.post("/calendars/<slug>/book/<day>/")
@limit_per_person(30, timedelta(minutes=1))
async def book(slug: str, day: str) -> ResponseTypes:
    """Put times into the cart; a browser that has none yet, signed in or not, is given one."""
    form = BookForm.parse(await request.form)
    found = await _find(slug, day)
    try:
        wish = found.choose(form).checked()
        # Only now: a form that is refused gives nobody a cookie.
        await ensure_session_id()
        await put_into_cart(request_session(), found, wish, current_cart_owner())
    except BadInput as refusal:
        return await _refuse(slug, day, form, refusal)
    if is_htmx():
        return await _show_added("_types/bookings/_added.html", slug, day, form)
    # 303 to a page of its own: reloading it, or going back, sends nothing again.
    return redirect_to(f"{found.path}added/{choice_query(form.chosen)}")


@bp.get("/calendars/<slug>/book/<day>/added/")
async def added(slug: str, day: str) -> ResponseTypes:
    """Say what was added; a page of its own, so that reloading it adds nothing."""
    return await _show_added("_types/bookings/added.html", slug, day, BookForm.parse(request.args))


async def _find(slug: str, day: str) -> FoundDay:
    """Return a day as it is for whoever asks."""
    return await find_day(request_session(), slug, day, current_cart_owner())


async def _refuse(slug: str, day: str, form: BookForm, refusal: BadInput) -> ResponseTypes:
    """Answer 422 with the form as it was filled in, what is wrong with it, and what is free by now."""
    # Read anew: what was refused may have been taken by somebody else since the page was made.
    page = day_page(await _find(slug, day), form=form, refusal=str(refusal))
    template = "_types/bookings/_book_form.html" if is_htmx() else "_types/bookings/day.html"
    return await make_response(await render_template(template, page=page), refusal.status)


async def _show_added(template: str, slug: str, day: str, form: BookForm) -> ResponseTypes:
    """Show what of a choice is in the cart; where nothing is, lead back to the day."""
    page = await added_page(request_session(), slug, day, form.chosen, current_cart_owner())
    if page is None:
        return redirect_to(url_for("bookings.day", slug=slug, day=day))
    return await make_response(await render_template(template, page=page))
