"""What the database says, where a point of the specification is about it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from shared.contracts.states import Role
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Order, Payment, PaymentNotice, Ticket, User
from tests.browser.shop import Show
from tests.factories.bookings import make_booking
from tests.factories.calendar import days_from_now, make_calendar
from tests.factories.users import make_user
from tests.support.site import Site


async def ticket_states(site: Site, email: str) -> list[str]:
    """Return the states of somebody's tickets, oldest first."""
    async with unit_of_work(site.database) as uow:
        statement = select(Ticket.state).join(User, User.id == Ticket.user_id).where(User.email == email)
        return list(await uow.session.scalars(statement.order_by(Ticket.id)))


async def order_states(site: Site, email: str) -> list[str]:
    """Return the states of somebody's orders, oldest first."""
    async with unit_of_work(site.database) as uow:
        statement = select(Order.state).join(User, User.id == Order.user_id).where(User.email == email)
        return list(await uow.session.scalars(statement.order_by(Order.id)))


async def notices_of(site: Site, checkout_id: str) -> int:
    """Return how many webhooks about a checkout have come in."""
    async with unit_of_work(site.database) as uow:
        statement = (
            select(func.count()).select_from(PaymentNotice).join(Payment, Payment.id == PaymentNotice.payment_id)
        )
        return await uow.session.scalar(statement.where(Payment.checkout_id == checkout_id)) or 0


async def entry_state(site: Site, show: Show) -> str:
    """Return the state of an event."""
    async with unit_of_work(site.database) as uow:
        return (await uow.session.get_one(CalendarEntry, show.id)).state


async def add_booking(site: Site, show: Show, email: str, *, name: str, cost: str) -> None:
    """Put an hour of the hall that puts on ``show`` into somebody's cart: there is no page yet that does."""
    async with unit_of_work(site.database) as uow:
        user_id = await uow.session.scalar(select(User.id).where(User.email == email))
        uow.session.add(
            CalendarEntry(
                calendar_id=show.calendar_id,
                kind="booking",
                state="pending",
                name=name,
                start_at=days_from_now(3, hour=10),
                end_at=days_from_now(3, hour=11),
                cost=cost,
                user_id=user_id,
            )
        )
        await uow.session.flush()
        await uow.commit()


async def make_person(site: Site, email: str, roles: Collection[Role] = ()) -> None:
    """Make an account with roles, as ``maypole user admin`` does."""
    async with unit_of_work(site.database) as uow:
        await make_user(uow.session, email=email, roles=tuple(roles))
        await uow.commit()


async def add_waiting_booking(site: Site, email: str) -> tuple[int, int]:
    """Let somebody have paid for an hour of a room that wants approval; give the booking and the page."""
    async with unit_of_work(site.database) as uow:
        user_id = (await uow.session.scalars(select(User.id).where(User.email == email))).one()
        calendar = await make_calendar(uow.session, name="The committee room", needs_approval=True)
        made = await make_booking(uow.session, calendar, user_id=user_id)
        await uow.commit()
    return made.entry.id, calendar.container_id
