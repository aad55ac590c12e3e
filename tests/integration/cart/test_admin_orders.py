"""The list of all orders: who sees which, what is found, and that it does not matter how many there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from cart.bp.admin_orders.services import OrderFilter
from cart.bp.admin_orders.services.search import bounds
from shared.contracts.access import PageScope
from shared.contracts.states import OrderState, PaymentState, Role
from shared.models import Debt, Mail, Order, OrderLine, User
from tests.factories.bookings import make_booking
from tests.factories.calendar import make_calendar
from tests.factories.orders import MadeOrder, make_debt, make_order, make_payment, make_refund
from tests.integration.cart.conftest import Clerk, Show, make_show
from tests.support.queries import counted_queries
from tests.support.visitor import Visitor

LIST = "/admin/orders/"
Make = Callable[..., Awaitable[MadeOrder]]


@pytest.fixture
def make(session: AsyncSession, show: Show, ada: Visitor) -> Make:
    """Make an order of Ada's for tickets of the show, and commit it."""

    async def make(who: Visitor | None = None, of: Show = show, **more: object) -> MadeOrder:
        made = await order_of(session, of, (who or ada).id, **more)
        await session.commit()
        return made

    return make


async def order_of(session: AsyncSession, of: Show, user_id: int, **more: object) -> MadeOrder:
    """Make a paid order whose lines are of the show's page."""
    values: dict[str, object] = {"state": OrderState.PAID, "payment_state": PaymentState.PAID, "quantity": 1, **more}
    return await make_order(
        session,
        of.entry,
        user_id=user_id,
        ticket_type=of.adult,
        page_post_id=of.page.id,
        **values,  # type: ignore[arg-type]
    )


async def add_line(session: AsyncSession, made: MadeOrder, of: Show, price: str = "5.00") -> None:
    """Let an order have something of another page as well."""
    other = await order_of(session, of, made.order.user_id or 0, quantity=1, price=price, payment_state=None)
    session.add(
        OrderLine(
            order_id=made.order.id,
            kind="ticket",
            title=of.entry.name,
            quantity=1,
            unit_price=Decimal(price),
            total=Decimal(price),
            ticket_id=other.tickets[0].id,
            entry_id=of.entry.id,
            page_post_id=of.page.id,
        )
    )
    made.order.total += Decimal(price)
    await session.commit()


async def numbers(who: Visitor, query: str = "") -> list[str]:
    """Return the numbers of the orders that somebody is shown."""
    page = await who.get(f"{LIST}{query}")
    assert page.status == 200, page.texts(".error-summary")
    return page.texts("tbody th")


# --- who may ---


@pytest.mark.parametrize(("who", "status"), [("visitor", 303), ("ada", 403), ("admin", 200)])
async def test_only_those_with_a_role_see_orders(people: dict[str, Visitor], who: str, status: int) -> None:
    assert (await people[who].get(LIST)).status == status


@pytest.mark.parametrize("role", [Role.ORDERS, Role.REFUNDS])
async def test_somebody_bound_to_a_page_finds_the_orders_of_theirs_alone(
    session: AsyncSession, clerk: Clerk, show: Show, make: Make, role: Role
) -> None:
    other = await make_show(session, name="The other page's")
    mine, _theirs = await make(), await make(of=other)
    assert await numbers(await clerk(show.page, role=role)) == [mine.order.number]


async def test_of_an_order_of_two_pages_each_sees_the_total_of_theirs(
    session: AsyncSession, clerk: Clerk, admin: Visitor, show: Show, make: Make
) -> None:
    other, made = await make_show(session, name="The other page's"), await make()
    await add_line(session, made, other)
    shown = [
        (await who.get(LIST)).text(f"#order-{made.order.id} .num")
        for who in (await clerk(show.page), await clerk(other.page, "other@maypole.example"), admin)
    ]
    assert shown == ["£12.50", "£5.00", "£17.50"]


