"""The pages that give money of one order back: the choice, what will happen, and what did."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.errors import GatewayUnavailable
from shared.contracts.states import Role
from shared.models import Order, Ticket
from shared.web.state import AppState
from tests.fakes.gateway import FakeGateway
from tests.integration.cart.conftest import (
    FillCart,
    Show,
    SignIn,
    later,
    make_show,
    orders_of,
    payments_of,
    tickets_of,
)
from tests.support.queries import counted_queries
from tests.support.visitor import Answer, Visitor


@pytest.fixture
async def order(ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession, gateway: FakeGateway) -> Order:
    """Two tickets of Ada's at 12.50, paid."""
    await fill_cart(ada, show, 2)
    await ada.post("/checkout/", {"shown_total": "25.00"})
    [payment] = await payments_of(session, ada)
    gateway.pay(str(payment.checkout_id))
    await ada.get(f"/checkout/return/{payment.return_token}/")
    [made] = await orders_of(session, ada)
    return made


def address(order: Order, part: str = "") -> str:
    return f"/admin/orders/{order.id}/refund/{part}"


async def lines_of(admin: Visitor, order: Order) -> list[str]:
    """Return the names of the boxes, one for each line."""
    page = await admin.get(address(order))
    return [str(box.attributes["name"]) for box in page.html.css("input[name^=line_]")]


def sent_by(page: Answer) -> dict[str, str]:
    """Return what the preview's button sends."""
    inputs = page.html.css("main form[method=post] input[type=hidden]")
    return {str(field.attributes["name"]): field.attributes["value"] or "" for field in inputs}


async def test_the_whole_way_to_a_refund(
    admin: Visitor, ada: Visitor, order: Order, session: AsyncSession, gateway: FakeGateway
) -> None:
    first, _ = await lines_of(admin, order)
    preview = await admin.get(address(order, f"preview/?{urlencode({first: 'yes', 'amount': ''})}"))
    assert preview.text("h1") == "Give £12.50 back?"
    assert preview.texts("dl.totals dd") == ["£12.50", "£12.50"]
    assert "tickets stay good" in preview.text("main .card")
    assert gateway.calls["refund"] == 0

    answer = await admin.post(address(order), sent_by(preview))
    assert answer.status == 303
    outcome = await admin.get(answer.location)
    assert outcome.text("h1") == "£12.50 went back"
    assert "on its way to the buyer" in outcome.text("ul.lines")
    assert gateway.calls["refund"] == 1
    assert await tickets_of(session, ada) == ["confirmed", "confirmed"]

    again = await admin.post(address(order), sent_by(preview))
    assert (again.status, again.location, gateway.calls["refund"]) == (303, answer.location, 1)


async def test_tickets_are_told_apart_by_their_codes(admin: Visitor, order: Order, session: AsyncSession) -> None:
    codes = list(await session.scalars(select(Ticket.code).where(Ticket.order_id == order.id).order_by(Ticket.id)))
    assert [
        text.partition("Code ")[2] for text in (await admin.get(address(order))).texts(".choice label")[:2]
    ] == codes


async def test_what_was_free_is_cancelled_elsewhere(
    admin: Visitor,
    ada: Visitor,
    session: AsyncSession,
    show: Show,
    order: Order,
    fill_cart: FillCart,
    gateway: FakeGateway,
) -> None:
    assert not (await admin.get(address(order))).has("#lines ~ p a")
    await fill_cart(ada, await make_show(session, name="A free one", cost="0.00"), 1)
    await fill_cart(ada, show, 1)
    await ada.post("/checkout/", {"shown_total": "12.50"})
    payment = (await payments_of(session, ada))[-1]
    gateway.pay(str(payment.checkout_id))
    await ada.get(f"/checkout/return/{payment.return_token}/")
    page = await admin.get(f"/admin/orders/{payment.order_id}/refund/")
    assert [label.partition("it was ")[2] for label in page.texts("#lines .choice label")] == ["", "free"]
    assert page.has(f"main a[href='/admin/orders/{payment.order_id}/cancel/']")


async def test_cancelling_is_said_before_and_frees_the_seat(
    admin: Visitor, ada: Visitor, order: Order, session: AsyncSession
) -> None:
    first, _ = await lines_of(admin, order)
    preview = await admin.get(address(order, f"preview/?{urlencode({first: 'yes', 'cancel': 'yes'})}"))
    assert "The Tempest, Adult" in preview.text(".notice--warning")
    assert await tickets_of(session, ada) == ["confirmed", "confirmed"]
    await admin.post(address(order), sent_by(preview))
    assert await tickets_of(session, ada) == ["confirmed"]


