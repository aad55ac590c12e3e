"""What the cart's page shows: put together here, so that its templates only show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from cart.bp.cart.services.page_cart import PageGroup
from cart.bp.orders.pages import LineSummary, is_checking, summarise
from cart.orders.holds import HeldTooOften, ManyOfNetwork, TooManyUnpaid
from cart.orders.open_orders import OpenOrder
from cart.sellables.lines import CartLine
from cart.sellables.protocol import KindWords
from cart.sellables.registry import Sellables
from shared.contracts.dtos import ZERO, CartNoticeDTO, KindCount, OrderDTO, PageDTO
from shared.contracts.errors import (
    NotOffered,
    NotOnSale,
    SeveralAccounts,
    ShopError,
    SoldOut,
    TooManyTickets,
    TotalChanged,
    Unavailable,
)
from shared.contracts.lines import LineKey
from shared.contracts.money import Money
from shared.contracts.states import NoticeReason, PaymentState
from shared.contracts.vat import VatLine, vat_by_rate
from shared.labels import begun_text, short_line
from shared.services.cart_impl import summary_of

from .forms import CheckoutForm, LineForm

TITLES: Mapping[type[ShopError], str] = {
    SoldOut: "Something is no longer available",
    TotalChanged: "Please check: the total has changed",
    Unavailable: "That did not work just now",
}
NOTHING_KEPT = (
    SoldOut,
    TotalChanged,
    NotOnSale,
    NotOffered,
    TooManyTickets,
    SeveralAccounts,
    TooManyUnpaid,
    ManyOfNetwork,
    HeldTooOften,
)
"""Refusals of a checkout before anybody was asked for money."""

WHY_GONE: Mapping[NoticeReason, str] = {
    NoticeReason.OVER: "its time is over",
    NoticeReason.OLD: "it had been there for a long time",
}


@dataclass(frozen=True, slots=True)
class CartRefusal:
    """Why the cart is shown again instead of what was asked for."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class CartLineView:
    """A line of the cart, with what is wrong with it and what was typed into it."""

    line: CartLine
    key: str
    problem: str
    error: str
    value: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """What one page sells of one kind in this cart."""

    kind: str
    words: KindWords
    lines: tuple[CartLineView, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """What one page sells in this cart."""

    title: str
    slug: str
    page: PageDTO | None
    sections: tuple[SectionView, ...]
    counts: tuple[KindCount, ...]
    total: Decimal
    vat: tuple[VatLine, ...]

    @property
    def lines(self) -> tuple[CartLineView, ...]:
        """All of its lines."""
        return tuple(line for section in self.sections for line in section.lines)


@dataclass(frozen=True, slots=True)
class OpenOrderView:
    """An order that waits for its payment."""

    order: OrderDTO
    lines: tuple[LineSummary, ...]
    minutes_left: int
    checking: bool
    in_review: bool
    """Whether it is a person who checks: that takes longer."""
    can_pay: bool
    begun: str
    """Which of its events have begun, in words; empty: none."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What left the cart by itself, in words."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class GuestForm:
    """What somebody without an account enters to check out."""

    email: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class CartPage:
    """The whole cart, or one page's part of it."""

    groups: tuple[GroupView, ...]
    open_orders: tuple[OpenOrderView, ...]
    notices: tuple[NoticeView, ...]
    counts: tuple[KindCount, ...]
    """How much there is of each kind of which there is anything."""
    grand_total: Decimal
    vat: tuple[VatLine, ...]
    one_account: bool
    """Whether everything here is paid to one account, and so can be checked out at once."""
    signed_in: bool
    guest: GuestForm
    time_zone: str
    view: str = ""
    """The slug of the page whose group this is; empty: the whole cart."""
    view_title: str = ""
    problem: CartRefusal | None = None
    notice: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to check out."""
        return not self.groups

    @property
    def item_count(self) -> int:
        """How many things there are."""
        return sum(each.count for each in self.counts)

    @property
    def has_bad_lines(self) -> bool:
        """Whether some line cannot be had as it is."""
        return any(line.problem for group in self.groups for line in group.lines)

    @property
    def begun(self) -> str:
        """Which events have begun, in words: whoever pays for one knows it. Empty: none."""
        lines = (each.line for group in self.groups for each in group.lines if each.line.notice)
        return begun_text(tuple(dict.fromkeys(line.title for line in lines)))

    @property
    def sellers(self) -> tuple[PageDTO, ...]:
        """Who sells what is here, for what a shopper reads before paying."""
        return tuple(group.page for group in self.groups if group.page is not None)


def problem_of(refusal: ShopError, total: Money) -> CartRefusal:
    """Return a refusal as the cart shows it. That nothing was charged is said where that is certain."""
    title = next((text for kind, text in TITLES.items() if isinstance(refusal, kind)), "Please check your cart")
    text = str(refusal)
    if isinstance(refusal, SoldOut):
        # Each line says itself how many are left; a list of them here would say it twice.
        text = "The lines concerned are marked below. Change or remove them, then check out again."
    elif isinstance(refusal, TotalChanged):
        text = f"Prices or lines have changed since you opened this page. The total is now {total}."
    # Only of these: after others the provider may have been asked already.
    if isinstance(refusal, NOTHING_KEPT):
        text = f"{text} Nothing was charged."
    return CartRefusal(title=title, text=text)


@dataclass(frozen=True, slots=True)
class _Refused:
    """What was asked for and refused: it stands at the line, or at the field, that it is about."""

    refusal: ShopError | None
    line: LineForm | None
    checkout: CheckoutForm | None

    def mark_of(self, line: CartLine) -> str:
        """Say what a refused checkout has found of a line; nothing where it was not about that."""
        problems = self.refusal.problems if isinstance(self.refusal, SoldOut) else ()
        sale = next((problem.sale for problem in problems if problem.key == line.key), None)
        return "" if sale is None else short_line(line.key[0], sale, line.time_zone or "UTC")

    def error_at(self, key: LineKey) -> str:
        """Why the change of a line was refused."""
        mine = self.line is not None and self.line.key == key
        return str(self.refusal) if mine and self.refusal is not None else ""

    @property
    def guest(self) -> GuestForm:
        """What a guest typed, and what is wrong with it."""
        email = "" if self.checkout is None else self.checkout.email
        return GuestForm(email, str(self.refusal) if self.is_about_email else "")

    @property
    def is_about_email(self) -> bool:
        """Whether the e-mail address was refused."""
        return self.refusal is not None and self.refusal.field == "email"


def _key_text(key: LineKey) -> str:
    """Name a line in the page: ``ticket-12-3``."""
    kind, first, second = key
    return f"{kind}-{first}-{second or 0}"


def _line_view(line: CartLine, refused: _Refused) -> CartLineView:
    error = refused.error_at(line.key)
    return CartLineView(
        line=line,
        key=_key_text(line.key),
        # What checkout has just found beats what the page knew before.
        problem=refused.mark_of(line) or line.problem or "",
        error=error,
        value=refused.line.typed if error and refused.line is not None else str(line.quantity),
    )


def _sections(lines: Sequence[CartLine], sellables: Sellables, refused: _Refused) -> tuple[SectionView, ...]:
    """Put lines that come kind by kind into a section for each kind."""
    kinds = dict.fromkeys(line.key[0] for line in lines)
    return tuple(
        SectionView(
            kind,
            sellables.of(kind).words,
            tuple(_line_view(line, refused) for line in lines if line.key[0] == kind),
        )
        for kind in kinds
    )


def _group_view(group: PageGroup, sellables: Sellables, refused: _Refused) -> GroupView:
    """Return a group as its card shows it."""
    page = group["page"]
    return GroupView(
        title="Everything else" if page is None else page.title,
        slug="" if page is None else page.slug,
        page=page,
        sections=_sections(group["lines"], sellables, refused),
        counts=tuple(group["counts"]),
        total=group["total"],
        vat=_vat_of([group]),
    )


def _vat_of(groups: Sequence[PageGroup]) -> tuple[VatLine, ...]:
    """Return the VAT contained in some groups, by rate."""
    return vat_by_rate((line.vat_rate, line.total) for group in groups for line in group["lines"])


def _together(groups: Sequence[PageGroup]) -> tuple[KindCount, ...]:
    """Add up the counts of some groups, kind by kind."""
    found: dict[str, KindCount] = {}
    for each in (count for group in groups for count in group["counts"]):
        before = found.get(each.kind)
        more = (0, ZERO) if before is None else (before.count, before.total)
        found[each.kind] = replace(each, count=each.count + more[0], total=each.total + more[1])
    return tuple(found.values())


def _open_order_view(unpaid: OpenOrder) -> OpenOrderView:
    checking = is_checking(unpaid)
    return OpenOrderView(
        order=unpaid.order,
        lines=summarise(unpaid.order.lines),
        minutes_left=max(0, unpaid.seconds_left // 60),
        checking=checking,
        in_review=unpaid.payment_state is PaymentState.REVIEW,
        # While it is checked nobody pays beside it: that is how somebody pays twice.
        can_pay=not checking and unpaid.seconds_left > 0,
        begun=begun_text(unpaid.begun),
    )


def _notice_view(notice: CartNoticeDTO) -> NoticeView:
    """Say what left the cart, and why."""
    what = notice.title if notice.quantity == 1 else f"{notice.title} ({notice.quantity})"
    return NoticeView(notice.id, f"{what} has left your cart: {WHY_GONE[notice.reason]}.")


def build_cart_page(
    groups: Sequence[PageGroup],
    open_orders: Sequence[OpenOrder],
    notices: Sequence[CartNoticeDTO] = (),
    *,
    sellables: Sellables,
    signed_in: bool,
    time_zone: str,
    currency: str,
    only: PageDTO | None = None,
    refusal: ShopError | None = None,
    line: LineForm | None = None,
    checkout: CheckoutForm | None = None,
    notice: str = "",
) -> CartPage:
    """Put the cart's page together.

    ``only`` is the page whose group alone is shown. ``refusal`` says why it is shown again: of the change of a ``line``
    or of a ``checkout``, whose forms keep what was typed.
    """
    shown = [g for g in groups if only is None or g["page_post_id"] == only.id]
    refused = _Refused(refusal, line, checkout)
    views = tuple(_group_view(g, sellables, refused) for g in shown)
    grand_total = sum((v.total for v in views), ZERO)
    # A refusal that stands at its line or field is not said a second time at the top.
    told = any(each.error for view in views for each in view.lines) or (refused.is_about_email and bool(views))
    return CartPage(
        groups=views,
        open_orders=tuple(_open_order_view(o) for o in open_orders),
        notices=tuple(_notice_view(n) for n in notices),
        counts=summary_of(_together(shown), open_orders=0).kinds,
        grand_total=grand_total,
        vat=_vat_of(shown),
        # One order is paid to one account; with several each group has a button of its own.
        one_account=len({g["merchant_code"] for g in shown}) <= 1,
        signed_in=signed_in,
        guest=refused.guest,
        time_zone=time_zone,
        view="" if only is None else only.slug,
        view_title="" if only is None else only.title,
        problem=None if refusal is None or told else problem_of(refusal, Money(grand_total, currency)),
        notice=notice,
    )
