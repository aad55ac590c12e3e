"""Every request of the adapter and every answer of the sandbox fits SumUp's own document.

The adapter of the contract tests checks each exchange as it happens; here are the answers that no promise needs,
and the proof that the checking can fail.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.payments.sumup.gateway import SumUpGateway
from tests.fakes.payments import START, an_attempt
from tests.support.sandbox import SandboxControl
from tests.support.sumup_document import PATH, Document, DoesNotFit

pytestmark = pytest.mark.skipif(not PATH.exists(), reason="SumUp's OpenAPI document does not lie beside this checkout")

KEY = {"Authorization": "Bearer sup_sk_sandbox"}
MERCHANT = "/v2.1/merchants/MSANDBOX/transactions"
GOOD: dict[str, Any] = {"checkout_reference": "r-1", "amount": 10, "currency": "GBP", "merchant_code": "MSANDBOX"}


async def exchange(
    sandbox: SandboxControl, document: Document, method: str, path: str, *, key: dict[str, str] = KEY, **content: Any
) -> httpx.Response:
    """Send something to the sandbox, hold both ways against the document, and return the answer."""
    async with httpx.AsyncClient(base_url=sandbox.url, headers=key, trust_env=False) as client:
        response = await client.request(method, path, **content)
    document.check(response.request, response)
    return response


async def test_the_adapter_uses_only_documented_operations(
    sumup: SumUpGateway, sandbox: SandboxControl, document: Document
) -> None:
    attempt = an_attempt()
    checkout = await sumup.create(attempt)
    await sumup.create(attempt)
    await sandbox.pay(checkout.id)
    paid = await sumup.get(checkout.id)
    assert paid.transaction_id is not None
    await sumup.cancel(checkout.id)
    await sumup.cancel((await sumup.create(an_attempt())).id)
    await sumup.refund(paid.transaction_id, "MSANDBOX", attempt.amount)
    await sumup.refund(paid.transaction_id, "MSANDBOX", attempt.amount)
    await sumup.transaction(paid.transaction_id, "MSANDBOX")
    await sumup.history("MSANDBOX", since=START)
    await sumup.check_account("MSANDBOX")
    assert document.seen == {
        "CreateCheckout 201",
        "CreateCheckout 409",
        "ListCheckouts 200",
        "GetCheckout 200",
        "DeactivateCheckout 200",
        "DeactivateCheckout 409",
        "RefundTransaction 201",
        "RefundTransaction 409",
        "GetTransactionV2.1 200",
        "ListTransactionsV2.1 200",
        "GetMerchant 200",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v0.1/checkouts", 401),
        ("GET", "/v0.1/checkouts/nobody", 401),
        ("DELETE", "/v0.1/checkouts/nobody", 401),
        ("GET", f"{MERCHANT}?id=x", 401),
        ("GET", f"{MERCHANT}/history", 401),
        ("GET", "/v1/merchants/MSANDBOX", 401),
    ],
)
async def test_a_wrong_key_is_refused_everywhere(
    sandbox: SandboxControl, document: Document, method: str, path: str, status: int
) -> None:
    public = {"Authorization": "Bearer sup_pk_public"}
    assert (await exchange(sandbox, document, method, path, key=public)).status_code == status
    assert (await exchange(sandbox, document, method, path, key={})).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v0.1/checkouts/nobody", 404),
        ("DELETE", "/v0.1/checkouts/nobody", 404),
        ("GET", f"{MERCHANT}?id=nobody", 404),
        ("GET", MERCHANT, 400),
        ("GET", "/v1/merchants/MOTHER", 404),
        ("GET", f"{MERCHANT}/history?limit=0", 400),
        ("GET", f"{MERCHANT}/history?changes_since=yesterday", 400),
    ],
)
async def test_refusals_fit_the_document(
    sandbox: SandboxControl, document: Document, method: str, path: str, status: int
) -> None:
    assert (await exchange(sandbox, document, method, path)).status_code == status


async def test_a_checkout_can_be_changed(sandbox: SandboxControl, document: Document) -> None:
    created = (await exchange(sandbox, document, "POST", "/v0.1/checkouts", json=GOOD)).json()
    path = f"/v0.1/checkouts/{created['id']}"
    changed = await exchange(sandbox, document, "PATCH", path, json={"amount": 12.5, "checkout_reference": "r-2"})
    assert (changed.json()["amount"], changed.json()["checkout_reference"]) == (12.5, "r-2")
    spent = await exchange(sandbox, document, "POST", "/v0.1/checkouts", json=GOOD)
    assert spent.json()["error_code"] == "DUPLICATED_CHECKOUT"


async def test_the_history_comes_in_pages(sandbox: SandboxControl, document: Document) -> None:
    for number in range(3):
        body = GOOD | {"checkout_reference": f"r-{number}"}
        await sandbox.pay((await exchange(sandbox, document, "POST", "/v0.1/checkouts", json=body)).json()["id"])
    first = (await exchange(sandbox, document, "GET", f"{MERCHANT}/history?limit=2")).json()
    (link,) = first["links"]
    rest = (await exchange(sandbox, document, "GET", f"{MERCHANT}/history?{link['href']}")).json()
    codes = [item["transaction_code"] for item in first["items"] + rest["items"]]
    assert (link["rel"], len(first["items"]), len(rest["items"]), len(set(codes))) == ("next", 2, 1, 3)
    assert rest["links"] == []


def an_exchange(request_body: dict[str, Any], response_body: Any, status: int = 201) -> tuple[Any, Any]:
    request = httpx.Request("POST", "https://api.sumup.com/v0.1/checkouts", json=request_body)
    return request, httpx.Response(status, json=response_body, request=request)


@pytest.mark.parametrize(
    ("request_body", "response_body", "status", "complaint"),
    [
        (GOOD | {"amount": "10"}, {}, 201, "amount"),
        (GOOD | {"amount": None}, {}, 201, "amount"),
        (GOOD | {"return_url": 5}, {}, 201, "return_url"),
        (GOOD | {"valid_until": "2026-11-28T20:00:00"}, {}, 201, "valid_until"),
        (GOOD | {"valid_untill": "x"}, {}, 201, "valid_untill"),
        ({}, {}, 201, "required"),
        (GOOD, {"status": "DONE"}, 201, "status"),
        (GOOD, {"amount": "10.1"}, 201, "amount"),
        (GOOD, {}, 200, "not documented"),
        (GOOD, [], 201, "object"),
    ],
)
def test_the_checking_can_fail(request_body: Any, response_body: Any, status: int, complaint: str) -> None:
    document = Document()
    document.check(*an_exchange(GOOD, {"status": "PENDING", "amount": 10.1}))
    with pytest.raises(DoesNotFit, match=complaint):
        document.check(*an_exchange(request_body, response_body, status))
