"""What people decide about orders, debts, refunds and pages, step by step."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import select

from cart.bp.accounts.services import pay_page_to_default, refund_page_automatically
from cart.bp.bookings.services import decide_booking
from cart.bp.reviews.services import accept_payment, close_finding, refund_payment, settle_payment_elsewhere
from cart.orders.cancel import cancel_lines
from cart.provider.history import reconcile_history
from cart.refunds.by_hand import settle_by_hand
from cart.refunds.refund import refund_debt, settle_refund
from cart.refunds.refund_lines import Decision, refund_lines
from cart.refunds.refundable import Wish
from shared.contracts.access import EVERYWHERE
from shared.contracts.dtos import MovementStatus
from shared.contracts.errors import GatewayUnavailable, ShopError
from shared.contracts.states import EntryState
from shared.db.uow import unit_of_work
from shared.models import CalendarEntry, Debt, Order, OrderLine, Payment, ProviderFinding, Refund
from shared.services.journal import user_actor

from .world import Killed, World, die


async def _newest(world: World, model: type[Debt | Refund | Order | ProviderFinding]) -> int:
    async with unit_of_work(world.shop.context.database) as uow:
        return (await uow.session.scalars(select(model.id).order_by(model.id.desc()).limit(1))).one()


async def _lines(world: World) -> frozenset[int]:
    async with unit_of_work(world.shop.context.database) as uow:
        of_order = OrderLine.order_id == (await world.payment()).order_id
        return frozenset(await uow.session.scalars(select(OrderLine.id).where(of_order)))


async def cancelled(world: World) -> None:
    """Cancel all lines of the order, without refunding money."""
    line_ids, context = await _lines(world), world.shop.context
    async with unit_of_work(context.database) as uow:
        order = await uow.session.get_one(Order, (await world.payment()).order_id)
        await cancel_lines(uow.session, context, order, line_ids, actor=user_actor(world.admin), why="rained off")
        await uow.commit()


async def _decide(world: World, *, approved: bool) -> None:
    async with unit_of_work(world.shop.context.database) as uow:
        waits = select(CalendarEntry.id).where(CalendarEntry.state == EntryState.PROVISIONAL)
        entry_id = (await uow.session.scalars(waits)).one()
    await decide_booking(world.shop.context, entry_id=entry_id, approved=approved, actor_user_id=world.admin)


async def approved(world: World) -> None:
    """Approve the booking that waits."""
    await _decide(world, approved=True)


async def declined(world: World) -> None:
    """Decline the booking that waits."""
    await _decide(world, approved=False)


async def _refund_lines(world: World, amount: str) -> None:
    order_id, sum_ = (await world.payment()).order_id, Decimal(amount)
    decision = Decision(Wish(amount=sum_), uuid4(), sum_, world.admin)
    await refund_lines(world.shop.context, order_id, decision, EVERYWHERE)


async def gives_back_a_pound(world: World) -> None:
    """Give a pound of the order back."""
    await _refund_lines(world, "1.00")


async def gives_back_the_rest(world: World) -> None:
    """Give the rest of a ticket's price back."""
    await _refund_lines(world, "11.50")


async def gives_back_all(world: World) -> None:
    """Give a ticket's price back."""
    await _refund_lines(world, "12.50")


async def refunds_debt(world: World) -> None:
    """Refund the newest debt."""
    with suppress(ShopError):
        await refund_debt(world.shop.context, debt_id=await _newest(world, Debt), actor_user_id=world.admin)


async def refunds_debt_by_itself(world: World) -> None:
    """Have the newest debt refunded by nobody's decision."""
    await refund_debt(world.shop.context, debt_id=await _newest(world, Debt), actor_user_id=None)


async def paid_by_hand(world: World) -> None:
    """Say that the newest debt was paid back otherwise."""
    debt_id = await _newest(world, Debt)
    await settle_by_hand(
        world.shop.context, debt_id=debt_id, note="bank transfer", actor_user_id=world.admin, scope=EVERYWHERE
    )


