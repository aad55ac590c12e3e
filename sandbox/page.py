"""The hosted page, where a shopper pays. It asks for no card: this is a stand-in, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from quart import Blueprint, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from shared.contracts.money import Money

from .answers import SHOP
from .nearby import is_from_own_site, is_nearby
from .records import CheckoutRecord
from .refused import Refused
from .world import here

page = Blueprint("page", __name__)

State = Literal["open", "declined", "paid", "closed"]


@dataclass(frozen=True, slots=True)
class PayPage:
    """What the page shows. ``back_url`` is where the shop waits for its customer; it may be empty."""

    id: str
    state: State
    amount: str
    shop: str
    description: str
    reference: str
    back_url: str
    receipt: str
    can_practise: bool


@page.get("/pay/<checkout_id>")
async def show(checkout_id: str) -> ResponseReturnValue:
    """Show a checkout in the state that it is in."""
    try:
        record = here().bank.get(checkout_id)
    except Refused:
        return await render_template("sandbox/unknown.html"), HTTPStatus.NOT_FOUND
    return await render_template("sandbox/pay.html", page=_pay_page(record))


@page.post("/pay/<checkout_id>")
async def pay(checkout_id: str) -> ResponseReturnValue:
    """Pay or decline, then show the page again, which tells what became of it; a second press changes nothing."""
    # No foreign page may pay in somebody's name, even with no money in it: it would spoil what they try out.
    if not is_from_own_site():
        return await render_template("sandbox/unknown.html"), HTTPStatus.FORBIDDEN
    decline = (await request.form).get("action") == "decline"
    try:
        # Looked at once more on the press: the page may have stood open past its time.
        if here().bank.page_is_open(here().bank.get(checkout_id)):
            here().bank.attempt(checkout_id, decline=decline)
    except Refused:
        return await render_template("sandbox/unknown.html"), HTTPStatus.NOT_FOUND
    address: Response = redirect(f"/pay/{checkout_id}", HTTPStatus.SEE_OTHER)
    return address


def _pay_page(record: CheckoutRecord) -> PayPage:
    receipts = [attempt.code for attempt in record.attempts if attempt.id == record.paid_by]
    return PayPage(
        id=record.id,
        state=_state(record),
        amount=str(Money(record.amount, record.currency)),
        shop=SHOP,
        description=record.description,
        reference=record.reference,
        back_url=record.redirect_url,
        receipt=receipts[0] if receipts else "",
        can_practise=is_nearby(),
    )


def _state(record: CheckoutRecord) -> State:
    if record.status == "PAID":
        return "paid"
    # PAID first: a page that was paid stays a receipt, also when its time is over.
    if not here().bank.page_is_open(record):
        return "closed"
    return "declined" if record.status == "FAILED" else "open"
