"""Sign in by a mailed link, sign out, and the account."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from quart import Blueprint, Response, make_response, render_template, request
from quart.typing import ResponseTypes

from shared.clients.caller import CallFailed
from shared.clients.cart import CartLineAnswer
from shared.contracts.contact import network_of
from shared.contracts.errors import BadInput, ShopError
from shared.contracts.journal import SecurityEvent
from shared.db.uow import unit_of_work
from shared.services.identity import LinkSpent, TooManyLinks, TooManyMails, look_at_link, rename_user, use_link
from shared.services.security import note_security
from shared.services.sessions import devices_of, end_one_session
from shared.web.htmx import redirect_to
from shared.web.identity import (
    current_cart_owner,
    current_identity,
    current_user,
    may_have_cart,
    sign_in,
    sign_in_required,
    sign_out,
    signed_in_recently,
    signed_in_user,
)
from shared.web.limits import limit_per_client, limit_per_person
from shared.web.next_url import safe_next
from shared.web.session import discard_session
from shared.web.state import app_state, request_session

from .browsers import note_sign_in
from .forms import NameForm, SignInForm, SignOutForm
from .pages import AccountPage, CheckMailPage, LinkPage, LinkSpentPage, SignInPage
from .services.sign_in import reason_to_sign_in, request_link

bp = Blueprint("auth", __name__)

SIGN_IN_AGAIN = "Sign in once more"
A_WHILE = timedelta(minutes=10)
PER_CLIENT = 60
"""Generous: a whole hall may share one address. The limit for each mail address is in the database."""


async def _page(template: str, page: object, status: int = 200) -> ResponseTypes:
    """Render one of this blueprint's pages; none of them is ever kept by a browser."""
    response = await make_response(await render_template(f"_types/auth/{template}.html", page=page), status)
    # They show addresses, and one a link's token: after signing out the back button must not find them.
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/auth/sign-in")
async def sign_in_form() -> ResponseTypes:
    """Ask for an address; whoever is signed in already (and recently enough, where they are asked again) goes on."""
    settings, user = app_state().settings, current_user()
    next_url = safe_next(request.args.get("next"), settings)
    # Who is signed in already came by an old link or the back button: they are led on.
    if user is None:
        return await _page("sign_in", SignInPage(next_url, reason_to_sign_in(next_url, settings)))
    if "again" not in request.args or signed_in_recently():
        return redirect_to(next_url or "/account")
    return await _page("sign_in", SignInPage(next_url, SIGN_IN_AGAIN, user.email, again=True))


@bp.post("/auth/sign-in")
@limit_per_client(PER_CLIENT, A_WHILE)
async def send_link() -> ResponseTypes:
    """Mail a link. The answer is the same whether or not the address has an account."""
    state = app_state()
    settings, form = state.settings, SignInForm.parse(await request.form)
    next_url = safe_next(form.next_url, settings)
    try:
        email = await request_link(
            request_session(),
            email=form.email,
            next_url=next_url,
            now=state.clock(),
            settings=settings,
            network=network_of(request.remote_addr),
        )
    except (BadInput, TooManyLinks, TooManyMails) as error:
        return await _refused(error, form.email, next_url, again=form.again)
    # The same page for known and unknown addresses, or it would tell who has an account.
    outbox = "/outbox/" if settings.uses_outbox else ""
    return await _page("check_mail", CheckMailPage(email, next_url, settings.sign_in_link_minutes, outbox, form.again))


async def _refused(error: ShopError, typed: str, next_url: str, *, again: bool) -> ResponseTypes:
    """Show the form again, with what was typed and what is wrong with it."""
    reason = SIGN_IN_AGAIN if again else reason_to_sign_in(next_url, app_state().settings)
    return await _page("sign_in", SignInPage(next_url, reason, typed, str(error), again), error.status)


@bp.get("/auth/link/<token>")
async def show_link(token: str) -> ResponseTypes:
    """Show a button, and nothing else: programs that scan mails open links, but press no buttons."""
    link = await look_at_link(request_session(), token, now=app_state().clock())
    if link is None or not link.usable:
        return await _spent(token)
    response = await _page("link", LinkPage(token=token, email=link.email))
    # The address of this page holds the token. Not "no-referrer": the button's POST would come with "Origin: null".
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


