"""What a refusal and a crash look like, to people, to htmx and to programs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from secrets import token_urlsafe

import pytest
from pydantic import SecretStr
from quart import Quart
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from structlog.testing import capture_logs

from shared.services.registry import Services
from shared.settings import DEV_SECRET, Settings
from shared.web.factory import LARGEST_BODY, make_app
from shared.web.limits import limit_per_client
from shared.web.state import EXTENSION, AppState
from tests.support.internal_api import BEARER, assert_error

from .conftest import add_probe_routes

OURS = {"Origin": "http://localhost"}


async def test_a_refusal_is_a_page_in_its_own_words(app: Quart) -> None:
    response = await app.test_client().get("/sold-out")
    page = HTMLParser(await response.get_data())

    assert response.status_code == 409
    assert page.css_first("h1").text() == "Something has changed"
    assert "Something in your cart is no longer available." in page.css_first("main").text()


async def test_a_refusal_is_a_notice_for_htmx(app: Quart) -> None:
    response = await app.test_client().get("/sold-out", headers={"HX-Request": "true"})
    part = HTMLParser(await response.get_data())

    assert response.status_code == 409
    assert response.headers["HX-Retarget"] == "#page-notice"
    assert part.css_first("[role=alert]") is not None
    assert part.css_first("header, main") is None


async def test_a_refusal_is_json_for_programs(app: Quart) -> None:
    response = await app.test_client().get("/sold-out", headers={"Accept": "application/json"})

    error = await assert_error(response, 409, "sold_out")
    assert error["message"] == "Something in your cart is no longer available."


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", DEV_SECRET, f"Basic {DEV_SECRET}"])
async def test_a_stranger_is_not_told_which_internal_addresses_there_are(app: Quart, authorization: str) -> None:
    client, headers = app.test_client(), {**OURS, "Authorization": authorization}
    for path in ("/internal/v1/thing", "/internal/v1/nothing", "/internal/"):
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            await assert_error(await client.open(path, method=method, headers=headers), 401, "unauthorized")


async def test_the_internal_api_lets_our_own_apps_in(app: Quart) -> None:
    response = await app.test_client().post("/internal/v1/thing", headers=BEARER)
    assert await response.get_json() == {"done": True}


async def test_each_of_two_secrets_opens_the_internal_api(
    settings: Settings, database_url: str, fake_services: Services
) -> None:
    secrets = ("the secret that is sent from now on", "the secret that was sent until now")
    rotated = settings.model_copy(update={"internal_secrets": tuple(map(SecretStr, secrets))})
    app = make_app("cart", rotated, fake_services, template_folder="templates")
    add_probe_routes(app)
    async with app.test_app():
        client = app.test_client()
        for secret, status in ((secrets[0], 200), (secrets[1], 200), (DEV_SECRET, 401)):
            response = await client.post("/internal/v1/thing", headers={"Authorization": f"Bearer {secret}"})
            assert response.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/internal/v1/malformed", 400, "bad_request"),
        ("GET", "/internal/v1/nothing", 404, "not_found"),
        ("POST", "/internal/v1/nothing", 404, "not_found"),
        ("GET", "/internal/v1/thing", 405, "method_not_allowed"),
        ("POST", "/internal/v1/broken", 405, "method_not_allowed"),
        ("GET", "/internal/v1/broken", 409, "sold_out"),
        ("GET", "/internal/v1/refused", 422, "bad_input"),
        ("GET", "/internal/v1/crash", 500, "internal_server_error"),
        ("GET", "/internal/v1/timeout", 503, "unavailable"),
    ],
)
async def test_every_refusal_and_crash_of_the_internal_api_has_one_shape(
    app: Quart, method: str, path: str, status: int, code: str
) -> None:
    await assert_error(await app.test_client().open(path, method=method, headers=BEARER), status, code)


async def test_a_crash_shows_its_request_id_and_nothing_else(app: Quart) -> None:
    with capture_logs() as lines:
        response = await app.test_client().post("/write-and-crash", headers=OURS)
    body = await response.get_data(as_text=True)

    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in body
    assert not re.search("secret text|Traceback|RuntimeError", body)
    (crash,) = [line for line in lines if line["event"] == "crash"]
    assert "the secret text of a crash" in str(crash["exc_info"][1])


async def test_an_unknown_address_is_a_friendly_404(app: Quart) -> None:
    response = await app.test_client().get("/nothing/here")
    assert response.status_code == 404
    assert HTMLParser(await response.get_data()).css_first("h1").text() == "Not found"


async def test_a_number_that_no_column_holds_is_not_found(app: Quart) -> None:
    assert (await app.test_client().post(f"/write/{10**30}", headers=OURS)).status_code == 404


async def test_a_wrong_method_names_the_right_ones(app: Quart) -> None:
    response = await app.test_client().get("/write/200")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


async def test_a_value_that_the_database_cannot_hold_is_bad_input_and_no_such_page(app: Quart) -> None:
    assert (await app.test_client().post("/nul", headers=OURS)).status_code == 422
    assert (await app.test_client().get("/nul")).status_code == 404


async def test_a_database_that_takes_too_long_is_unavailable_not_broken(app: Quart) -> None:
    assert (await app.test_client().get("/timeout")).status_code == 503


async def test_a_body_has_a_limit(app: Quart) -> None:
    client = app.test_client()
    assert (await client.post("/echo", headers=OURS, form={"text": "a" * 1000})).status_code == 200
    assert (await client.post("/echo", headers=OURS, form={"text": "a" * LARGEST_BODY})).status_code == 413


async def test_too_often_is_a_page_that_says_when(app: Quart) -> None:
    @app.post("/seldom")
    @limit_per_client(1, timedelta(minutes=1))
    async def seldom() -> str:
        return "done"

    client = app.test_client()
    assert (await client.post("/seldom", headers=OURS)).status_code == 200
    response = await client.post("/seldom", headers=OURS)
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert HTMLParser(await response.get_data()).css_first("h1").text() == "A little too often"


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("abc-DEF_123.4", True),
        ("short", False),
        ("a" * 65, False),
        ("bad id\tx-long", False),
        ("<script>1</script>", False),
    ],
)
async def test_only_a_well_formed_request_id_of_our_proxy_is_taken(
    app: Quart, settings: Settings, offered: str, kept: bool
) -> None:
    headers = {"X-Request-ID": offered}
    assert (await app.test_client().get("/health", headers=headers)).headers["X-Request-ID"] != offered

    state: AppState = app.extensions[EXTENSION]
    state.settings = settings.model_copy(update={"trusted_proxies": 1})
    response = await app.test_client().get("/health", headers=headers)
    assert (response.headers["X-Request-ID"] == offered) is kept


@pytest.mark.parametrize("headers", [{"Host": "evil.test"}, {"X-Forwarded-Host": "evil.test"}])
@pytest.mark.parametrize("path", ["/page", "/nothing", "/static/none.css", "/write/200"])
async def test_a_foreign_host_is_refused_and_never_repeated(app: Quart, headers: dict[str, str], path: str) -> None:
    response = await app.test_client().get(path, headers=headers)
    assert response.status_code == 400
    assert "evil.test" not in f"{response.headers}{await response.get_data(as_text=True)}"


async def test_a_foreign_host_is_not_led_to_another_address(app: Quart) -> None:
    app.add_url_rule("/with-slash/", "with_slash", lambda: "")
    assert (await app.test_client().get("/with-slash")).status_code == 308
    response = await app.test_client().get("/with-slash", headers={"Host": "evil.test"})
    assert (response.status_code, response.headers.get("Location")) == (400, None)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/auth/link/{}", "/orders/guest/{}/x/y", "/tickets/{}", "/payments/webhook//{}/"])
async def test_no_secret_of_an_address_without_a_page_reaches_the_log(app: Quart, method: str, path: str) -> None:
    secret = "Q7-" + token_urlsafe(32)
    with capture_logs() as lines:
        await app.test_client().open(path.format(secret), method=method, headers=OURS)
    assert [line["event"] for line in lines].count("request") == 1
    assert secret not in str(lines)


async def test_each_request_has_one_line_with_its_id(app: Quart) -> None:
    with capture_logs() as lines:
        await app.test_client().get("/page?email=ada@maypole.example")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/page", 200)
    assert "ada@" not in str(line)


async def test_ready_says_whether_the_database_answers(app: Quart, settings: Settings, fake_services: Services) -> None:
    assert (await app.test_client().get("/health/ready")).status_code == 200
    url = "postgresql://nobody:nothing@127.0.0.1:9/none"
    broken = Settings(environment="test", database_url=url, data_dir=settings.data_dir)
    other = make_app("cart", broken, fake_services, template_folder="templates")
    async with other.test_app():
        client = other.test_client()
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503


@pytest.mark.parametrize(
    ("contact", "said"), [("box@shop.test", "mailto:box@shop.test"), ("https://shop.test/x", "https://shop.test/x")]
)
async def test_security_txt_says_whom_to_tell_of_a_hole(
    app: Quart, settings: Settings, contact: str, said: str
) -> None:
    assert (await app.test_client().get("/.well-known/security.txt")).status_code == 404
    state: AppState = app.extensions[EXTENSION]
    state.settings = settings.model_copy(update={"security_contact": contact})
    response = await app.test_client().get("/.well-known/security.txt")
    lines = dict(line.split(": ", 1) for line in (await response.get_data(as_text=True)).splitlines())
    assert (lines["Contact"], lines["Canonical"]) == (said, "http://localhost:8002/.well-known/security.txt")
    assert datetime.fromisoformat(lines["Expires"]) > state.clock() + timedelta(days=100)
