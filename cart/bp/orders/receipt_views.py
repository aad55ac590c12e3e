"""The receipt of a paid order: who sold what on which terms, with the VAT in it, and how it was paid."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cart.orders.buyer import Buyer
from cart.orders.receipts import ReceiptMovement, money_of_order
from cart.wiring import current_payment_context
from shared.contracts.dtos import ZERO, SellerDTO
from shared.contracts.errors import NotFound
from shared.web.state import request_session

from .order_views import load_order_page
from .pages import LineSummary, OrderLinks, OrderPage, summarise


@dataclass(frozen=True, slots=True)
class SoldBy:
    """What one seller sold; without a seller, what belongs to no page."""

    seller: SellerDTO | None
    lines: tuple[LineSummary, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """A receipt."""

    order_page: OrderPage
    sold: tuple[SoldBy, ...]
    money: tuple[ReceiptMovement, ...]
    time_zone: str


async def load_receipt(order_id: int, buyer: Buyer, links: OrderLinks) -> ReceiptPage:
    """Return the receipt of an order of this buyer. Raises NotFound, also while it is not paid."""
    page = await load_order_page(order_id, buyer, links)
    # A receipt says that money arrived.
    if not page.is_paid:
        raise NotFound("There is a receipt once the order is paid.")
    sellers = {seller.page_post_id: seller for seller in page.sellers}
    return ReceiptPage(
        order_page=page,
        sold=tuple(_sold_by(page, sellers.get(page_post_id or 0), page_post_id) for page_post_id in _pages_of(page)),
        money=tuple(await money_of_order(request_session(), order_id, buyer)),
        time_zone=current_payment_context().settings.time_zone,
    )


def _pages_of(page: OrderPage) -> list[int | None]:
    """Return the pages that an order's lines belong to, each once, in the lines' order."""
    return list(dict.fromkeys(line.page_post_id for line in page.order.lines))


def _sold_by(page: OrderPage, seller: SellerDTO | None, page_post_id: int | None) -> SoldBy:
    lines = tuple(line for line in page.order.lines if line.page_post_id == page_post_id)
    return SoldBy(seller, summarise(lines), sum((line.total for line in lines), ZERO))
