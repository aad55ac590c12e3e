"""The user domain: the only writer of users, roles, sign-in links and sessions.

Tokens are 256 random bits, so a plain SHA-256 of one is as good as a slow hash, and can be looked up. Only hashes are
stored here; the mail with a link waits in ``mails`` until it has gone, or the link has expired, and is blanked then.
Times come from the caller's clock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.contact import email_of, inbox_of
from shared.contracts.dtos import UserDTO
from shared.contracts.errors import BadInput, Conflict, Forbidden, TooMany
from shared.contracts.states import Role
from shared.db.locks import lock_name, locking_idle
from shared.models import CalendarEntry, CartItem, LoginSession, Order, SignInLink, Ticket, User, UserRole

from .sessions import SessionLimits, end_links, lock_links

TOUCH_EVERY = timedelta(hours=1)
"""How stale ``last_seen_at`` may grow: a visit writes to the database at most once in this time."""
_log = structlog.get_logger("maypole.identity")
MOST_CARTS = 10_000
"""How many carts one sweep looks at."""
LONGEST_NAME = 100


class LinkSpent(Conflict):
    """A sign-in link was used before, is too old, or never existed."""

    code = "link_spent"
    status = 410
    text = "This sign-in link has been used already or is too old."


class AccountLocked(Forbidden):
    """Nobody gets in with this account any more."""

    code = "account_locked"
    text = "This account is locked. Please write to the people who run this site."


class TooManyLinks(TooMany):
    """An address was sent as many sign-in mails as it may be sent in an hour."""

    code = "too_many_links"
    text = "We have sent several mails to this address. Please use the newest one, or wait an hour."


class TooManyMails(TooMany):
    """One network, or all together, have asked for as many sign-in mails as may go out in an hour."""

    code = "too_many_mails"
    text = "Very many sign-in mails were asked for in the last hour. Please use one that you have, or come back later."


@dataclass(frozen=True, slots=True)
class MailLimits:
    """How many sign-in mails may go out in an hour: to one inbox, for one network, and in all."""

    per_inbox: int
    per_network: int
    in_all: int


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just made; its token is known only here and in the browser's cookie."""

    id: UUID
    token: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """Whose a session is. ``stale``: it is time to call ``touch_session``."""

    id: UUID
    user: UserDTO | None
    stale: bool
    has_cart: bool
    """Whether there may be something in the cart of whoever this is; False: there is nothing."""
    started_at: datetime
    """When they signed in; of an anonymous session, when it began."""


@dataclass(frozen=True, slots=True)
class LinkView:
    """What a sign-in link leads to: the address it was sent to, and the page to go on to."""

    email: str
    next_url: str
    usable: bool


def hash_token(token: str) -> str:
    """Return the form in which a token is stored."""
    # No salt and no slow hash: the token is 256 random bits, not a password that could be guessed.
    return hashlib.sha256(token.encode()).hexdigest()


def normalise_email(typed: str) -> str:
    """Return an e-mail address in the one form in which we store it; raises BadInput where it is none."""
    email = email_of(typed)
    if email is None:
        raise BadInput("Please enter your e-mail address, such as ada@example.org.", field="email")
    return email


def normalise_name(typed: str) -> str:
    """Return a person's name on one line; raises BadInput where it is too long or has control characters."""
    # Line breaks go: the name stands in the head of a mail.
    name = " ".join(typed.split())
    if len(name) > LONGEST_NAME:
        raise BadInput(f"Please keep your name to {LONGEST_NAME} characters.", field="name")
    if not name.isprintable():
        raise BadInput("Please use letters, digits and punctuation only.", field="name")
    return name


def _user_to_dto(user: User, role_rows: Iterable[UserRole]) -> UserDTO:
    grants = frozenset((row.role, row.page_post_id) for row in role_rows)
    everywhere = frozenset(role for role, page_post_id in grants if page_post_id is None)
    return UserDTO(id=user.id, email=user.email, name=user.name, roles=everywhere, grants=grants)


async def _to_dto(session: AsyncSession, user: User) -> UserDTO:
    return _user_to_dto(user, await session.scalars(select(UserRole).where(UserRole.user_id == user.id)))


# --- Users and roles ---


async def user_by_email(session: AsyncSession, email: str) -> UserDTO | None:
    """Return the user with that address, or None."""
    user = await session.scalar(select(User).where(User.email == normalise_email(email)))
    return None if user is None else await _to_dto(session, user)


async def ensure_user(session: AsyncSession, email: str, *, name: str = "") -> UserDTO:
    """Return the user with that address, made now if there is none. Safe to repeat, also at the same time."""
    address = normalise_email(email)
    await session.execute(
        # Two links for one new address, used at once, make one user.
        insert(User).values(email=address, name=name).on_conflict_do_nothing(index_elements=["email"])
    )
    user = (await session.scalars(select(User).where(User.email == address))).one()
    return await _to_dto(session, user)


