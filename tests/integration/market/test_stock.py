"""Stock in orders: held, put back, sold, and taken again for money that came late (docs/money.md, promises 1, 2, 8, 9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.dtos import ZERO
from shared.contracts.errors import BadInput, Conflict, NotOnSale, SoldOut
from shared.contracts.lines import product_key
from shared.contracts.states import HELD_STOCK_STATES, DebtReason, StockState, may_become
from shared.db.engine import Database
from shared.models import Order, Product, ProductVariant, StockAllocation
from shared.services.market_impl import SqlMarketService
from tests.factories.blog import make_page
from tests.factories.market import make_product, make_variant, variant_of
from tests.factories.users import make_user

market = SqlMarketService()


@pytest.fixture
async def other_session(database: Database) -> AsyncIterator[AsyncSession]:
    """Give a second session: somebody else's connection."""
    async with database.sessions() as made:
        yield made


async def make_variants(session: AsyncSession, *stocks: int | None) -> list[int]:
    """Make a product with a variant for each of these stocks."""
    product = await make_product(session, await make_page(session), title="Smock", price=None)
    return [
        await make_variant(session, product, size=f"Size {number}", stock=stock)
        for number, stock in enumerate(stocks, start=1)
    ]


async def place_order(session: AsyncSession, wanted: dict[int, int] | None = None) -> int:
    """Make an order that waits for its payment, holding these variants; it has no lines and no total."""
    order = Order(
        number=token_hex(6),
        user_id=(await make_user(session)).id,
        merchant_code="MSANDBOX",
        currency="GBP",
        total=ZERO,
        expires_at=datetime.now(UTC) + timedelta(minutes=30),
    )
    session.add(order)
    await session.flush()
    await market.claim_stock_for_order(session, order.id, wanted or {})
    return order.id


async def sell(session: AsyncSession, wanted: dict[int, int]) -> int:
    """Make an order of these variants that is paid."""
    order_id = await place_order(session, wanted)
    await market.confirm_stock_for_order(session, order_id)
    return order_id


async def released(session: AsyncSession, wanted: dict[int, int]) -> int:
    """Make an order of these variants that was not paid in time."""
    order_id = await place_order(session, wanted)
    await market.release_stock_for_order(session, order_id)
    return order_id


async def states_of(session: AsyncSession, order_id: int) -> dict[int, str]:
    """Return the state of each of an order's variants."""
    return {each.variant_id: str(each.state) for each in await market.get_stock_for_order(session, order_id)}


async def left_of(session: AsyncSession, *variant_ids: int) -> list[int | None]:
    """Return how many of each variant can be had."""
    found = await market.variants_by_id(session, variant_ids)
    return [found[variant_id].available for variant_id in variant_ids]


async def counters(session: AsyncSession) -> list[tuple[int, int]]:
    """Return, for each variant, its counter and the sum of what orders hold of it."""
    held = (
        select(func.coalesce(func.sum(StockAllocation.quantity), 0))
        .where(StockAllocation.variant_id == ProductVariant.id, StockAllocation.state.in_(HELD_STOCK_STATES))
        .scalar_subquery()
    )
    rows = await session.execute(select(ProductVariant.held, held).order_by(ProductVariant.id))
    return [(counter, int(total)) for counter, total in rows]


async def accepts(session: AsyncSession, new: StockState) -> bool:
    """Tell whether the database lets the only allocation move to this state; it is left as it was."""
    move = await session.begin_nested()
    try:
        await session.execute(update(StockAllocation).values(state=new))
    except IntegrityError as refusal:
        if "may not go from" not in str(refusal.orig):
            raise
        return False
    else:
        return True
    finally:
        await move.rollback()


# --- claim ---


async def test_what_an_order_claims_is_not_there_for_others(session: AsyncSession) -> None:
    small, large = await make_variants(session, 5, None)

    order_id = await place_order(session, {small: 2, large: 3})

    assert await left_of(session, small, large) == [3, None]
    assert await states_of(session, order_id) == {small: "reserved", large: "reserved"}
    assert await counters(session) == [(2, 2), (3, 3)]


