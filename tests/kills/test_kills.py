"""Killed at every boundary of checkout, settling, letting go and refunding, and right again afterwards (promises 2, 5 to 8, 11)."""

from __future__ import annotations

from sqlalchemy import select

from shared.models import CalendarEntry, Order, Payment, Refund, Ticket
from tests.kills.conftest import TOTAL, Person, Trial, post
from tests.support.site import wait_until

LONG_S = 600.0
"""Longer than any test: the answer never comes."""
A_WHILE_S = 2.0
"""Long enough to hold a row before the answer is there."""


# --- Checkout: place the order (commit) → ask the provider → write its answer down (commit) ---


async def test_killed_while_it_takes_the_seats_nothing_is_kept(trial: Trial) -> None:
    async with trial.holding(select(CalendarEntry).where(CalendarEntry.id == trial.entry_id)):
        pressed = trial.press("/checkout/", {"shown_total": TOTAL})
        await wait_until(trial.somebody_waits, "the checkout waits for the seats")
        await trial.die("cart", pressed)

    assert (await trial.order(), await trial.tickets()) == (None, ["pending", "pending"])
    await trial.site.start("cart")
    await trial.buy()
    await trial.sees_it_bought_once()


async def test_killed_while_the_provider_is_asked_the_checkout_is_found_and_paid_once(trial: Trial) -> None:
    await trial.sandbox.fail_next("create", "slow_after", delay_s=LONG_S)
    pressed = trial.press("/checkout/", {"shown_total": TOTAL})
    await wait_until(trial.payable_checkouts, "the provider has made the checkout")
    await trial.die("cart", pressed)

    assert (await trial.payment()).checkout_id is None
    await trial.site.start("cart")
    address = await trial.check_out()
    [checkout] = await trial.payable_checkouts()
    assert checkout["id"] in address
    await trial.pay()
    await trial.sees_it_bought_once()


async def test_killed_before_the_answer_is_written_the_checkout_is_found_and_paid_once(trial: Trial) -> None:
    await trial.sandbox.fail_next("create", "slow_after", delay_s=A_WHILE_S)
    pressed = trial.press("/checkout/", {"shown_total": TOTAL})
    await wait_until(trial.payable_checkouts, "the provider has made the checkout")
    payment = await trial.payment()
    async with trial.holding(select(Payment).where(Payment.id == payment.id)):
        await wait_until(trial.somebody_waits, "the answer is to be written")
        await trial.die("cart", pressed)

    await trial.site.start("cart")
    assert len(await trial.payable_checkouts()) == 1
    assert (await trial.payable_checkouts())[0]["id"] in await trial.check_out()
    await trial.pay()
    await trial.sees_it_bought_once()


async def test_killed_for_good_after_the_order_the_worker_lets_it_go(trial: Trial) -> None:
    await trial.sandbox.fail_next("create", "slow", delay_s=LONG_S)
    pressed = trial.press("/checkout/", {"shown_total": TOTAL})
    await trial.was_called("create")
    await trial.die("cart", pressed)
    assert await trial.tickets() == ["reserved", "reserved"]

    await trial.make_older(minutes=5)
    await trial.becomes(trial.is_released, "the seats are back")
    await trial.site.start("cart")
    await trial.buy()
    await trial.becomes(trial.is_bought, "it can be bought again")


# --- Settling: ask the provider → record (commit) → fulfil (commit) ---


async def test_killed_while_it_asks_for_the_payment_the_worker_finishes(trial: Trial) -> None:
    payment = await _paid_with_nobody_looking(trial)
    await trial.sandbox.fail_next("get", "slow", delay_s=LONG_S)
    came = trial.come_back(payment)
    await trial.was_called("get")
    await trial.die("cart", came)

    await trial.site.start("worker")
    await trial.sees_it_bought_once()


async def test_killed_before_the_payment_is_recorded_the_worker_finishes(trial: Trial) -> None:
    payment = await _paid_with_nobody_looking(trial)
    async with trial.holding(select(Payment).where(Payment.id == payment.id)):
        came = trial.come_back(payment)
        await wait_until(trial.somebody_waits, "the payment is to be recorded")
        await trial.die("cart", came)

    assert (await trial.payment()).state == "open"
    await trial.site.start("worker")
    await trial.sees_it_bought_once()


async def test_killed_between_recording_and_giving_the_worker_gives(trial: Trial) -> None:
    payment = await _paid_with_nobody_looking(trial)
    async with trial.holding(select(Ticket).where(Ticket.user_id == trial.shopper.id)):
        came = trial.come_back(payment)
        await wait_until(trial.somebody_waits, "the tickets are to be confirmed")
        await trial.die("cart", came)

    paid = await trial.payment()
    assert (paid.state, paid.fulfilled_at, await trial.tickets()) == ("paid", None, ["reserved", "reserved"])
    await trial.site.start("worker")
    await trial.sees_it_bought_once()


