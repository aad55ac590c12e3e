"""An event's page: what it is, and its tickets as a form, a list or a word why there are none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from events.bp.entries.offers import OfferedTicket, TicketOffer, offer_of
from shared.clients.blog import PageAnswer
from shared.contracts.dtos import EntryDTO
from shared.contracts.errors import NotFound
from shared.contracts.paths import calendar_path, entry_path, page_path
from shared.contracts.times import until
from shared.services.registry import services


@dataclass(frozen=True, slots=True)
class FormRow:
    """One kind of ticket with what was typed beside it."""

    kind: OfferedTicket
    typed: str
    error: str
    field_id: str


@dataclass(frozen=True, slots=True)
class BuyState:
    """What somebody did with the form: nothing yet, came back with a choice, or was refused."""

    typed: Mapping[int | None, str]
    errors: Mapping[int | None, str]
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """An event and its tickets."""

    entry: EntryDTO
    offer: TicketOffer
    span: str
    paragraphs: tuple[str, ...]
    """The description; a blank line parts two, and a single line break is a space, as in the pages' Markdown."""
    path: str
    calendar_path: str
    sign_in_to: str
    """Where to come back to after signing in: this page, with the choice in its address."""
    rows: tuple[FormRow, ...]
    problems: tuple[tuple[str, str], ...]
    """What is wrong with the form: the id of the field (empty: the form itself) and words."""
    host: PageAnswer | None = None
    """What the blog app says of the page that puts the event on; None: it gives no answer."""
    host_path: str = ""


_BLANK_LINES = re.compile(r"\s*\n\s*\n\s*")
NOTHING_TYPED = BuyState({}, {})


async def find_entry(session: AsyncSession, entry_id: int) -> EntryDTO:
    """Return an event that is on the programme. Raises NotFound."""
    entry = await services.calendar.entry(session, entry_id)
    if entry is None:
        raise NotFound("We could not find that event. It may have been taken off the programme.")
    return entry


def entry_page(entry: EntryDTO, *, choice_query: str = "", state: BuyState = NOTHING_TYPED) -> EntryPage:
    """Put together the page of an event; ``choice_query`` is a choice as it stands in an address."""
    offer, path = offer_of(entry), entry_path(entry.id)
    rows = tuple(_row(kind, state) for kind in offer.kinds)
    return EntryPage(
        entry=entry,
        offer=offer,
        span=until(entry.start_at, entry.end_at, entry.time_zone),
        paragraphs=tuple(part for part in _BLANK_LINES.split(entry.description.strip()) if part),
        path=path,
        calendar_path=calendar_path(entry.calendar_slug),
        sign_in_to=path + choice_query,
        rows=rows,
        problems=_problems(rows, state.refusal),
    )


def with_host(page: EntryPage, host: PageAnswer | None) -> EntryPage:
    """Return the page of an event with who puts it on, where that is known."""
    return page if host is None else replace(page, host=host, host_path=page_path(host.slug))


def _row(kind: OfferedTicket, state: BuyState) -> FormRow:
    """Make a row of a kind; who has not typed anything finds one ticket of the one price, or none of each type."""
    key = kind.ticket_type_id
    # One price: who opens the page wants one. Several types: none is guessed for them.
    typed = state.typed.get(key, "1" if key is None else "0")
    return FormRow(kind, typed, state.errors.get(key, ""), f"f-quantity-{key or 'one'}")


def _problems(rows: tuple[FormRow, ...], refusal: str) -> tuple[tuple[str, str], ...]:
    """List what is wrong: row by row, or else the refusal of the whole, which leads to the first field."""
    wrong = tuple((row.field_id, f"{row.kind.name}: {row.error}") for row in rows if row.error)
    # A row that is wrong says more than the refusal of the whole.
    if wrong or not refusal:
        return wrong
    # The link of the summary has to lead to a field that is there; sold-out rows have none.
    first = next((row.field_id for row in rows if row.kind.buyable), "")
    return ((first, refusal),)
