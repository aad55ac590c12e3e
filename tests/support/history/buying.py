"""What buyers do, and what becomes of their payments, step by step."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

from sqlalchemy import delete, select, text

from cart.bp.cart.services.begin import begin_checkout
from cart.bp.cart.services.checkout import create_order_from_cart
from cart.orders.buyer import Buyer
from cart.payments.attempts import read_payment
from cart.payments.create_checkout import TRIES
from cart.payments.fence import fence
from cart.payments.open_payment import _request
from cart.payments.settle import settle
from cart.provider.history import reconcile_history
from shared.contracts.errors import GatewayUnavailable, Rejected, ShopError
from shared.db.uow import unit_of_work
from shared.models import LoginSession, Payment
from tests.support.mixed import book, make_guest, make_hall, put

from .world import Killed, Step, World, die

# --- before checkout ---


async def ticket(world: World) -> None:
    """Put a ticket into the cart."""
    assert world.buyer.user_id is not None
    await world.shop.add(world.buyer.user_id, world.show)
    world.total += world.show.cost


async def hour(world: World) -> None:
    """Put an hour of the hall into the cart."""
    await book(world.shop, world.buyer, world.hall)
    world.total += world.hall.price


async def jar(world: World) -> None:
    """Put a jar into the cart."""
    await put(world.shop, world.buyer, world.goods)
    world.total += world.goods.price


async def as_guest(world: World) -> None:
    """Let the buyer be somebody without an account."""
    world.buyer = await make_guest(world.shop)


async def for_nothing(world: World) -> None:
    """Put a ticket into the cart that costs nothing."""
    free = await world.shop.show(cost="0.00")
    await world.shop.add(world.buyer.user_id or 0, free)


# --- payments ---


async def check_out(world: World) -> None:
    """Press the button; what the shop says then does not matter here."""
    with suppress(ShopError, Killed):
        await begin_checkout(world.shop.context, world.buyer, page_post_id=None, shown_total=world.total)
    world.total = Decimal(0)


async def answer_dies(world: World) -> None:
    """Have the app stop after the next checkout was opened at the provider, and before that is written down."""
    world.gateway.interrupt("create", die)


async def answer_lost(world: World) -> None:
    """Have the answers to the next opening of a checkout be lost, to each of its tries."""
    world.gateway.drop_next_answer("create", TRIES)


async def request_lost(world: World) -> None:
    """Have the next opening of a checkout be lost on its way, each of its tries."""
    world.gateway.drop_next_request("create", TRIES)


async def refused(world: World) -> None:
    """Have the provider refuse the next checkout."""
    world.gateway.fail_next(Rejected("INVALID", ()), "create")


async def arrives(world: World) -> None:
    """Let the request that was lost on its way arrive at the provider after all."""
    payment = await read_payment(world.shop.context, (await world.payment()).id)
    await world.gateway.create(await _request(world.shop.context, payment))


async def settled(world: World) -> None:
    """Ask the provider how the newest payment stands."""
    await settle(world.shop.context, (await world.payment()).id)


async def pays(world: World) -> None:
    """Pay at the provider, and have us ask."""
    world.gateway.pay((await world.checkout()).id, force=True)
    await settled(world)


async def pays_pound(world: World) -> None:
    """Pay another amount than was asked for, and have us ask."""
    world.gateway.pay((await world.checkout()).id, amount=Decimal("1.00"), force=True)
    await settled(world)


async def pays_too_much(world: World) -> None:
    """Pay a hundred pounds, and have us ask."""
    world.gateway.pay((await world.checkout()).id, amount=Decimal("100.00"), force=True)
    await settled(world)


async def closed_there(world: World) -> None:
    """Have the checkout be closed at the provider, and have us ask."""
    await world.gateway.cancel((await world.checkout()).id)
    await settled(world)


async def differs_there(world: World) -> None:
    """Have the checkout be of another amount at the provider, unpaid, and have us ask."""
    world.gateway.change((await world.checkout()).id, amount=Decimal("1.00"))
    await settled(world)


async def put_back(world: World) -> None:
    """Have the buyer put the order back into the cart."""
    await fence(world.shop.context, (await world.payment()).id, actor=world.buyer.actor)


async def put_back_unanswered(world: World) -> None:
    """Do the same while the provider can't be reached."""
    known = (await world.payment()).checkout_id is not None
    world.gateway.fail_next(GatewayUnavailable(), "cancel" if known else "find")
    await put_back(world)


async def waits(world: World) -> None:
    """Let three minutes go by."""
    world.shop.clock.forward(minutes=3)


async def too_late(world: World) -> None:
    """Let the time of an order run out."""
    world.shop.clock.forward(minutes=31)


async def works(world: World) -> None:
    """Let the worker look at what is due."""
    await world.shop.work()


async def session_gone(world: World) -> None:
    """Delete the guest's session."""
    async with unit_of_work(world.shop.context.database) as uow:
        await uow.session.execute(delete(LoginSession).where(LoginSession.id == world.buyer.owner.session_id))
        await uow.commit()


async def taken_out(world: World) -> None:
    """Take everything out of the cart again."""
    async with unit_of_work(world.shop.context.database) as uow:
        for statement in (
            "UPDATE tickets SET state = 'cancelled' WHERE state = 'pending'",
            "UPDATE calendar_entries SET state = 'cancelled' WHERE state = 'pending'",
            "DELETE FROM cart_items",
        ):
            await uow.session.execute(text(statement))
        await uow.commit()


async def somebody_else_buys(world: World) -> None:
    """Have somebody else buy and pay the same: there is no second one."""
    mine, world.buyer = world.buyer, Buyer.of_user(await world.shop.shopper())
    for step in (ticket, hour, jar, check_out, pays):
        await step(world)
    world.buyer = mine


async def pays_first(world: World) -> None:
    """Pay the order of the first payment, late."""
    async with unit_of_work(world.shop.context.database) as uow:
        first = (await uow.session.scalars(select(Payment).order_by(Payment.id).limit(1))).one()
    world.shop.pay(first, force=True)
    await settle(world.shop.context, first.id)


async def pays_unnamed(world: World) -> None:
    """Pay, while the provider does not say yet with which transaction."""
    world.gateway.names_transactions = False
    await pays(world)
    world.gateway.names_transactions = True


async def pays_again(world: World) -> None:
    """Pay the same checkout a second time, and have the account's record read."""
    world.gateway.pay((await world.checkout()).id, force=True)
    await reconcile_history(world.shop.context, world.gateway.merchant_code)


async def needs_approval(world: World) -> None:
    """Let bookings wait for somebody's word."""
    world.hall = await make_hall(world.shop, needs_approval=True)


async def placed_and_killed(world: World) -> None:
    """Place the order, and be stopped before the provider is asked for anything."""
    await create_order_from_cart(world.shop.context, world.buyer, page_post_id=None, shown_total=world.total)


ONE_OF_EACH: list[Step] = [ticket, hour, jar]
SOLD_OUT: list[Step] = [ticket, check_out, put_back, somebody_else_buys, pays_first]
"""Paid late for a seat that somebody else has meanwhile: debt 1."""
