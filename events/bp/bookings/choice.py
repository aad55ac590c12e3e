"""What can be chosen of a day, by one shopper, and what was: each time judged by itself, in words for its row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.dtos import EntryDTO, SlotDTO
from shared.contracts.errors import BadInput
from shared.contracts.states import LineKind
from shared.labels import sale_words
from shared.web.numbers import NOT_A_NUMBER

from .forms import BookForm, key_of

Span = tuple[datetime, datetime]

CHOOSE_ONE = "Choose at least one time."
GONE = "A time that you chose is not offered any more. Please choose again."
ALL_IN_CART = "The places that are left are in your cart already."
OVERLAPS_CART = "This overlaps a time in your cart."
OVERLAPS_CHOICE = "This overlaps another time that you chose."


@dataclass(frozen=True, slots=True)
class OfferedTime:
    """One time of a day, as it is for one shopper."""

    slot: SlotDTO
    in_cart: int
    """How many places of it are in the cart; nothing is held for them."""
    overlaps_cart: bool
    """Whether it is of a whole room, of which the cart has an overlapping time."""

    @property
    def key(self) -> str:
        """Its name in the form."""
        return key_of(self.slot.start_at, self.slot.end_at)

    @property
    def span(self) -> Span:
        """From when to when."""
        return self.slot.start_at, self.slot.end_at

    @property
    def is_counted(self) -> bool:
        """Whether it has several places, of which so many are asked for; else it is ticked."""
        return self.slot.places > 1

    @property
    def is_had(self) -> bool:
        """Whether the cart has all that there is of it: a form that is sent twice says what is so already."""
        return not self.is_counted and self.in_cart > 0 and self.slot.free > 0

    @property
    def left(self) -> int:
        """How many places the cart can still take of it."""
        return 0 if self.overlaps_cart else max(0, self.slot.free - self.in_cart)

    def refusal(self, count: int) -> str:
        """Say why so many places cannot be chosen; nothing where they can."""
        # The reasons that choosing fewer would not change come first.
        if count <= self.left:
            return ""
        if not self.slot.sale.is_open:
            return sale_words(LineKind.BOOKING, self.slot.sale).text
        if self.overlaps_cart:
            return OVERLAPS_CART
        if not self.left:
            return ALL_IN_CART
        more = " more" if self.in_cart else ""
        return f"Only {self.left}{more} {'place' if self.left == 1 else 'places'} left."


def offers_of(slots: Sequence[SlotDTO], cart: Collection[EntryDTO], *, whole_room: bool) -> tuple[OfferedTime, ...]:
    """Compare a calendar's slots with what somebody's cart has of it."""
    spans = [(entry.start_at, entry.end_at) for entry in cart]
    offers = []
    for slot in slots:
        span = (slot.start_at, slot.end_at)
        # The same time again is no overlap: it is the booking that the cart has already, and is shown as had.
        meets = any(_overlap(span, other) for other in spans if other != span)
        offers.append(OfferedTime(slot, in_cart=spans.count(span), overlaps_cart=whole_room and meets))
    return tuple(offers)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@dataclass(frozen=True, slots=True)
class TimesChoice:
    """How many places of which times are wanted, and what is wrong with that: time by time, or altogether."""

    wish: dict[Span, int]
    errors: dict[str, str]
    problem: str = ""

    def checked(self) -> dict[Span, int]:
        """Return what is to be put into the cart: nothing, where it is there already. Raises BadInput."""
        if self.problem or self.errors:
            raise BadInput(self.problem or next(iter(self.errors.values())))
        return self.wish


def choose(form: BookForm, offers: Sequence[OfferedTime], *, whole_room: bool) -> TimesChoice:
    """Read a form as a choice of what is offered."""
    wish: dict[Span, int] = {}
    errors: dict[str, str] = {}
    for offer in offers:
        count = form.count_of(offer.key)
        if count is None:
            errors[offer.key] = NOT_A_NUMBER
        # What the cart has already is no error: a form that a slow line sent twice must not be refused the second time.
        elif count and not offer.is_had:
            # A room let as a whole takes no two of these together; the database would refuse the second at checkout.
            meets = whole_room and any(_overlap(offer.span, other) for other in wish)
            error = offer.refusal(count) or (OVERLAPS_CHOICE if meets else "")
            if error:
                errors[offer.key] = error
            else:
                wish[offer.span] = count
    return TimesChoice(wish, errors, _problem(form, offers))


def _problem(form: BookForm, offers: Sequence[OfferedTime]) -> str:
    # The page may be hours old: a rule may have changed since, or the time may have passed.
    if form.wanted - {offer.key for offer in offers}:
        return GONE
    return "" if form.wanted else CHOOSE_ONE
