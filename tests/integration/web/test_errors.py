"""What a refusal and a crash look like, to people, to htmx and to programs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from quart import Quart
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from structlog.testing import capture_logs

from shared.services.registry import Services
from shared.settings import DEV_SECRET, Settings
from shared.web.factory import LARGEST_BODY, make_app
from shared.web.limits import limit_per_client

OURS = {"Origin": "http://localhost"}
BEARER = {"Authorization": f"Bearer {DEV_SECRET}"}


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
    response = await app.test_client().get("/internal/v1/broken", headers=BEARER)

    assert response.status_code == 409
    assert await response.get_json() == {
        "error": {
            "code": "sold_out",
            "message": "Something in your cart is no longer available.",
            "request_id": response.headers["X-Request-ID"],
        }
    }


@pytest.mark.parametrize("path", ["/internal/v1/thing", "/internal/v1/nothing"])
async def test_the_internal_api_answers_in_json_even_to_strangers(app: Quart, path: str) -> None:
    response = await app.test_client().post(path, headers={**OURS, "Authorization": "Bearer wrong"})

    assert response.status_code in {401, 404}
    assert set((await response.get_json())["error"]) == {"code", "message", "request_id"}


async def test_the_internal_api_lets_our_own_apps_in(app: Quart) -> None:
    response = await app.test_client().post("/internal/v1/thing", headers=BEARER)
    assert await response.get_json() == {"done": True}


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
async def test_only_a_well_formed_request_id_is_taken(app: Quart, offered: str, kept: bool) -> None:
    response = await app.test_client().get("/health", headers={"X-Request-ID": offered})
    assert (response.headers["X-Request-ID"] == offered) is kept


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
