"""SumUp's JSON, read into our own words; its words stop here.

What cannot be read raises ``UnreadableAnswer``: what that means depends on the call (a read failed, or money may
have moved), so the caller decides. Amounts are JSON numbers in major units, whole ones as integers.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from urllib.parse import urlsplit

from shared.contracts.dtos import (
    Account,
    Checkout,
    CheckoutStatus,
    HistoryItem,
    HistoryPage,
    Movement,
    MovementStatus,
    Transaction,
)
from shared.contracts.money import CENT

# Not ``uuid.UUID``: that one also reads braces, ``urn:uuid:`` and no hyphens, and the text becomes part of a path.
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

STATUSES = {
    "PENDING": CheckoutStatus.PENDING,
    "FAILED": CheckoutStatus.FAILED,
    "PAID": CheckoutStatus.PAID,
    "EXPIRED": CheckoutStatus.EXPIRED,
}
# The money was taken in all of these, whatever became of it later (docs/sumup.md § 5).
CAPTURED = {"SUCCESSFUL", "REFUNDED", "CHARGE_BACK"}
CAPTURED_SIMPLE = {"SUCCESSFUL", "PAID_OUT", "REFUNDED", "REFUND_FAILED", "CHARGEBACK"}
AT_THE_COUNTER = {"POS", "CASH"}
MOVEMENTS = {
    "SUCCESSFUL": MovementStatus.DONE,
    "REFUNDED": MovementStatus.DONE,
    "PAID_OUT": MovementStatus.DONE,
    "RECONCILED": MovementStatus.DONE,
    "PENDING": MovementStatus.UNDER_WAY,
    "SCHEDULED": MovementStatus.UNDER_WAY,
    "FAILED": MovementStatus.VOID,
}


class UnreadableAnswer(ValueError):
    """The provider answered with something that is not the object asked for."""


def is_uuid(text: str) -> bool:
    """Tell whether ``text`` is a uuid in its usual form, and nothing beside it."""
    return UUID_FORM.fullmatch(text) is not None


def read_json(text: str) -> Any:
    """Parse a body with every fraction as Decimal, never a float."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    # Lists nested a thousand deep, or a number beyond all bounds: strangers' webhooks are read here as well.
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise UnreadableAnswer("the body is not JSON") from error


def read_checkout(body: Any) -> Checkout:
    """Read a checkout; an unknown status word counts as pending (docs/sumup.md § 4)."""
    members = _object(body)
    transaction_id, transaction_code = _paying_transaction(members)
    return Checkout(
        id=_checked_uuid(members),
        reference=_text(members, "checkout_reference"),
        status=STATUSES.get(_text(members, "status"), CheckoutStatus.PENDING),
        amount=read_amount(members.get("amount")),
        currency=_text(members, "currency"),
        merchant_code=_text(members, "merchant_code"),
        hosted_url=_web_address(members.get("hosted_checkout_url")),
        transaction_id=transaction_id,
        transaction_code=transaction_code,
        valid_until=_time(members.get("valid_until")),
        raw=members,
    )


def read_checkouts(body: Any) -> list[Checkout]:
    """Read the answer of a search by reference."""
    if not isinstance(body, list):
        raise UnreadableAnswer("expected a list of checkouts")
    return [read_checkout(item) for item in body]


def read_transaction(body: Any) -> Transaction:
    """Read a transaction with its refunds.

    Refunds are taken from the events only: after a full refund the provider's sandbox still says SUCCESSFUL in
    both of its status members (docs/sumup.md § 7).
    """
    members = _object(body)
    events = members.get("transaction_events") or []
    if not isinstance(events, list):
        raise UnreadableAnswer("transaction_events is no list")
    return Transaction(
        id=_text(members, "id"),
        code=_optional_text(members, "transaction_code") or "",
        amount=read_amount(members.get("amount")),
        currency=_text(members, "currency"),
        # Either word will do: the two members do not always agree (docs/sumup.md § 7).
        captured=members.get("status") in CAPTURED or members.get("simple_status") in CAPTURED_SIMPLE,
        refunds=_movements(events, "REFUND"),
        chargebacks=_movements(events, "CHARGE_BACK"),
        reference=_optional_text(members, "foreign_transaction_id") or "",
    )