async def test_no_search_finds_what_is_another_pages(
    session: AsyncSession, clerk: Clerk, show: Show, make: Make
) -> None:
    other = await make_show(session, name="The other page's")
    theirs = await make(of=other)
    theirs.paying.transaction_code = "TAAAAAAAAA"
    await make_debt(session, theirs)
    await session.commit()
    who = await clerk(show.page)
    for query in (
        f"q={theirs.order.number}",
        "q=ada",
        f"q={theirs.tickets[0].code}",
        "q=TAAAAAAAAA",
        f"page={other.page.id}",
        "attention=yes",
        "state=paid",
    ):
        assert await numbers(who, f"?{query}") == []


async def test_only_pages_of_theirs_may_be_chosen(session: AsyncSession, clerk: Clerk, show: Show) -> None:
    await make_show(session, name="The other page's")
    page = await (await clerk(show.page)).get(LIST)
    assert page.texts("#f-page option") == ["Any page", show.page.title]


@pytest.mark.parametrize(
    ("role", "links"),
    [(Role.ORDERS, ["Orders"]), (Role.ADMIN, ["Orders", "Refunds", "Bookings", "Page accounts", "Security"])],
)
async def test_the_navigation_shows_the_doors_that_open(clerk: Clerk, role: Role, links: list[str]) -> None:
    assert (await (await clerk(None, role=role)).get(LIST)).texts(".section-nav a") == links


# --- what a row says ---


async def test_a_row_says_which_when_who_how_it_stands_and_how_much(
    admin: Visitor, ada: Visitor, session: AsyncSession, make: Make
) -> None:
    await session.execute(update(User).where(User.id == ada.id).values(name="Ada <Byron>"))
    made = await make()
    page, row = await admin.get(LIST), f"#order-{made.order.id}"
    assert page.text(f"{row} th") == made.order.number
    assert page.attribute(f"{row} time", "datetime") == made.order.created_at.isoformat()
    assert page.text(f"{row} .who") == "Ada <Byron>ada@maypole.example"
    assert (page.texts(f"{row} .tag"), page.text(f"{row} .num")) == (["Paid"], "£12.50")


async def test_a_guests_order_says_their_address(admin: Visitor, session: AsyncSession, make: Make) -> None:
    made = await make()
    await make_a_guests(session, made, "Guest@maypole.example")
    assert (await admin.get(LIST)).text(f"#order-{made.order.id} .who") == "Guest@maypole.example"
    assert await numbers(admin, "?q=guest@") == [made.order.number]


async def make_a_guests(session: AsyncSession, made: MadeOrder, email: str) -> None:
    """Let an order be one without an account."""
    values = {"user_id": None, "guest_email": email, "access_token_hash": token_hex()}
    await session.execute(update(Order).where(Order.id == made.order.id).values(values))
    await session.commit()


async def test_an_empty_list_says_so(admin: Visitor) -> None:
    assert (await admin.get(LIST)).text(".empty__title") == "No orders yet"
    assert (await admin.get(f"{LIST}?q=nobody")).text(".empty__title") == "Nothing was found"
    assert (await admin.get(f"{LIST}?attention=yes")).text(".empty__title") == "Nothing needs you"


# --- what is found ---


async def test_an_order_is_found_by_each_of_its_names(
    admin: Visitor, ada: Visitor, bob: Visitor, session: AsyncSession, make: Make
) -> None:
    await session.execute(update(User).where(User.id == ada.id).values(name="Ada Byron"))
    made, _other = await make(), await make(bob)
    made.paying.transaction_code = "TEENSK4W2K"
    await session.commit()
    code = made.tickets[0].code or ""
    for typed in ("ada", "ADA@MAYPOLE", "ada+b", made.order.number.lower(), code, code.lower(), "teensk4w2k"):
        assert await numbers(admin, f"?q={typed}") == [made.order.number], typed
    for typed in (made.order.number[:-1], code[:-1], "yron", "TEENSK4W2"):
        assert await numbers(admin, f"?q={typed}") == [], typed


