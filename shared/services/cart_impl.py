"""The cart domain over PostgreSQL: what is in a cart, and moving it into orders and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.access import PageScope
from shared.contracts.dtos import (
    ZERO,
    CartItemDTO,
    CartNoticeDTO,
    CartSummaryDTO,
    EntryDTO,
    KindCount,
    StaleLine,
    TicketDTO,
)
from shared.contracts.lines import KIND_WORDS
from shared.contracts.orders import MOST_UNPAID
from shared.contracts.owner import NOBODY, CartOwner
from shared.contracts.protocols import CalendarService, Clock, MarketService
from shared.contracts.states import DebtReason, LineKind, OrderState
from shared.db.locks import lock_joining
from shared.db.owners import owned_by, owner_columns
from shared.models import CartNotice, Order
from shared.services.cart.attention import count_attention
from shared.services.cart.items import (
    Line,
    change_line,
    drop_stale_lines,
    join_lines,
    line_to_dto,
    lines_of,
    put_back,
    reduce,
    take_out,
)


def total_of_tickets(tickets: Sequence[TicketDTO]) -> Decimal:
    """Add up what tickets cost; one without a price costs nothing (it cannot be put into a cart)."""
    return sum((ticket.cost for ticket in tickets if ticket.cost is not None), ZERO)


def total_of_entries(entries: Sequence[EntryDTO]) -> Decimal:
    """Add up what bookings cost."""
    return sum((entry.cost for entry in entries if entry.cost is not None), ZERO)


def total_of_items(items: Sequence[CartItemDTO]) -> Decimal:
    """Add up what products cost."""
    return sum((item.total for item in items), ZERO)


def summary_of(counts: Iterable[KindCount], *, open_orders: int) -> CartSummaryDTO:
    """Put the counts of all kinds into one summary."""
    by_kind = {each.kind: each for each in counts}
    # The three that the specification names have members of their own; any other kind goes into "others".
    products, bookings, tickets = (by_kind.pop(kind, None) for kind in KIND_WORDS)
    return CartSummaryDTO(
        count=products.count if products else 0,
        total=products.total if products else ZERO,
        calendar_count=bookings.count if bookings else 0,
        calendar_total=bookings.total if bookings else ZERO,
        ticket_count=tickets.count if tickets else 0,
        ticket_total=tickets.total if tickets else ZERO,
        open_orders=open_orders,
        others=tuple(each for each in by_kind.values() if each.count),
    )


def counts_of(
    tickets: Sequence[TicketDTO], entries: Sequence[EntryDTO], items: Sequence[CartItemDTO]
) -> tuple[KindCount, ...]:
    """Count and add up tickets, bookings and products."""
    totals = (
        (LineKind.TICKET, len(tickets), total_of_tickets(tickets)),
        (LineKind.BOOKING, len(entries), total_of_entries(entries)),
        (LineKind.PRODUCT, sum(item.quantity for item in items), total_of_items(items)),
    )
    return tuple(KindCount(kind, *KIND_WORDS[kind], count, total) for kind, count, total in totals)


async def count_open_orders(session: AsyncSession, owner: CartOwner) -> int:
    """Count the orders of a cart's owner that wait for their payment."""
    statement = select(func.count()).select_from(Order).where(owned_by(Order, owner), Order.state == OrderState.PENDING)
    return await session.scalar(statement) or 0