async def test_the_last_one_can_be_had(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 2)

    await place_order(session, {small: 2})

    assert await left_of(session, small) == [0]


async def test_one_that_cannot_be_had_keeps_all_others_back_and_each_is_named(session: AsyncSession) -> None:
    small, medium, large = await make_variants(session, 5, 1, 0)
    order_id = await place_order(session)

    with pytest.raises(SoldOut) as refused:
        await market.claim_stock_for_order(session, order_id, {large: 1, small: 2, medium: 3})

    problems = [(problem.key, problem.wanted, problem.left) for problem in refused.value.problems]
    assert problems == [(product_key(medium), 3, 1), (product_key(large), 1, 0)]
    assert await market.get_stock_for_order(session, order_id) == []
    assert await left_of(session, small, medium, large) == [5, 1, 0]


async def test_claiming_nothing_is_nothing(session: AsyncSession) -> None:
    assert await market.get_stock_for_order(session, await place_order(session, {})) == []


async def test_what_was_hidden_meanwhile_is_not_sold(session: AsyncSession) -> None:
    page_post_id = await make_page(session)
    jam = await variant_of(session, await make_product(session, page_post_id, title="Jam", published=False))
    smock = await make_product(session, page_post_id, title="Smock", price=None)
    shy = await make_variant(session, smock, published=False)
    order_id = await place_order(session)

    for variant_id, title in ((jam, "Jam"), (shy, "Smock")):
        with pytest.raises(NotOnSale, match=f"{title} is no longer sold"):
            await market.claim_stock_for_order(session, order_id, {variant_id: 1})

    assert await market.get_stock_for_order(session, order_id) == []


async def test_what_was_deleted_meanwhile_is_a_conflict(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 5)
    order_id = await place_order(session)

    with pytest.raises(Conflict):
        await market.claim_stock_for_order(session, order_id, {small: 1, small + 1: 1})

    assert await left_of(session, small) == [5]


async def test_a_claim_sees_what_others_have_taken_since_it_looked(
    session: AsyncSession, other_session: AsyncSession
) -> None:
    (small,) = await make_variants(session, 1)
    await session.commit()
    looked_at = await session.get_one(ProductVariant, small)
    await place_order(other_session, {small: 1})
    await other_session.commit()

    with pytest.raises(SoldOut) as refused:
        await place_order(session, {small: 1})

    assert looked_at.held == 1
    assert [problem.left for problem in refused.value.problems] == [0]


# --- release ---


async def test_what_is_released_is_back_on_the_shelf_once(session: AsyncSession) -> None:
    small, large = await make_variants(session, 5, None)
    order_id = await place_order(session, {small: 2, large: 3})

    first = await market.release_stock_for_order(session, order_id)
    again = await market.release_stock_for_order(session, order_id)

    assert (first, again) == ({small: 2, large: 3}, {})
    assert await states_of(session, order_id) == {small: "released", large: "released"}
    assert await left_of(session, small, large) == [5, None]


async def test_what_is_sold_is_not_released(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 5)
    order_id = await sell(session, {small: 2})

    assert await market.release_stock_for_order(session, order_id) == {}
    assert await states_of(session, order_id) == {small: "sold"}
    assert await left_of(session, small) == [3]


async def test_letting_one_order_go_leaves_others_alone(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 5)
    mine, theirs = await place_order(session, {small: 2}), await place_order(session, {small: 1})

    await market.release_stock_for_order(session, mine)

    assert await states_of(session, theirs) == {small: "reserved"}
    assert await left_of(session, small) == [4]


# --- confirm ---


async def test_what_is_paid_is_sold_and_stays_away(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 5)
    order_id = await place_order(session, {small: 2})

    for _ in range(2):
        await market.confirm_stock_for_order(session, order_id)

    assert await states_of(session, order_id) == {small: "sold"}
    assert await left_of(session, small) == [3]