async def rename_user(session: AsyncSession, user_id: int, name: str) -> None:
    """Give a user the name that they typed; raises BadInput."""
    await session.execute(update(User).where(User.id == user_id).values(name=normalise_name(name)))


async def grant_role(session: AsyncSession, user_id: int, role: Role, *, page_post_id: int | None = None) -> bool:
    """Give a user a role, on one page or everywhere; return whether they did not have it. Safe to repeat."""
    row = insert(UserRole).values(user_id=user_id, role=role, page_post_id=page_post_id)
    return await session.scalar(row.on_conflict_do_nothing().returning(UserRole.id)) is not None


async def revoke_role(session: AsyncSession, user_id: int, role: Role, *, page_post_id: int | None = None) -> bool:
    """Take a role from a user; return whether they had it. Safe to repeat."""
    # IS NULL, since "= NULL" is true of no row: the role would stay.
    page = UserRole.page_post_id.is_(None) if page_post_id is None else UserRole.page_post_id == page_post_id
    taken = delete(UserRole).where(UserRole.user_id == user_id, UserRole.role == role, page)
    return (await session.scalars(taken.returning(UserRole.id))).first() is not None


# --- Sign-in links ---


async def create_sign_in_link(
    session: AsyncSession,
    *,
    email: str,
    next_url: str,
    now: datetime,
    minutes: int,
    limits: MailLimits,
    network: str = "",
) -> str:
    """Make a one-time link for an address and return its token, to be mailed and forgotten.

    It makes no difference whether the address is known. Raises BadInput, or TooManyLinks.
    """
    address = normalise_email(email)
    inbox = inbox_of(address)
    # For known and unknown addresses alike, so that the answer tells nobody which is which.
    await _refuse_flood(session, inbox, network, now, limits)
    token = secrets.token_urlsafe(32)
    session.add(
        SignInLink(
            email=address,
            token_hash=hash_token(token),
            next_url=next_url,
            created_at=now,
            expires_at=now + timedelta(minutes=minutes),
            inbox=inbox,
            network=network,
        )
    )
    await session.flush()
    return token


async def _refuse_flood(session: AsyncSession, inbox: str, network: str, now: datetime, limits: MailLimits) -> None:
    # One at a time: those who ask at once would each count the same, and all of them be let through.
    await lock_name(session, "sign-in mails")
    same_inbox, same_network = SignInLink.inbox == inbox, SignInLink.network == network
    counts = (func.count(), func.count().filter(same_inbox), func.count().filter(same_network))
    recent = select(*counts).where(SignInLink.created_at > now - timedelta(hours=1))
    in_all, of_inbox, of_network = (await session.execute(recent)).one()
    if of_inbox >= limits.per_inbox:
        raise TooManyLinks(field="email")
    if network and of_network >= limits.per_network:
        raise TooManyMails(field="email")
    if in_all >= limits.in_all:
        _log.error("sign_in_mails_at_limit", in_an_hour=in_all)
        raise TooManyMails(field="email")


async def look_at_link(session: AsyncSession, token: str, *, now: datetime) -> LinkView | None:
    """Return what a link leads to without using it up; None where there is no such link."""
    link = await session.scalar(select(SignInLink).where(SignInLink.token_hash == hash_token(token)))
    if link is None:
        return None
    # Only to choose the page: what decides is the statement in use_link.
    usable = link.used_at is None and link.expires_at > now
    return LinkView(email=link.email, next_url=link.next_url, usable=usable)


async def use_link(session: AsyncSession, token: str, *, now: datetime) -> tuple[UserDTO, str]:
    """Use a link up and return its user (made now if new) and the page to go on to.

    One statement decides, so of two presses at the same time only one gets in. Raises LinkSpent, or AccountLocked.
    """
    email = await session.scalar(select(SignInLink.email).where(SignInLink.token_hash == hash_token(token)))
    if email is None:
        raise LinkSpent
    # Before the first write: two links of one address, pressed at once, would each wait for the other one's end.
    await lock_links(session, email)
    spend = (
        update(SignInLink)
        .where(SignInLink.token_hash == hash_token(token), SignInLink.used_at.is_(None), SignInLink.expires_at > now)
        .values(used_at=now)
        .returning(SignInLink.email, SignInLink.next_url)
    )
    row = (await session.execute(spend)).one_or_none()
    if row is None:
        raise LinkSpent
    # Whoever is in needs no other way in: a link that lies in a stranger's hands is worth nothing from now on.
    await end_links(session, row.email, now=now)
    user = await ensure_user(session, row.email)
    if await session.scalar(select(User.locked_at).where(User.id == user.id)) is not None:
        raise AccountLocked
    return user, row.next_url


# --- Sessions ---


