"""The refund queue: who is owed what and why, and the button."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import DebtState, OrderState, PaymentState
from shared.models import Debt, Payment
from shared.payments.fake import FakeGateway
from tests.factories.orders import MadeOrder, make_debt, make_order, make_refund
from tests.integration.cart.conftest import FillCart, Show, Visitor, payments_of


@pytest.fixture
async def made(session: AsyncSession, ada: Visitor, show: Show) -> MadeOrder:
    """An order of Ada's that is paid, in the database alone."""
    made = await make_order(
        session,
        show.entry,
        user_id=ada.id,
        ticket_type=show.adult,
        state=OrderState.PAID,
        payment_state=PaymentState.PAID,
    )
    await session.commit()
    return made


@pytest.fixture
async def paid(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> tuple[Payment, Debt]:
    """A payment that the provider knows, and a debt for one of its two tickets."""
    await fill_cart(ada, show, 2)
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [payment] = await payments_of(session, ada)
    gateway.pay(str(payment.checkout_id))
    await ada.get(f"/checkout/return/{payment.return_token}/")
    [payment] = await payments_of(session, ada)
    debt = Debt(order_id=payment.order_id, payment_id=payment.id, amount="12.50", currency="GBP", reason="sold_out")
    session.add(debt)
    await session.commit()
    return payment, debt


@pytest.mark.parametrize(("who", "status"), [("visitor", 303), ("ada", 403), ("admin", 200)])
async def test_only_an_admin_sees_the_queue(people: dict[str, Visitor], who: str, status: int) -> None:
    assert (await people[who].get("/admin/refunds/")).status == status


@pytest.mark.parametrize(("who", "status"), [("visitor", 401), ("ada", 403)])
async def test_only_an_admin_refunds(
    people: dict[str, Visitor], made: MadeOrder, session: AsyncSession, gateway: FakeGateway, who: str, status: int
) -> None:
    debt = await make_debt(session, made)
    await session.commit()
    assert (await people[who].post(f"/admin/refunds/{debt.id}/")).status == status
    assert not gateway.calls


async def test_an_empty_queue_says_so(admin: Visitor) -> None:
    assert (await admin.get("/admin/refunds/")).text(".empty__title") == "Nothing is owed"


async def test_a_debt_says_who_how_much_and_why(admin: Visitor, made: MadeOrder, session: AsyncSession) -> None:
    debt = await make_debt(session, made)
    await session.commit()
    page = await admin.get("/admin/refunds/")
    row = f"#debt-{debt.id}"
    assert "ada@maypole.example" in page.text(f"{row} th")
    assert made.order.number in page.text(f"{row} th")
    assert "£12.50" in page.text(f"{row} .num")
    assert "Sold out" in page.text(f"{row} td.why")
    assert page.attribute(f"{row} form", "action") == f"/admin/refunds/{debt.id}/"


async def test_the_queue_is_oldest_first_a_page_at_a_time(
    admin: Visitor, ada: Visitor, show: Show, session: AsyncSession
) -> None:
    now = datetime.now(UTC)
    debts = []
    for number in range(53):
        made = await make_order(
            session, show.entry, user_id=ada.id, state=OrderState.PAID, payment_state=PaymentState.PAID, quantity=1
        )
        debts.append(await make_debt(session, made, created_at=now - timedelta(minutes=100 - number)))
    await session.commit()
    first = await admin.get("/admin/refunds/")
    rest = await admin.get(first.attribute("a[rel=next]", "href") or "")
    shown = [node.attributes["id"] for page in (first, rest) for node in page.html.css("tbody tr")]
    assert shown == [f"debt-{debt.id}" for debt in debts]


async def test_a_failed_refund_shows_the_reason_and_can_be_tried_again(
    admin: Visitor, made: MadeOrder, session: AsyncSession
) -> None:
    debt = await make_debt(session, made)
    await make_refund(session, debt, state="failed", reason="The balance is too low")
    await session.commit()
    page = await admin.get("/admin/refunds/")
    assert "The balance is too low" in page.text(f"#debt-{debt.id} td.way-on p")
    assert page.has(f"#debt-{debt.id} form")


@pytest.mark.parametrize("state", ["requested", "sent", "unknown"])
async def test_a_refund_under_way_has_no_second_button(
    admin: Visitor, made: MadeOrder, session: AsyncSession, state: str
) -> None:
    debt = await make_debt(session, made)
    await make_refund(session, debt, state=state)
    await session.commit()
    assert not (await admin.get("/admin/refunds/")).has(f"#debt-{debt.id} form")


async def test_the_button_refunds_and_says_so(
    admin: Visitor, paid: tuple[Payment, Debt], session: AsyncSession, gateway: FakeGateway
) -> None:
    _, debt = paid
    answer = await admin.post(f"/admin/refunds/{debt.id}/")
    assert (answer.status, answer.location) == (303, "/admin/refunds/?result=succeeded")
    page = await admin.get(answer.location)
    assert "on its way back" in page.text(".notice--good")
    assert not page.has(f"#debt-{debt.id}")
    await session.refresh(debt)
    assert debt.state == DebtState.SETTLED
    assert gateway.calls["refund"] == 1
    assert (await admin.get("/admin/refunds/?state=settled")).has(f"#debt-{debt.id}")


async def test_a_second_press_refunds_nothing(admin: Visitor, paid: tuple[Payment, Debt], gateway: FakeGateway) -> None:
    _, debt = paid
    await admin.post(f"/admin/refunds/{debt.id}/")
    second = await admin.post(f"/admin/refunds/{debt.id}/")
    assert second.status in {303, 409}
    assert gateway.calls["refund"] == 1


async def test_a_debt_that_does_not_exist_is_not_found(admin: Visitor) -> None:
    assert (await admin.post("/admin/refunds/4711/")).status == 404


@pytest.mark.parametrize("query", ["state=lost", "after=x", "after=-3"])
async def test_a_list_that_cannot_be_is_refused(admin: Visitor, query: str) -> None:
    assert (await admin.get(f"/admin/refunds/?{query}")).status == 422


async def test_an_address_cannot_put_words_on_the_page(admin: Visitor) -> None:
    page = await admin.get("/admin/refunds/?result=<b>Paid+to+Mallory</b>")
    assert not page.has(".notice")
