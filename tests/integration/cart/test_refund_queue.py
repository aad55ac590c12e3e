"""The refund queue: who is owed what and why, and the button."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.states import DebtReason, DebtState, OrderState, PaymentState, Role
from shared.models import Debt, Payment
from shared.web.state import AppState
from tests.factories.orders import MadeOrder, make_debt, make_order, make_refund
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import (
    FillCart,
    Show,
    SignIn,
    fresh,
    later,
    make_paid_order,
    make_show,
    payments_of,
)
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor


@pytest.fixture
async def made(session: AsyncSession, ada: Visitor, show: Show) -> MadeOrder:
    """An order of Ada's that is paid, in the database alone."""
    made = await make_paid_order(session, show, ada)
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


@pytest.mark.parametrize("reason", list(DebtReason))
async def test_every_reason_has_words(admin: Visitor, made: MadeOrder, session: AsyncSession, reason: str) -> None:
    debt = await make_debt(session, made, line=None, reason=reason)
    await session.commit()
    page = await admin.get("/admin/refunds/")
    words = {"goodwill", "cancelled_by_organiser", "overpaid"}
    assert page.text(f"#debt-{debt.id} td.why").startswith("A part" if reason in words else "The whole payment")


async def test_the_number_of_queries_does_not_grow_with_the_queue(
    admin: Visitor, ada: Visitor, show: Show, session: AsyncSession
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(3):
            made = await make_order(
                session, show.entry, user_id=ada.id, state=OrderState.PAID, payment_state=PaymentState.PAID
            )
            await make_refund(session, await make_debt(session, made))
        await session.commit()
        with counted_queries(every=True) as statements:
            await admin.get("/admin/refunds/")
        counts.append(len(statements))
    assert counts[0] == counts[1] == 6, statements


# --- for some pages only ---


@pytest.fixture
async def two_pages(session: AsyncSession, ada: Visitor, show: Show) -> tuple[Debt, Debt]:
    """A debt of the show's page, and one of another page."""
    other = await make_show(session, name="Hamlet")
    debts = []
    for each in (show, other):
        made = await make_order(
            session,
            each.entry,
            user_id=ada.id,
            state=OrderState.PAID,
            payment_state=PaymentState.PAID,
            page_post_id=each.page.id,
        )
        debts.append(await make_debt(session, made))
    await session.commit()
    return debts[0], debts[1]


@pytest.fixture
async def treasurer(sign_in: SignIn, show: Show) -> Visitor:
    """Somebody who refunds the money of the show's page alone."""
    return await sign_in("treasurer@maypole.example", role=Role.REFUNDS, page_post_id=show.page.id)


async def test_a_treasurer_sees_the_debts_of_their_page_alone(treasurer: Visitor, two_pages: tuple[Debt, Debt]) -> None:
    ours, theirs = two_pages
    page = await treasurer.get("/admin/refunds/")
    assert (page.has(f"#debt-{ours.id}"), page.has(f"#debt-{theirs.id}")) == (True, False)
    assert page.texts(".section-nav a") == ["Orders", "Refunds"]


@pytest.mark.parametrize("path", ["", "by-hand/"])
async def test_a_treasurer_cannot_touch_the_debts_of_another_page(
    treasurer: Visitor, two_pages: tuple[Debt, Debt], session: AsyncSession, gateway: FakeGateway, path: str
) -> None:
    _, theirs = two_pages
    answer = await treasurer.post(f"/admin/refunds/{theirs.id}/{path}", {"note": "Bank transfer"})
    assert answer.status == 404
    await session.refresh(theirs)
    assert (theirs.state, gateway.calls["refund"]) == ("owed", 0)


async def test_a_debt_for_a_whole_payment_is_for_whoever_has_all_of_its_pages(
    treasurer: Visitor, ada: Visitor, show: Show, session: AsyncSession
) -> None:
    ours, theirs = [
        await make_debt(
            session,
            await make_order(
                session,
                show.entry,
                user_id=ada.id,
                state=OrderState.PAID,
                payment_state=PaymentState.PAID,
                page_post_id=page_post_id,
            ),
            line=None,
            reason="paid_twice",
        )
        for page_post_id in (show.page.id, None)
    ]
    await session.commit()
    page = await treasurer.get("/admin/refunds/")
    assert (page.has(f"#debt-{ours.id}"), page.has(f"#debt-{theirs.id}")) == (True, False)


async def test_who_may_only_see_orders_may_not_refund(sign_in: SignIn) -> None:
    clerk = await sign_in("clerk@maypole.example", role=Role.ORDERS)
    assert (await clerk.get("/admin/refunds/")).status == 403


# --- a recent sign-in ---


async def test_a_refund_is_refused_to_whoever_signed_in_long_ago_and_nothing_is_done(
    admin: Visitor, made: MadeOrder, session: AsyncSession, running: AppState, gateway: FakeGateway
) -> None:
    debt = await make_debt(session, made)
    await session.commit()
    later(running, minutes=61)
    answer = await admin.post(f"/admin/refunds/{debt.id}/")
    assert answer.status == 401
    assert "again=yes" in (answer.attribute("main a[href*=sign-in]", "href") or "")
    assert not gateway.calls
    assert (await admin.get("/admin/refunds/")).status == 200
    assert (await admin.get("/admin/refunds/at-once/")).status == 303


# --- by hand ---


async def test_paid_back_by_hand_needs_a_note_and_keeps_it_with_who_said_so(
    admin: Visitor, made: MadeOrder, session: AsyncSession, gateway: FakeGateway
) -> None:
    debt = await make_debt(session, made)
    await session.commit()
    form = await admin.get(f"/admin/refunds/{debt.id}/by-hand/")
    assert "£12.50" in form.text("dl")
    refused = await admin.post(f"/admin/refunds/{debt.id}/by-hand/", {"note": " "})
    assert (refused.status, refused.attribute("#f-note", "aria-invalid")) == (422, "true")

    answer = await admin.post(f"/admin/refunds/{debt.id}/by-hand/", {"note": "Bank transfer"})
    assert (answer.status, answer.location) == (303, "/admin/refunds/?result=by-hand")
    page = await admin.get("/admin/refunds/?state=settled")
    assert page.texts(f"#debt-{debt.id} .way-on p")[0] == "Bank transfer"
    assert "admin@maypole.example" in page.text(f"#debt-{debt.id} .way-on")
    assert not gateway.calls


async def test_too_long_a_note_is_kept_in_the_form(admin: Visitor, made: MadeOrder, session: AsyncSession) -> None:
    debt = await make_debt(session, made)
    await session.commit()
    answer = await admin.post(f"/admin/refunds/{debt.id}/by-hand/", {"note": "x" * 501})
    assert (answer.status, answer.text("#f-note")) == (422, "x" * 501)


async def test_a_note_twice_counts_once_and_another_one_is_told(
    admin: Visitor, made: MadeOrder, session: AsyncSession
) -> None:
    debt = await make_debt(session, made)
    await session.commit()
    notes = ("In cash", "In cash", "By bank transfer")
    answers = [await admin.post(f"/admin/refunds/{debt.id}/by-hand/", {"note": note}) for note in notes]
    assert [answer.status for answer in answers] == [303, 303, 409]
    async with fresh(session) as now:
        assert (await now.get_one(Debt, debt.id)).note == "In cash"


async def test_what_the_provider_may_be_giving_back_cannot_be_noted_as_paid(
    admin: Visitor, made: MadeOrder, session: AsyncSession
) -> None:
    debt = await make_debt(session, made)
    await make_refund(session, debt, state="unknown")
    await session.commit()
    answer = await admin.post(f"/admin/refunds/{debt.id}/by-hand/", {"note": "In cash"})
    assert (answer.status, answer.text("#f-note")) == (409, "In cash")


async def test_another_refund_of_the_payment_is_waited_for_and_said(
    admin: Visitor, made: MadeOrder, session: AsyncSession
) -> None:
    first, second = await make_debt(session, made), await make_debt(session, made, line=1)
    await make_refund(session, first, state="sent")
    await session.commit()
    page = await admin.get("/admin/refunds/")
    assert "can follow once it is decided" in page.text(f"#debt-{second.id} .way-on")
    assert not page.has(f"#debt-{second.id} form")


# --- all at once ---


async def test_all_at_once_names_number_and_sum_and_asks_first(
    admin: Visitor, made: MadeOrder, session: AsyncSession, gateway: FakeGateway
) -> None:
    for line in (0, 1):
        await make_debt(session, made, line=line)
    await session.commit()
    assert (await admin.get("/admin/refunds/")).has("a[href='/admin/refunds/at-once/']")
    question = await admin.get("/admin/refunds/at-once/")
    assert "2 refunds, £25.00 together" in question.text("form")
    assert not gateway.calls


async def test_one_debt_is_not_offered_all_at_once(admin: Visitor, made: MadeOrder, session: AsyncSession) -> None:
    await make_debt(session, made)
    await session.commit()
    assert not (await admin.get("/admin/refunds/")).has("a[href='/admin/refunds/at-once/']")


async def test_what_has_become_owed_since_is_asked_about_anew(
    admin: Visitor, made: MadeOrder, session: AsyncSession
) -> None:
    first = await make_debt(session, made)
    await session.commit()
    shown = {"count": "2", "amount": "25.00", "last": str(first.id + 1)}
    answer = await admin.post("/admin/refunds/at-once/", shown)
    assert answer.status == 409
    assert answer.attribute("input[name=count]", "value") == "1"
    assert await _jobs(session) == []


@pytest.mark.parametrize(
    "form", [{}, {"count": "x"}, {"count": "1", "amount": "1,00", "last": "1"}, {"count": "1", "amount": "1.00"}]
)
async def test_a_form_that_is_no_form_of_ours_is_refused(admin: Visitor, form: dict[str, str]) -> None:
    assert (await admin.post("/admin/refunds/at-once/", form)).status == 422


async def test_the_worker_gets_one_job_and_the_page_says_how_far_it_is(
    admin: Visitor, made: MadeOrder, session: AsyncSession
) -> None:
    debts = [await make_debt(session, made, line=line) for line in (0, 1)]
    await session.commit()
    shown = {"count": "2", "amount": "25.00", "last": str(debts[1].id)}
    answer = await admin.post("/admin/refunds/at-once/", shown)
    assert await _jobs(session) == ["refund_debts"]
    page = await admin.get(answer.location)
    assert page.texts("dl dd") == ["0", "0", "2", "0"]
    part = await admin.get(answer.location, htmx=True)
    assert part.text("#progress strong") == "0 of 2 went back"
    assert not part.has("header")


@pytest.mark.parametrize("query", ["", "last=1", "last=x&since=2026-01-01T00:00:00Z", "last=1&since=yesterday"])
async def test_progress_of_nothing_is_refused(admin: Visitor, query: str) -> None:
    assert (await admin.get(f"/admin/refunds/at-once/progress/?{query}")).status == 422


async def _jobs(session: AsyncSession) -> list[str]:
    """Return the kinds of the jobs that are about refunds."""
    async with fresh(session) as now:
        rows = await now.scalars(text("SELECT entrypoint FROM pgqueuer WHERE entrypoint = 'refund_debts'"))
        return list(rows)
