"""What leaves a cart by itself, and how its owner is told; and who is known to have nothing in their cart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from quart import Quart
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.wiring import PAYMENT_CONTEXT, PaymentContext
from cart.worker import forget_old_rows, sweep_carts
from shared.models import Calendar, CalendarEntry, CartItem, CartNotice, LoginSession, Payment, Ticket, User
from shared.web.state import AppState
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import (
    FillCart,
    Jam,
    PutProducts,
    Show,
    book,
    fresh,
    make_jam,
    orders_of,
    tickets_of,
)
from tests.support.visitor import Visitor

LONG_AGO = datetime.now(UTC) - timedelta(days=31)
A_WHILE_AGO = datetime.now(UTC) - timedelta(days=29)


@pytest.fixture
def context(app: Quart) -> PaymentContext:
    """The context of the app that serves: the worker's is the same."""
    found: PaymentContext = app.extensions[PAYMENT_CONTEXT]
    return found


async def put_in_at(session: AsyncSession, when: datetime) -> None:
    """Let everything that is in carts now have been put in at another time."""
    await session.execute(update(CartItem).values(touched_at=when))
    await session.execute(update(Ticket).values(created_at=when))
    await session.execute(update(CalendarEntry).where(CalendarEntry.kind == "booking").values(created_at=when))
    await session.commit()


async def notices(session: AsyncSession) -> list[tuple[str, int, str]]:
    """Return what is to be told: what, how many, why."""
    async with fresh(session) as now:
        rows = await now.scalars(select(CartNotice).order_by(CartNotice.title))
        return [(row.title, row.quantity, row.reason) for row in rows]


async def test_what_has_waited_too_long_leaves_the_cart_and_its_owner_is_told_once(
    ada: Visitor,
    jam: Jam,
    hall: Calendar,
    show: Show,
    put_products: PutProducts,
    fill_cart: FillCart,
    running: AppState,
    session: AsyncSession,
    context: PaymentContext,
) -> None:
    await put_products(ada, jam.variant_id, 2)
    await book(running, session, ada, hall)
    await fill_cart(ada, show, 3)
    await put_in_at(session, LONG_AGO)

    await sweep_carts(context)
    await sweep_carts(context)

    page = await ada.get("/")
    assert "Your cart is empty" in page.text("#cart-panel")
    assert not page.has(".cart-badge__count")
    assert page.texts(".notice--info li") == [
        "The Tempest (3) has left your cart: it had been there for a long time.",
        "An hour of the hall, The hall has left your cart: it had been there for a long time.",
        "Plum jam (2) has left your cart: it had been there for a long time.",
    ]


async def test_what_is_over_leaves_the_cart_however_short_it_was_there(
    ada: Visitor,
    show: Show,
    hall: Calendar,
    fill_cart: FillCart,
    running: AppState,
    session: AsyncSession,
    context: PaymentContext,
) -> None:
    await fill_cart(ada, show, 2)
    await book(running, session, ada, hall)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    times = {"start_at": an_hour_ago - timedelta(hours=2), "end_at": an_hour_ago}
    await session.execute(update(CalendarEntry).values(times))
    await session.commit()

    await sweep_carts(context)

    assert await notices(session) == [("An hour of the hall, The hall", 1, "over"), ("The Tempest", 2, "over")]
    assert await tickets_of(session, ada) == []
    assert "The Tempest (2) has left your cart: its time is over." in (await ada.get("/")).texts(".notice--info li")


async def test_what_may_still_wait_stays(
    guest: Visitor,
    jam: Jam,
    hall: Calendar,
    put_products: PutProducts,
    running: AppState,
    session: AsyncSession,
    context: PaymentContext,
) -> None:
    await put_products(guest, jam.variant_id, 2)
    await book(running, session, guest, hall)
    await put_in_at(session, A_WHILE_AGO)
    await sweep_carts(context)
    assert (await guest.get("/")).text("#grand-total") == "£17.00"
    assert await notices(session) == []


async def test_how_long_things_wait_is_a_setting(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, context: PaymentContext
) -> None:
    await put_products(guest, jam.variant_id)
    await put_in_at(session, A_WHILE_AGO)
    await sweep_carts(replace(context, settings=context.settings.model_copy(update={"cart_days": 28})))
    assert await notices(session) == [("Plum jam", 1, "old")]


async def test_what_is_ordered_does_not_leave(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, context: PaymentContext
) -> None:
    await fill_cart(ada, show)
    await ada.post("/checkout/", {"shown_total": "25.00"})
    await put_in_at(session, LONG_AGO)
    await sweep_carts(context)
    assert (await tickets_of(session, ada), await notices(session)) == (["reserved"] * 2, [])


# --- Being told ---


