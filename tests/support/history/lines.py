"""Lines of the journal, by the function that writes them.

User 1 buys and user 2 decides; each table counts its ids from 1. The event is entry 1, the first booking entry 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .world import Step

Data = dict[str, object]
CANNOT_BE_PAID = "the checkout can no longer be paid"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal, the change of a state that it tells of, and the function that writes it."""

    thing: str
    change: str
    """``open>paid``; ``new>owed`` for what comes about; empty where no state changes."""
    by: str
    actor: str
    why: str = ""
    data: Data | None = None
    named: str = ""

    @property
    def event(self) -> str:
        """What happened: the new state, where it has no name of its own."""
        return self.named or self.change.partition(">")[2]


@dataclass(frozen=True, slots=True)
class Case:
    """A situation, what is done in it, and all lines that this leaves."""

    name: str
    before: Sequence[Step]
    done: Sequence[Step]
    lines: Sequence[Line] = field(default_factory=tuple)


def moved(change: str, **more: object) -> Data:
    """Return what tells of a change."""
    old, _, new = change.partition(">")
    return ({"to": new} if old == "new" else {"from": old, "to": new}) | more


# --- tickets, bookings and stock: the trigger's lines ---


def written(thing: str, change: str, actor: str, why: str) -> Line:
    return Line(thing, change, "write_journal", actor, why, moved(change))


def released(thing: str, change: str) -> Line:
    return written(thing, change, "provider", CANNOT_BE_PAID)


def given(thing: str, change: str) -> Line:
    return written(thing, change, "system", "payment 1")


# --- orders ---


def placed(total: str, lines: int) -> Line:
    data: Data = {"total": total, "lines": lines}
    return Line("order 1", "new>pending", "checkout._fill", "user:1", "", data, named="placed")


def paid(change: str, why: str) -> Line:
    return Line("order 1", change, "confirm.mark_paid", "system", why, moved(change))


def unpaid(state: str) -> Line:
    change = f"pending>{state}"
    return Line("order 1", change, "settle.release_order", "provider", CANNOT_BE_PAID, moved(change))


def refunded(change: str) -> Line:
    return Line("order 1", change, "settled.mark_order", "system", "", moved(change))


# --- payments ---


def created(amount: str) -> Line:
    data: Data = {"amount": amount, "reference": "reference 1"}
    return Line("payment 1", "new>created", "checkout._intend_payment", "system", "", data)


def seen(change: str, *, transaction: str | None = None, why: str = "") -> Line:
    data = moved(change, transaction=transaction)
    return Line("payment 1", change, "settle._write_journal", "provider", why, data)


def closing(change: str, actor: str) -> Line:
    return Line("payment 1", change, "fence._start_closing", actor)


def noted(change: str, why: str) -> Line:
    return Line("payment 1", change, "open_payment._note", "system", why)


def decided(change: str, why: str, amount: str) -> Line:
    return Line("payment 1", change, "decide._tell", "user:2", why, moved(change, amount=amount))


NAMED_LATE = Line(
    "payment 1",
    "",
    "late_transaction._tell",
    "provider",
    "its transaction became known",
    {"transaction": "transaction 1"},
    named="paid",
)
PAID_AGAIN = Line(
    "payment 2",
    "new>paid",
    "second_payment._record",
    "provider",
    "its checkout was paid again",
    moved("new>paid", transaction="transaction 2", amount="12.50"),
)

# --- debts and refunds ---


def owed(
    number: int, amount: str, why: str, *, actor: str = "system", line: int | None = None, payment: int = 1
) -> Line:
    data: Data = {"amount": amount, "payment": payment, "line": line}
    return Line(f"debt {number}", "new>owed", "owed.owe", actor, why, data)


def settled_debt(number: int, amount: str, actor: str = "system", why: str = "", *, by_hand: bool = False) -> Line:
    data: Data = {"amount": amount, "payment": 1, "by_hand": by_hand}
    return Line(f"debt {number}", "owed>settled", "settled.settle_debt", actor, why, data)


def refund(number: int, change: str, actor: str, amount: str, why: str = "") -> Line:
    data: Data = {"amount": amount, "debt": number, "payment": 1}
    return Line(f"refund {number}", change, "refund._note", actor, why, data)


ELSEWHERE = Line(
    "refund 1",
    "new>external",
    "elsewhere._tell",
    "provider",
    "",
    {"amount": "12.50", "debt": None, "payment": 1, "chargeback": False},
)

# --- what has no state of its own ---

FINDING_CLOSED = Line("finding 1", "", "waiting._tell", "user:2", named="closed")
ACCOUNT_SET = Line("page 1", "", "change._point", "user:2", "", {"merchant_code": "MSANDBOX"}, named="account_set")
REFUNDS_SET = Line(
    "page 1", "", "change.refund_page_automatically", "user:2", "", {"automatic": True}, named="refunds_set"
)
