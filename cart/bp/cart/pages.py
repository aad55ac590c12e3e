"""What the cart's page shows: put together here, so that its templates only show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cart.bp.orders.pages import LineSummary, is_checking, summarise
from shared.contracts.dtos import ZERO, CartItemDTO, EntryDTO, OrderDTO, PageDTO
from shared.contracts.errors import NotOnSale, SeveralAccounts, ShopError, SoldOut, TotalChanged, Unavailable
from shared.contracts.money import Money

from .forms import TicketsForm
from .services import OpenOrder, PageGroup, TicketLine

LineKey = tuple[int, int | None]
"""A ticket line: its entry and its ticket type (None: the entry's one price)."""

TITLES: Mapping[type[ShopError], str] = {
    SoldOut: "Some of your tickets are no longer available",
    TotalChanged: "Please check: the total has changed",
    Unavailable: "That did not work just now",
}


NOTHING_KEPT = (SoldOut, TotalChanged, NotOnSale, SeveralAccounts)
"""Refusals of a checkout before anybody was asked for money."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the cart is shown again instead of what was asked for."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class LineView:
    """A ticket line of the cart, with what is wrong with it and what was typed into it."""

    line: TicketLine
    key: str
    problem: str
    error: str
    value: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """What one page sells in this cart."""

    title: str
    slug: str
    seller: str
    cart: tuple[CartItemDTO, ...]
    calendar_cart_entries: tuple[EntryDTO, ...]
    ticket_cart_entries: tuple[LineView, ...]
    product_count: int
    product_total: Decimal
    calendar_count: int
    calendar_total: Decimal
    ticket_count: int
    ticket_total: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class OpenOrderView:
    """An order that waits for its payment."""

    order: OrderDTO
    lines: tuple[LineSummary, ...]
    minutes_left: int
    checking: bool
    can_pay: bool


@dataclass(frozen=True, slots=True)
class CartPage:
    """The whole cart, or one page's part of it."""

    groups: tuple[GroupView, ...]
    open_orders: tuple[OpenOrderView, ...]
    product_count: int
    product_total: Decimal
    calendar_count: int
    calendar_total: Decimal
    ticket_count: int
    ticket_total: Decimal
    grand_total: Decimal
    one_account: bool
    """Whether everything here is paid to one account, and so can be checked out at once."""
    signed_in: bool
    time_zone: str
    view: str = ""
    """The slug of the page whose group this is; empty: the whole cart."""
    view_title: str = ""
    problem: Problem | None = None
    notice: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to check out."""
        return not self.groups

    @property
    def item_count(self) -> int:
        """How many things there are."""
        return self.product_count + self.calendar_count + self.ticket_count

    @property
    def has_bad_lines(self) -> bool:
        """Whether some line cannot be had as it is."""
        return any(line.problem for group in self.groups for line in group.ticket_cart_entries)


def problem_of(refusal: ShopError, total: Money) -> Problem:
    """Return a refusal as the cart shows it. That nothing was charged is said where that is certain."""
    title = next((text for kind, text in TITLES.items() if isinstance(refusal, kind)), "Please check your cart")
    text = str(refusal)
    if isinstance(refusal, SoldOut):
        text = "The lines concerned are marked below. Change or remove them, then check out again."
    elif isinstance(refusal, TotalChanged):
        text = f"Prices or lines have changed since you opened this page. The total is now {total}."
    if isinstance(refusal, NOTHING_KEPT):
        text = f"{text} Nothing was charged."
    return Problem(title=title, text=text)


def left_text(left: int) -> str:
    """Say how many can still be had."""
    return "Sold out." if left <= 0 else f"Only {left} left."


def _marks(refusal: ShopError | None) -> dict[LineKey, str]:
    """Return what a refused checkout says of single lines."""
    if not isinstance(refusal, SoldOut):
        return {}
    return {(p.entry_id, p.ticket_type_id): left_text(p.left) for p in refusal.problems}


def _line_view(line: TicketLine, marks: Mapping[LineKey, str], form: TicketsForm | None, error: str) -> LineView:
    """Return a line with its marks and, if it is the one that was being changed, what was typed."""
    key = (line.entry_id, line.ticket_type_id)
    mine = form is not None and (form.entry_id, form.ticket_type_id) == key
    return LineView(
        line=line,
        key=f"{line.entry_id}-{line.ticket_type_id or 0}",
        problem=marks.get(key) or line.problem or "",
        error=error if mine else "",
        value=form.typed if form is not None and mine and error else str(line.quantity),
    )


def _group_view(group: PageGroup, marks: Mapping[LineKey, str], form: TicketsForm | None, error: str) -> GroupView:
    """Return a group as its card shows it."""
    page = group["page"]
    return GroupView(
        title="Everything else" if page is None else page.title,
        slug="" if page is None else page.slug,
        seller="" if page is None else page.seller_name,
        cart=tuple(group["products"]),
        calendar_cart_entries=tuple(group["calendar_entries"]),
        ticket_cart_entries=tuple(_line_view(line, marks, form, error) for line in group["ticket_lines"]),
        product_count=group["product_count"],
        product_total=group["product_total"],
        calendar_count=group["calendar_count"],
        calendar_total=group["calendar_total"],
        ticket_count=group["ticket_count"],
        ticket_total=group["ticket_total"],
        total=group["total"],
    )


def _open_order_view(unpaid: OpenOrder) -> OpenOrderView:
    """Return an unpaid order with the ways on that are open."""
    checking = is_checking(unpaid)
    return OpenOrderView(
        order=unpaid.order,
        lines=summarise(unpaid.order.lines),
        minutes_left=max(0, unpaid.seconds_left // 60),
        checking=checking,
        can_pay=not checking and unpaid.seconds_left > 0,
    )


def build_cart_page(
    groups: Sequence[PageGroup],
    open_orders: Sequence[OpenOrder],
    *,
    signed_in: bool,
    time_zone: str,
    currency: str,
    only: PageDTO | None = None,
    refusal: ShopError | None = None,
    form: TicketsForm | None = None,
    notice: str = "",
) -> CartPage:
    """Put the cart's page together.

    ``only`` is the page whose group alone is shown. ``refusal`` says why it is shown again; with ``form``, the change
    of a line was refused, and the refusal stands at that line with what was typed.
    """
    shown = [g for g in groups if only is None or g["page_post_id"] == only.id]
    error = str(refusal) if refusal is not None and form is not None else ""
    views = tuple(_group_view(g, _marks(refusal), form, error) for g in shown)
    grand_total = sum((v.total for v in views), ZERO)
    at_a_line = any(line.error for view in views for line in view.ticket_cart_entries)
    return CartPage(
        groups=views,
        open_orders=tuple(_open_order_view(o) for o in open_orders),
        product_count=sum(v.product_count for v in views),
        product_total=sum((v.product_total for v in views), ZERO),
        calendar_count=sum(v.calendar_count for v in views),
        calendar_total=sum((v.calendar_total for v in views), ZERO),
        ticket_count=sum(v.ticket_count for v in views),
        ticket_total=sum((v.ticket_total for v in views), ZERO),
        grand_total=grand_total,
        one_account=len({g["merchant_code"] for g in shown}) <= 1,
        signed_in=signed_in,
        time_zone=time_zone,
        view="" if only is None else only.slug,
        view_title="" if only is None else only.title,
        problem=None if refusal is None or at_a_line else problem_of(refusal, Money(grand_total, currency)),
        notice=notice,
    )
