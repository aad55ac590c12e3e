"""The sandbox: what it refuses, its page, its notices, its faults, and that a restart keeps everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from sandbox.app import create_app
from sandbox.records import FILE_NAME
from shared.settings import Settings
from tests.fakes.payments import MovableClock
from tests.support.notices import Listener
from tests.support.sandbox import SandboxControl, running_sandbox, serving

KEY = {"Authorization": "Bearer sup_sk_sandbox"}
SHOP = "http://localhost:8002/checkout/return/token"
GOOD: dict[str, Any] = {
    "checkout_reference": "r-1",
    "amount": 24.5,
    "currency": "GBP",
    "merchant_code": "MSANDBOX",
    "description": "Order M-1001 <b>",
    "redirect_url": SHOP,
    "hosted_checkout": {"enabled": True},
}


@pytest.fixture
async def client(sandbox: SandboxControl) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.url, headers=KEY, trust_env=False) as made:
        yield made


async def a_checkout(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v0.1/checkouts", json=GOOD | changes)
    assert answer.status_code == HTTPStatus.CREATED
    body: dict[str, Any] = answer.json()
    return body


async def page(client: httpx.AsyncClient, checkout_id: str) -> HTMLParser:
    answer = await client.get(f"/pay/{checkout_id}")
    assert answer.status_code == HTTPStatus.OK
    return HTMLParser(answer.text)


async def press(client: httpx.AsyncClient, checkout_id: str, action: str, **headers: str) -> httpx.Response:
    return await client.post(f"/pay/{checkout_id}", data={"action": action}, headers=headers)


def heading(tree: HTMLParser) -> str:
    node = tree.css_first("h1")
    assert node is not None
    return node.text(strip=True)


def links(tree: HTMLParser) -> list[tuple[str, str | None]]:
    return [(node.text(strip=True), node.attributes.get("href")) for node in tree.css("main a")]


# --- what SumUp refuses ---


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"amount": "24.5"}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": 1.005}, "amount"),
        ({"amount": 1e15}, "amount"),
        ({"checkout_reference": "x" * 65}, "checkout_reference"),
        ({"checkout_reference": 5}, "checkout_reference"),
        ({"currency": "gbp"}, "currency"),
        ({"currency": "EUR"}, "currency"),
        ({"merchant_code": "MOTHER"}, "merchant_code"),
        ({"description": None}, "description"),
        ({"return_url": "/webhook"}, "return_url"),
        ({"redirect_url": "javascript:alert(1)"}, "redirect_url"),
        ({"valid_until": "2026-11-28T20:00:00"}, "valid_until"),
        ({"valid_until": "tomorrow"}, "valid_until"),
        ({"hosted_checkout": True}, "hosted_checkout"),
        ({"hosted_checkout": {"enabled": "yes"}}, "hosted_checkout"),
    ],
)
async def test_a_wrong_member_is_named(client: httpx.AsyncClient, changes: dict[str, Any], param: str) -> None:
    answer = await client.post("/v0.1/checkouts", json=GOOD | changes)
    assert (answer.status_code, answer.json()["error_code"], answer.json()["param"]) == (400, "INVALID", param)


async def test_several_wrong_members_come_as_an_array(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v0.1/checkouts", json={"amount": "1", "currency": "GBP"})
    errors = {(error["error_code"], error["param"]) for error in answer.json()}
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert errors == {("MISSING", "checkout_reference"), ("MISSING", "merchant_code"), ("INVALID", "amount")}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
async def test_a_body_that_is_no_object_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v0.1/checkouts", content=body)
    assert (answer.status_code, answer.json()["param"]) == (400, "body")


async def test_whole_amounts_come_back_as_integers(client: httpx.AsyncClient) -> None:
    whole = await client.post(
        "/v0.1/checkouts", content=httpx.Request("POST", "http://x", json=GOOD | {"amount": 10.0}).content
    )
    assert '"amount": 10,' in whole.text


async def test_the_transaction_is_named_only_when_paid(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout = await a_checkout(client)
    await sandbox.decline(checkout["id"])
    failed = (await client.get(f"/v0.1/checkouts/{checkout['id']}")).json()
    await sandbox.pay(checkout["id"])
    paid = (await client.get(f"/v0.1/checkouts/{checkout['id']}")).json()
    assert "transaction_id" not in failed
    assert paid["transaction_id"] == paid["transactions"][1]["id"]
    assert [attempt["status"] for attempt in paid["transactions"]] == ["FAILED", "SUCCESSFUL"]


async def test_a_refund_without_an_amount_gives_back_all_that_is_left(
    client: httpx.AsyncClient, sandbox: SandboxControl
) -> None:
    transaction = (await sandbox.pay((await a_checkout(client))["id"]))["id"]
    path = f"/v1.0/merchants/MSANDBOX/payments/{transaction}/refunds"
    answers = [await client.post(path, json={"amount": 4.5}), await client.post(path), await client.post(path)]
    shown = (await client.get(f"/v2.1/merchants/MSANDBOX/transactions?id={transaction}")).json()
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert [event["amount"] for event in shown["transaction_events"]] == [4.5, 20]


# --- the page ---


async def test_the_page_shows_what_is_paid_and_asks_for_no_card(client: httpx.AsyncClient) -> None:
    checkout = await a_checkout(client)
    tree = await page(client, checkout["id"])
    assert checkout["hosted_checkout_url"] == f"{client.base_url}/pay/{checkout['id']}".replace("//pay", "/pay")
    assert heading(tree) == "Pay £24.50"
    assert "no real money" in tree.css_first(".banner").text()  # type: ignore[union-attr]
    assert "Order M-1001 <b>" in [node.text(strip=True) for node in tree.css("dd")]
    assert [node.text(strip=True) for node in tree.css("button")] == ["Pay £24.50", "Decline"]
    assert links(tree) == [("Leave without paying", SHOP)]
    assert not tree.css("input, script, style, [style], [onclick]")


async def test_paying_leads_to_a_success_page_and_not_by_itself_to_the_shop(client: httpx.AsyncClient) -> None:
    checkout = await a_checkout(client)
    pressed = await press(client, checkout["id"], "pay")
    tree = await page(client, checkout["id"])
    assert (pressed.status_code, pressed.headers["location"]) == (303, f"/pay/{checkout['id']}")
    assert heading(tree) == "Payment successful"
    assert links(tree) == [("Back to the shop", SHOP)]
    assert not tree.css("form")


async def test_a_second_press_pays_nothing_more(client: httpx.AsyncClient) -> None:
    checkout = await a_checkout(client)
    await press(client, checkout["id"], "pay")
    await press(client, checkout["id"], "pay")
    await press(client, checkout["id"], "decline")
    shown = (await client.get(f"/v0.1/checkouts/{checkout['id']}")).json()
    assert (shown["status"], len(shown["transactions"])) == ("PAID", 1)


async def test_a_declined_payment_can_be_tried_again(client: httpx.AsyncClient) -> None:
    checkout = await a_checkout(client)
    await press(client, checkout["id"], "decline")
    declined = await page(client, checkout["id"])
    await press(client, checkout["id"], "pay")
    assert heading(declined) == "Payment declined"
    assert declined.css_first("[role=alert]") is not None
    assert ("Back to the shop", SHOP) in links(declined)
    assert heading(await page(client, checkout["id"])) == "Payment successful"


@pytest.mark.parametrize("amount", [11, 42.01, 42.76, 42.91])
async def test_the_amounts_that_always_decline_do(client: httpx.AsyncClient, amount: float) -> None:
    checkout = await a_checkout(client, amount=amount)
    await press(client, checkout["id"], "pay")
    assert heading(await page(client, checkout["id"])) == "Payment declined"


async def test_the_page_closes_after_half_an_hour_though_the_checkout_does_not(
    client: httpx.AsyncClient, clock: MovableClock
) -> None:
    checkout = await a_checkout(client)
    clock.forward(minutes=30)
    await press(client, checkout["id"], "pay")
    assert heading(await page(client, checkout["id"])) == "Payment closed"
    assert (await client.get(f"/v0.1/checkouts/{checkout['id']}")).json()["status"] == "PENDING"


async def test_a_deactivated_checkout_cannot_be_paid_on_its_page(client: httpx.AsyncClient) -> None:
    checkout = await a_checkout(client)
    await client.delete(f"/v0.1/checkouts/{checkout['id']}")
    await press(client, checkout["id"], "pay")
    tree = await page(client, checkout["id"])
    assert (heading(tree), links(tree)) == ("Payment closed", [("Back to the shop", SHOP)])


async def test_a_foreign_site_cannot_press_the_button(client: httpx.AsyncClient) -> None:
    checkout = await a_checkout(client)
    answer = await press(client, checkout["id"], "pay", **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert heading(await page(client, checkout["id"])) == "Pay £24.50"


async def test_an_unknown_payment_has_a_page_of_its_own(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/pay/nobody"), await press(client, "nobody", "pay")):
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert heading(HTMLParser(answer.text)) == "We could not find this payment"


async def test_pages_forbid_scripts_and_load_our_own_style(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    style = HTMLParser(answer.text).css_first("link[rel=stylesheet]")
    assert style is not None
    assert (await client.get(str(style.attributes["href"]))).headers["content-type"].startswith("text/css")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (await client.get("/health")).json() == {"status": "ok"}


# --- notices ---


async def test_a_notice_is_repeated_until_it_is_taken(settings: Settings) -> None:
    listener = Listener(500, 302, 204)
    quick = settings.model_copy(update={"sandbox_webhook_delays_s": (0.0, 0.0, 0.0, 0.0)})
    async with serving(listener.app) as shop, running_sandbox(quick) as control:
        async with httpx.AsyncClient(base_url=control.url, headers=KEY, trust_env=False) as client:
            checkout = await a_checkout(client, return_url=f"{shop}/notice")
        await control.pay(checkout["id"])
        notices = [await asyncio.wait_for(listener.notices.get(), 5) for _ in range(3)]
        assert notices == [{"event_type": "CHECKOUT_STATUS_CHANGED", "id": checkout["id"]}] * 3
    assert listener.notices.empty()


async def test_opening_and_closing_a_checkout_sends_no_notice(settings: Settings) -> None:
    listener = Listener(204)
    quick = settings.model_copy(update={"sandbox_webhook_delays_s": (0.0,)})
    async with serving(listener.app) as shop, running_sandbox(quick) as control:
        async with httpx.AsyncClient(base_url=control.url, headers=KEY, trust_env=False) as client:
            checkout = await a_checkout(client, return_url=f"{shop}/notice")
            await client.delete(f"/v0.1/checkouts/{checkout['id']}")
        assert await control.webhooks() == []


async def test_a_notice_that_nobody_takes_stops_the_sandbox_from_nothing(settings: Settings) -> None:
    slow = settings.model_copy(update={"sandbox_webhook_delays_s": (0.0, 3600.0)})
    async with running_sandbox(slow) as control:
        async with httpx.AsyncClient(base_url=control.url, headers=KEY, trust_env=False) as client:
            checkout = await a_checkout(client, return_url="http://127.0.0.1:1/notice")
        await control.pay(checkout["id"])
        assert [delivery["arrived"] for delivery in await control.webhooks()] == [False]


# --- steering, faults, restarts ---


async def test_a_restart_keeps_everything(quiet_settings: Settings) -> None:
    async with running_sandbox(quiet_settings, keep=True) as control:
        async with httpx.AsyncClient(base_url=control.url, headers=KEY, trust_env=False) as client:
            first, second = [await a_checkout(client, checkout_reference=name) for name in ("r-1", "r-2")]
        await control.pay(first["id"])
        before = await control.checkouts()
    path = quiet_settings.data_dir / FILE_NAME
    path.write_text(path.read_text(encoding="utf-8") + '{"id": "half a li', encoding="utf-8")
    async with running_sandbox(quiet_settings, keep=True) as control:
        assert await control.checkouts() == before
        assert [one["status"] for one in before] == ["PAID", "PENDING"]
        assert before[1]["id"] == second["id"]
        async with httpx.AsyncClient(base_url=control.url, headers=KEY, trust_env=False) as client:
            assert (await client.post("/v0.1/checkouts", json=GOOD)).status_code == HTTPStatus.CONFLICT


async def test_without_keeping_nothing_is_written(quiet_settings: Settings) -> None:
    async with running_sandbox(quiet_settings) as control:
        await control.reset()
    assert list(quiet_settings.data_dir.iterdir()) == []


@pytest.mark.parametrize(("kind", "happened"), [("cut_before", False), ("cut_after", True)])
async def test_a_cut_connection_tells_nothing(
    client: httpx.AsyncClient, sandbox: SandboxControl, kind: str, happened: bool
) -> None:
    await sandbox.fail_next("create", kind)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/v0.1/checkouts", json=GOOD)
    assert bool(await sandbox.checkouts()) is happened


@pytest.mark.parametrize(("kind", "happened"), [("status", False), ("status_after", True)])
async def test_an_ordered_answer_comes_once(
    client: httpx.AsyncClient, sandbox: SandboxControl, kind: str, happened: bool
) -> None:
    await sandbox.fail_next("any", kind, status=429, headers={"Retry-After": "7"}, body='{"status": 429}')
    answer = await client.post("/v0.1/checkouts", json=GOOD)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "7", {"status": 429})
    assert bool(await sandbox.checkouts()) is happened
    assert (await client.get("/v0.1/checkouts")).status_code == HTTPStatus.OK


async def test_a_slow_answer_is_late_and_still_right(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    await sandbox.fail_next("create", "slow_after", delay_s=5)
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/v0.1/checkouts", json=GOOD, timeout=0.2)
    assert len(await sandbox.checkouts()) == 1


async def test_who_hangs_up_on_a_slow_request_has_done_nothing(
    client: httpx.AsyncClient, sandbox: SandboxControl
) -> None:
    await sandbox.fail_next("create", "slow", delay_s=5)
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/v0.1/checkouts", json=GOOD, timeout=0.2)
    assert await sandbox.checkouts() == []


async def test_another_amount_can_be_paid(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout = await a_checkout(client)
    assert (await sandbox.pay(checkout["id"], amount=Decimal("1.00")))["amount"] == "1.00"
    assert (await client.get(f"/v0.1/checkouts/{checkout['id']}")).json()["amount"] == 1


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("/sandbox/fail_next", {"operation": "creat", "kind": "cut_after"}, 422),
        ("/sandbox/fail_next", {}, 422),
        ("/sandbox/clock", {"forward_s": "soon"}, 422),
        ("/sandbox/checkouts/nobody/pay", {}, 404),
        ("/sandbox/checkouts/nobody/pay", {"amount": "-1"}, 422),
    ],
)
async def test_a_wrong_order_is_explained(
    client: httpx.AsyncClient, path: str, order: dict[str, Any], status: int
) -> None:
    answer = await client.post(path, json=order)
    assert answer.status_code == status
    assert answer.json()


async def test_a_form_cannot_steer(client: httpx.AsyncClient) -> None:
    assert (await client.post("/sandbox/reset", data={})).status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403), ("", 403)])
async def test_only_this_machine_steers(quiet_settings: Settings, address: str, status: int) -> None:
    async with create_app(quiet_settings, keep=False).test_app() as app:
        answer = await app.test_client().get("/sandbox/calls", scope_base={"client": (address, 1)})
        assert answer.status_code == status


def test_a_production_has_no_sandbox(settings: Settings) -> None:
    with pytest.raises(RuntimeError, match="takes no real money"):
        create_app(settings.model_copy(update={"environment": "production"}))
