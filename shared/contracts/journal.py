"""What the journal tells of, and what it calls that which is no change of state."""

from __future__ import annotations

from enum import StrEnum


class JournalThing(StrEnum):
    """What a line of the journal is about."""

    ORDER = "order"
    PAYMENT = "payment"
    DEBT = "debt"
    REFUND = "refund"
    TICKET = "ticket"
    ENTRY = "entry"
    STOCK = "stock"
    PAGE = "page"
    FINDING = "finding"


class JournalEvent(StrEnum):
    """What happens to a thing besides a change of its state; that one is told of by the new state's name."""

    PLACED = "placed"
    """An order was made."""
    CLOSED = "closed"
    """A person has dealt with a finding."""
    REFUNDS_SET = "refunds_set"
    """A page's money goes back by itself from now on, or does not."""
    ACCOUNT_SET = "account_set"
    """A page is paid to another account."""


class SecurityEvent(StrEnum):
    """What the security journal tells of."""

    SIGNED_IN = "signed_in"
    # Of nobody: who presses a link that does not work has not shown who they are.
    LINK_FAILED = "link_failed"
    """Somebody pressed a sign-in link that was used, too old, or never made."""
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    ROLE_GIVEN = "role_given"
    ROLE_TAKEN = "role_taken"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    ORDER_OPENED = "order_opened"
    """Somebody looked at an order that is not their own."""
    ORDERS_EXPORTED = "orders_exported"
    PAYEE_CHANGED = "payee_changed"
    PAGE_CHANGED = "page_changed"
    """How a page sells was changed: for now, whether its debts go back by themselves."""
