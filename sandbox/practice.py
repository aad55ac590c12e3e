"""A page for people who want to practise: a payment that arrives late, twice, or not at all.

For this machine only, like the steering that it stands on; a foreign site cannot press its buttons.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice

from quart import Blueprint, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from shared.contracts.money import Money

from .actions import ACTIONS, ORDERS, paid_attempt
from .nearby import is_from_own_site, is_nearby
from .records import CheckoutRecord
from .refused import Refused
from .world import here

practice = Blueprint("practice", __name__, url_prefix="/practice")

LATEST = 8
STATES = {"PENDING": "waits for its payment", "FAILED": "declined, can be tried again", "PAID": "paid"}
MOVES = {"REFUND": "refunded", "CHARGE_BACK": "charged back", "PAYOUT": "paid out"}


@dataclass(frozen=True, slots=True)
class Button:
    """One thing to do, and in a sentence what the shop should do then."""

    name: str
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class PracticeCheckout:
    """A checkout, how it stands, and what can be done to it now."""

    id: str
    title: str
    amount: str
    state: str
    buttons: tuple[Button, ...]
    is_open: bool
    """Whether its buttons are shown at once."""


@dataclass(frozen=True, slots=True)
class PracticePage:
    """What the page shows; ``said`` tells what has just been done."""

    checkouts: tuple[PracticeCheckout, ...]
    orders: tuple[Button, ...]
    said: str


@practice.before_request
async def _only_here() -> ResponseReturnValue | None:
    # Looking is harmless, pressing is not: only a POST has to come from our own page.
    if is_nearby() and (request.method == "GET" or is_from_own_site()):
        return None
    return await render_template("sandbox/unknown.html"), HTTPStatus.FORBIDDEN


@practice.get("/")
async def show() -> ResponseReturnValue:
    """List the latest checkouts, and what may be done to each."""
    records = list(islice(reversed(here().bank.find(None)), LATEST))
    shown = request.args.get("at") or (records[0].id if records else "")
    page = PracticePage(
        checkouts=tuple(_checkout(record, is_open=record.id == shown) for record in records),
        orders=tuple(Button(name, order.label, order.words) for name, order in ORDERS.items()),
        said=_said(request.args.get("done", "")),
    )
    return await render_template("sandbox/practice.html", page=page)


@practice.post("/next/<name>")
async def order(name: str) -> ResponseReturnValue:
    """Order something for what comes next."""
    if name not in ORDERS:
        return await _not_found()
    ORDERS[name].do(here())
    return _back(name)


@practice.post("/<checkout_id>/<name>")
async def act(checkout_id: str, name: str) -> ResponseReturnValue:
    """Do something to a checkout, if its state still allows it."""
    try:
        record = here().bank.get(checkout_id)
        action = ACTIONS.get(name)
        if action is None:
            return await _not_found()
        # The buttons were right when the page was made; the checkout may have been paid or closed since.
        if not action.can(record):
            return _back("nothing", record.id)
        action.do(here(), record)
    except Refused:
        return await _not_found()
    return _back(name, record.id)


async def _not_found() -> ResponseReturnValue:
    return await render_template("sandbox/unknown.html"), HTTPStatus.NOT_FOUND


def _back(done: str, checkout_id: str = "") -> Response:
    # After a POST always a GET, so that a reload presses nothing again.
    return redirect(f"/practice/?done={done}&at={checkout_id}#done", HTTPStatus.SEE_OTHER)


def _said(done: str) -> str:
    if done == "nothing":
        return "Nothing was done: this payment has changed meanwhile."
    action = ACTIONS.get(done) or ORDERS.get(done)
    return f"Done: {action.label}. {action.words}" if action else ""


def _checkout(record: CheckoutRecord, *, is_open: bool) -> PracticeCheckout:
    return PracticeCheckout(
        id=record.id,
        title=record.description or record.reference,
        amount=str(Money(record.amount, record.currency)),
        state=_state(record),
        buttons=tuple(
            Button(name, action.label, action.words) for name, action in ACTIONS.items() if action.can(record)
        ),
        is_open=is_open,
    )


def _state(record: CheckoutRecord) -> str:
    words = [STATES.get(record.status, "closed unpaid")]
    attempt = paid_attempt(record)
    moves = {} if attempt is None else {moved: attempt.moved(event) for event, moved in MOVES.items()}
    words += [f"{Money(amount, record.currency)} {moved}" for moved, amount in moves.items() if amount]
    return ", ".join(words)