async def test_what_was_released_is_not_sold(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 5)
    order_id = await released(session, {small: 2})

    await market.confirm_stock_for_order(session, order_id)

    assert await states_of(session, order_id) == {small: "released"}
    assert await left_of(session, small) == [5]


# --- retake ---


async def test_late_money_takes_again_what_is_there_still(session: AsyncSession) -> None:
    small, large = await make_variants(session, 2, None)
    order_id = await released(session, {small: 2, large: 3})

    for _ in range(2):
        assert await market.retake_stock_for_order(session, order_id, [small, large]) == {}

    assert await states_of(session, order_id) == {small: "sold", large: "sold"}
    assert await counters(session) == [(2, 2), (3, 3)]


async def test_late_money_for_what_is_gone_is_owed_variant_by_variant(session: AsyncSession) -> None:
    small, large = await make_variants(session, 2, 3)
    order_id = await released(session, {small: 2, large: 3})
    await sell(session, {small: 1})

    for _ in range(2):
        lost = await market.retake_stock_for_order(session, order_id, [small, large])

        assert lost == {small: DebtReason.SOLD_OUT}

    assert await states_of(session, order_id) == {small: "oversold", large: "sold"}
    assert await counters(session) == [(1, 1), (3, 3)]


async def test_what_was_lost_stays_lost_though_some_came_back(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 1)
    late = await released(session, {small: 1})
    quick = await place_order(session, {small: 1})
    await market.retake_stock_for_order(session, late, [small])
    await market.release_stock_for_order(session, quick)

    lost = await market.retake_stock_for_order(session, late, [small])

    assert lost == {small: DebtReason.SOLD_OUT}
    assert await left_of(session, small) == [1]


async def test_money_in_time_takes_what_is_held(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 1)
    order_id = await place_order(session, {small: 1})

    assert await market.retake_stock_for_order(session, order_id, [small]) == {}
    assert await states_of(session, order_id) == {small: "sold"}


async def test_hidden_things_are_taken_again_for_who_has_paid(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 1)
    order_id = await released(session, {small: 1})
    await session.execute(update(Product).values(published=False))

    assert await market.retake_stock_for_order(session, order_id, [small]) == {}


async def test_taking_nothing_again_is_nothing(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 1)
    order_id = await released(session, {small: 1})

    assert await market.retake_stock_for_order(session, order_id, []) == {}
    assert await states_of(session, order_id) == {small: "released"}


async def test_money_refunded_is_written_down_for_what_was_lost_alone(session: AsyncSession) -> None:
    small, large = await make_variants(session, 1, 1)
    order_id = await released(session, {small: 1, large: 1})
    await sell(session, {small: 1})
    await market.retake_stock_for_order(session, order_id, [small, large])

    for variant_id in (small, small, large):
        await market.mark_stock_refunded(session, order_id, variant_id)

    assert await states_of(session, order_id) == {small: "refunded", large: "sold"}
    assert await market.retake_stock_for_order(session, order_id, [small]) == {small: DebtReason.SOLD_OUT}
    assert await states_of(session, order_id) == {small: "refunded", large: "sold"}


async def test_an_order_says_what_it_was_given(session: AsyncSession) -> None:
    page_post_id = await make_page(session)
    smock = await make_product(session, page_post_id, title="Smock", price=None)
    large = await make_variant(session, smock, size="Large", colour="green")
    jam = await variant_of(session, await make_product(session, page_post_id, title="Jam"))
    order_id = await place_order(session, {large: 2, jam: 1})
    await place_order(session, {jam: 5})

    given = await market.get_stock_for_order(session, order_id)

    assert [(each.order_id, each.variant_id, each.title, each.detail, each.quantity) for each in given] == [
        (order_id, large, "Smock", "Large, green", 2),
        (order_id, jam, "Jam", "", 1),
    ]


# --- the database's own guards ---


