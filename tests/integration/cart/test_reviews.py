"""The pages about payments that are not what we asked for, and about what only the provider knew."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import GatewayUnavailable
from shared.contracts.states import FindingKind, Role
from shared.models import Payment, ProviderFinding, Refund
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import FillCart, Show, SignIn, make_show, payments_of, tickets_of
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

REVIEW = "/admin/refunds/review/"


async def pay(ada: Visitor, session: AsyncSession, gateway: FakeGateway, amount: str) -> Payment:
    """Let Ada pay an amount for what costs 25.00."""
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [payment] = await payments_of(session, ada)
    gateway.pay(str(payment.checkout_id), amount=Decimal(amount))
    await ada.get(f"/checkout/return/{payment.return_token}/")
    return payment


@pytest.fixture
async def too_much(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> Payment:
    """Two tickets for 25.00, for which 30.00 came."""
    await fill_cart(ada, show, 2)
    return await pay(ada, session, gateway, "30.00")


async def make_finding(session: AsyncSession, kind: FindingKind = FindingKind.FOREIGN_PAYMENT) -> ProviderFinding:
    found = ProviderFinding(
        merchant_code="MSANDBOX", transaction_id="t-1", transaction_code="TCODE", kind=kind, amount=7, currency="GBP"
    )
    session.add(found)
    await session.commit()
    return found


async def test_nothing_to_look_at_says_so(admin: Visitor) -> None:
    for address in (REVIEW, "/admin/refunds/"):
        assert (await admin.get(address)).texts("nav[aria-label='Which refunds'] a")[-1] == "To look at"
    assert (await admin.get(REVIEW)).text(".empty__title") == "Nothing to look at"


async def test_it_is_listed_with_what_differs_and_counts_in_the_header(admin: Visitor, too_much: Payment) -> None:
    page = await admin.get(REVIEW)
    assert page.texts(f"#payment-{too_much.id} td")[:3] == ["another amount", "25.00 GBP", "30.00 GBP"]
    assert "Refunds (1)" in page.text(".site-header")
    for address in (REVIEW, "/admin/refunds/"):
        assert "To look at (1)" in (await admin.get(address)).text("main")


async def test_accepting_says_what_will_happen_and_does_it(
    admin: Visitor, ada: Visitor, too_much: Payment, session: AsyncSession
) -> None:
    path = f"{REVIEW}{too_much.id}/"
    page = await admin.get(path)
    assert "The £5.00 that came on top is owed back" in page.text("form[action$='/accept/']")
    answer = await admin.post(f"{path}accept/", {"shown": "30.00"})
    assert (answer.status, answer.location) == (303, f"{REVIEW}?result=accepted")
    assert await tickets_of(session, ada) == ["confirmed", "confirmed"]
    queue = await admin.get("/admin/refunds/")
    assert queue.texts("td.why") == ["A part of the paymentOverpaid: more arrived than the order cost"]
    again = await admin.post(f"{path}accept/", {"shown": "30.00"})
    assert (again.status, len((await admin.get("/admin/refunds/")).texts("tbody tr"))) == (409, 1)


async def test_too_little_is_offered_to_be_refunded_alone(
    admin: Visitor, ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway
) -> None:
    await fill_cart(ada, show, 2)
    payment = await pay(ada, session, gateway, "20.00")
    page = await admin.get(f"{REVIEW}{payment.id}/")
    actions = [str(form.attributes["action"]).rsplit("/", 2)[1] for form in page.html.css("main form")]
    assert actions == ["give-back", "elsewhere"]
    assert (await admin.post(f"{REVIEW}{payment.id}/accept/", {"shown": "20.00"})).status == 409
    answer = await admin.post(f"{REVIEW}{payment.id}/give-back/", {"shown": "20.00"})
    assert answer.status == 303
    assert await tickets_of(session, ada) == ["pending", "pending"]
    assert "a mail about" in (await admin.get(f"/admin/orders/{payment.order_id}/")).text("main")


async def test_another_reference_can_only_be_settled_elsewhere(
    admin: Visitor, too_much: Payment, session: AsyncSession
) -> None:
    payment = await session.get_one(Payment, too_much.id)
    payment.review_reason = "reference, amount"
    await session.flush()
    await session.commit()
    page = await admin.get(f"{REVIEW}{too_much.id}/")
    assert [str(form.attributes["action"]) for form in page.html.css("main form")] == [
        f"{REVIEW}{too_much.id}/elsewhere/"
    ]


async def test_settled_elsewhere_needs_a_note_and_keeps_what_was_typed(admin: Visitor, too_much: Payment) -> None:
    path = f"{REVIEW}{too_much.id}/elsewhere/"
    refused = await admin.post(path, {"note": "x" * 501})
    assert (refused.status, refused.text("#f-note")) == (422, "x" * 501)
    answer = await admin.post(path, {"note": "Paid back in the dashboard"})
    assert (answer.status, answer.location) == (303, f"{REVIEW}?result=elsewhere")
    assert (await admin.get(REVIEW)).has(".empty")


async def test_a_provider_that_cannot_be_asked_is_told(admin: Visitor, too_much: Payment, gateway: FakeGateway) -> None:
    gateway.fail_next(GatewayUnavailable(), "get")
    answer = await admin.post(f"{REVIEW}{too_much.id}/accept/", {"shown": "30.00"})
    assert answer.status == 503
    assert "cannot be reached" in answer.text(".error-summary")


@pytest.mark.parametrize("shown", ["", "much", "-1"])
async def test_a_form_that_is_no_form_of_ours_is_refused(admin: Visitor, too_much: Payment, shown: str) -> None:
    assert (await admin.post(f"{REVIEW}{too_much.id}/accept/", {"shown": shown})).status == 422


async def test_a_treasurer_of_another_page_finds_nothing(
    sign_in: SignIn, too_much: Payment, session: AsyncSession
) -> None:
    other = await make_show(session, name="Hamlet")
    treasurer = await sign_in("treasurer@maypole.example", role=Role.REFUNDS, page_post_id=other.page.id)
    finding = await make_finding(session)
    assert (await treasurer.get(REVIEW)).has(".empty")
    assert (await treasurer.get(f"{REVIEW}{too_much.id}/")).status == 404
    assert (await treasurer.post(f"{REVIEW}{too_much.id}/give-back/", {"shown": "30.00"})).status == 404
    assert (await treasurer.get(f"{REVIEW}findings/{finding.id}/")).status == 404
    assert (await treasurer.post(f"{REVIEW}findings/{finding.id}/", {"note": "x"})).status == 404


@pytest.mark.parametrize("kind", list(FindingKind))
async def test_a_finding_is_listed_in_words_and_closed_with_a_note(
    admin: Visitor, session: AsyncSession, kind: FindingKind
) -> None:
    finding = await make_finding(session, kind)
    page = await admin.get(REVIEW)
    assert "TCODE" in page.text(f"#finding-{finding.id} th")
    path = f"{REVIEW}findings/{finding.id}/"
    assert (await admin.get(path)).text("h1")
    assert (await admin.post(path, {"note": ""})).status == 422
    assert (await admin.post(path, {"note": "At the counter"})).location == f"{REVIEW}?result=closed"
    second = await admin.post(path, {"note": "In the dashboard"})
    assert (second.status, second.text("#f-note")) == (409, "In the dashboard")
    assert (await admin.get(REVIEW)).has(".empty")


@pytest.fixture
async def whole(ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway) -> Payment:
    """Two tickets, paid as they were asked for."""
    await fill_cart(ada, show, 2)
    return await pay(ada, session, gateway, "25.00")


async def went_back(session: AsyncSession, payment: Payment, kind: FindingKind, *, counted: bool) -> ProviderFinding:
    """Let 7.00 go back elsewhere; where it counts, beside an earlier movement of that sum."""
    found = await make_finding(session, kind)
    found.payment_id, found.provider_event = payment.id, "movement-2"
    refund = Refund(payment_id=payment.id, amount=7, currency="GBP", state="external")
    refund.provider_event = "movement-2" if counted else "movement-1"
    session.add(refund)
    await session.flush()
    await session.commit()
    return found


async def test_a_finding_about_a_payment_of_ours_leads_to_its_order(
    admin: Visitor, session: AsyncSession, whole: Payment
) -> None:
    found = await went_back(session, whole, FindingKind.CHARGEBACK, counted=True)
    page = await admin.get(f"{REVIEW}findings/{found.id}/")
    assert page.has(f"main a[href='/admin/orders/{whole.order_id}/']")


@pytest.mark.parametrize("kind", [FindingKind.EXTERNAL_REFUND, FindingKind.CHARGEBACK])
@pytest.mark.parametrize(
    ("counted", "said", "unsaid"),
    [
        (True, "It is counted as refunded.", "not counted"),
        (False, "note the debt as paid back by hand, or refund that much less", "It is counted"),
    ],
)
async def test_a_finding_says_whether_what_went_back_is_counted(
    admin: Visitor, session: AsyncSession, whole: Payment, kind: FindingKind, counted: bool, said: str, unsaid: str
) -> None:
    finding = await went_back(session, whole, kind, counted=counted)
    advice = (await admin.get(f"{REVIEW}findings/{finding.id}/")).text(".page-head .lede")
    assert said in advice
    assert unsaid not in advice


async def test_a_finding_about_a_whole_payment_says_nothing_of_what_is_counted(
    admin: Visitor, session: AsyncSession
) -> None:
    finding = await make_finding(session)
    assert "counted" not in (await admin.get(f"{REVIEW}findings/{finding.id}/")).text(".page-head .lede")


async def test_the_number_of_queries_is_pinned(admin: Visitor, too_much: Payment, session: AsyncSession) -> None:
    await make_finding(session)
    with counted_queries(every=True) as statements:
        await admin.get(REVIEW)
    assert len(statements) == 4, statements  # who asks, how much waits, the payments, the findings
