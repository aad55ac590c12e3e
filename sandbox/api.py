"""The API itself, at SumUp's own paths."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from quart import Blueprint, Response, current_app, g, request

from .answers import checkout_answer, history_answer, merchant_answer, transaction_answer
from .checking import read_creation, read_object, read_refund, read_update
from .faults import STALE, Operation
from .merchants import Merchant
from .records import CheckoutRecord, TransactionRecord
from .refused import Refused, invalid, not_found, problem, wrong
from .world import Call, here

api = Blueprint("api", __name__)

PAGE_LENGTH = 10
LONGEST_PAGE = 1000

View = Callable[..., Awaitable[Response]]


def operation(name: Operation) -> Callable[[View], View]:
    """Note the call, check the key, let an ordered fault spoil it, and turn refusals into answers."""

    def decorate(view: View) -> View:
        @wraps(view)
        async def answered(**ids: str) -> Response:
            async def act() -> Response:
                try:
                    return await view(_key_owner(), **ids)
                except Refused as refused:
                    return _json(refused.body, refused.status, refused.media_type)

            # Counted before a fault can spoil it: a test of a lost answer has to see that the request arrived.
            here().calls.append(Call(operation=name, path=request.path))
            return await here().faults.around(name, act)

        return answered

    return decorate


@api.post("/v0.1/checkouts")
@operation("create")
async def create(by: Merchant) -> Response:
    """Open a checkout. A reference that was used before is refused with 409."""
    record = here().bank.create(read_creation(read_object(await _body())), by)
    return _checkout(record, HTTPStatus.CREATED)


@api.get("/v0.1/checkouts")
@operation("find")
async def find(by: Merchant) -> Response:
    """List checkouts, or the one with a reference."""
    found = here().bank.find(request.args.get("checkout_reference"), by)
    # A checkout whose last change was its beginning is not there yet for a stale read.
    shown = (_shown(record) for record in found)
    return _json([checkout_answer(record, _origin()) for record in shown if record is not None])


@api.get("/v0.1/checkouts/<checkout_id>")
@operation("get")
async def get(by: Merchant, checkout_id: str) -> Response:
    """Show a checkout."""
    record = _shown(here().bank.get(checkout_id, by))
    if record is None:
        raise not_found()
    return _checkout(record)


@api.patch("/v0.1/checkouts/<checkout_id>")
@operation("update")
async def update(by: Merchant, checkout_id: str) -> Response:
    """Change a checkout."""
    return _checkout(here().bank.update(checkout_id, read_update(read_object(await _body())), by))


@api.delete("/v0.1/checkouts/<checkout_id>")
@operation("cancel")
async def deactivate(by: Merchant, checkout_id: str) -> Response:
    """Close an unpaid checkout. One that is paid or closed already is refused with 409."""
    return _checkout(here().bank.deactivate(checkout_id, by))


@api.get("/v2.1/merchants/<merchant_code>/transactions")
@operation("transaction")
async def transaction(by: Merchant, merchant_code: str) -> Response:
    """Show a transaction, by its id or its code."""
    _refuse_other(by, merchant_code)
    wanted = request.args.get("id") or request.args.get("transaction_code")
    if not wanted:
        raise invalid(wrong("id", "Validation error", "MISSING"))
    pairs = _shown_pairs([here().ledger.transaction(merchant_code, wanted)])
    if not pairs:
        raise not_found()
    return _json(transaction_answer(*pairs[0], _origin()))


@api.get("/v2.1/merchants/<merchant_code>/transactions/history")
@operation("history")
async def history(by: Merchant, merchant_code: str) -> Response:
    """List transactions, a page at a time; the link to the next page is a query string, as SumUp has it."""
    _refuse_other(by, merchant_code)
    limit = _limit()
    everything = _shown_pairs(here().ledger.history(merchant_code))
    pairs = _after(_chosen(everything), request.args.get("oldest_ref"))
    links = []
    if len(pairs) > limit:
        query = request.args.to_dict() | {"limit": str(limit), "oldest_ref": pairs[limit - 1][1].id}
        # A query and not an address: who follows it must put it on their own base URL (docs/sumup.md § 5).
        links = [{"rel": "next", "href": urlencode(query)}]
    return _json({"items": [history_answer(*pair) for pair in pairs[:limit]], "links": links})


@api.post("/v1.0/merchants/<merchant_code>/payments/<attempt_id>/refunds")
@operation("refund")
async def refund(by: Merchant, merchant_code: str, attempt_id: str) -> Response:
    """Refund a payment or a part of it; without a body, all that is left."""
    if merchant_code != by.code:
        raise problem(HTTPStatus.NOT_FOUND, "Transaction not found")
    here().ledger.refund(merchant_code, attempt_id, read_refund(await _body()))
    # An empty object: nothing of this answer may be relied on but that it is a 2xx (docs/sumup.md § 7).
    return _json({}, HTTPStatus.CREATED)


@api.get("/v1/merchants/<merchant_code>")
@operation("account")
async def merchant(by: Merchant, merchant_code: str) -> Response:
    """Show the merchant behind the key."""
    if merchant_code != by.code:
        raise problem(HTTPStatus.NOT_FOUND, "Merchant not found")
    return _json(merchant_answer(by.code, by.currency, here().started_at))


def _key_owner() -> Merchant:
    """Return the account whose key was sent; refuse a missing or wrong one, like a gateway in front of everything."""
    given = request.headers.get("Authorization", "").encode()
    for known in here().merchants.values():
        if hmac.compare_digest(given, f"Bearer {known.api_key.get_secret_value()}".encode()):
            return known
    # A gateway in front of the API answers here, in a shape of its own: one of the five of docs/sumup.md § 8.
    raise problem(HTTPStatus.UNAUTHORIZED, "Unauthorized.", media_type="application/json", trace_id="0" * 32)


def _refuse_other(by: Merchant, merchant_code: str) -> None:
    if merchant_code != by.code:
        raise not_found()


def _shown(record: CheckoutRecord) -> CheckoutRecord | None:
    """Return a checkout as it is, or as it was, for a read that is ordered to be stale."""
    return here().bank.store.before(record.id) if g.get(STALE) else record


def _shown_pairs(
    pairs: list[tuple[CheckoutRecord, TransactionRecord]],
) -> list[tuple[CheckoutRecord, TransactionRecord]]:
    """Return transactions as they are, or as they were, for a read that is ordered to be stale."""
    records = [(_shown(record), attempt.id) for record, attempt in pairs]
    return [(record, one) for record, name in records if record for one in record.attempts if one.id == name]


def _chosen(pairs: list[tuple[CheckoutRecord, TransactionRecord]]) -> list[tuple[CheckoutRecord, TransactionRecord]]:
    since = request.args.get("changes_since")
    if since:
        try:
            moment = datetime.fromisoformat(since)
            pairs = [pair for pair in pairs if pair[1].changed_at >= moment]
        except (ValueError, TypeError) as error:
            raise invalid(wrong("changes_since", "Validation error")) from error
    statuses = request.args.getlist("statuses[]")
    pairs = [pair for pair in pairs if not statuses or pair[1].status in statuses]
    return pairs[::-1] if request.args.get("order") == "descending" else pairs


def _after(
    pairs: list[tuple[CheckoutRecord, TransactionRecord]], reference: str | None
) -> list[tuple[CheckoutRecord, TransactionRecord]]:
    if reference is None:
        return pairs
    places = [place for place, (_, attempt) in enumerate(pairs) if attempt.id == reference]
    # Unknown to this list: an empty page would look like its end, and the reader would miss the rest in silence.
    if not places:
        raise not_found()
    return pairs[places[0] + 1 :]


def _limit() -> int:
    text = request.args.get("limit", str(PAGE_LENGTH))
    if not text.isdecimal() or not 0 < int(text) <= LONGEST_PAGE:
        raise invalid(wrong("limit", "Validation error"))
    return int(text)


async def _body() -> bytes:
    return await request.data


def _origin() -> str:
    return request.host_url.rstrip("/")


def _checkout(record: CheckoutRecord, status: int = HTTPStatus.OK) -> Response:
    return _json(checkout_answer(record, _origin()), status)


def _json(body: Any, status: int = HTTPStatus.OK, media_type: str = "application/json") -> Response:
    return Response(current_app.json.dumps(body), status=status, content_type=media_type)
