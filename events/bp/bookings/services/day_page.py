"""The page of a day: its times as a form, or a word why nothing can be booked."""

from __future__ import annotations

from dataclasses import dataclass

from events.bp.bookings.choice import OfferedTime
from events.bp.bookings.forms import NOTHING_CHOSEN, BookForm
from events.bp.bookings.words import TermsInWords, closure_on, closure_text, terms_in_words, times_of
from shared.contracts.dtos import CalendarDTO
from shared.contracts.paths import book_path, calendar_path
from shared.contracts.states import LineKind
from shared.contracts.times import day_text
from shared.labels import sale_words

from .bookable import FoundDay

FEW_LEFT = 3
"""From this number on, a page stresses how many places are left."""


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One time, with what was ticked or typed beside it."""

    offer: OfferedTime
    times: str
    field_id: str
    note: str
    note_look: str
    ticked: bool
    typed: str
    error: str


@dataclass(frozen=True, slots=True)
class DayPage:
    """A day of a calendar and its times."""

    calendar: CalendarDTO
    terms: TermsInWords
    title: str
    path: str
    month_path: str
    calendar_path: str
    is_offered: bool
    """Whether the day is one of those that can be booked at all."""
    rows: tuple[SlotRow, ...]
    nothing: str
    """Why there is nothing to choose; empty: there is."""
    problems: tuple[tuple[str, str], ...]
    """What is wrong with the form: the id of the field (empty: the form itself) and words."""


def day_page(found: FoundDay, *, form: BookForm = NOTHING_CHOSEN, refusal: str = "") -> DayPage:
    """Put together the page of a day; ``refusal`` is why a form was not taken."""
    calendar, terms = found.calendar, found.terms
    choice = found.choose(form)
    # A day that is only looked at has no errors yet, even where its address names a choice.
    rows = tuple(_row(found, offer, form, choice.errors if refusal else {}) for offer in found.offers)
    return DayPage(
        calendar=calendar,
        terms=terms_in_words(calendar, terms),
        title=f"{found.day:%A} {found.day.day} {found.day:%B %Y}",
        path=found.path,
        month_path=f"{book_path(calendar.slug)}?month={found.day:%Y-%m}",
        calendar_path=calendar_path(calendar.slug),
        is_offered=terms.first_day <= found.day <= terms.last_day,
        rows=rows,
        nothing=_nothing(found),
        problems=_problems(rows, choice.problem, refusal) if refusal else (),
    )


def _row(found: FoundDay, offer: OfferedTime, form: BookForm, errors: dict[str, str]) -> SlotRow:
    """Make a row of a time; who has not typed anything finds none of its places."""
    note, look = _note(offer)
    return SlotRow(
        offer=offer,
        times=times_of(offer.slot, found.calendar.time_zone),
        field_id=f"f-{offer.key}",
        note=note,
        note_look=look,
        ticked=offer.key in form.ticked,
        typed=form.typed.get(offer.key, "0"),
        error=errors.get(offer.key, ""),
    )


def _note(offer: OfferedTime) -> tuple[str, str]:
    """Say in a few words how a time stands."""
    if not offer.slot.sale.is_open:
        words = sale_words(LineKind.BOOKING, offer.slot.sale)
        return words.note, words.look
    if offer.overlaps_cart:
        return "Overlaps a time in your cart", "info"
    if not offer.is_counted:
        return ("In your cart", "info") if offer.in_cart else ("", "")
    left = f"{offer.slot.free} of {offer.slot.places} places left"
    mine = f", {offer.in_cart} in your cart" if offer.in_cart else ""
    return left + mine, "warning" if offer.slot.free <= FEW_LEFT else ""


def _nothing(found: FoundDay) -> str:
    """Say why there is nothing to choose of a day, where it is so."""
    terms, day = found.terms, found.day
    # From what is there to what is not: who sees times needs no word about closed days.
    if any(offer.left for offer in found.offers):
        return ""
    # There are times, all of them taken or in the cart; their own notes say which.
    if found.offers:
        return "There is nothing left to choose on this day."
    if day < terms.first_day:
        return "This day is over."
    if day > terms.last_day:
        return f"This day cannot be booked yet: times are offered up to {day_text(terms.last_day)}."
    closure = closure_on(day, terms)
    return f"Closed: {closure_text(closure)}." if closure else "There is nothing to book on this day."


def _problems(rows: tuple[SlotRow, ...], problem: str, refusal: str) -> tuple[tuple[str, str], ...]:
    """List what is wrong: altogether, which leads to the first field, and row by row."""
    wrong = tuple((row.field_id, f"{row.times}: {row.error}") for row in rows if row.error)
    whole = problem or ("" if wrong else refusal)
    # The summary's link needs a field that can be used: a disabled one takes no focus.
    first = next((row.field_id for row in rows if row.offer.left), "")
    return ((first, whole), *wrong) if whole else wrong