async def refunds_out_of_reach(world: World) -> None:
    """Have the provider be out of reach when it is asked before a refund."""
    world.gateway.fail_next(GatewayUnavailable(), "transaction")


async def refunds_refused(world: World) -> None:
    """Have the provider refuse refunds."""
    world.gateway.refuse_refunds("Balance too low")


async def refunds_held(world: World) -> None:
    """Have refunds be under way for a while."""
    world.gateway.hold_refunds()


async def refunds_unclear(world: World) -> None:
    """Have the answer to a refund be lost, and the record not show it at once."""
    world.gateway.drop_next_answer("refund")
    world.gateway.fail_after(1, GatewayUnavailable(), "transaction")


async def refunds_lost(world: World) -> None:
    """Have a refund be lost on its way, and the record not be there at once."""
    world.gateway.drop_next_request("refund")
    world.gateway.fail_after(1, GatewayUnavailable(), "transaction")


async def refund_dies(world: World) -> None:
    """Have the app stop before a refund is sent."""
    world.gateway.interrupt("transaction", die)


async def refunds_killed(world: World) -> None:
    """Refund the newest debt, and be stopped."""
    with suppress(Killed):
        await refund_debt(world.shop.context, debt_id=await _newest(world, Debt), actor_user_id=world.admin)


async def refund_settled(world: World) -> None:
    """Look at the newest refund."""
    await settle_refund(world.shop.context, await _newest(world, Refund))


async def quiet_time(world: World) -> None:
    """Let eleven minutes go by."""
    world.shop.clock.forward(minutes=11)


async def refunded_elsewhere(world: World) -> None:
    """Give a ticket's price back in the provider's dashboard, and have the account's record read."""
    world.gateway.refund_by_hand((await world.payment()).transaction_id or "", Decimal("12.50"))
    await reconcile_history(world.shop.context, world.gateway.merchant_code)


async def accepts(world: World) -> None:
    """Take a payment that is not what we asked for as paid."""
    payment = await world.payment()
    await accept_payment(
        world.shop.context, payment.id, shown=Decimal("100.00"), actor_user_id=world.admin, scope=EVERYWHERE
    )


async def gives_payment_back(world: World) -> None:
    """Owe a payment back that is not what we asked for."""
    payment = await world.payment()
    await refund_payment(
        world.shop.context, payment.id, shown=Decimal("1.00"), actor_user_id=world.admin, scope=EVERYWHERE
    )


async def settles_elsewhere(world: World) -> None:
    """Close a payment that is not what we asked for, with a word."""
    payment_id = (await world.payment()).id
    await settle_payment_elsewhere(
        world.shop.context, payment_id, note="paid back in cash", actor_user_id=world.admin, scope=EVERYWHERE
    )


async def closes_finding(world: World) -> None:
    """Close the newest finding."""
    finding_id = await _newest(world, ProviderFinding)
    await close_finding(world.shop.context, finding_id, note="it was me", actor_user_id=world.admin, scope=EVERYWHERE)


async def paid_to_default(world: World) -> None:
    """Have the page be paid to the installation's own account."""
    await pay_page_to_default(world.shop.context, page_post_id=world.show.page_post_id, actor_user_id=world.admin)


async def refunds_by_itself(world: World) -> None:
    """Have what the page owes go back by itself."""
    await refund_page_automatically(
        world.shop.context, page_post_id=world.show.page_post_id, automatic=True, actor_user_id=world.admin
    )


async def refund_undone(world: World) -> None:
    """Have the refund that is under way come to nothing at the provider."""
    async with unit_of_work(world.shop.context.database) as uow:
        refund = await uow.session.get_one(Refund, await _newest(world, Refund))
        payment = await uow.session.get_one(Payment, refund.payment_id)
    world.gateway.settle_refund(payment.transaction_id or "", MovementStatus.VOID)
