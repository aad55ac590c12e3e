"""Checkout: all or none, made of what was claimed (docs/money.md, promises 1, 2, 4 and 5)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from cart.bp.cart.services.checkout import Buyer, create_order_from_cart
from cart.payments.create_checkout import TRIES
from cart.payments.fence import PutBackOutcome, put_back
from shared.contracts.errors import (
    CartEmpty,
    GatewayUnavailable,
    NotOnSale,
    SeveralAccounts,
    SoldOut,
    TooManyTickets,
    TotalChanged,
    Unavailable,
)
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, PageConfig, TicketType
from tests.support.shop import Shop, Show


async def test_a_checkout_reserves_the_tickets_and_leads_to_the_payment(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show, 2)
    url = await shop.check_out(ada, "25.00")
    (payment,) = await shop.payments(ada)
    assert (url, payment.state, payment.amount) == (payment.hosted_url, "open", Decimal("25.00"))
    assert await shop.tickets(ada) == ["reserved", "reserved"]
    assert await shop.held(show) == (2, 2, 2)


async def test_pending_tickets_hold_no_seat(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show, 2)
    assert await shop.held(show) == (0, 0, 0)


async def test_sold_out_keeps_the_cart_and_says_what_is_left(shop: Shop, ada: int, bob: int, show: Show) -> None:
    await shop.buy(ada, show)
    await shop.add(bob, show, 2)
    with pytest.raises(SoldOut) as refusal:
        await shop.check_out(bob, "25.00")
    (problem,) = refusal.value.problems
    assert (*problem.key[1:], problem.wanted, problem.left) == (
        show.entry_id,
        show.type_id,
        2,
        1,
    )
    assert (await shop.tickets(bob), await shop.orders(bob)) == (["pending", "pending"], [])
    assert shop.gateway.calls["create"] == 1


async def test_one_line_that_cannot_be_had_keeps_all_others_back(shop: Shop, ada: int, bob: int, show: Show) -> None:
    other = await shop.show()
    await shop.buy(ada, show, 2)
    await shop.add(bob, other)
    await shop.add(bob, show)
    with pytest.raises(SoldOut):
        await shop.check_out(bob, "25.00")
    assert await shop.held(other) == (0, 0, 0)
    assert await shop.tickets(bob) == ["pending", "pending"]


async def test_a_types_own_cap_counts_as_well(shop: Shop, ada: int) -> None:
    show = await shop.show(capacity=10, type_capacity=1)
    await shop.add(ada, show, 2)
    with pytest.raises(SoldOut) as refusal:
        await shop.check_out(ada, "25.00")
    assert refusal.value.problems[0].left == 1


async def test_a_free_type_is_free_though_the_entry_has_a_price(shop: Shop, ada: int) -> None:
    free = await shop.show(cost="0.00")
    await shop.add(ada, free, 2)
    url = await shop.check_out(ada, "0.00")
    (order,) = await shop.orders(ada)
    assert (order.state, order.total, url) == ("paid", Decimal("0.00"), f"http://localhost:8002/orders/{order.id}/")
    assert await shop.tickets(ada) == ["confirmed", "confirmed"]
    assert not shop.gateway.calls


async def test_a_type_without_a_price_costs_what_the_entry_costs(shop: Shop, ada: int, show: Show) -> None:
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(update(TicketType).where(TicketType.id == show.type_id).values(cost=None))
        await uow.commit()
    await shop.add(ada, show)
    await shop.check_out(ada, "99.00")
    assert (await shop.payments(ada))[0].amount == Decimal("99.00")


async def test_a_ticket_of_a_second_tab_does_not_ride_free(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    await shop.add(ada, show)  # in another tab, after the cart was shown
    with pytest.raises(TotalChanged):
        await shop.check_out(ada, "12.50")
    assert await shop.tickets(ada) == ["pending", "pending"]
    await shop.check_out(ada, "25.00")
    assert (await shop.payments(ada))[0].amount == Decimal("25.00")


async def test_a_changed_price_is_shown_before_it_is_paid(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(update(TicketType).where(TicketType.id == show.type_id).values(cost=Decimal("15.00")))
        await uow.commit()
    with pytest.raises(TotalChanged):
        await shop.check_out(ada, "12.50")


async def test_a_second_press_finds_the_open_order(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    first = await shop.check_out(ada, "12.50")
    assert await shop.check_out(ada, "12.50") == first
    assert len(await shop.orders(ada)) == 1


async def test_an_empty_cart_makes_no_order(shop: Shop, ada: int) -> None:
    with pytest.raises(CartEmpty):
        await shop.check_out(ada, "0.00")
    assert await shop.orders(ada) == []


async def test_only_the_named_page_is_checked_out(shop: Shop, ada: int, show: Show) -> None:
    other = await shop.show()
    await shop.add(ada, show)
    await shop.add(ada, other)
    await shop.check_out(ada, "12.50", page_post_id=other.page_post_id)
    assert await shop.tickets(ada) == ["pending", "reserved"]
    (order,) = await shop.orders(ada)
    assert order.page_post_id == other.page_post_id


async def test_pages_with_accounts_of_their_own_are_paid_separately(shop: Shop, ada: int, show: Show) -> None:
    other = await shop.show()
    async with unit_of_work(shop.context.database) as uow:
        own = insert(PageConfig).values(container_id=other.page_post_id, sumup_merchant_code="MOTHER")
        await uow.session.execute(
            own.on_conflict_do_update(
                index_elements=["container_type", "container_id"], set_={"sumup_merchant_code": "MOTHER"}
            )
        )
        await uow.commit()
    await shop.add(ada, show)
    await shop.add(ada, other)
    with pytest.raises(SeveralAccounts):
        await shop.check_out(ada, "25.00")
    assert await shop.tickets(ada) == ["pending", "pending"]


async def test_an_event_that_is_over_is_not_charged(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    shop.clock.forward(days=30)
    with pytest.raises(NotOnSale):
        await shop.check_out(ada, "12.50")
    assert await shop.tickets(ada) == ["pending"]


async def test_a_provider_that_cannot_be_reached_leaves_the_cart_as_it_was(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    shop.gateway.fail_next(GatewayUnavailable(), "create", TRIES)
    with pytest.raises(Unavailable):
        await shop.check_out(ada, "12.50")
    assert (await shop.tickets(ada), await shop.held(show)) == (["pending"], (0, 0, 0))
    assert (await shop.orders(ada))[0].state == "failed"


async def test_a_lost_answer_makes_no_second_checkout(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    shop.gateway.drop_next_answer("create", TRIES)
    url = await shop.check_out(ada, "12.50")
    (payment,) = await shop.payments(ada)
    assert (payment.state, url) == ("unknown", f"http://localhost:8002/checkout/return/{payment.return_token}/")
    again = await shop.check_out(ada, "12.50")
    (payment,) = await shop.payments(ada)
    assert (payment.state, again) == ("open", payment.hosted_url)


async def test_the_order_is_made_without_calling_anybody(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    placed = await create_order_from_cart(
        shop.context, Buyer.of_user(ada), page_post_id=None, shown_total=Decimal("12.50")
    )
    (payment,) = await shop.payments(ada)
    assert (payment.id, payment.state, dict(shop.gateway.calls)) == (placed.payment_id, "created", {})


# --- what the database itself refuses ---


async def test_the_database_refuses_a_seat_too_many(shop: Shop, ada: int, show: Show) -> None:
    await shop.buy(ada, show, 2)
    async with unit_of_work(shop.context.database) as uow:
        with pytest.raises(IntegrityError, match="held_within_capacity"):
            await uow.session.execute(update(CalendarEntry).where(CalendarEntry.id == show.entry_id).values(capacity=1))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE order_lines SET total = total",
        "DELETE FROM order_lines",
        "UPDATE journal SET why = 'x'",
        "DELETE FROM journal",
        "TRUNCATE journal",
    ],
)
async def test_the_apps_cannot_rewrite_what_happened(shop: Shop, ada: int, show: Show, statement: str) -> None:
    await shop.buy(ada, show)
    async with unit_of_work(shop.context.database) as uow:
        with pytest.raises(DBAPIError, match="permission denied"):
            await uow.session.execute(text(statement))


async def test_a_total_that_is_not_the_sum_of_the_lines_is_not_kept(shop: Shop, ada: int, show: Show) -> None:
    await shop.buy(ada, show)
    async with unit_of_work(shop.context.database) as uow:
        await uow.session.execute(text("UPDATE orders SET total = total + 1"))
        with pytest.raises(IntegrityError, match="is not the sum of its lines"):
            await uow.commit()


@pytest.mark.parametrize(
    ("table", "state"), [("tickets", "checked_in"), ("orders", "refunded"), ("payments", "created")]
)
async def test_a_forbidden_step_is_refused(shop: Shop, ada: int, show: Show, table: str, state: str) -> None:
    await shop.buy(ada, show)
    async with unit_of_work(shop.context.database) as uow:
        with pytest.raises(IntegrityError, match="may not go from"):
            await uow.session.execute(text(f"UPDATE {table} SET state = '{state}'"))


async def test_what_an_order_released_does_not_raise_what_one_order_may_have(shop: Shop, ada: int) -> None:
    show = await shop.show(max_per_order=3, max_per_person=6)
    await shop.buy(ada, show, 3)
    await shop.add(ada, show, 3)
    [order] = await shop.orders(ada)
    assert await put_back(shop.context, Buyer.of_user(ada), order_id=order.id) is PutBackOutcome.RELEASED

    with pytest.raises(TooManyTickets, match="take 3 out of your cart"):
        await shop.check_out(ada, show.cost * 6)

    assert await shop.tickets(ada) == ["pending"] * 6


async def test_what_no_longer_has_a_price_is_not_given_away(shop: Shop, ada: int, show: Show) -> None:
    await shop.add(ada, show)
    async with unit_of_work(shop.context.database) as uow:
        (await uow.session.get_one(TicketType, show.type_id)).cost = None
        (await uow.session.get_one(CalendarEntry, show.entry_id)).ticket_price = None
        await uow.commit()

    with pytest.raises(NotOnSale, match="no longer sold"):
        await shop.check_out(ada, "0.00")

    assert await shop.tickets(ada) == ["pending"]
