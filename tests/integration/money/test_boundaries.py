"""What never happens at the border to the provider: a call inside a transaction, and card data (promises 14 and 15)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from shared.contracts.dtos import Checkout
from shared.contracts.protocols import PaymentGateway
from shared.db.uow import unit_of_work
from shared.payments.accounts import OneGateway
from shared.payments.sumup.gateway import SumUpGateway
from tests.fakes.gateway import FakeGateway
from tests.fakes.payments import an_attempt
from tests.support.postgres import ROOT
from tests.support.shop import Shop, Show

CALLS: dict[str, Callable[[PaymentGateway], Awaitable[object]]] = {
    "create": lambda gateway: gateway.create(an_attempt()),
    "get": lambda gateway: gateway.get(str(uuid4())),
    "find": lambda gateway: gateway.find("reference"),
    "cancel": lambda gateway: gateway.cancel(str(uuid4())),
    "transaction": lambda gateway: gateway.transaction(str(uuid4()), "MSANDBOX"),
    "refund": lambda gateway: gateway.refund(str(uuid4()), "MSANDBOX", Decimal("1.00")),
}
PERSONAL = {
    "card": {"last_4_digits": "0091", "type": "VISA"},
    "customer": {"name": "Ada"},
    "personal_details": {"email": "ada@maypole.example"},
    "payment_instrument": {"token": "1"},
    "token": "secret",
    "mandate": {"status": "active"},
}
CARD_FIELD = re.compile(r"cc-(?:number|csc|exp|name)|card[-_ ]?number|\bcvv\b|\bcvc\b", re.IGNORECASE)


def _refuse_network(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} was called")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_nobody_is_called_while_a_transaction_is_open(
    shop: Shop, call: Callable[[PaymentGateway], Awaitable[object]]
) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(_refuse_network)) as client:
        real = SumUpGateway(client, base_url="http://127.0.0.1:1", api_key=SecretStr("k"), clock=shop.clock)
        for gateway in (shop.gateway, real):
            async with unit_of_work(shop.context.database) as uow:
                await uow.session.execute(text("SELECT 1"))
                with pytest.raises(RuntimeError, match="transaction"):
                    await call(gateway)


class TalkativeGateway(FakeGateway):
    """A provider that tells more of a payment than we want to know."""

    async def get(self, checkout_id: str) -> Checkout:
        checkout = await super().get(checkout_id)
        return replace(checkout, raw={"status": "PAID", **PERSONAL})


async def test_what_the_provider_says_of_card_and_person_is_not_kept(shop: Shop, ada: int, show: Show) -> None:
    gateway = TalkativeGateway(clock=shop.clock)
    shop = replace(shop, gateway=gateway, context=replace(shop.context, gateways=OneGateway(gateway)))
    payment = await shop.buy_and_pay(ada, show)

    [kept] = [each.answer for each in await shop.payments(ada) if each.id == payment.id]
    assert kept is not None
    assert "status" in kept
    assert not PERSONAL.keys() & kept.keys()
    assert "0091" not in str(kept)


async def test_no_page_of_ours_has_a_field_for_a_card() -> None:
    pages = [
        page for app in ("blog", "market", "events", "cart", "shared/browser") for page in (ROOT / app).rglob("*.html")
    ]

    assert pages
    assert [page.name for page in pages if CARD_FIELD.search(page.read_text())] == []
