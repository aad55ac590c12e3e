"""What the sandbox remembers: checkouts, the attempts to pay them, and the refunds of those."""

from __future__ import annotations

import secrets
import string
import uuid
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import structlog
from pydantic import BaseModel, Field, ValidationError

FILE_NAME = "sumup-sandbox.jsonl"
"""The file under DATA_DIR."""
log = structlog.get_logger(__name__)


class MovementRecord(BaseModel):
    """Money that moved after a payment: ``event_type`` and ``status`` are SumUp's words."""

    id: int
    event_type: str
    status: str
    amount: Decimal
    at: datetime


class TransactionRecord(BaseModel):
    """One attempt to pay a checkout: SumUp's transaction."""

    id: str
    code: str
    amount: Decimal
    status: str
    at: datetime
    changed_at: datetime
    movements: list[MovementRecord] = Field(default_factory=list)

    @property
    def refunded(self) -> Decimal:
        """What was refunded, or is on its way."""
        return self.moved("REFUND")

    @property
    def left(self) -> Decimal:
        """What can still be refunded: no more than the buyer's bank has left."""
        return self.amount - self.refunded - self.moved("CHARGE_BACK")

    def moved(self, event_type: str) -> Decimal:
        """Return the sum of one kind of movement, without what came to nothing."""
        # PENDING counts: money that is on its way back cannot be refunded a second time.
        moves = (move for move in self.movements if move.event_type == event_type and move.status != "FAILED")
        return sum((move.amount for move in moves), Decimal(0))


class CheckoutRecord(BaseModel):
    """One checkout, with every attempt on it."""

    id: str
    reference: str
    amount: Decimal
    currency: str
    merchant_code: str
    created_at: datetime
    description: str = ""
    return_url: str = ""
    redirect_url: str = ""
    valid_until: datetime | None = None
    hosted: bool = False
    status: str = "PENDING"
    paid_by: str | None = None
    apart: bool = False
    """Paid without a checkout of a shop's: SumUp shows the transaction alone."""
    payment_type: str = "ECOM"
    attempts: list[TransactionRecord] = Field(default_factory=list)


def new_attempt(record: CheckoutRecord, status: str, now: datetime) -> TransactionRecord:
    """Return an attempt with an id for programs and a code for people."""
    code = "T" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))
    return TransactionRecord(
        id=str(uuid.uuid4()), code=code, amount=record.amount, status=status, at=now, changed_at=now
    )


class Store:
    """All checkouts, in memory; with a path also in a file, so that a restart keeps them.

    Of each it keeps in memory what it was before its last change, for the reads that are ordered to be stale.

    The file holds one line for each change, the whole checkout each time, and the last line of a checkout
    counts. It is written afresh at every start, into a new file that then takes the old one's place.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._checkouts: dict[str, CheckoutRecord] = {}
        self._references: dict[str, CheckoutRecord] = {}
        self._attempts: dict[str, tuple[CheckoutRecord, TransactionRecord]] = {}
        self._now: dict[str, CheckoutRecord] = {}
        self._before: dict[str, CheckoutRecord | None] = {}
        if path is not None:
            self._load(path)

    def __iter__(self) -> Iterator[CheckoutRecord]:
        """Go through all checkouts, oldest first."""
        return iter(list(self._checkouts.values()))

    def get(self, checkout_id: str) -> CheckoutRecord | None:
        """Return one checkout, or None; the case of the id does not matter, as in any uuid."""
        return self._checkouts.get(checkout_id.lower())

    def by_reference(self, reference: str) -> CheckoutRecord | None:
        """Return the checkout that ever had this reference, or None: a reference is spent for ever."""
        return self._references.get(reference)

    def by_attempt(self, id_or_code: str) -> tuple[CheckoutRecord, TransactionRecord] | None:
        """Return an attempt and its checkout, by the attempt's id or its code."""
        return self._attempts.get(id_or_code)

    def before(self, checkout_id: str) -> CheckoutRecord | None:
        """Return a checkout as it was before its last change; None where that change was its beginning."""
        return self._before.get(checkout_id)

    def save(self, record: CheckoutRecord) -> None:
        """Keep a new or changed checkout."""
        self._index(record)
        # ``record`` is changed in place, so the state before has to be a copy that nobody else holds.
        self._before[record.id] = self._now.get(record.id)
        self._now[record.id] = record.model_copy(deep=True)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(record.model_dump_json() + "\n")

    def clear(self) -> None:
        """Forget everything."""
        for index in (self._checkouts, self._references, self._attempts, self._now, self._before):
            index.clear()
        if self._path is not None:
            self._path.write_text("", encoding="utf-8")

    def _index(self, record: CheckoutRecord) -> None:
        self._checkouts[record.id] = record
        # Never removed, also when an update gives the checkout another one: a reference is spent for ever.
        self._references[record.reference] = record
        for attempt in record.attempts:
            self._attempts[attempt.id] = self._attempts[attempt.code] = (record, attempt)

    def _load(self, path: Path) -> None:
        """Read the file, if there is one, and write it anew without what is outdated."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            # A process that was killed while it wrote leaves half a line; an older version, lines of another form.
            try:
                record = CheckoutRecord.model_validate_json(line)
            except ValidationError:
                log.warning("sandbox_forgets_a_line", file=path.name)
            else:
                self._index(record)
                self._before[record.id] = self._now[record.id] = record.model_copy(deep=True)
        # A new file that takes the old one's place: a kill in the middle leaves one of the two whole.
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(record.model_dump_json() + "\n" for record in self), encoding="utf-8")
        fresh.replace(path)