async def test_the_worker_killed_between_recording_and_giving_gives_when_it_is_back(trial: Trial) -> None:
    await trial.buy()
    async with trial.holding(select(Ticket).where(Ticket.user_id == trial.shopper.id)):
        await trial.hurry()
        await wait_until(trial.somebody_waits, "the tickets are to be confirmed")
        await trial.die("worker")

    assert (await trial.payment()).state == "paid"
    await trial.site.start("worker")
    await trial.sees_it_bought_once()


async def test_killed_after_giving_the_buyer_is_told_once(trial: Trial) -> None:
    payment = await _paid_with_nobody_looking(trial)
    await trial.come_back(payment)
    assert await trial.is_bought()
    trial.site.kill("cart")

    await trial.site.start("worker")
    await trial.sees_it_bought_once()


# --- Letting go: block (commit) → deactivate at the provider → read, and release (commit) ---


async def test_killed_after_the_checkout_was_closed_the_worker_lets_go(trial: Trial) -> None:
    await trial.check_out()
    order = await trial.order()
    assert order is not None
    await trial.sandbox.fail_next("cancel", "slow_after", delay_s=LONG_S)
    pressed = trial.press(f"/orders/{order.id}/put-back/")
    await trial.was_called("cancel")
    await trial.die("cart", pressed)

    assert await trial.tickets() == ["reserved", "reserved"]
    await trial.becomes(trial.is_released, "the tickets are back in the cart")
    assert (await trial.payable_checkouts(), await trial.paid_checkouts()) == ([], [])


async def test_the_worker_killed_while_it_closes_keeps_the_seats_and_goes_on(trial: Trial) -> None:
    await trial.check_out()
    await trial.make_older(minutes=60)
    await trial.sandbox.fail_next("cancel", "slow", delay_s=LONG_S)
    await trial.hurry()
    await trial.was_called("cancel")
    await trial.die("worker")

    assert ((await trial.payment()).state, await trial.tickets()) == ("closing", ["reserved", "reserved"])
    await trial.site.start("worker")
    await trial.becomes(trial.is_released, "the tickets are back in the cart")
    assert await trial.payable_checkouts() == []


# --- Refunds: intend (commit) → read → mark as sent (commit) → ask → write the answer down (commit) ---


async def test_killed_before_a_refund_is_sent_nothing_went_back_and_it_can_be_made(trial: Trial, admin: Person) -> None:
    debt_id = await _owed(trial)
    await trial.sandbox.fail_next("transaction", "slow", delay_s=LONG_S)
    pressed = trial.press_as(admin, f"/admin/refunds/{debt_id}/")
    await trial.was_called("transaction")
    await trial.die("cart", pressed)

    await trial.make_refund_older(debt_id, minutes=3)
    await trial.becomes(lambda: trial.refund_is(debt_id, "failed"), "the worker has given it up")
    assert await trial.refunded_so_far() == []
    await trial.site.start("cart")
    await post(trial.site, admin, f"/admin/refunds/{debt_id}/")
    await _went_back_once(trial, debt_id)


async def test_killed_while_a_refund_is_asked_for_it_is_looked_up_and_not_repeated(trial: Trial, admin: Person) -> None:
    debt_id = await _owed(trial)
    await trial.sandbox.fail_next("refund", "slow_after", delay_s=LONG_S)
    pressed = trial.press_as(admin, f"/admin/refunds/{debt_id}/")
    await wait_until(trial.refunded_so_far, "the provider has given it back")
    await trial.die("cart", pressed)

    await trial.site.start("cart")
    await post(trial.site, admin, f"/admin/refunds/{debt_id}/")
    await _went_back_once(trial, debt_id)


async def test_killed_before_a_refunds_answer_is_written_it_is_not_repeated(trial: Trial, admin: Person) -> None:
    debt_id = await _owed(trial)
    await trial.sandbox.fail_next("refund", "slow_after", delay_s=A_WHILE_S)
    pressed = trial.press_as(admin, f"/admin/refunds/{debt_id}/")
    await wait_until(trial.refunded_so_far, "the provider has given it back")
    async with trial.holding(select(Refund).where(Refund.debt_id == debt_id)):
        await wait_until(trial.somebody_waits, "the answer is to be written")
        await trial.die("cart", pressed)

    await trial.site.start("cart")
    await post(trial.site, admin, f"/admin/refunds/{debt_id}/")
    await _went_back_once(trial, debt_id)


async def _paid_with_nobody_looking(trial: Trial) -> Payment:
    """Pay while the worker is away and before the notice can come."""
    await trial.check_out()
    trial.site.kill("worker")
    payment = await trial.pay()
    await wait_until(trial.is_noticed, "the provider's notice is stored")
    return payment


async def _owed(trial: Trial) -> int:
    """Have an order bought, and a half of it owed back."""
    await trial.buy()
    await trial.becomes(trial.is_bought, "the order is paid")
    return await trial.owe()


async def _went_back_once(trial: Trial, debt_id: int) -> None:
    """See the debt settled by one refund of its amount, and the order know it."""
    await trial.becomes(lambda: trial.refund_is(debt_id, "succeeded"), "the refund is settled")
    assert await trial.refunded_so_far() == ["12.50"]
    order = await trial.order()
    assert isinstance(order, Order)
    assert order.state == "partially_refunded"