async def test_the_database_itself_sells_nothing_twice(session: AsyncSession) -> None:
    (small,) = await make_variants(session, 2)
    first, second = await place_order(session, {small: 1}), await place_order(session)
    too_many = insert(StockAllocation).values(order_id=second, variant_id=small, quantity=2, state="reserved")

    with pytest.raises(IntegrityError, match="held_within_stock"):
        async with session.begin_nested():
            await session.execute(too_many)
    with pytest.raises(IntegrityError, match="held_within_stock"):
        async with session.begin_nested():
            await session.execute(update(StockAllocation).values(quantity=3))
    with pytest.raises(IntegrityError, match="held_within_stock"):
        async with session.begin_nested():
            await session.execute(update(ProductVariant).values(stock=0))

    assert await states_of(session, first) == {small: "reserved"}
    assert await counters(session) == [(1, 1)]


async def test_an_order_has_one_allocation_of_a_variant_and_never_none_of_it(session: AsyncSession) -> None:
    (small,) = await make_variants(session, None)
    order_id = await place_order(session, {small: 1})

    for quantity, constraint in ((1, "uq_stock_allocations"), (0, "quantity"), (-1, "quantity")):
        row = insert(StockAllocation).values(order_id=order_id, variant_id=small, quantity=quantity)
        with pytest.raises(IntegrityError, match=constraint):
            async with session.begin_nested():
                await session.execute(row)


@pytest.mark.parametrize("old", StockState)
async def test_the_database_allows_the_moves_that_the_contract_does(session: AsyncSession, old: StockState) -> None:
    (small,) = await make_variants(session, None)
    order_id = await place_order(session)
    await session.execute(insert(StockAllocation).values(order_id=order_id, variant_id=small, quantity=1, state=old))

    allowed = {new for new in StockState if await accepts(session, new)}

    assert allowed == {new for new in StockState if may_become("stock", old, new)}


async def test_the_counters_are_the_sums_of_what_is_held_after_every_step(session: AsyncSession) -> None:
    small, large = await make_variants(session, 6, None)
    first = await place_order(session, {small: 2, large: 4})
    second = await place_order(session, {large: 1, small: 3})
    for step in (
        market.confirm_stock_for_order(session, first),
        market.release_stock_for_order(session, second),
        market.claim_stock_for_order(session, await place_order(session), {small: 4}),
        market.retake_stock_for_order(session, second, [small, large]),
        session.execute(update(StockAllocation).where(StockAllocation.order_id == first).values(state="cancelled")),
        session.execute(update(StockAllocation).values(quantity=1)),
        session.execute(text("DELETE FROM stock_allocations WHERE state = 'sold'")),
    ):
        await step

        assert [counter for counter, _ in await counters(session)] == [total for _, total in await counters(session)]

    assert await counters(session) == [(1, 1), (0, 0)]


async def test_there_are_never_fewer_than_orders_hold(session: AsyncSession) -> None:
    product = await make_product(session, await make_page(session), price=None)
    small = await make_variant(session, product, size="Small", stock=5)
    await place_order(session, {small: 3})

    with pytest.raises(BadInput) as refused:
        await make_variant(session, product, size="Small", stock=2)

    assert refused.value.field == "stock"
    assert await left_of(session, small) == [2]
    assert await make_variant(session, product, size="Small", stock=3) == small
    assert await left_of(session, small) == [0]


# --- with others ---


async def test_crossing_orders_wait_for_each_other_and_do_not_deadlock(
    session: AsyncSession, database: Database
) -> None:
    small, large = await make_variants(session, 100, 100)
    orders = [await place_order(session) for _ in range(16)]
    await session.commit()

    async def claim(number: int) -> None:
        pair = [(small, 1), (large, 1)]
        async with database.sessions() as mine:
            await market.claim_stock_for_order(mine, orders[number], dict(pair if number % 2 else pair[::-1]))
            await mine.commit()

    await asyncio.gather(*(claim(number) for number in range(16)))

    assert await left_of(session, small, large) == [84, 84]
    assert await counters(session) == [(16, 16), (16, 16)]
