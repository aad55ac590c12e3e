"""The one cart, whatever people do: badge, page, orders and lines agree, and counters hold what orders hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from cart.bp.cart.services.contents import get_cart_contents
from shared.contracts.dtos import CartSummaryDTO
from shared.db.uow import unit_of_work
from shared.models import Order
from shared.settings import Settings
from tests.support.fair import ADA, PEOPLE, Fair, Step, make_cart_app
from tests.support.mixed import orders_of, quantities_of
from tests.support.visitor import Answer

FILLING = st.sampled_from(("add_product", "add_booking", "add_tickets"))
CHANGING = st.sampled_from(("set_product", "set_tickets", "remove_booking", "change_price"))
ENDINGS = st.sampled_from(
    (
        ("check_out", "pay"),
        ("check_out", "decline", "pay"),
        ("check_out", "expire", "pay_late"),
        ("check_out", "give_up"),
        ("check_out",),
        ("sign_in", "check_out"),
        ("check_out", "sign_in", "pay"),
        (),
    )
)
EVERYBODY = ("expire", "sign_in")
"""What changes more carts than that of whoever does it."""
ONE_DATABASE = HealthCheck.function_scoped_fixture
"""Each course has people and things of its own, so that all may use one database."""


@st.composite
def visits(draw: st.DrawFn) -> list[Step]:
    """Let somebody come, fill their cart, change their mind, and perhaps buy."""
    name = draw(st.sampled_from(PEOPLE))
    filling = draw(st.lists(FILLING, min_size=1, max_size=3))
    actions = (*filling, *draw(st.lists(CHANGING, max_size=1)), *draw(ENDINGS))
    return [(action, name, draw(st.integers(0, 2)), draw(st.integers(0, 3))) for action in actions]


courses = st.lists(visits(), min_size=2, max_size=4).map(lambda course: [step for visit in course for step in visit])


@pytest.fixture
async def fair(settings: Settings, database_url: str) -> AsyncIterator[Fair]:
    app, gateway, clock = make_cart_app(settings)
    async with app.test_app():
        yield Fair.of(app, gateway, clock)


@examples(
    max_examples=10, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=[ONE_DATABASE]
)
@given(course=courses)
async def test_badge_cart_orders_and_lines_agree_at_every_step(fair: Fair, course: list[Step]) -> None:
    await follow(fair, course)


@pytest.mark.long
@examples(max_examples=400, deadline=None, suppress_health_check=[ONE_DATABASE], print_blob=True)
@given(course=courses)
async def test_badge_cart_orders_and_lines_agree_on_other_courses_each_time(fair: Fair, course: list[Step]) -> None:
    await follow(fair, course)


async def follow(fair: Fair, course: list[Step]) -> None:
    """Take step after step, and look at everything after each."""
    await fair.open()
    for step in course:
        await fair.take(step)
        action, name, *_ = step
        await look(fair, PEOPLE if action in EVERYBODY else (name,))
    await fair.expire(ADA, 0, 0)  # nothing is left open for the next course
    await look(fair, PEOPLE)
    assert not any([(await fair.summary(name)).open_orders for name in PEOPLE])


async def look(fair: Fair, names: Sequence[str]) -> None:
    """See that everything agrees."""
    for name in names:
        told, orders = await fair.summary(name), await orders_of(fair.shop, fair.people[name])
        await lines_agree(fair, name, told)
        page_agrees(await fair.browsers[name].get("/"), told, [each for each in orders if each.state == "pending"])
        assert {order.id: order.total for order in orders} == await fair.sums_of_lines(orders)
        await nothing_is_lost(fair, name)
    assert await fair.counted() == await fair.held() == await fair.ordered()


async def lines_agree(fair: Fair, name: str, told: CartSummaryDTO) -> None:
    """See that the lines that another app may ask for are what the badge counts and adds up."""
    buyer = fair.people[name]
    async with unit_of_work(fair.shop.context.database) as uow:
        owner = buyer.owner
        contents = await get_cart_contents(uow.session, fair.shop.context.sellables, owner)
    assert contents.summary == told
    assert sum(line.quantity for line in contents.lines) == told.badge_count
    assert sum(line.total for line in contents.lines) == told.grand_total


def page_agrees(page: Answer, told: CartSummaryDTO, waiting: list[Order]) -> None:
    """Read the cart as a shopper does: lines, groups and total add up, and the badge and open orders are the same."""
    assert page.status == 200
    assert sorted(amounts(page, "article .price")) == sorted(order.total for order in waiting)
    assert len(waiting) == told.open_orders
    assert page.texts(".cart-badge__count") == [str(told.badge_count)] * bool(told.badge_count)
    assert amounts(page, "#grand-total") == [told.grand_total] * bool(told.badge_count)
    assert sum(amounts(page, "#cart-panel .lines > li > .price")) == told.grand_total
    groups = amounts(page, "section.card .totals dd.totals__grand")
    assert not groups or sum(groups) == told.grand_total


def amounts(page: Answer, selector: str) -> list[Decimal]:
    """Read amounts; a word stands for what is free."""
    found = [re.search(r"[0-9]+\.[0-9]{2}", text) for text in page.texts(selector)]
    return [Decimal(each.group()) if each else Decimal(0) for each in found]


async def nothing_is_lost(fair: Fair, name: str) -> None:
    """See that each product that somebody wants is in their cart or in an order of theirs, once."""
    if not fair.is_late:
        in_cart = Counter(await quantities_of(fair.shop, fair.people[name]))
        ordered = await fair.ordered(fair.people[name])
        there = Counter({goods.variant_id: ordered[goods.page_post_id] for goods in fair.goods})
        assert there + in_cart == +fair.wanted[name]
