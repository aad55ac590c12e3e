"""The calendar domain over PostgreSQL: the only writer of entries, ticket types and tickets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, joinedload, with_expression

from shared.contracts.dtos import AgendaDTO, BookingTermsDTO, CalendarDTO, EntryDTO, SlotDTO, StaleLine, TicketDTO
from shared.contracts.owner import CartOwner
from shared.contracts.protocols import Clock
from shared.contracts.states import DebtReason, EntryKind, EntryState, TicketState
from shared.db.locks import lock_cart_owner
from shared.db.owners import owned_by
from shared.models import Calendar, CalendarEntry, OrderLine, Ticket, TicketType
from shared.services.calendar.agenda import next_events
from shared.services.calendar.cart_bookings import (
    add_bookings,
    booking_to_dto,
    bookings,
    join_bookings,
    ordered_by,
    pending_of,
    remove_booking,
    standings,
)
from shared.services.calendar.cart_tickets import (
    add_pending,
    check_choice,
    load_event,
    pick_type,
    remove_pending,
)
from shared.services.calendar.limits import check_cart, count_in_cart, limit_of
from shared.services.calendar.mapping import calendar_to_dto, event_to_dto, ticket_to_dto
from shared.services.calendar.order_bookings import (
    LateBookings,
    cancel_bookings,
    claim_bookings,
    confirm_bookings,
    decide_booking,
    orders_in_the_way,
    release_bookings,
    retake_bookings,
)
from shared.services.calendar.order_tickets import cancel, claim, confirm, move_to, release
from shared.services.calendar.retake import Late, retake
from shared.services.calendar.sale import asking_unpaid, check_for_sale, sale_of, unpaid_of_event, unpaid_of_type
from shared.services.calendar.slots import calendars_and_whether_bookable, load_bookable, slots_between, terms_of
from shared.services.calendar.sold import booking_as_sold, is_line_of_booking, is_line_of_ticket, ticket_as_sold
from shared.services.calendar.stale import drop_stale_pending

LONGEST_EVENT = timedelta(days=366)
"""What the database lets an event last at the most: a list of what is on need not look at what began before."""
BOUGHT = (
    TicketState.RESERVED,
    TicketState.CONFIRMED,
    TicketState.CHECKED_IN,
    TicketState.OVERSOLD,
    TicketState.REFUNDED,
)


def _tickets() -> Select[Ticket]:
    """Select tickets with everything that a DTO shows, in the order in which people read them."""
    return (
        select(Ticket)
        .join(Ticket.entry)
        # Outer: an event with one price has no types.
        .outerjoin(Ticket.ticket_type)
        .options(
            contains_eager(Ticket.entry).options(
                joinedload(CalendarEntry.calendar), with_expression(CalendarEntry.unpaid_until, unpaid_of_event())
            ),
            contains_eager(Ticket.ticket_type).options(with_expression(TicketType.unpaid_until, unpaid_of_type())),
        )
        .order_by(CalendarEntry.start_at, Ticket.entry_id, Ticket.ticket_type_id, Ticket.id)
        # Rows that this session has read before may be older than a lock that it took since.
        .execution_options(populate_existing=True)
    )


async def _sold(session: AsyncSession, *which: ColumnElement[bool]) -> list[TicketDTO]:
    """Return tickets as they were sold."""
    statement = _tickets().where(*which).outerjoin(OrderLine, is_line_of_ticket()).add_columns(OrderLine)
    return [ticket_as_sold(ticket_to_dto(ticket), line) for ticket, line in await session.execute(statement)]


class SqlCalendarService:
    """CalendarService over PostgreSQL. See the protocol for what each method promises."""

    is_stub = False

    def __init__(self, clock: Clock, *, default_max_per_order: int) -> None:
        """Take the time, and the limit for entries that name none of their own."""
        self._clock = clock
        self._default_max = default_max_per_order

    # --- calendars and entries ---

    async def calendars_for_container(
        self, session: AsyncSession, container_type: str, container_id: int
    ) -> list[CalendarDTO]:
        of_container = (Calendar.container_type == container_type, Calendar.container_id == container_id)
        return await self._calendars(session, calendars_and_whether_bookable().where(*of_container))

    async def agendas_of_page(
        self, session: AsyncSession, page_post_id: int, *, now: datetime, limit: int
    ) -> list[AgendaDTO]:
        calendars = await self.calendars_for_container(session, "page", page_post_id)
        events = await next_events(session, [calendar.id for calendar in calendars], now=now, limit=limit)
        return [
            AgendaDTO(calendar, tuple(self._event_to_dto(entry, now) for entry in events[calendar.id]))
            for calendar in calendars
        ]

    async def calendar_by_slug(self, session: AsyncSession, slug: str) -> CalendarDTO | None:
        found = await self._calendars(session, calendars_and_whether_bookable().where(Calendar.slug == slug))
        return found[0] if found else None

    async def calendars(self, session: AsyncSession) -> list[CalendarDTO]:
        return await self._calendars(session, calendars_and_whether_bookable())

    async def _calendars(self, session: AsyncSession, statement: Select[Calendar, bool]) -> list[CalendarDTO]:
        rows = await session.execute(statement)
        return [calendar_to_dto(calendar, bookable=bookable) for calendar, bookable in rows]

    async def upcoming_entries(
        self,
        session: AsyncSession,
        *,
        now: datetime,
        calendar_id: int | None = None,
        after: tuple[datetime, int] | None = None,
        limit: int = 30,
    ) -> list[EntryDTO]:
        statement = (
            select(CalendarEntry)
            .where(CalendarEntry.kind == EntryKind.EVENT, CalendarEntry.state == EntryState.CONFIRMED)
            # The second bound is what an index can use: without it the database reads every event that ever was.
            .where(CalendarEntry.end_at > now, CalendarEntry.start_at > now - LONGEST_EVENT)
            .options(*asking_unpaid())
            .order_by(CalendarEntry.start_at, CalendarEntry.id)
            .limit(limit)
        )
        if calendar_id is not None:
            statement = statement.where(CalendarEntry.calendar_id == calendar_id)
        if after is not None:
            start_at, entry_id = after
            # Two events may begin at the same time: the id parts them, or one would be left out between two pages.
            later = and_(CalendarEntry.start_at == start_at, CalendarEntry.id > entry_id)
            statement = statement.where(or_(CalendarEntry.start_at > start_at, later))
        return [self._event_to_dto(row, now) for row in await session.scalars(statement)]

    async def entry(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        return (await self.entries_by_id(session, [entry_id])).get(entry_id)

    async def entries_by_id(self, session: AsyncSession, ids: Collection[int]) -> dict[int, EntryDTO]:
        if not ids:
            return {}
        statement = (
            select(CalendarEntry)
            .where(CalendarEntry.id.in_(ids), CalendarEntry.kind == EntryKind.EVENT)
            .where(CalendarEntry.state == EntryState.CONFIRMED)
            .options(*asking_unpaid())
            .execution_options(populate_existing=True)
        )
        # Once for all rows, or two tickets of one event could stand differently on one page.
        now = self._clock()
        return {row.id: self._event_to_dto(row, now) for row in await session.scalars(statement)}

    def _event_to_dto(self, entry: CalendarEntry, now: datetime) -> EntryDTO:
        return event_to_dto(entry, now=now, default_max=self._default_max)

    # --- tickets in the cart ---

    async def add_pending_tickets(
        self, session: AsyncSession, *, user_id: int, entry_id: int, choice: dict[int | None, int], now: datetime
    ) -> list[TicketDTO]:
        entry = await load_event(session, entry_id)
        check_choice(entry, choice, now)
        # Nothing is checked against what is left: a cart holds no seats (the specification, step 9).
        ids = await add_pending(session, entry, choice, user_id=user_id, default_max=self._default_max)
        return [ticket_to_dto(row) for row in await session.scalars(_tickets().where(Ticket.id.in_(ids)))]

    async def set_pending_tickets(
        self,
        session: AsyncSession,
        *,
        user_id: int,
        entry_id: int,
        ticket_type_id: int | None,
        quantity: int,
        now: datetime,
    ) -> None:
        # Before counting: two requests of one person would each see room for what only one may add.
        await lock_cart_owner(session, CartOwner.of_user(user_id))
        in_cart, had = await count_in_cart(session, user_id=user_id, entry_id=entry_id)
        more = max(quantity, 0) - in_cart.get(ticket_type_id, 0)
        if more < 0:
            await remove_pending(
                session, user_id=user_id, entry_id=entry_id, ticket_type_id=ticket_type_id, count=-more
            )
        # Only for more: fewer of what is no longer sold can always be had.
        if more > 0:
            entry = await load_event(session, entry_id)
            others = sum(in_cart.values()) - in_cart.get(ticket_type_id, 0)
            limit = limit_of(entry, self._default_max, had=had)
            check_cart(entry, limit, others, quantity, where="of another type in your cart")
            check_for_sale(entry, pick_type(entry, ticket_type_id), now)
            await add_pending(session, entry, {ticket_type_id: more}, user_id=user_id, default_max=self._default_max)

    async def pending_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        statement = _tickets().where(Ticket.user_id == user_id, Ticket.state == TicketState.PENDING)
        now = self._clock()
        return [
            ticket_to_dto(row, sale_of(row.entry, row.ticket_type, now)) for row in await session.scalars(statement)
        ]

    # --- tickets in an order ---

    async def claim_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, page_post_id: int | None = None
    ) -> None:
        await claim(session, order_id, user_id, page_post_id, now=self._clock(), default_max=self._default_max)

    async def release_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        await release(session, order_id)

    async def confirm_tickets_for_order(self, session: AsyncSession, order_id: int) -> None:
        await confirm(session, order_id)

    async def get_tickets_for_order(self, session: AsyncSession, order_id: int) -> list[TicketDTO]:
        return await _sold(session, Ticket.order_id == order_id)

    async def retake_tickets_for_order(
        self, session: AsyncSession, order_id: int, user_id: int, ticket_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        return await retake(session, Late(order_id, user_id, self._clock()), ticket_ids)

    async def user_tickets(self, session: AsyncSession, *, user_id: int) -> list[TicketDTO]:
        bought = or_(
            Ticket.state.in_(BOUGHT), and_(Ticket.state == TicketState.CANCELLED, Ticket.order_id.is_not(None))
        )
        return await _sold(session, Ticket.user_id == user_id, bought)

    async def mark_tickets_refunded(self, session: AsyncSession, order_id: int, ticket_ids: Sequence[int]) -> None:
        # A line names the ticket that it was sold with; late money may have given another in its place.
        either = or_(Ticket.id.in_(ticket_ids), Ticket.replaces_id.in_(ticket_ids))
        ids = list(await session.scalars(select(Ticket.id).where(Ticket.order_id == order_id, either)))
        await move_to(session, ids, old=TicketState.OVERSOLD, new=TicketState.REFUNDED)

    async def cancel_tickets(self, session: AsyncSession, order_id: int, ticket_ids: Collection[int]) -> set[int]:
        return await cancel(session, order_id, ticket_ids)

    # --- bookings ---

    async def booking_terms(self, session: AsyncSession, calendar_id: int) -> BookingTermsDTO | None:
        # Read anew: the calendar's rules may have changed since this session saw it.
        calendar = await session.get(Calendar, calendar_id, populate_existing=True)
        if calendar is None:
            return None
        bookable = await load_bookable(session, [calendar])
        return terms_of(bookable[calendar.id], self._clock())

    async def bookable_slots(
        self, session: AsyncSession, calendar_id: int, *, first: date, last: date
    ) -> list[SlotDTO]:
        calendar = await session.get(Calendar, calendar_id, populate_existing=True)
        if calendar is None:
            return []
        bookable = await load_bookable(session, [calendar])
        return await slots_between(session, bookable[calendar.id], first, last, now=self._clock())

    async def add_pending_bookings(
        self,
        session: AsyncSession,
        owner: CartOwner,
        *,
        calendar_id: int,
        wish: Mapping[tuple[datetime, datetime], int],
    ) -> list[EntryDTO]:
        ids = await add_bookings(session, owner, calendar_id=calendar_id, wish=wish, now=self._clock())
        return await self._bookings(session, bookings(CalendarEntry.id.in_(ids)))

    async def remove_pending_booking(self, session: AsyncSession, owner: CartOwner, *, entry_id: int) -> None:
        await lock_cart_owner(session, owner)
        await remove_booking(session, owner, entry_id)

    async def pending_entries(self, session: AsyncSession, owner: CartOwner) -> list[EntryDTO]:
        rows = list(await session.scalars(pending_of(owned_by(CalendarEntry, owner))))
        # Most carts have no bookings: no rules and slots are read for them.
        if not rows:
            return []
        standing = await standings(session, rows, self._clock())
        return [booking_to_dto(row, standing[row.id]) for row in rows]

    async def claim_entries_for_order(
        self,
        session: AsyncSession,
        order_id: int,
        owner: CartOwner,
        page_post_id: int | None = None,
    ) -> None:
        await claim_bookings(session, order_id, owned_by(CalendarEntry, owner), page_post_id, now=self._clock())

    async def confirm_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        await confirm_bookings(session, order_id)

    async def release_entries_for_order(self, session: AsyncSession, order_id: int) -> None:
        await release_bookings(session, order_id)

    async def get_entries_for_order(self, session: AsyncSession, order_id: int) -> list[EntryDTO]:
        return await self._bookings(session, bookings(CalendarEntry.order_id == order_id))

    async def retake_entries_for_order(
        self, session: AsyncSession, order_id: int, user_id: int | None, entry_ids: Sequence[int]
    ) -> dict[int, DebtReason]:
        return await retake_bookings(session, LateBookings(order_id, user_id, self._clock()), entry_ids)

    async def booking(self, session: AsyncSession, entry_id: int) -> EntryDTO | None:
        return next(iter(await self._bookings(session, bookings(CalendarEntry.id == entry_id))), None)

    async def user_bookings(self, session: AsyncSession, *, user_id: int) -> list[EntryDTO]:
        return await self._bookings(session, ordered_by(user_id))

    async def provisional_entries(
        self, session: AsyncSession, *, after: tuple[datetime, int] | None = None, limit: int = 50
    ) -> list[EntryDTO]:
        statement = bookings(CalendarEntry.state == EntryState.PROVISIONAL).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(CalendarEntry.start_at, CalendarEntry.id) > after)
        return await self._bookings(session, statement)

    async def decide_entry(self, session: AsyncSession, entry_id: int, *, approved: bool) -> int:
        return await decide_booking(session, entry_id, approved=approved)

    async def cancel_entries(self, session: AsyncSession, order_id: int, entry_ids: Collection[int]) -> set[int]:
        return await cancel_bookings(session, order_id, entry_ids)

    async def orders_in_the_way(self, session: AsyncSession, entry_ids: Collection[int]) -> set[int]:
        return await orders_in_the_way(session, entry_ids)

    async def _bookings(self, session: AsyncSession, statement: Select[CalendarEntry]) -> list[EntryDTO]:
        """Return bookings as they were sold; those in no order as they are written down."""
        # The order's line says what was sold; today's calendar may say something else.
        sold = statement.outerjoin(OrderLine, is_line_of_booking()).add_columns(OrderLine)
        return [booking_as_sold(booking_to_dto(booking), line) for booking, line in await session.execute(sold)]

    # --- carts ---

    async def join_pending(self, session: AsyncSession, *, session_id: UUID, user_id: int) -> None:
        await join_bookings(session, session_id=session_id, user_id=user_id)

    async def drop_stale_pending(self, session: AsyncSession, *, older_than: datetime) -> list[StaleLine]:
        return await drop_stale_pending(session, now=self._clock(), older_than=older_than)
