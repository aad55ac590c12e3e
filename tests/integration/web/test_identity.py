"""Who is asking: sessions are rows, and the cookie names one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from quart import Quart
from quart.typing import TestClientProtocol as Client
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import Role
from shared.models import LoginSession
from shared.services.identity import ensure_user, grant_role
from shared.services.registry import Services
from shared.settings import Settings
from shared.web.factory import make_app
from shared.web.state import AppState
from tests.factories.blog import make_page

from .conftest import CountingCart, add_probe_routes

OURS = {"Origin": "http://localhost"}
NOBODY = {"user_id": None, "session_id": None, "email": None}


def _cookie(client: Client) -> str:
    assert client.cookie_jar is not None
    return next(cookie.value or "" for cookie in client.cookie_jar)


def _with_cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"maypole_session={value}"}


def _state(app: Quart) -> AppState:
    state: AppState = app.extensions["maypole"]
    return state


async def _rows(session: AsyncSession) -> int:
    await session.rollback()
    return int(await session.scalar(text("SELECT count(*) FROM sessions")) or 0)


async def _whoami(client: Client, **headers: str) -> object:
    return await (await client.get("/whoami", headers=headers)).get_json()


async def test_a_stranger_has_no_session_and_no_cookie(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    response = await client.get("/whoami")

    assert await response.get_json() == NOBODY
    assert "Set-Cookie" not in response.headers
    assert await _rows(session) == 0


async def test_signing_in_makes_a_session_whose_token_is_only_in_the_cookie(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    response = await client.post("/sign-in/ada@maypole.example", headers=OURS)

    (cookie,) = SimpleCookie(response.headers["Set-Cookie"]).values()
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
    who = await _whoami(client)
    assert isinstance(who, dict)
    assert (who["email"], who["session_id"]) == ("ada@maypole.example", None)
    stored = await session.scalar(text("SELECT token_hash FROM sessions"))
    assert len(stored or "") == 64
    assert stored not in cookie.value


async def test_a_session_signed_in_at_one_app_is_good_at_the_others(
    app: Quart, settings: Settings, fake_services: Services
) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    other = make_app("market", settings, fake_services, template_folder="templates")
    add_probe_routes(other)

    async with other.test_app():
        who = await (await other.test_client().get("/whoami", headers=_with_cookie(_cookie(client)))).get_json()
    assert who["email"] == "ada@maypole.example"


@pytest.mark.parametrize("change", ["x", "."])
async def test_a_cookie_that_was_tampered_with_is_nobodys(app: Quart, change: str) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)

    assert await _whoami(app.test_client(), **_with_cookie(change + _cookie(client))) == NOBODY


async def test_signing_in_changes_the_token_and_the_old_one_is_dead(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    anonymous = await (await client.post("/anonymous/200", headers=OURS)).get_data(as_text=True)
    before = _cookie(client)
    await client.post("/sign-in/ada@maypole.example", headers=OURS)

    assert _cookie(client) != before
    assert await _whoami(app.test_client(), **_with_cookie(before)) == NOBODY
    kept = (await session.execute(text("SELECT id::text, user_id IS NOT NULL FROM sessions"))).one()
    assert tuple(kept) == (anonymous, True)  # what hangs on the anonymous session is not lost


async def test_signing_in_as_somebody_else_ends_the_first_session(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    await client.post("/sign-in/bob@maypole.example", headers=OURS)

    who = await _whoami(client)
    assert isinstance(who, dict)
    assert who["email"] == "bob@maypole.example"
    assert await _rows(session) == 1


async def test_signing_out_deletes_the_row_so_a_copied_cookie_is_dead(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    copied = _cookie(client)
    await client.post("/sign-out", headers=OURS)

    assert await _whoami(client) == NOBODY
    assert await _whoami(app.test_client(), **_with_cookie(copied)) == NOBODY
    assert await _rows(session) == 0


async def test_signing_out_everywhere_ends_that_persons_sessions_only(app: Quart, session: AsyncSession) -> None:
    phone, laptop, bob = (app.test_client() for _ in range(3))
    for client, name in ((phone, "ada"), (laptop, "ada"), (bob, "bob")):
        await client.post(f"/sign-in/{name}@maypole.example", headers=OURS)
    await phone.post("/sign-out?everywhere=yes", headers=OURS)

    assert await _whoami(laptop) == NOBODY
    assert await _rows(session) == 1


async def test_an_anonymous_session_is_made_once_and_only_where_it_is_needed(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    first = await (await client.post("/anonymous/200", headers=OURS)).get_data(as_text=True)
    second = await (await client.post("/anonymous/200", headers=OURS)).get_data(as_text=True)

    assert first == second
    assert await _whoami(client) == {"user_id": None, "session_id": first, "email": None}
    assert await _rows(session) == 1


async def test_a_refused_request_leaves_neither_a_session_nor_a_cookie(app: Quart, session: AsyncSession) -> None:
    response = await app.test_client().post("/anonymous/422", headers=OURS)

    assert "Set-Cookie" not in response.headers
    assert await _rows(session) == 0


async def test_a_visit_renews_the_session_at_most_once_an_hour(app: Quart, session: AsyncSession) -> None:
    client, state = app.test_client(), _state(app)
    start = datetime.now(UTC)
    state.clock = lambda: start
    await client.post("/sign-in/ada@maypole.example", headers=OURS)

    state.clock = lambda: start + timedelta(minutes=59)
    assert "Set-Cookie" not in (await client.get("/whoami")).headers
    assert await session.scalar(text("SELECT last_seen_at FROM sessions")) == start

    state.clock = lambda: start + timedelta(minutes=61)
    assert "Set-Cookie" in (await client.get("/whoami")).headers
    await session.rollback()
    row = (await session.execute(text("SELECT last_seen_at, expires_at FROM sessions"))).one()
    assert row.last_seen_at == start + timedelta(minutes=61)
    assert row.expires_at == row.last_seen_at + timedelta(days=state.settings.session_days)


async def test_a_session_that_is_over_is_nobodys(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    await session.execute(update(LoginSession).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    await session.commit()

    assert await _whoami(client) == NOBODY


async def test_a_door_sends_readers_to_sign_in_and_back(app: Quart) -> None:
    response = await app.test_client().get("/members?a=b&c=d")

    assert response.status_code == 303
    assert response.headers["Location"] == (
        "http://localhost:8000/auth/sign-in?next=http%3A%2F%2Flocalhost%3A8002%2Fmembers%3Fa%3Db%26c%3Dd"
    )


async def test_a_door_refuses_a_form_and_names_the_way_back(app: Quart) -> None:
    headers = {**OURS, "Referer": "http://localhost:8003/entries/7/"}
    response = await app.test_client().post("/members", headers=headers)

    assert response.status_code == 401
    body = await response.get_data(as_text=True)
    assert "/auth/sign-in?next=http%3A%2F%2Flocalhost%3A8003%2Fentries%2F7%2F" in body


async def test_a_door_leads_back_to_none_but_our_own_pages(app: Quart) -> None:
    headers = {**OURS, "Referer": "https://evil.example/entries/7/"}
    assert "evil.example" not in await (await app.test_client().post("/members", headers=headers)).get_data(
        as_text=True
    )


async def test_only_the_role_opens_its_door(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    assert (await client.get("/admins")).status_code == 303
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    assert (await client.get("/admins")).status_code == 403

    user = await ensure_user(session, "ada@maypole.example")
    await grant_role(session, user.id, Role.ADMIN)
    await session.commit()
    assert (await client.get("/admins")).status_code == 200


async def test_a_role_on_one_page_is_no_role_everywhere(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    page = await make_page(session)
    user = await ensure_user(session, "ada@maypole.example")
    await grant_role(session, user.id, Role.ADMIN, page_post_id=page)
    await session.commit()

    assert (await client.get("/admins")).status_code == 403


async def test_a_role_on_a_page_opens_its_door_for_that_page(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    assert (await client.get("/page-orders")).status_code == 303
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    assert (await client.get("/page-orders")).status_code == 403
    page = await make_page(session)
    user = await ensure_user(session, "ada@maypole.example")
    await grant_role(session, user.id, Role.REFUNDS, page_post_id=page)
    await session.commit()

    assert await (await client.get("/page-orders")).get_json() == {"everywhere": False, "page_ids": [page]}


async def test_an_admin_may_do_what_the_smaller_roles_may_everywhere(app: Quart, session: AsyncSession) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    user = await ensure_user(session, "ada@maypole.example")
    await grant_role(session, user.id, Role.ADMIN)
    await session.commit()

    assert await (await client.get("/page-orders")).get_json() == {"everywhere": True, "page_ids": []}


async def test_a_recent_sign_in_opens_the_door_to_money_and_an_older_one_leads_there_and_back(app: Quart) -> None:
    client, state, start = app.test_client(), _state(app), datetime.now(UTC)
    state.clock = lambda: start
    await client.post("/sign-in/ada@maypole.example", headers=OURS)

    state.clock = lambda: start + timedelta(minutes=60)
    assert (await client.get("/money")).status_code == 200
    state.clock = lambda: start + timedelta(minutes=61)
    late = await client.get("/money?line=7")
    assert (late.status_code, late.headers["Location"]) == (
        303,
        "http://localhost:8000/auth/sign-in?next=http%3A%2F%2Flocalhost%3A8002%2Fmoney%3Fline%3D7&again=yes",
    )


async def test_a_form_that_moves_money_is_refused_after_a_while_and_names_the_way_back(app: Quart) -> None:
    client, state, start = app.test_client(), _state(app), datetime.now(UTC)
    state.clock = lambda: start
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    state.clock = lambda: start + timedelta(hours=2)

    headers = {**OURS, "Referer": "http://localhost:8002/money?line=7"}
    answer = await client.post("/money", headers=headers)
    body = await answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert "/auth/sign-in?next=http%3A%2F%2Flocalhost%3A8002%2Fmoney%3Fline%3D7&amp;again=yes" in body
    assert "nothing was done" in body


async def test_signing_in_with_a_cart_in_hand_is_a_recent_sign_in(app: Quart) -> None:
    client, state, start = app.test_client(), _state(app), datetime.now(UTC)
    state.clock = lambda: start
    await client.post("/anonymous/200", headers=OURS)
    state.clock = lambda: start + timedelta(hours=2)
    await client.post("/sign-in/ada@maypole.example", headers=OURS)

    assert (await client.get("/money")).status_code == 200


async def test_visits_do_not_make_a_sign_in_recent(app: Quart) -> None:
    client, state, start = app.test_client(), _state(app), datetime.now(UTC)
    state.clock = lambda: start
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    state.clock = lambda: start + timedelta(minutes=61)
    assert "Set-Cookie" in (await client.get("/whoami")).headers

    assert (await client.get("/money")).status_code == 303


async def test_a_webhook_knows_nobody(app: Quart) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)

    response = await client.post("/hook", headers={"Origin": "https://evil.example"})
    assert await response.get_json() == {"user_id": None, "session_id": None}


async def _has_cart(session: AsyncSession) -> None:
    """Let everybody have something in their cart."""
    await session.execute(text("UPDATE users SET has_cart = true"))
    await session.commit()


async def test_the_badge_is_asked_for_once_a_page_and_only_for_somebody_with_a_cart(
    app: Quart, cart_service: CountingCart, session: AsyncSession
) -> None:
    client = app.test_client()
    assert await (await client.get("/page")).get_data(as_text=True) == "0"
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    assert await (await client.get("/page")).get_data(as_text=True) == "0"
    assert cart_service.asked == []

    await _has_cart(session)
    assert await (await client.get("/page")).get_data(as_text=True) == "3"
    assert len(cart_service.asked) == 1
    await client.get("/page", headers={"HX-Request": "true"})
    await client.get("/health")
    assert len(cart_service.asked) == 1
    await client.get("/cart-badge", headers={"HX-Request": "true"})
    assert len(cart_service.asked) == 2


async def test_a_cart_app_that_is_down_costs_only_the_number(
    app: Quart, settings: Settings, fake_services: Services, session: AsyncSession
) -> None:
    client = app.test_client()
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    await _has_cart(session)
    elsewhere = settings.model_copy(update={"internal_cart_url": "http://127.0.0.1:9"})
    other = make_app("market", elsewhere, fake_services, template_folder="templates")
    add_probe_routes(other)

    async with other.test_app():
        response = await other.test_client().get("/page", headers=_with_cookie(_cookie(client)))
        assert (response.status_code, await response.get_data(as_text=True)) == (200, "none")


@pytest.mark.parametrize(
    ("with_role", "idle", "kept"),
    [
        (False, timedelta(days=29), True),
        (True, timedelta(minutes=119), True),
        (True, timedelta(minutes=121), False),
    ],
)
async def test_a_session_of_somebody_with_a_role_ends_without_a_visit(
    app: Quart, session: AsyncSession, with_role: bool, idle: timedelta, kept: bool
) -> None:
    client, state = app.test_client(), _state(app)
    start = datetime.now(UTC)
    state.clock = lambda: start
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    if with_role:
        await _make_admin(session)
    state.clock = lambda: start + idle
    assert (await _whoami(client) != NOBODY) is kept


@pytest.mark.parametrize(("with_role", "longest"), [(False, timedelta(days=90)), (True, timedelta(hours=12))])
async def test_a_session_ends_however_often_it_is_used(
    app: Quart, session: AsyncSession, with_role: bool, longest: timedelta
) -> None:
    client, state = app.test_client(), _state(app)
    start = datetime.now(UTC)
    state.clock = lambda: start
    await client.post("/sign-in/ada@maypole.example", headers=OURS)
    if with_role:
        await _make_admin(session)
    visits = [longest * part / 10 for part in range(1, 10)]
    for visit in visits:
        state.clock = lambda visit=visit: start + visit  # type: ignore[misc]
        assert await _whoami(client) != NOBODY
    state.clock = lambda: start + longest + timedelta(minutes=1)
    assert await _whoami(client) == NOBODY


async def _make_admin(session: AsyncSession) -> None:
    user_id = await session.scalar(text("SELECT id FROM users"))
    assert isinstance(user_id, int)
    await grant_role(session, user_id, Role.ADMIN)
    await session.commit()