async def test_an_order_with_two_payments_is_found_once(admin: Visitor, session: AsyncSession, make: Make) -> None:
    made = await make()
    made.paying.transaction_code = "TEENSK4W2K"
    again = await make_payment(session, made.order, state=PaymentState.PAID)
    again.transaction_code = "TEENSK4W2K"
    await session.commit()
    assert await numbers(admin, "?q=TEENSK4W2K") == [made.order.number]


@pytest.mark.parametrize("typed", ["%25", "%25%25", "a_a", "ada%25", "%5C%5C", "ad%27; drop table orders"])
async def test_what_is_searched_for_is_taken_literally(admin: Visitor, make: Make, typed: str) -> None:
    await make()
    page = await admin.get(f"{LIST}?q={typed}")
    assert (page.status, page.texts("tbody th")) in ((200, []), (422, []))


async def test_the_filters_narrow_each_other_down(
    admin: Visitor, bob: Visitor, session: AsyncSession, show: Show, make: Make
) -> None:
    other = await make_show(session, name="The other page's")
    adas, bobs = await make(), await make(bob)
    waiting = await make(bob, state=OrderState.PENDING, payment_state=PaymentState.OPEN)
    elsewhere = await make(bob, of=other)
    assert await numbers(admin, "?q=bob") == [m.order.number for m in (elsewhere, waiting, bobs)]
    assert await numbers(admin, f"?q=bob&page={show.page.id}") == [waiting.order.number, bobs.order.number]
    assert await numbers(admin, f"?q=bob&page={show.page.id}&state=paid") == [bobs.order.number]
    assert adas.order.number in await numbers(admin, "?state=paid")


async def test_days_are_the_installations_own(admin: Visitor, session: AsyncSession, make: Make) -> None:
    """In London's summer, a day begins at eleven in the evening in UTC."""
    late = await make()
    await session.execute(update(Order).values(created_at=datetime(2026, 6, 30, 23, 0, tzinfo=UTC)))
    await session.commit()
    for query, found in (
        ("from=2026-07-01", True),
        ("to=2026-06-30", False),
        ("from=2026-07-01&to=2026-07-01", True),
        ("from=2026-07-02", False),
    ):
        assert await numbers(admin, f"?{query}") == ([late.order.number] if found else []), query


# --- what needs attention ---


async def owed(session: AsyncSession, made: MadeOrder) -> None:
    await make_debt(session, made)


async def in_review(session: AsyncSession, made: MadeOrder) -> None:
    (await make_payment(session, made.order, state=PaymentState.OPEN)).state = PaymentState.REVIEW


async def unclear(session: AsyncSession, made: MadeOrder) -> None:
    payment = await make_payment(session, made.order, state=PaymentState.UNKNOWN)
    payment.valid_until = datetime.now(UTC) - timedelta(minutes=1)


async def refund_failed(session: AsyncSession, made: MadeOrder) -> None:
    await _settled(session, await make_debt(session, made), "failed")


async def refund_unknown(session: AsyncSession, made: MadeOrder) -> None:
    await _settled(session, await make_debt(session, made), "unknown")


async def _settled(session: AsyncSession, debt: Debt, refund_state: str) -> None:
    """Leave the refund alone to tell of trouble."""
    await make_refund(session, debt, state=refund_state)
    debt.state, debt.settled_at = "settled", datetime.now(UTC)


async def mail_given_up(session: AsyncSession, made: MadeOrder) -> None:
    await give_up_a_mail(session, "order-paid", f"{made.order.id}")


async def give_up_a_mail(session: AsyncSession, kind: str, key: str) -> None:
    now = datetime.now(UTC)
    session.add(Mail(kind=kind, key=f"{kind}:{key}", recipient="a@b.example", subject="S", text="T", given_up_at=now))


