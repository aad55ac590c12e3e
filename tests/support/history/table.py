"""The table: what is done first, what is done then, and all that the journal tells of that."""

from __future__ import annotations

from .attempts import ATTEMPTS
from .late import LATE
from .orders import ORDERS
from .refunds import REFUNDS

CASES = [*ORDERS, *ATTEMPTS, *LATE, *REFUNDS]

NOT_OF_AN_ORDER = {
    "ticket": "pending>cancelled",
    "entry": "pending>cancelled draft>confirmed draft>cancelled confirmed>draft",
}
"""Changes of what is in a cart, and of events: they belong to no order, and the journal does not tell of them."""

NOT_MADE = {
    "ticket": """reserved>cancelled reserved>oversold confirmed>checked_in checked_in>confirmed checked_in>cancelled
        confirmed>oversold oversold>confirmed confirmed>refunded checked_in>refunded cancelled>refunded""",
    "payment": "open>unknown open>cancelled",
    "stock": "sold>refunded oversold>sold cancelled>refunded",
    "refund": "succeeded>failed",
}
"""Changes that the database allows and nothing in the apps makes: whoever makes one gives it a case."""
