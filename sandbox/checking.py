"""Reads requests as strictly as SumUp's OpenAPI document, and as docs/sumup.md says where the service is stricter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from .refused import invalid, problem, wrong

CURRENCIES = frozenset(("BRL", "CHF", "CLP", "COP", "CZK", "DKK", "EUR", "GBP"))
CURRENCIES |= {"HRK", "HUF", "NOK", "PLN", "RON", "SEK", "USD"}
# The OpenAPI document says 90, newer pages say 64: the stricter one holds with both (docs/sumup.md § 2).
LONGEST_REFERENCE = 64
PURPOSES = ("CHECKOUT", "SETUP_RECURRING_PAYMENT")
CENT = Decimal("0.01")

Check = Callable[[Any], Any]


def read_object(data: bytes) -> dict[str, Any]:
    """Parse a body that must be a JSON object, with fractions as Decimal."""
    try:
        # A float would already have lost what the check for two decimals has to see.
        body = json.loads(data, parse_float=Decimal)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid(wrong("body", "Validation error"))
    return body


def read_creation(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked members of a new checkout, or refuse with every wrong one."""
    return _read(body, required=("checkout_reference", "amount", "currency", "merchant_code"))


def read_update(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked members of a change to a checkout, or refuse with every wrong one."""
    return {name: value for name, value in _read(body, required=()).items() if name in UPDATABLE}


def read_refund(data: bytes) -> Decimal | None:
    """Return the amount of a refund; None means all of it."""
    # A refund without a body is allowed and means all; our adapter never sends one (docs/sumup.md § 7).
    if not data.strip():
        return None
    amount = read_object(data).get("amount")
    if amount is None:
        return None
    try:
        return _amount(amount)
    except ValueError as error:
        raise problem(HTTPStatus.BAD_REQUEST, f"amount {error}") from error


def _read(body: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    errors = [wrong(name, "Validation error", "MISSING") for name in required if name not in body]
    values: dict[str, Any] = {}
    # All faults at once and not the first alone: that is when the service answers with an array (docs/sumup.md § 8).
    for name, check in CHECKS.items():
        if name not in body:
            continue
        try:
            values[name] = check(body[name])
        except ValueError as error:
            errors.append(wrong(name, f"{name} {error}"))
    if errors:
        raise invalid(*errors)
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - one kind of error for all checks
    return value


def _reference(value: Any) -> str:
    if not 0 < len(_text(value)) <= LONGEST_REFERENCE:
        raise ValueError(f"must have 1 to {LONGEST_REFERENCE} characters")
    return str(value)


def _amount(value: Any) -> Decimal:
    # Python takes True for the number 1, and so would an amount of ``true`` pass.
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("must be a number")  # noqa: TRY004 - as above
    amount = Decimal(value)
    if not amount.is_finite() or amount <= 0:
        raise ValueError("must be greater than zero")
    # From 10¹² on a float may lose a penny (docs/sumup.md § 1). Asked first: ``quantize`` raises for very long numbers.
    if amount >= Decimal(10) ** 12 or amount != amount.quantize(CENT):
        raise ValueError("must have at most two decimals")
    return amount.quantize(CENT)


def _currency(value: Any) -> str:
    if _text(value) not in CURRENCIES:
        raise ValueError("is not supported")
    return str(value)


def _address(value: Any) -> str:
    parts = urlsplit(_text(value))
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("must be an absolute URL")
    return str(value)


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(_text(value))
    # ``fromisoformat`` also takes a mere date and a time without a zone; RFC 3339, which SumUp asks for, does not.
    if moment.tzinfo is None or "T" not in value.upper():
        raise ValueError("must be an RFC 3339 date-time with a zone")
    return moment


def _hosted(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("enabled"), bool):
        raise ValueError("must be an object with a boolean member enabled")  # noqa: TRY004 - as above
    return bool(value["enabled"])


def _purpose(value: Any) -> str:
    if value not in PURPOSES:
        raise ValueError("is not supported")
    return str(value)


CHECKS: dict[str, Check] = {
    "checkout_reference": _reference,
    "amount": _amount,
    "currency": _currency,
    "merchant_code": _text,
    "description": _text,
    "return_url": _address,
    "redirect_url": _address,
    "valid_until": _time,
    "hosted_checkout": _hosted,
    "customer_id": _text,
    "purpose": _purpose,
}
UPDATABLE = ("checkout_reference", "amount", "currency", "description", "valid_until")