@dataclass(frozen=True, slots=True)
class SqlCartService:
    """CartService over PostgreSQL; tickets and bookings come from the calendar domain, products from the market."""

    calendar: CalendarService
    market: MarketService
    clock: Clock

    # --- what is in a cart ---

    async def cart_summary(
        self,
        session: AsyncSession,
        owner: CartOwner,
        *,
        page_post_id: int | None = None,
    ) -> CartSummaryDTO:
        # Tickets need an account, so that an anonymous cart has none to look for.
        tickets: list[TicketDTO] = []
        if owner.user_id is not None:
            tickets = await self.calendar.pending_tickets(session, user_id=owner.user_id)
        entries = await self.calendar.pending_entries(session, owner)
        items = await self.cart_items(session, owner)
        if page_post_id is not None:
            tickets = [ticket for ticket in tickets if ticket.calendar_container_id == page_post_id]
            entries = [entry for entry in entries if entry.calendar_container_id == page_post_id]
            items = [item for item in items if item.container_id == page_post_id]
        open_orders = await count_open_orders(session, owner)
        return summary_of(counts_of(tickets, entries, items), open_orders=open_orders)

    async def cart_items(self, session: AsyncSession, owner: CartOwner) -> list[CartItemDTO]:
        return await self._to_dtos(session, await lines_of(session, owner))

    async def _to_dtos(self, session: AsyncSession, lines: Sequence[Line]) -> list[CartItemDTO]:
        variants = await self.market.variants_by_id(session, {line.variant_id for line in lines})
        return [line_to_dto(line, variants[line.variant_id]) for line in lines]

    async def change_item(
        self,
        session: AsyncSession,
        owner: CartOwner,
        *,
        variant_id: int,
        quantity: int,
        more: bool,
    ) -> int:
        variant = (await self.market.variants_by_id(session, [variant_id])).get(variant_id)
        return await change_line(session, owner, variant, quantity, more=more, now=self.clock())

    # --- into an order and back ---

    async def claim_items_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        page_post_id: int | None = None,
    ) -> list[CartItemDTO]:
        chosen = [
            item
            for item in await self.cart_items(session, owner)
            if page_post_id is None or item.container_id == page_post_id
        ]
        # Taken out first, and by one statement: what a second checkout of this cart finds is already gone.
        taken = await take_out(session, owner, [item.variant_id for item in chosen])
        # What was really taken out is claimed, not what was read before.
        await self.market.claim_stock_for_order(session, order_id, taken)
        lines = [
            Line(item.id, item.variant_id, taken[item.variant_id], item.price_seen)
            for item in chosen
            if item.variant_id in taken
        ]
        return await self._to_dtos(session, lines)  # read again: under the variants' locks no price changes any more

    async def release_items_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        prices: Mapping[int, Decimal],
    ) -> None:
        released = await self.market.release_stock_for_order(session, order_id)
        # A guest's session may be gone by now; the stock is released all the same.
        if owner != NOBODY:
            await put_back(session, owner, released, prices, self.clock())

    async def confirm_items_for_order(self, session: AsyncSession, order_id: int) -> None:
        await self.market.confirm_stock_for_order(session, order_id)

    async def retake_items_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        quantities: Mapping[int, int],
    ) -> dict[int, DebtReason]:
        lost = await self.market.retake_stock_for_order(session, order_id, list(quantities))
        # The release had put it back into the cart: what the late money bought must not be bought twice.
        for variant_id, quantity in sorted(quantities.items()):
            if variant_id not in lost:
                await reduce(session, owner, variant_id, quantity)
        return lost

    # --- joining an account, and what leaves by itself ---

    async def join_cart(self, session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
        guest = CartOwner.of_session(session_id)
        # Both owners, or something that is put into either cart at this moment would be lost between them.
        await lock_joining(session, session_id=session_id, user_id=user_id)
        await join_lines(session, session_id=session_id, user_id=user_id)
        await self.calendar.join_pending(session, session_id=session_id, user_id=user_id)
        # Only unpaid ones: a paid order stays with the address that it was bought with.
        await _join_orders(session, guest, user_id)
        unread = update(CartNotice).where(owned_by(CartNotice, guest)).values(user_id=user_id, session_id=None)
        await session.execute(unread.execution_options(synchronize_session=False))

    async def drop_stale(self, session: AsyncSession, *, older_than: datetime) -> int:
        stale = await self.calendar.drop_stale_pending(session, older_than=older_than)
        stale += await drop_stale_lines(session, older_than)
        if stale:
            await session.execute(insert(CartNotice), [_notice(line) for line in stale])
        return len(stale)

    async def notices(self, session: AsyncSession, owner: CartOwner) -> list[CartNoticeDTO]:
        rows = await session.scalars(select(CartNotice).where(owned_by(CartNotice, owner)).order_by(CartNotice.id))
        return [CartNoticeDTO(row.id, row.title, row.quantity, row.reason) for row in rows]

    async def dismiss_notices(self, session: AsyncSession, owner: CartOwner, *, ids: Collection[int]) -> None:
        await session.execute(delete(CartNotice).where(owned_by(CartNotice, owner), CartNotice.id.in_(ids)))

    async def count_attention(self, session: AsyncSession, scope: PageScope) -> int:
        return await count_attention(session, scope)


async def _join_orders(session: AsyncSession, guest: CartOwner, user_id: int) -> None:
    """Let a guest's unpaid orders join an account, the newest first, as far as the account may have so many.

    The others stay the guest's: they are paid where they were begun, or lapse, and go back into no cart.
    """
    room = MOST_UNPAID - await count_open_orders(session, CartOwner.of_user(user_id))
    waiting = select(Order.id).where(owned_by(Order, guest), Order.state == OrderState.PENDING)
    chosen = waiting.order_by(Order.id.desc()).limit(max(0, room))
    joining = update(Order).where(Order.id.in_(chosen)).values(user_id=user_id)
    await session.execute(joining.execution_options(synchronize_session=False))


def _notice(line: StaleLine) -> dict[str, object]:
    return {
        **owner_columns(line.owner),
        "title": line.title,
        "quantity": line.quantity,
        "reason": line.reason,
    }