async def start_session(
    session: AsyncSession,
    *,
    user_id: int | None,
    now: datetime,
    days: int,
    adopt: UUID | None = None,
    device: str = "",
) -> NewSession:
    """Start a session, for a user or (None) anonymous, under a token that nobody has seen yet.

    ``adopt`` is the anonymous session that the browser had until now: its row, with what hangs on it, becomes the
    user's, and its old token is worth nothing from then on (no session fixation).
    """
    token = secrets.token_urlsafe(32)
    values = {
        "token_hash": hash_token(token),
        "user_id": user_id,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + timedelta(days=days),
        "device": device,
    }
    if adopt is not None:
        # Only while it is anonymous: a session that somebody signed in with meanwhile is not taken from them.
        take = update(LoginSession).where(LoginSession.id == adopt, LoginSession.user_id.is_(None)).values(values)
        taken = await session.scalar(take.returning(LoginSession.id))
        # Its row keeps its id, on which the cart hangs; its token is a new one.
        if taken is not None:
            return NewSession(id=taken, token=token)
    insertion = insert(LoginSession).values(values).returning(LoginSession.id)
    return NewSession(id=(await session.scalars(insertion)).one(), token=token)


async def find_session(
    session: AsyncSession, token: str, *, now: datetime, limits: SessionLimits
) -> SessionView | None:
    """Return whose session a token opens, or None where it is unknown, over, signed out, or of a locked account."""
    statement = (
        select(LoginSession, User, UserRole)
        .outerjoin(User, User.id == LoginSession.user_id)
        # Session, user and roles in one read: every request of somebody signed in asks for them.
        .outerjoin(UserRole, UserRole.user_id == User.id)
        .where(LoginSession.token_hash == hash_token(token), LoginSession.expires_at > now)
    )
    rows = (await session.execute(statement)).all()
    if not rows:
        return None
    found: LoginSession = rows[0].LoginSession
    user: User | None = rows[0].User
    roles = [row.UserRole for row in rows if row.UserRole is not None]
    who = None if user is None else _user_to_dto(user, roles)
    has_role = bool(roles)
    if user is not None and (user.locked_at is not None or _is_over(found, limits, has_role=has_role, now=now)):
        return None
    return SessionView(
        id=found.id,
        user=who,
        stale=now - found.last_seen_at >= limits.touch_every(has_role=has_role, usual=TOUCH_EVERY),
        has_cart=found.has_cart if user is None else user.has_cart,
        started_at=found.created_at,
    )


def _is_over(found: LoginSession, limits: SessionLimits, *, has_role: bool, now: datetime) -> bool:
    return limits.is_over(started_at=found.created_at, last_seen_at=found.last_seen_at, has_role=has_role, now=now)


async def touch_session(session: AsyncSession, session_id: UUID, *, now: datetime, days: int) -> None:
    """Let a session last for its whole time again."""
    # Only now and then (TOUCH_EVERY): a write for each page view would be the costliest part of it.
    values = {"last_seen_at": now, "expires_at": now + timedelta(days=days)}
    await session.execute(update(LoginSession).where(LoginSession.id == session_id).values(values))


async def end_session(session: AsyncSession, session_id: UUID) -> None:
    """Sign a browser out, in all apps at once. Safe to repeat."""
    await session.execute(delete(LoginSession).where(LoginSession.id == session_id))


async def forget_expired(session: AsyncSession, *, now: datetime) -> None:
    """Delete sessions and links that are of no more use; links are kept for a day, to explain themselves."""
    await session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
    await session.execute(delete(SignInLink).where(SignInLink.expires_at <= now - timedelta(days=1)))


async def forget_empty_carts(session: AsyncSession) -> None:
    """Note of whom it is certain that there is nothing in their cart, and no order that waits for payment.

    Whoever is putting something in at this moment has locked the owner, and is passed over.
    """
    for model, column in ((User, "user_id"), (LoginSession, "session_id")):
        # A batch at a time, so that the sweep holds few locks, and for a short while.
        candidates = select(model.id).where(model.has_cart, *_nothing_of(model, column)).limit(MOST_CARTS)
        ids = list(await session.scalars(locking_idle(candidates)))
        # Read once more, now that nobody else can put anything in.
        still_empty = update(model).where(model.id.in_(ids), *_nothing_of(model, column)).values(has_cart=False)
        await session.execute(still_empty.execution_options(synchronize_session=False))


def _nothing_of(model: type[User | LoginSession], column: str) -> list[ColumnElement[bool]]:
    """Say that nothing pending names an owner."""
    pending = [
        select(things.id).where(getattr(things, column) == model.id, things.state == "pending")
        for things in (Ticket, CalendarEntry, Order)
        # Tickets have no session: only somebody with an account can have any.
        if hasattr(things, column)
    ]
    lines = select(CartItem.id).where(getattr(CartItem, column) == model.id)
    return [~statement.exists() for statement in (*pending, lines)]