TROUBLES = {
    owed: "Money owed",
    in_review: "Payment to be looked at",
    unclear: "Payment not known",
    refund_failed: "Refund failed",
    refund_unknown: "Refund not known",
    mail_given_up: "Mail not sent",
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_needs_a_person_is_found_and_says_why(
    admin: Visitor, session: AsyncSession, make: Make, trouble: Callable[[AsyncSession, MadeOrder], Awaitable[None]]
) -> None:
    _well, made = await make(), await make()
    await trouble(session, made)
    await session.commit()
    page = await admin.get(f"{LIST}?attention=yes")
    assert page.texts("tbody th") == [made.order.number]
    assert page.texts(f"#order-{made.order.id} .tag") == ["Paid", TROUBLES[trouble]]
    assert (await admin.get(LIST)).texts(f"#order-{_well.order.id} .tag") == ["Paid"]


async def test_a_payment_that_is_not_known_yet_is_no_trouble_before_its_time(
    admin: Visitor, session: AsyncSession, make: Make
) -> None:
    made = await make()
    await make_payment(session, made.order, state=PaymentState.UNKNOWN)
    await session.commit()
    assert await numbers(admin, "?attention=yes") == []


async def test_a_refund_that_was_made_again_is_no_trouble_any_more(
    admin: Visitor, session: AsyncSession, make: Make
) -> None:
    debt = await make_debt(session, await make())
    await make_refund(session, debt, state="failed")
    await _settled(session, debt, "succeeded")
    await session.commit()
    assert await numbers(admin, "?attention=yes") == []


async def test_mails_of_every_kind_are_found_by_their_order(
    admin: Visitor, ada: Visitor, session: AsyncSession, make: Make
) -> None:
    made = await make()
    approved, declined = [
        await make_booking(session, await make_calendar(session), user_id=ada.id) for _ in ("approved", "declined")
    ]
    oversold = await make()
    debt = await make_debt(session, oversold)
    debt.state, debt.settled_at = "settled", datetime.now(UTC)
    key, refunded = uuid4(), await make(quantity=2)
    for line in (0, 1):  # two debts of one decision, and one mail
        chosen = await make_debt(session, refunded, line=line, reason="goodwill")
        chosen.state, chosen.settled_at, chosen.request_key = "settled", datetime.now(UTC), key
    await give_up_a_mail(session, "lines-cancelled", f"{made.order.id}:{made.lines[0].id}")
    await give_up_a_mail(session, "order-oversold", f"{oversold.order.id}:{debt.id}")
    await give_up_a_mail(session, "booking-approved", f"{approved.entry.id}")
    await give_up_a_mail(session, "booking-declined", f"{declined.entry.id}")
    await give_up_a_mail(session, "order-refund", f"{key}")
    await give_up_a_mail(session, "sign-in", "not-a-number")
    await session.commit()
    page = await admin.get(f"{LIST}?attention=yes")
    assert page.texts("tbody th") == [each.order.number for each in (refunded, oversold, declined, approved, made)]
    assert page.texts("tbody .tag") == ["Paid", "Mail not sent"] * 5
    history = await admin.get(f"{LIST}{refunded.order.id}/")
    assert [what for what in history.texts("#history + ol .line__title") if "mail" in what] == [
        "Gave up on a mail about the refund"
    ]


async def test_a_debt_for_another_pages_line_is_not_ones_own_trouble(
    session: AsyncSession, clerk: Clerk, show: Show, make: Make
) -> None:
    other, made = await make_show(session, name="The other page's"), await make()
    await make_debt(session, made)
    await add_line(session, made, other)
    assert await numbers(await clerk(other.page), "?attention=yes") == []
    assert await numbers(await clerk(show.page, "mine@maypole.example"), "?attention=yes") == [made.order.number]


# --- what was typed wrongly ---


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=a", "q"),
        (f"q={'a' * 201}", "q"),
        ("q=a%00b", "q"),
        ("page=x", "page"),
        ("page=-1", "page"),
        ("state=lost", "state"),
        ("from=yesterday", "from"),
        ("from=0001-01-01", "from"),
        ("to=9999-12-31", "to"),
        ("from=2026-11-02&to=2026-11-01", "to"),
    ],
)
async def test_bad_values_get_a_clear_answer_that_keeps_what_was_typed(
    admin: Visitor, make: Make, query: str, field: str
) -> None:
    await make()
    page = await admin.get(f"{LIST}?{query}&attention=yes")
    assert page.status == 422
    assert page.attribute(".error-summary a", "href") == f"#f-{field}"
    assert page.attribute(f"#f-{field}", "aria-invalid") == "true"
    assert not page.has("tbody tr")
    assert page.has("#f-attention[checked]")
    if field in {"q", "from", "to"} and "%00" not in query:
        assert page.attribute(f"#f-{field}", "value") == dict(part.split("=") for part in query.split("&"))[field]