@pytest.mark.parametrize("htmx", [False, True])
async def test_what_was_read_is_not_told_again(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, context: PaymentContext, htmx: bool
) -> None:
    await put_products(guest, jam.variant_id)
    await put_in_at(session, LONG_AGO)
    await sweep_carts(context)
    read = (await guest.get("/")).attribute("form[action='/cart/notices/'] input", "value")
    assert read

    answer = await guest.post("/cart/notices/", {"notices": read}, htmx=htmx)

    page = answer if htmx else await guest.get(answer.location)
    assert not page.has(".notice--info")
    assert await notices(session) == []


async def test_what_came_after_is_still_told(
    guest: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, context: PaymentContext
) -> None:
    await put_products(guest, jam.variant_id)
    await put_in_at(session, LONG_AGO)
    await sweep_carts(context)
    read = (await guest.get("/")).attribute("form[action='/cart/notices/'] input", "value") or ""
    await put_products(guest, (await make_jam(session, title="Quince jelly")).variant_id)
    await put_in_at(session, LONG_AGO)
    await sweep_carts(context)
    await guest.post("/cart/notices/", {"notices": read})
    assert await notices(session) == [("Quince jelly", 1, "old")]


async def test_nobody_dismisses_what_others_are_to_read(
    guest: Visitor,
    ada: Visitor,
    visitor: Visitor,
    jam: Jam,
    put_products: PutProducts,
    session: AsyncSession,
    context: PaymentContext,
) -> None:
    await put_products(guest, jam.variant_id)
    await put_in_at(session, LONG_AGO)
    await sweep_carts(context)
    async with fresh(session) as now:
        read = str(await now.scalar(select(CartNotice.id)))
    for other in (ada, visitor):
        assert not (await other.get("/")).has(".notice--info")
        await other.post("/cart/notices/", {"notices": read})
    assert len(await notices(session)) == 1


@pytest.mark.parametrize("notices_read", ["", "x", "1,", "-1", "9" * 40, "1 or 1=1"])
async def test_a_form_that_names_no_notices_is_refused(guest: Visitor, notices_read: str) -> None:
    assert (await guest.post("/cart/notices/", {"notices": notices_read})).status == 422


# --- Who may have something in their cart ---


async def known_to_have_carts(session: AsyncSession) -> tuple[int, int]:
    """Count users, and anonymous sessions, that may have something in their cart."""
    async with fresh(session) as now:
        users = await now.scalars(select(User.id).where(User.has_cart))
        guests = await now.scalars(select(LoginSession.id).where(LoginSession.has_cart))
        return len(users.all()), len(guests.all())


async def test_whose_cart_has_become_empty_is_noted_and_whose_has_not_is_left(
    guest: Visitor,
    ada: Visitor,
    bob: Visitor,
    jam: Jam,
    hall: Calendar,
    put_products: PutProducts,
    running: AppState,
    session: AsyncSession,
    context: PaymentContext,
) -> None:
    await put_products(guest, jam.variant_id)
    await put_products(ada, jam.variant_id)
    await book(running, session, bob, hall)
    assert await known_to_have_carts(session) == (2, 1)

    for who in (guest, ada):
        await who.post("/cart/products/", {"variant_id": str(jam.variant_id), "quantity": "0", "view": ""})
    await forget_old_rows(context)
    await forget_old_rows(context)

    assert await known_to_have_carts(session) == (1, 0)
    await put_products(guest, jam.variant_id)
    assert await known_to_have_carts(session) == (1, 1)
    assert (await guest.get("/")).text(".cart-badge__count") == "1"


async def test_an_order_that_waits_for_its_payment_counts_and_one_that_is_paid_does_not(
    guest: Visitor,
    jam: Jam,
    put_products: PutProducts,
    session: AsyncSession,
    context: PaymentContext,
    gateway: FakeGateway,
) -> None:
    await put_products(guest, jam.variant_id)
    await guest.post("/checkout/", {"shown_total": "4.50", "email": "guest@maypole.example"})
    await forget_old_rows(context)
    assert await known_to_have_carts(session) == (0, 1)

    async with fresh(session) as now:
        payment = (await now.scalars(select(Payment))).one()
    gateway.pay(payment.checkout_id or "")
    await guest.get(f"/checkout/return/{payment.return_token}/")
    await forget_old_rows(context)
    assert await known_to_have_carts(session) == (0, 0)


async def test_what_an_order_released_makes_a_cart_again(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, context: PaymentContext
) -> None:
    await fill_cart(ada, show)
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [order] = await orders_of(session, ada)
    await session.execute(update(User).values(has_cart=False))
    await session.commit()
    await ada.post(f"/orders/{order.id}/put-back/")
    await forget_old_rows(context)
    assert await known_to_have_carts(session) == (1, 0)


async def test_a_session_that_is_over_takes_its_cart_along(
    guest: Visitor, ada: Visitor, jam: Jam, put_products: PutProducts, session: AsyncSession, context: PaymentContext
) -> None:
    for who in (guest, ada):
        await put_products(who, jam.variant_id)
    await session.execute(update(LoginSession).values(expires_at=LONG_AGO))
    await session.commit()
    await forget_old_rows(context)
    async with fresh(session) as now:
        assert list(await now.scalars(select(CartItem.user_id))) == [ada.id]
