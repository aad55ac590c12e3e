"""Who is asking: the sign-in cookie, the session behind it, and the guards that depend on it.

The cookie is quart-auth's: signed, HttpOnly, Lax. Its value is a random token whose hash names a row in ``sessions``;
the row is read once a request, in a short database session of its own, before the route begins. Cookies know no
ports, so in development one sign-in serves all four apps on localhost; in production COOKIE_DOMAIN does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypedDict, TypeVar, cast
from uuid import UUID

from quart import Quart, g, request
from quart.typing import ResponseTypes
from quart_auth import Action, AuthUser, QuartAuth

from shared.contracts.access import PageScope, scope_of
from shared.contracts.dtos import UserDTO
from shared.contracts.errors import Forbidden, SignInAgain, SignInRequired
from shared.contracts.owner import NOBODY, CartOwner
from shared.contracts.states import Role
from shared.db.uow import unit_of_work
from shared.services import identity as users
from shared.services.registry import services
from shared.services.sessions import SessionLimits, device_of, end_all_sessions
from shared.settings import Settings

from .htmx import is_htmx, redirect_to
from .next_url import sign_in_url
from .paths import is_page_request
from .state import app_state, request_session

P = ParamSpec("P")
R = TypeVar("R")


class CartIdentity(TypedDict):
    """Whose cart it is: a user's, else an anonymous session's, else nobody's yet."""

    user_id: int | None
    session_id: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """The session behind the current request's cookie, and its user where it is signed in."""

    session_id: UUID
    user: UserDTO | None
    signed_in_at: datetime
    has_cart: bool = False
    """Whether there may be something in their cart."""


def _cookie_name(settings: Settings) -> str:
    # The prefixes need Secure (RFC 6265bis), and development has no https. ``__Host-`` allows no Domain at all.
    if settings.environment != "production":
        return "maypole_session"
    return "__Secure-maypole_session" if settings.cookie_domain else "__Host-maypole_session"


def _build_auth(settings: Settings) -> QuartAuth:
    """Return quart-auth with our cookie. ``singleton=False``: ``current_user`` in templates is ours."""
    return QuartAuth(
        cookie_domain=settings.cookie_domain or None,
        cookie_name=_cookie_name(settings),
        cookie_http_only=True,
        cookie_path="/",
        # Lax and not Strict: who comes back from the payment page, or by a link in a mail, must still be signed in.
        cookie_samesite="Lax",
        cookie_secure=settings.environment == "production",
        duration=int(timedelta(days=settings.session_days).total_seconds()),
        salt="maypole session",
        singleton=False,
    )


def _auth() -> QuartAuth:
    return app_state().auth


# --- Reading ---


def current_identity() -> Identity | None:
    """Return the session of the current request, or None where the browser has none."""
    return cast("Identity | None", g.get("identity"))


def has_identity() -> bool:
    """Tell whether the browser has a session, signed in or anonymous."""
    return current_identity() is not None


def may_have_cart() -> bool:
    """Tell whether there may be something in the cart of whoever asks; False: there is nothing for certain."""
    identity = current_identity()
    return identity is not None and identity.has_cart


def current_user() -> UserDTO | None:
    """Return the signed-in person, or None."""
    identity = current_identity()
    return None if identity is None else identity.user


def signed_in_user() -> UserDTO:
    """Return the signed-in person; raises SignInRequired where there is none (behind a guard there is)."""
    user = current_user()
    if user is None:
        raise SignInRequired
    return user


def signed_in_recently() -> bool:
    """Tell whether the signed-in person signed in so short a while ago that they may move money."""
    identity, state = current_identity(), app_state()
    if identity is None or identity.user is None:
        return False
    return state.clock() - identity.signed_in_at <= timedelta(minutes=state.settings.sign_in_fresh_minutes)


def current_cart_owner() -> CartOwner:
    """Return whose cart the request is about; nobody for a browser without a session."""
    identity = current_identity()
    if identity is None:
        return NOBODY
    if identity.user is not None:
        return CartOwner.of_user(identity.user.id)
    return CartOwner.of_session(identity.session_id)


def current_cart_identity() -> CartIdentity:
    """Return the same, as the specification's functions read it."""
    owner = current_cart_owner()
    return {"user_id": owner.user_id, "session_id": None if owner.session_id is None else str(owner.session_id)}


async def _load() -> None:
    """Read the session that the cookie names, and let it last longer at most once an hour."""
    g.identity = None
    token = _auth().load_user().auth_id if is_page_request() else None
    if token is None:
        return
    state, now = app_state(), app_state().clock()
    async with unit_of_work(state.database) as uow:
        limits = SessionLimits.of(state.settings)
        found = await users.find_session(uow.session, token, now=now, limits=limits)
        if found is None:
            return
        # At most once an hour: otherwise each page view would be a write.
        if found.stale:
            await users.touch_session(uow.session, found.id, now=now, days=state.settings.session_days)
            await uow.commit()
            _write_cookie(token)
    g.identity = Identity(found.id, found.user, found.started_at, found.has_cart)


# --- Writing ---


def _write_cookie(token: str) -> None:
    """Have quart-auth put the token into the response's cookie, for as long as a session lasts."""
    _auth().login_user(AuthUser(token, Action.WRITE_PERMANENT))
    g.sets_cookie = True