async def test_a_part_of_the_list_that_cannot_be_is_refused(admin: Visitor) -> None:
    page = await admin.get(f"{LIST}?before=x&q=ada")
    assert (page.status, page.attribute("#f-q", "value")) == (422, "ada")


# --- how much there is ---


async def test_the_list_is_newest_first_a_page_at_a_time_with_its_filters(
    admin: Visitor, ada: Visitor, bob: Visitor, session: AsyncSession, show: Show, make: Make
) -> None:
    made = [await order_of(session, show, ada.id, payment_state=None) for _ in range(53)]
    await make(bob)
    first = await admin.get(f"{LIST}?q=ada%40maypole&state=paid")
    rest = await admin.get(first.attribute("a[rel=next]", "href") or "")
    shown = first.texts("tbody th") + rest.texts("tbody th")
    assert shown == [one.order.number for one in reversed(made)]
    assert not rest.has("a[rel=next]")


async def test_the_number_of_queries_does_not_depend_on_how_many_orders_there_are(
    admin: Visitor, session: AsyncSession, make: Make
) -> None:
    await make()
    with counted_queries(every=True) as few:
        await admin.get(f"{LIST}?q=ada")
    for _ in range(6):
        await make_debt(session, await make())
    await session.commit()
    with counted_queries(every=True) as many:
        await admin.get(f"{LIST}?q=ada&attention=yes")
    assert (len(few), len(many)) == (
        5,
        5,
    )  # who asks; orders; what is wrong with them; pages to choose from; the header


@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        (
            OrderFilter("Europe/London", text="7KQ2-9FXM"),
            {
                "uq_orders_number",
                "uq_tickets_code",
                "ix_payments_transaction_code",
                "ix_users_name_prefix",
                "ix_users_email_prefix",
                "ix_orders_guest_email_prefix",
            },
        ),
        (OrderFilter("Europe/London", page_post_id=7), {"ix_order_lines_page_post_id_order_id"}),
        (OrderFilter("Europe/London", state=OrderState.PAID), {"ix_orders_state_id"}),
        (OrderFilter("Europe/London", first_day=date(2026, 11, 28)), {"ix_orders_created_at"}),
    ],
    ids=["text", "page", "state", "days"],
)
async def test_each_part_of_a_search_has_an_index(
    session: AsyncSession, wanted: OrderFilter, indexes: set[str]
) -> None:
    """On empty tables reading them whole is cheapest: with that way closed, the plan shows what is used on large ones."""
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    statement = select(Order.id).where(*bounds(wanted, PageScope(everywhere=True), datetime.now(UTC)))
    sql = str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    plan = "\n".join(await session.scalars(text(f"EXPLAIN {sql}".replace(":", "\\:"))))
    assert {name for name in indexes if name in plan} == indexes, plan
