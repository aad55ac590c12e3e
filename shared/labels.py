"""The words for states, each once: a page chooses the one that fits its place, and writes none of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.sale import Sale, SaleState
from shared.contracts.sold import Was
from shared.contracts.states import LineKind
from shared.contracts.times import when

HAS_BEGUN = "This event has begun."
TAKE_OUT = "Please take it out of your cart."


@dataclass(frozen=True, slots=True)
class SaleWords:
    """How one state of a sale is put, from short to long. ``{opens}`` is when the sale opens, ``{name}`` of what."""

    note: str = ""
    """Two or three words, as a tag in a list or beside a heading."""
    look: str = ""
    """The kind of that tag."""
    text: str = ""
    """A sentence on the page of the thing itself."""
    line: str = ""
    """A sentence at a line of the cart."""
    refusal: str = ""
    """A sentence that names the thing: why it cannot be put into the cart, or checked out."""


_TICKETS = {
    SaleState.OPEN: SaleWords(),
    SaleState.NOT_YET: SaleWords(
        note="On sale from {day}",
        look="info",
        text="Tickets go on sale on {opens}.",
        line="These tickets are not on sale yet: they go on sale on {opens}.",
        refusal="Tickets for {name} are not on sale yet.",
    ),
    SaleState.ENDED: SaleWords(
        note="Sale has ended",
        text="The sale of tickets has ended.",
        line="The sale of these tickets has ended.",
        refusal="The sale of tickets for {name} has ended.",
    ),
    SaleState.OVER: SaleWords(
        note="Over",
        text="This event is over.",
        line="This event is over.",
        refusal="{name} is over, so its tickets are no longer sold.",
    ),
    SaleState.NO_TICKETS: SaleWords(
        note="No ticket needed",
        text="No tickets are sold for this event.",
        line="These tickets are no longer sold.",
        refusal="{name} has no tickets to buy: they are no longer sold.",
    ),
    SaleState.CANCELLED: SaleWords(
        note="Cancelled",
        look="bad",
        text="This event has been taken off the programme.",
        line="This event has been taken off the programme.",
        refusal="{name} is no longer on the programme.",
    ),
    SaleState.SOLD_OUT: SaleWords(
        note="Sold out",
        look="bad",
        text="All tickets are taken.",
        line="Sold out.",
        refusal="{name} is sold out.",
    ),
    SaleState.HELD: SaleWords(
        note="All held",
        look="warning",
        text="All tickets are taken, but some by orders that are not paid yet. They may come back: look again later.",
        line="All are held just now. Some orders are not paid yet, so tickets may come back.",
        refusal="All tickets for {name} are held just now. Some orders are not paid yet, so they may come back.",
    ),
}
_BOOKINGS = {
    SaleState.OPEN: SaleWords(),
    SaleState.OVER: SaleWords(
        note="Over",
        text="This time has passed.",
        line="This time has passed.",
        refusal="{name}: This time has passed.",
    ),
    SaleState.ENDED: SaleWords(
        note="Not offered",
        text="This time can no longer be booked.",
        line="This time can no longer be booked.",
        refusal="{name}: This time can no longer be booked.",
    ),
    SaleState.SOLD_OUT: SaleWords(
        note="Taken",
        text="This time has been taken.",
        line="This time has been taken.",
        refusal="{name}: This time has been taken.",
    ),
    SaleState.HELD: SaleWords(
        note="Held",
        look="warning",
        text="This time has been taken. It is not paid yet, so it may come back.",
        line="This time has been taken. It is not paid yet, so it may come back.",
        refusal="{name}: This time has been taken. It is not paid yet, so it may come back.",
    ),
}
_PRODUCTS = {
    SaleState.OPEN: SaleWords(),
    SaleState.CANCELLED: SaleWords(
        note="Not sold any more",
        text="This is no longer sold.",
        line="This is no longer sold.",
        refusal="{name} is no longer sold.",
    ),
    SaleState.SOLD_OUT: SaleWords(
        note="Sold out",
        look="bad",
        text="There is none left just now.",
        line="Sold out.",
        refusal="{name} is sold out.",
    ),
    SaleState.HELD: SaleWords(
        note="All held",
        look="warning",
        text="There is none left just now. Some are in orders that are not paid yet, and may come back.",
        line="All are held just now. Some orders are not paid yet, so it may come back.",
        refusal="All of {name} are held just now. Some orders are not paid yet, so it may come back.",
    ),
}
SALE_WORDS: Mapping[str, Mapping[SaleState, SaleWords]] = {
    LineKind.TICKET: _TICKETS,
    LineKind.BOOKING: _BOOKINGS,
    LineKind.PRODUCT: _PRODUCTS,
}
"""Every state that a thing of a kind can be in, in words; any other kind has those of products."""


def sale_words(kind: str, sale: Sale, zone: str = "UTC", *, name: str = "") -> SaleWords:
    """Return the words for a sale, its times written as the clock at ``zone`` shows them."""
    words = SALE_WORDS.get(kind, _PRODUCTS)[sale.state]
    opens = "" if sale.opens_at is None else when(sale.opens_at, zone)
    said = {"opens": opens, "day": opens.partition(",")[0], "name": name}
    return SaleWords(
        note=words.note.format(**said),
        look=words.look,
        text=words.text.format(**said),
        line=words.line.format(**said),
        refusal=words.refusal.format(**said),
    )


def begun_text(names: Sequence[str]) -> str:
    """Say of some events that they have begun; nothing of none."""
    if not names:
        return ""
    return f"{', '.join(names)}: {HAS_BEGUN if len(names) == 1 else 'These events have begun.'}"


def was_text(was: Was | None) -> str:
    """Say what has changed since something was ordered: ``was Fri 4 Dec 2026, 19:30``; nothing where nothing has."""
    if was is None:
        return ""
    before = ", ".join(filter(None, (was.time, was.place)))
    return "; ".join(filter(None, (f"was {before}" if before else "", _called(was))))


def now_text(was: Was | None) -> str:
    """Say the same beside what was ordered: ``now Sat 5 Dec 2026, 20:00``."""
    if was is None:
        return ""
    today = ", ".join(filter(None, (was.time_now, was.place_now)))
    return "; ".join(filter(None, (f"now {today}" if today else "", _called(was))))


def _called(was: Was) -> str:
    """Say what something is called today, where it has another name."""
    return f"now called {was.called_now}" if was.called_now else ""


def few_left(sale: Sale, few: int) -> str:
    """Say how many are left, where these are no more than ``few``."""
    return f"{sale.left} left" if sale.is_open and sale.left is not None and sale.left <= few else ""


def short_line(kind: str, sale: Sale, zone: str = "UTC") -> str:
    """Say at a line of the cart why it cannot be had as it is: at all, or in that number."""
    return f"Only {sale.left} left." if sale.is_open else sale_words(kind, sale, zone).line