async def ensure_session_id() -> str:
    """Return the id of the browser's session; an anonymous one is made, in ``g.s``, where it has none."""
    identity = current_identity()
    if identity is None:
        state = app_state()
        now = state.clock()
        made = await users.start_session(request_session(), user_id=None, now=now, days=state.settings.session_days)
        _write_cookie(made.token)
        identity = g.identity = Identity(session_id=made.id, user=None, signed_in_at=now)
    return str(identity.session_id)


async def sign_in(user: UserDTO) -> None:
    """Sign a person in, in ``g.s``, under a new token; an anonymous session's row is taken over, a user's is ended.

    What is in an anonymous cart joins the account's.
    """
    state, before = app_state(), current_identity()
    now = state.clock()
    if before is not None and before.user is not None:
        await users.end_session(request_session(), before.session_id)
    made = await users.start_session(
        request_session(),
        user_id=user.id,
        now=now,
        days=state.settings.session_days,
        # The row is kept, since cart, orders and notices name it; its token is new, so one that was seen before is
        # worthless.
        adopt=None if before is None else before.session_id,
        device=device_of(request.headers.get("User-Agent")),
    )
    if before is not None and before.user is None:
        await services.cart.join_cart(request_session(), session_id=before.session_id, user_id=user.id)
    _write_cookie(made.token)
    g.identity = Identity(session_id=made.id, user=user, signed_in_at=now)


async def sign_out(*, everywhere: bool = False) -> None:
    """Sign the browser out of all four apps, in ``g.s``; or the person, on all devices. Safe to repeat."""
    identity = current_identity()
    if identity is not None and identity.user is not None and everywhere:
        await end_all_sessions(request_session(), identity.user.id, now=app_state().clock())
    elif identity is not None:
        await users.end_session(request_session(), identity.session_id)
    _auth().logout_user()
    g.sets_cookie = True
    g.identity = None


async def _keep_cookie_only_on_success(response: ResponseTypes) -> ResponseTypes:
    """Write no cookie for a session whose row was rolled back with a refused request."""
    if response.status_code >= 400:  # noqa: PLR2004 - where HTTP's refusals begin
        # quart-auth writes its cookie after this, and would not know that the row is gone.
        _auth().load_user().action = Action.PASS
    return response


# --- Guards ---


async def _show_the_door() -> ResponseTypes:
    """Send somebody who reads a page to the sign-in page and back; refuse anything else with a link to it."""
    if request.method in {"GET", "HEAD"} and not is_htmx():
        return redirect_to(sign_in_url())
    raise SignInRequired


def sign_in_required(view: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R | ResponseTypes]]:
    """Let only signed-in people through: others are sent to sign in and come back to this page."""

    @wraps(view)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R | ResponseTypes:
        return await _show_the_door() if current_user() is None else await view(*args, **kwargs)

    guarded.__dict__["_maypole_sign_in"] = True
    return guarded


def current_scope(role: Role) -> PageScope:
    """Return the pages on which the signed-in person may do what ``role`` allows."""
    user = current_user()
    return PageScope() if user is None else scope_of(user.grants, role)


def may_enter(role: Role) -> bool:
    """Tell whether the signed-in person passes the guards of a role.

    An admin's guard asks for the role everywhere. The others ask for it on some page: what is behind them bounds
    itself by ``current_scope``.
    """
    scope = current_scope(role)
    return scope.everywhere if role is Role.ADMIN else not scope.is_empty


def role_required(role: Role) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R | ResponseTypes]]]:
    """Let only people through who ``may_enter``; others who are signed in are refused with 403."""

    def decorate(view: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R | ResponseTypes]]:
        @wraps(view)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R | ResponseTypes:
            if current_user() is None:
                return await _show_the_door()
            if not may_enter(role):
                raise Forbidden
            return await view(*args, **kwargs)

        guarded.__dict__["_maypole_role"] = role
        return guarded

    return decorate


def recent_sign_in_required(view: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R | ResponseTypes]]:
    """Let only people through who signed in a short while ago: what is behind this guard moves money, or says where to.

    Others are sent to sign in once more and come back to this page; a form is refused with a link there, and nothing of
    it is done. Goes below ``role_required``.
    """

    @wraps(view)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R | ResponseTypes:
        if signed_in_recently():
            return await view(*args, **kwargs)
        if request.method in {"GET", "HEAD"} and not is_htmx():
            return redirect_to(sign_in_url(again=True))
        raise SignInAgain

    guarded.__dict__["_maypole_recent"] = True
    return guarded


def asks_for_recent_sign_in(view: Callable[..., object]) -> bool:
    """Tell whether ``recent_sign_in_required`` guards this view."""
    return bool(getattr(view, "_maypole_recent", False))


def role_of(view: Callable[..., object]) -> Role | None:
    """Return the role that ``role_required`` asks for at this view, or None."""
    return cast("Role | None", getattr(view, "_maypole_role", None))


def install_identity(app: Quart, settings: Settings) -> QuartAuth:
    """Make ``app`` read the cookie before each request and write it after; returns its quart-auth."""
    auth = _build_auth(settings)
    auth.init_app(app)
    app.after_request(_keep_cookie_only_on_success)
    app.before_request(_load)
    return auth