@bp.post("/auth/link/<token>")
@limit_per_client(PER_CLIENT, A_WHILE)
async def spend_link(token: str) -> ResponseTypes:
    """Use the link up and sign in."""
    try:
        # Used up and signed in by one transaction: two presses at once cannot both succeed.
        user, next_url = await use_link(request_session(), token, now=app_state().clock())
    except LinkSpent:
        await _note_failed_link()
        return await _spent(token)
    await sign_in(user)
    # Checked again: the address was kept with the link, and the settings may have changed since.
    response = redirect_to(safe_next(next_url, app_state().settings) or "/")
    await note_sign_in(user, response)
    return response


async def _note(event: SecurityEvent, user_id: int) -> None:
    await note_security(request_session(), event, user_id=user_id, address=request.remote_addr)


async def _note_failed_link() -> None:
    # In a commit of its own: the refusal that follows rolls the request's session back.
    async with unit_of_work(app_state().database) as uow:
        await note_security(uow.session, SecurityEvent.LINK_FAILED, address=request.remote_addr)
        await uow.commit()


async def _spent(token: str) -> ResponseTypes:
    link = await look_at_link(request_session(), token, now=app_state().clock())
    # A link that nobody made leads nowhere; one that is only spent still knows where its owner wanted to go.
    page = LinkSpentPage(next_url="" if link is None else safe_next(link.next_url, app_state().settings))
    return await _page("link_spent", page, LinkSpent.status)


@bp.post("/auth/sign-out")
async def leave() -> ResponseTypes:
    """Sign this browser out of all four apps, or the person on all devices."""
    everywhere, user = SignOutForm.parse(await request.form).everywhere, current_user()
    await sign_out(everywhere=everywhere)
    if user is not None:
        await _note(SecurityEvent.SIGNED_OUT_EVERYWHERE if everywhere else SecurityEvent.SIGNED_OUT, user.id)
    return _signed_out()


def _signed_out() -> Response:
    """Lead a browser on that is signed out."""
    response = redirect_to("/")
    # What pages have left in the browser goes with the session; the cookie is taken by name.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@bp.get("/account")
@sign_in_required
async def account() -> ResponseTypes:
    """Show the account."""
    return await _page("account", await _account_page(signed_in_user().name))


@bp.post("/account")
@sign_in_required
async def rename() -> ResponseTypes:
    """Change the name."""
    user = signed_in_user()
    typed = NameForm.parse(await request.form).name
    try:
        await rename_user(request_session(), user.id, typed)
    except BadInput as error:
        page = await _account_page(typed, error=str(error))
        return await _page("account", page, error.status)
    # Led on instead of shown: a reload must not send the form again.
    return redirect_to("/account?saved=yes")


@bp.post("/account/sessions/<uuid:session_id>/end")
@limit_per_person(60, A_WHILE)
@sign_in_required
async def end_session(session_id: UUID) -> ResponseTypes:
    """Sign one of the person's browsers out; the one that asks goes the usual way."""
    identity = current_identity()
    user = signed_in_user()
    if identity is not None and identity.session_id == session_id:
        await sign_out()
        await _note(SecurityEvent.SIGNED_OUT, user.id)
        return _signed_out()
    if await end_one_session(request_session(), user.id, session_id):
        await _note(SecurityEvent.SIGNED_OUT, user.id)
    return redirect_to("/account?ended=yes")


async def _account_page(name: str, *, error: str = "") -> AccountPage:
    """Gather the account's page; ``name`` is what stands in the field."""
    user, identity, state = signed_in_user(), current_identity(), app_state()
    devices = await devices_of(request_session(), user.id, now=state.clock())
    return AccountPage(
        user=user,
        name=name,
        error=error,
        saved=not error and "saved" in request.args,
        ended=not error and "ended" in request.args,
        devices=tuple(devices),
        here=None if identity is None else identity.session_id,
        time_zone=state.settings.time_zone,
        cart=await _cart_lines(),
    )


async def _cart_lines() -> tuple[CartLineAnswer, ...] | None:
    """Return what is in the person's cart; None where the cart app gives no answer.

    The request's session is closed first: no transaction waits for another app.
    """
    # No call to another app for somebody of whom it is known that they have nothing there.
    if not may_have_cart():
        return ()
    await discard_session()
    try:
        return await app_state().clients.cart.cart_lines(current_cart_owner())
    except CallFailed:
        return None