@pytest.mark.parametrize("cancel", [{}, {"cancel": "yes"}], ids=["only the money", "cancelling ticked"])
async def test_of_what_was_cancelled_before_nothing_is_promised_and_nothing_announced(
    admin: Visitor, order: Order, session: AsyncSession, cancel: dict[str, str]
) -> None:
    first, second = await lines_of(admin, order)
    await admin.post(f"/admin/orders/{order.id}/cancel/", {"line": first.removeprefix("line_")})

    only = (await admin.get(address(order, f"preview/?{urlencode({first: 'yes'} | cancel)}"))).text("main")
    both = (await admin.get(address(order, f"preview/?{urlencode({first: 'yes', second: 'yes'} | cancel)}"))).text(
        "main"
    )

    for page in (only, both):
        assert "Nothing changes for what was cancelled before" in page
    for words in ("Others can have this again", "stay good", "and one about what was cancelled", "and cancel"):
        assert words not in only
    assert ("tickets stay good" in both, "back and cancel" in both) == (not cancel, bool(cancel))


async def test_an_amount_for_nothing_in_particular_promises_what_the_buyer_still_has(
    admin: Visitor, order: Order
) -> None:
    assert "tickets stay good" in (await admin.get(address(order, "preview/?amount=3"))).text("main")
    lines = [name.removeprefix("line_") for name in await lines_of(admin, order)]
    for line in lines:
        await admin.post(f"/admin/orders/{order.id}/cancel/", {"line": line})
    page = (await admin.get(address(order, "preview/?amount=3"))).text("main")
    assert ("stay good" in page, "Nothing changes" in page) == (False, False)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "Choose what to refund"), ("x", "such as 12.50"), ("25.01", "No more than 25.00"), ("0", "0.01 or more")],
)
async def test_a_choice_that_cannot_be_is_told_and_kept(admin: Visitor, order: Order, typed: str, words: str) -> None:
    page = await admin.get(address(order, f"preview/?{urlencode({'amount': typed})}"))
    assert page.status == 422
    assert words in page.text(".error-summary")
    assert page.attribute("#f-amount", "value") == typed


async def test_an_amount_may_be_typed_as_people_do(admin: Visitor, order: Order) -> None:
    page = await admin.get(address(order, f"preview/?{urlencode({'amount': '£3,5'})}"))
    assert page.text("h1") == "Give £3.50 back?"


async def test_what_was_chosen_is_there_when_one_comes_back(admin: Visitor, order: Order) -> None:
    first, second = await lines_of(admin, order)
    preview = await admin.get(
        address(order, f"preview/?{urlencode({second: 'yes', 'amount': '2.00', 'cancel': 'yes'})}")
    )
    page = await admin.get(str(preview.attribute("main form a.btn", "href")))
    assert not page.has(f"input[name={first}][checked]")
    assert page.has(f"input[name={second}][checked]")
    assert page.has("input[name=cancel][checked]")
    assert page.attribute("#f-amount", "value") == "2.00"


async def test_what_was_refunded_meanwhile_is_told_and_nothing_more_is_done(
    admin: Visitor, order: Order, gateway: FakeGateway
) -> None:
    boxes = await lines_of(admin, order)
    preview = await admin.get(address(order, f"preview/?{urlencode(dict.fromkeys(boxes, 'yes'))}"))
    other = await admin.get(address(order, "preview/?amount=20.00"))
    await admin.post(address(order), sent_by(other))
    late = await admin.post(address(order), sent_by(preview))
    assert (late.status, gateway.calls["refund"]) == (422, 1)
    assert "No more than 5.00" in late.text(".error-summary")


async def test_a_refusal_of_the_provider_is_said_with_its_reason(
    admin: Visitor, order: Order, gateway: FakeGateway
) -> None:
    gateway.refuse_refunds("Balance too low")
    preview = await admin.get(address(order, "preview/?amount=3"))
    outcome = await admin.get((await admin.post(address(order), sent_by(preview))).location)
    assert outcome.text("h1") == "Not all of it went through"
    assert "stands in the queue. SumUp says: Balance too low" in outcome.text("ul.lines")
    assert "SumUp says: Balance too low" in (await admin.get("/admin/refunds/")).text("td.way-on p")


async def test_what_is_not_known_yet_is_said_so(admin: Visitor, order: Order, gateway: FakeGateway) -> None:
    gateway.fail_next(GatewayUnavailable(), "refund")
    boxes = await lines_of(admin, order)
    preview = await admin.get(address(order, f"preview/?{urlencode(dict.fromkeys(boxes, 'yes'))}"))
    outcome = await admin.get((await admin.post(address(order), sent_by(preview))).location)
    assert outcome.text("h1") == "Not known yet"
    assert [text.split(".")[0] for text in outcome.texts(".line__detail")] == [
        "It is not known yet whether it went through",
        "It follows by itself, after another refund of the same payment",
    ]