def read_history(body: Any) -> HistoryPage:
    """Read a page of the list of transactions; one entry that cannot be read spoils it, for it may be money."""
    members = _object(body)
    items, links = members.get("items"), members.get("links") or []
    if not isinstance(items, list) or not isinstance(links, list):
        raise UnreadableAnswer("expected a list of transactions")
    following = [_optional_text(link, "href") for link in links if isinstance(link, dict) and link.get("rel") == "next"]
    return HistoryPage(tuple(_history_item(_object(item)) for item in items), following[0] if following else None)


def read_account(body: Any) -> Account:
    """Read a merchant; its name is the company's, else the profile's, else the code."""
    members = _object(body)
    code = _text(members, "merchant_code")
    return Account(
        merchant_code=code,
        name=_name_in(members.get("company")) or _name_in(members.get("business_profile")) or code,
        currency=_text(members, "default_currency"),
        sandbox=members.get("sandbox") is True,
    )


def read_amount(value: object) -> Decimal:
    """Read an amount; one with more than two decimals stays as it is, so that a comparison still sees it."""
    # Python's True is the number 1.
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise UnreadableAnswer("the amount is no number")
    try:
        amount = Decimal(value)
        cents = amount.quantize(CENT)
    except InvalidOperation as error:
        raise UnreadableAnswer("the amount is out of range") from error
    return cents if cents == amount else amount


def _paying_transaction(members: dict[str, Any]) -> tuple[str | None, str | None]:
    """Choose the transaction that paid: the one named, else the single successful one (the first may be a failure)."""
    attempts = [item for item in members.get("transactions") or [] if isinstance(item, dict)]
    named = _optional_text(members, "transaction_id")
    if named is None:
        successful = [item for item in attempts if item.get("status") == "SUCCESSFUL"]
        # Two that succeeded and none named: which one a refund should name is not for us to guess.
        if len(successful) != 1:
            return None, None
        return _optional_text(successful[0], "id"), _optional_text(successful[0], "transaction_code")
    codes = [_optional_text(item, "transaction_code") for item in attempts if item.get("id") == named]
    return named, _optional_text(members, "transaction_code") or (codes[0] if codes else None)


def _history_item(members: dict[str, Any]) -> HistoryItem:
    """Read one entry of the list of transactions; one about a refund or a chargeback has captured nothing itself."""
    return HistoryItem(
        transaction_id=_optional_text(members, "transaction_id") or _text(members, "id"),
        code=_optional_text(members, "transaction_code") or "",
        amount=read_amount(members.get("amount")),
        currency=_text(members, "currency"),
        captured=members.get("status") in CAPTURED and members.get("type", "PAYMENT") == "PAYMENT",
        at=_time(members.get("timestamp")),
        online=members.get("payment_type") not in AT_THE_COUNTER,
    )


def _movements(events: list[Any], event_type: str) -> tuple[Movement, ...]:
    """Read the movements of one kind: refunds, or chargebacks."""
    numbered = ((_object(event), position) for position, event in enumerate(events))
    return tuple(_movement(event, position) for event, position in numbered if event.get("event_type") == event_type)


def _movement(event: dict[str, Any], position: int) -> Movement:
    """Read one movement. An unknown status counts as under way: it must not make room for a second refund."""
    return Movement(
        # Without an id, its place has to tell two movements of one sum apart.
        id=str(event.get("id", f"#{position}")),
        # A sign says nothing here: the kind of the event says already which way the money went.
        amount=abs(read_amount(event.get("amount"))),
        status=MOVEMENTS.get(str(event.get("status")), MovementStatus.UNDER_WAY),
    )


def _checked_uuid(members: dict[str, Any]) -> str:
    # It becomes part of later paths, with our key behind it.
    value = _text(members, "id")
    if not is_uuid(value):
        raise UnreadableAnswer("the id is no uuid")
    return value


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise UnreadableAnswer("expected an object")
    return body


def _text(members: dict[str, Any], name: str) -> str:
    value = _optional_text(members, name)
    if value is None:
        raise UnreadableAnswer(f"{name} is missing")
    return value


def _optional_text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None


def _name_in(part: object) -> str | None:
    return _optional_text(part, "name") if isinstance(part, dict) else None


def _web_address(value: object) -> str | None:
    """Return an address that a browser may be sent to, or None."""
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    # A browser is sent there: ``javascript:`` and the like must not get through.
    return value if parts.scheme in {"http", "https"} and parts.netloc else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    # A time without a zone could be any; none is better than a wrong one.
    return moment if moment.tzinfo else None


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(name)
