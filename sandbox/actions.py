"""What can be practised: one action for each thing that may go wrong, and what a shop should then do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from .bank import OPEN_STATUSES
from .faults import Fault
from .ledger import Manner
from .records import CheckoutRecord, TransactionRecord
from .webhooks import DeliveryFault
from .world import World

TOO_MUCH = Decimal("1.00")
# Longer than a buyer likes to wait, shorter than the adapter's own timeout: slow, not lost.
SLOW_S = 8.0
LATE_S = 60.0
HOUR_S = 60 * 60.0


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do to a checkout: its button, what the shop should do then, and whether it can be done now."""

    label: str
    words: str
    can: Callable[[CheckoutRecord], bool]
    do: Callable[[World, CheckoutRecord], object]


@dataclass(frozen=True, slots=True)
class Instruction:
    """Something to order for what comes next, whichever checkout that is about."""

    label: str
    words: str
    do: Callable[[World], object]


def is_open(record: CheckoutRecord) -> bool:
    """Tell whether a checkout waits for its payment."""
    return record.status in OPEN_STATUSES


def paid_attempt(record: CheckoutRecord) -> TransactionRecord | None:
    """Return the attempt that paid a checkout, if any did."""
    return next((attempt for attempt in record.attempts if attempt.id == record.paid_by), None)


def _is_paid(record: CheckoutRecord) -> bool:
    return record.status == "PAID"


def _is_closed(record: CheckoutRecord) -> bool:
    return record.status == "EXPIRED"


def _has_left(record: CheckoutRecord) -> bool:
    attempt = paid_attempt(record)
    return attempt is not None and attempt.left > 0


def _has_pending(record: CheckoutRecord) -> bool:
    attempt = paid_attempt(record)
    return attempt is not None and any(move.status == "PENDING" for move in attempt.movements)


def _half_of(record: CheckoutRecord) -> Decimal:
    attempt = paid_attempt(record)
    left = Decimal(0) if attempt is None else attempt.left
    # Half of a penny would be rounded to nothing, and a refund of nothing is refused.
    return max((left / 2).quantize(Decimal("0.01")), Decimal("0.01"))


ACTIONS: dict[str, Action] = {
    "pay": Action(
        "Pay",
        "The buyer pays. The shop should confirm the order within seconds, also if the buyer never comes back to it.",
        is_open,
        lambda world, record: world.bank.attempt(record.id),
    ),
    "decline": Action(
        "Decline",
        "The bank says no. The order stays open, and the buyer can try again until its time is up.",
        is_open,
        lambda world, record: world.bank.attempt(record.id, decline=True),
    ),
    "close": Action(
        "Close it unpaid",
        "As at its deadline. The shop should notice, give seats and stock free, and put everything back into the cart.",
        is_open,
        lambda world, record: world.bank.deactivate(record.id),
    ),
    "late": Action(
        "Pay late",
        "The payment was under way when the checkout closed. The shop should take the order up again; what is sold out"
        " meanwhile, it should owe to the buyer and say so.",
        _is_closed,
        lambda world, record: world.bank.attempt(record.id, force=True),
    ),
    "race": Action(
        "Pay just after the shop closes it",
        "When the shop releases the order, the payment arrives a moment later. The shop should look again and find it.",
        is_open,
        lambda world, record: world.bank.races.update({record.id: "payment_last"}),
    ),
    "other_amount": Action(
        f"Pay {TOO_MUCH} too much",
        "The sum differs from what was asked. The shop should confirm nothing, and show the payment to a person.",
        is_open,
        lambda world, record: world.bank.attempt(record.id, amount=record.amount + TOO_MUCH),
    ),
    "again": Action(
        "Pay a second time",
        "SumUp takes the money twice. The shop should still sell once, and owe the second payment back within a day.",
        _is_paid,
        lambda world, record: world.bank.attempt(record.id, force=True),
    ),
    "refund_half": Action(
        "Refund half in the dashboard",
        "Somebody refunds money past the shop. The shop should find that within a day, and not refund it again.",
        _has_left,
        lambda world, record: world.ledger.refund_by_hand(record.paid_by or "", _half_of(record)),
    ),
    "refund_all": Action(
        "Refund all in the dashboard",
        "As above, with everything that is left. Debts to this buyer should be settled by it.",
        _has_left,
        lambda world, record: world.ledger.refund_by_hand(record.paid_by or "", None),
    ),
    "charge_back": Action(
        "Charge back",
        "The buyer's bank takes the money back. The shop should tell a person, and refund nothing on top.",
        _has_left,
        lambda world, record: world.ledger.charge_back(record.paid_by or "", None),
    ),
    "pay_out": Action(
        "Pay out to the shop's bank",
        "The money arrives in the shop's account. Nothing should change: it is still paid.",
        _has_left,
        lambda world, record: world.ledger.pay_out(record.paid_by or ""),
    ),
    "refund_done": Action(
        "Let the pending refund succeed",
        "The shop should show the refund as done, and the debt as settled.",
        _has_pending,
        lambda world, record: world.ledger.settle_refunds(record.paid_by or "", "REFUNDED"),
    ),
    "refund_failed": Action(
        "Let the pending refund fail",
        "The shop should show the refund as failed after a while, and the debt as still owed.",
        _has_pending,
        lambda world, record: world.ledger.settle_refunds(record.paid_by or "", "FAILED"),
    ),
}

ORDERS: dict[str, Instruction] = {
    "notice_lost": Instruction(
        "Lose the next notice",
        "SumUp tells the shop nothing. The shop should find the payment by asking, within two minutes.",
        lambda world: world.messenger.order(DeliveryFault(how="lost")),
    ),
    "notice_late": Instruction(
        "Send the next notice a minute late",
        "The shop should not need it: the order is confirmed long before.",
        lambda world: world.messenger.order(DeliveryFault(how="late", delay_s=LATE_S)),
    ),
    "notice_doubled": Instruction(
        "Send the next notice five times at once",
        "The shop should confirm the order once, and send one e-mail.",
        lambda world: world.messenger.order(DeliveryFault(how="concurrent", copies=5)),
    ),
    "answer_lost": Instruction(
        "Lose the next answer",
        "What the shop asks for next happens, and its answer is cut off. The shop should do nothing twice.",
        lambda world: world.faults.order(Fault(operation="any", kind="cut_after")),
    ),
    "answer_slow": Instruction(
        "Make the next answer slow",
        f"It takes {SLOW_S:.0f} seconds. The shop's other pages should stay quick meanwhile.",
        lambda world: world.faults.order(Fault(operation="any", kind="slow_after", delay_s=SLOW_S)),
    ),
    "away": Instruction(
        "Be away for the next five calls",
        "The shop should keep what it holds, say that it is checking, and carry on by itself afterwards.",
        lambda world: world.faults.order(Fault(operation="any", kind="status", times=5)),
    ),
    "refund_pending": Instruction(
        "Leave the next refund pending",
        "The shop should show it as under way, and start no other one for this payment.",
        lambda world: _order_refund(world, "pending"),
    ),
    "refund_refused": Instruction(
        "Refuse the next refund",
        "The balance is too low. The shop should give the reason, keep the debt, and offer another way.",
        lambda world: _order_refund(world, "balance"),
    ),
    "hour": Instruction(
        "Let an hour pass at SumUp",
        "Open checkouts reach their deadline there, before the shop's clock does. The shop should believe SumUp.",
        lambda world: world.clock.forward(HOUR_S),
    ),
}


def _order_refund(world: World, manner: Manner) -> None:
    world.ledger.order(manner, 1)
