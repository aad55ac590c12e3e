"""The sandbox's page for practising: each button does what it says, for this machine and no foreign site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode

from sandbox.actions import ACTIONS, ORDERS
from sandbox.app import create_app
from shared.settings import Settings
from tests.support.sandbox import SandboxControl

KEY = {"Authorization": "Bearer sup_sk_sandbox"}
GOOD: dict[str, Any] = {"amount": 24.5, "currency": "GBP", "merchant_code": "MSANDBOX", "description": "Order <b>"}
UNPAID = {"pay", "decline", "close", "race", "other_amount"}
PAID = {"again", "refund_half", "refund_all", "charge_back", "pay_out"}


@pytest.fixture
async def client(sandbox: SandboxControl) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.url, headers=KEY, trust_env=False, follow_redirects=True) as made:
        yield made


async def a_checkout(client: httpx.AsyncClient, reference: str = "r-1") -> str:
    return str((await client.post("/v0.1/checkouts", json=GOOD | {"checkout_reference": reference})).json()["id"])


async def shown(client: httpx.AsyncClient, path: str = "/practice/") -> HTMLParser:
    answer = await client.get(path)
    assert answer.status_code == HTTPStatus.OK
    return HTMLParser(answer.text)


async def press(client: httpx.AsyncClient, checkout_id: str, name: str, **headers: str) -> HTMLParser:
    answer = await client.post(f"/practice/{checkout_id}/{name}", headers=headers)
    assert answer.status_code == HTTPStatus.OK
    return HTMLParser(answer.text)


def text(tree: HTMLParser | LexborNode, selector: str) -> str:
    node = tree.css_first(selector)
    assert node is not None
    return node.text(strip=True)


def offered(tree: HTMLParser, checkout_id: str) -> set[str]:
    actions = (form.attributes["action"] or "" for form in tree.css("details form"))
    return {action.rpartition("/")[2] for action in actions if checkout_id in action}


async def movements(sandbox: SandboxControl) -> list[tuple[str, str, str]]:
    (checkout,) = await sandbox.checkouts()
    moves = [move for attempt in checkout["attempts"] for move in attempt["movements"]]
    return [(move["event_type"], move["status"], move["amount"]) for move in moves]


async def test_without_payments_the_page_says_how_to_begin(client: httpx.AsyncClient) -> None:
    tree = await shown(client)
    assert not tree.css("details")
    assert "Put something into the cart" in text(tree, "main")


async def test_each_checkout_offers_what_its_state_allows(client: httpx.AsyncClient) -> None:
    checkout_id = await a_checkout(client)
    waiting = offered(await shown(client), checkout_id)
    paid = offered(await press(client, checkout_id, "pay"), checkout_id)
    other = await a_checkout(client, "r-2")
    closed = offered(await press(client, other, "close"), other)
    assert (waiting, paid, closed) == (UNPAID, PAID, {"late"})


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (["pay"], "paid"),
        (["decline"], "declined, can be tried again"),
        (["close"], "closed unpaid"),
        (["close", "late"], "paid"),
        (["other_amount"], "paid"),
        (["pay", "again"], "paid"),
        (["pay", "refund_half"], "paid, £12.25 refunded"),
        (["pay", "refund_all"], "paid, £24.50 refunded"),
        (["pay", "charge_back"], "paid, £24.50 charged back"),
        (["pay", "pay_out"], "paid, £24.50 paid out"),
    ],
)
async def test_a_button_does_what_it_says(client: httpx.AsyncClient, names: list[str], state: str) -> None:
    checkout_id = await a_checkout(client)
    for name in names:
        tree = await press(client, checkout_id, name)
    assert text(tree, "summary .state") == state
    assert text(tree, "[role=status]").startswith(f"Done: {ACTIONS[names[-1]].label}")


async def test_another_amount_is_another_amount(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    await press(client, await a_checkout(client), "other_amount")
    assert [checkout["amount"] for checkout in await sandbox.checkouts()] == ["25.50"]


async def test_a_payment_can_meet_the_closing(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout_id = await a_checkout(client)
    await press(client, checkout_id, "race")
    assert (await client.delete(f"/v0.1/checkouts/{checkout_id}")).json()["status"] == "EXPIRED"
    assert [checkout["status"] for checkout in await sandbox.checkouts()] == ["PAID"]


@pytest.mark.parametrize(("name", "status"), [("refund_done", "REFUNDED"), ("refund_failed", "FAILED")])
async def test_a_pending_refund_is_ended_by_hand(
    client: httpx.AsyncClient, sandbox: SandboxControl, name: str, status: str
) -> None:
    checkout_id = await a_checkout(client)
    await press(client, checkout_id, "pay")
    await press(client, "next", "refund_pending")
    transaction = (await client.get(f"/v0.1/checkouts/{checkout_id}")).json()["transaction_id"]
    await client.post(f"/v1.0/merchants/MSANDBOX/payments/{transaction}/refunds", json={"amount": 5})
    assert {"refund_done", "refund_failed"} <= offered(await shown(client), checkout_id)
    await press(client, checkout_id, name)
    assert await movements(sandbox) == [("REFUND", status, "5.00")]


@pytest.mark.parametrize("name", sorted(ORDERS))
async def test_what_is_ordered_for_later_is_said(client: httpx.AsyncClient, name: str) -> None:
    assert text(await press(client, "next", name), "[role=status]").startswith(f"Done: {ORDERS[name].label}")


async def test_the_next_calls_find_nobody_there(client: httpx.AsyncClient) -> None:
    await press(client, "next", "away")
    answers = [(await client.get("/v0.1/checkouts")).status_code for _ in range(6)]
    assert answers == [503] * 5 + [200]


async def test_the_next_answer_is_lost(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    await press(client, "next", "answer_lost")
    with pytest.raises(httpx.RemoteProtocolError):
        await a_checkout(client)
    assert len(await sandbox.checkouts()) == 1


async def test_what_has_changed_meanwhile_is_said_and_left_alone(
    client: httpx.AsyncClient, sandbox: SandboxControl
) -> None:
    checkout_id = await a_checkout(client)
    await press(client, checkout_id, "pay")
    assert text(await press(client, checkout_id, "pay"), "[role=status]").startswith("Nothing was done")
    assert [len(checkout["attempts"]) for checkout in await sandbox.checkouts()] == [1]


async def test_the_newest_payment_is_first_and_open_and_old_ones_are_left_out(client: httpx.AsyncClient) -> None:
    ids = [await a_checkout(client, f"r-{number}") for number in range(9)]
    tree = await shown(client)
    listed = [node.attributes["id"] for node in tree.css("details")]
    assert listed == ids[:0:-1]
    assert [node.attributes["id"] for node in tree.css("details[open]")] == [ids[-1]]


async def test_the_payment_page_leads_to_its_own_checkout(client: httpx.AsyncClient) -> None:
    first, _second = await a_checkout(client, "r-1"), await a_checkout(client, "r-2")
    link = (await shown(client, f"/pay/{first}")).css_first("footer a")
    assert link is not None
    tree = await shown(client, str(link.attributes["href"]))
    assert [node.attributes["id"] for node in tree.css("details[open]")] == [first]


async def test_what_the_shop_wrote_is_shown_as_text(client: httpx.AsyncClient) -> None:
    await a_checkout(client)
    tree = await shown(client)
    assert text(tree, "summary span") == "Order <b>"
    assert not tree.css("script, style, [style], [onclick]")


@pytest.mark.parametrize("path", ["/practice/next/nothing", "/practice/nobody/pay"])
async def test_what_there_is_not_cannot_be_pressed(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path)).status_code == HTTPStatus.NOT_FOUND


async def test_an_unknown_action_cannot_be_pressed(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"/practice/{await a_checkout(client)}/nothing")).status_code == HTTPStatus.NOT_FOUND


async def test_a_foreign_site_cannot_press_a_button(client: httpx.AsyncClient, sandbox: SandboxControl) -> None:
    checkout_id = await a_checkout(client)
    answer = await client.post(f"/practice/{checkout_id}/pay", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert [checkout["status"] for checkout in await sandbox.checkouts()] == ["PENDING"]


@pytest.mark.parametrize(("address", "status", "links"), [("127.0.0.1", 200, 1), ("192.0.2.7", 403, 0)])
async def test_only_this_machine_practises(quiet_settings: Settings, address: str, status: int, links: int) -> None:
    async with create_app(quiet_settings, keep=False).test_app() as app:
        scope = {"client": (address, 1)}
        answer = await app.test_client().get("/practice/", scope_base=scope)
        index = await app.test_client().get("/", scope_base=scope)
        assert answer.status_code == status
        assert len(HTMLParser(await index.get_data(as_text=True)).css("main a")) == links