async def test_what_no_job_follows_any_more_is_said_to_stand_in_the_queue(
    admin: Visitor, order: Order, session: AsyncSession, gateway: FakeGateway
) -> None:
    gateway.fail_next(GatewayUnavailable(), "refund")
    boxes = await lines_of(admin, order)
    preview = await admin.get(address(order, f"preview/?{urlencode(dict.fromkeys(boxes, 'yes'))}"))
    answer = await admin.post(address(order), sent_by(preview))
    await session.execute(text("DELETE FROM pgqueuer"))
    await session.commit()
    outcome = await admin.get(answer.location)
    assert outcome.text("h1") == "Not all of it went through"
    assert outcome.texts(".line__detail")[1] == "It was not sent, and stands in the queue: please refund it there."


@pytest.mark.parametrize("change", [{"key": "x"}, {"shown": "much"}, {"key": ""}, {"shown": "12.50", "amount": "-1"}])
async def test_a_form_that_is_no_form_of_ours_is_refused(
    admin: Visitor, order: Order, gateway: FakeGateway, change: dict[str, str]
) -> None:
    preview = await admin.get(address(order, "preview/?amount=3"))
    answer = await admin.post(address(order), sent_by(preview) | change)
    assert (answer.status, gateway.calls["refund"]) == (422, 0)


async def test_another_pages_treasurer_finds_no_such_order(
    sign_in: SignIn, order: Order, session: AsyncSession
) -> None:
    other = await make_show(session, name="Hamlet")
    treasurer = await sign_in("treasurer@maypole.example", role=Role.REFUNDS, page_post_id=other.page.id)
    for part in ("", "preview/?amount=1"):
        assert (await treasurer.get(address(order, part))).status == 404
    form = {"key": "00000000-0000-4000-8000-000000000000", "shown": "1.00", "amount": "1.00"}
    assert (await treasurer.post(address(order), form)).status == 404


async def test_the_pages_own_treasurer_refunds_it(
    sign_in: SignIn, order: Order, show: Show, session: AsyncSession
) -> None:
    treasurer = await sign_in("treasurer@maypole.example", role=Role.REFUNDS, page_post_id=show.page.id)
    preview = await treasurer.get(address(order, "preview/?amount=1"))
    outcome = await treasurer.get((await treasurer.post(address(order), sent_by(preview))).location)
    assert outcome.text("h1") == "£1.00 went back"


@pytest.mark.parametrize(("who", "status"), [("visitor", 303), ("ada", 403)])
async def test_a_shopper_gives_nothing_back(people: dict[str, Visitor], order: Order, who: str, status: int) -> None:
    assert (await people[who].get(address(order))).status == status


async def test_a_sign_in_of_long_ago_leads_to_a_new_one_and_a_press_is_refused(
    admin: Visitor, order: Order, running: AppState, gateway: FakeGateway
) -> None:
    preview = await admin.get(address(order, "preview/?amount=1"))
    later(running, minutes=61)
    answer = await admin.get(address(order, "preview/?amount=1"))
    assert (answer.status, answer.location.startswith("/auth/sign-in?next=")) == (303, True)
    assert (await admin.post(address(order), sent_by(preview))).status == 401
    assert gateway.calls["refund"] == 0


async def test_an_order_without_payment_has_nothing_to_refund(
    admin: Visitor, ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await fill_cart(ada, show, 1)
    await ada.post("/checkout/", {"shown_total": "12.50"})
    [order] = await orders_of(session, ada)
    page = await admin.get(address(order))
    assert (page.text(".empty__title"), page.has("main form")) == ("Nothing can be refunded", False)


async def test_pages_of_no_order_and_results_of_no_press_are_not_found(admin: Visitor, order: Order) -> None:
    assert (await admin.get("/admin/orders/4711/refund/")).status == 404
    assert (await admin.get(address(order, "00000000-0000-4000-8000-000000000000/"))).status == 404


async def test_the_queries_of_the_pages_are_pinned(admin: Visitor, order: Order, session: AsyncSession) -> None:
    with counted_queries(every=True) as statements:
        await admin.get(address(order))
    assert len(statements) == 5, statements
    with counted_queries(every=True) as statements:
        await admin.get(address(order, "preview/?amount=3"))
    assert len(statements) == 9, statements


async def test_the_buyer_reads_it_at_the_order(
    admin: Visitor, ada: Visitor, order: Order, session: AsyncSession
) -> None:
    preview = await admin.get(address(order, "preview/?amount=3"))
    await admin.post(address(order), sent_by(preview))
    page = await ada.get(f"/orders/{order.id}/")
    assert "A part of the payment, £3.00: refunded by us. Refunded." in page.text("main .notice--warning")
    assert "could be given" not in page.text("main .notice--warning")


async def test_the_order_page_tells_of_it_and_of_its_mail(admin: Visitor, order: Order) -> None:
    preview = await admin.get(address(order, "preview/?amount=3"))
    outcome = await admin.get((await admin.post(address(order), sent_by(preview))).location)
    page = await admin.get(str(outcome.attribute("main p.cluster a:first-child", "href")))
    assert "a mail about the refund" in page.text("main")
    assert "£3.00 refund" in page.text("main")
