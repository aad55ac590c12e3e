"""What became of an order as one line of events in time order, in words: journal, notes and mails together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from cart.bp.admin_orders.services import JournalFact, MailFact, NoteFact, OrderHistory, user_of
from shared.contracts.money import Money

from .words import ACTORS, event_words, mail_words, why_words

AT_ONCE = timedelta(seconds=2)
"""Equal events that follow each other within this are told as one: four tickets that were confirmed together."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: when, what, by whom, and what else is known of it."""

    at: datetime
    what: str
    who: str = ""
    detail: str = ""
    body: str = ""
    """The text of a note, with its lines."""
    times: int = 1


def timeline_of(history: OrderHistory) -> tuple[Happening, ...]:
    """Return an order's events, oldest first."""
    told = [_of_journal(fact, history) for fact in history.journal]
    told += [_of_note(note, history) for note in history.notes]
    told += [_of_mail(mail) for mail in history.mails]
    # sorted() keeps the order of equals, and the journal comes first: cause before mail.
    return tuple(_together(sorted(told, key=lambda happening: happening.at)))


def _together(told: list[Happening]) -> Iterator[Happening]:
    """Tell equal events that follow each other at once as one."""
    last: Happening | None = None
    for happening in told:
        if last is not None and _is_same(last, happening):
            last = replace(last, times=last.times + 1)
            continue
        if last is not None:
            yield last
        last = happening
    if last is not None:
        yield last


def _is_same(one: Happening, other: Happening) -> bool:
    """Tell whether two events say the same, at about the same time; notes never do."""
    same = replace(other, at=one.at, times=one.times) == one
    return same and not one.body and other.at - one.at <= AT_ONCE


def _of_journal(fact: JournalFact, history: OrderHistory) -> Happening:
    """Put a line of the journal into words."""
    known = (_amount_of(fact, history.order.currency), _code_of(fact), why_words(fact.why))
    return Happening(
        at=fact.at,
        what=event_words(fact.thing, fact.event),
        who=_who(fact.actor, history),
        detail=", ".join(filter(None, known)),
    )


def _of_note(note: NoteFact, history: OrderHistory) -> Happening:
    return Happening(at=note.created_at, what="Note", who=_person(note.author_id, history), body=note.body)


def _of_mail(mail: MailFact) -> Happening:
    """Say whether a mail has gone, at the time when that was known."""
    what = f"mail about {mail_words(mail.kind)}"
    if mail.sent_at is not None:
        return Happening(mail.sent_at, f"Sent a {what}", detail=f"to {mail.recipient}")
    if mail.given_up_at is not None:
        detail = f"to {mail.recipient}: {mail.last_error}" if mail.last_error else f"to {mail.recipient}"
        return Happening(mail.given_up_at, f"Gave up on a {what}", detail=detail)
    return Happening(mail.created_at, f"Wrote a {what}, not sent yet", detail=f"to {mail.recipient}")


def _who(actor: str, history: OrderHistory) -> str:
    """Name whoever did something."""
    user_id = user_of(actor)
    return ACTORS.get(actor, actor) if user_id is None else _person(user_id, history)


def _person(user_id: int | None, history: OrderHistory) -> str:
    """Name a person; one who was forgotten has no name any more."""
    return history.people.get(user_id or 0, "somebody who was forgotten")


def _amount_of(fact: JournalFact, currency: str) -> str:
    try:
        return str(Money(Decimal(str(fact.data["amount"])), currency))
    # Events without an amount have none to tell; an unreadable one must not hide the whole history.
    except (KeyError, InvalidOperation):
        return ""


def _code_of(fact: JournalFact) -> str:
    code = fact.data.get("transaction")
    return f"SumUp code {code}" if code else ""
