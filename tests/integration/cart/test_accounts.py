"""Page accounts: the form, the provider's word before anything is saved, and a key that is never seen again.

The provider is the sandbox on a real socket, since only it has several accounts and keys.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from quart import Quart
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.app import create_app
from cart.bp.accounts.services import pay_page_to
from cart.payments.page_config import merchant_codes
from cart.wiring import PAYMENT_CONTEXT, PaymentContext
from shared.contracts.dtos import Account
from shared.contracts.errors import (
    AuthFailed,
    BadInput,
    GatewayConflict,
    GatewayError,
    GatewayNotFound,
    GatewayUnavailable,
    GatewayUnknown,
    NotAllowed,
    NotFound,
    RateLimited,
    Rejected,
    ShopError,
    Unavailable,
)
from shared.contracts.states import OrderState, PaymentState, Role
from shared.contracts.times import when
from shared.models import Debt, JournalEntry, Mail, PageConfig, PaymentAccount, SecurityEntry, User
from shared.payments.accounts import OneGateway
from shared.payments.vault import new_key, vault_of
from shared.services.blog_impl import SqlBlogService
from shared.services.identity import ensure_user, grant_role
from shared.settings import Settings
from shared.web.state import AppState
from tests.factories.accounts import make_account
from tests.factories.blog import make_page, make_post
from tests.fakes.gateway import FakeGateway
from tests.fakes.payments import MovableClock
from tests.integration.cart.conftest import (
    FillCart,
    Show,
    fresh,
    make_show,
    orders_of,
    payments_of,
    set_account,
    tickets_of,
)
from tests.support.queries import counted_queries
from tests.support.sandbox import SandboxControl, running_sandbox, settings_for
from tests.support.visitor import Answer, Visitor

FARM, FARM_KEY = "MFARM", "sup_sk_sandbox_farm"
EURO, EURO_KEY = "MEURO", "sup_sk_sandbox_euro"
OWN, OWN_KEY = "MSANDBOX", "sup_sk_sandbox"


@pytest.fixture
async def sandbox(settings: Settings) -> AsyncIterator[SandboxControl]:
    async with running_sandbox(settings.model_copy(update={"sandbox_webhook_delays_s": ()})) as control:
        yield control


@pytest.fixture
async def app(settings: Settings, database_url: str, sandbox: SandboxControl) -> AsyncIterator[Quart]:
    """Serve the cart app, with the sandbox as its provider."""
    made = create_app(settings_for(settings, sandbox))
    async with made.test_app():
        yield made


@pytest.fixture
def context(app: Quart) -> PaymentContext:
    found: PaymentContext = app.extensions[PAYMENT_CONTEXT]
    return found


@pytest.fixture
async def farm(session: AsyncSession) -> int:
    """A page that is paid to the installation's own account."""
    page_post_id = await make_page(session, slug="farm", title="The farm", seller_name="Ann")
    await session.commit()
    return page_post_id


def form(merchant_code: str = FARM, api_key: str = FARM_KEY) -> dict[str, str]:
    return {"merchant_code": merchant_code, "api_key": api_key}


async def save(admin: Visitor, page_post_id: int, merchant_code: str = FARM, api_key: str = FARM_KEY) -> Answer:
    """Press "Check and save"."""
    return await admin.post(f"/admin/accounts/{page_post_id}/", form(merchant_code, api_key))


async def account_of(session: AsyncSession, page_post_id: int) -> str | None:
    """Return the account of a page, as the database has it now."""
    async with fresh(session) as now:
        return await now.scalar(select(PageConfig.sumup_merchant_code).where(PageConfig.container_id == page_post_id))


async def stored(session: AsyncSession) -> dict[str, PaymentAccount]:
    """Return the accounts that are kept, as the database has them now."""
    async with fresh(session) as now:
        return {account.merchant_code: account for account in await now.scalars(select(PaymentAccount))}


async def journal_of(session: AsyncSession, page_post_id: int) -> list[JournalEntry]:
    """Return what the journal tells of a page."""
    statement = select(JournalEntry).where(JournalEntry.thing == "page", JournalEntry.thing_id == page_post_id)
    async with fresh(session) as now:
        return list(await now.scalars(statement.order_by(JournalEntry.id)))


# --- who may ---


@pytest.mark.parametrize(("who", "status"), [("visitor", 303), ("ada", 403), ("admin", 200)])
async def test_only_an_admin_sees_accounts(people: dict[str, Visitor], farm: int, who: str, status: int) -> None:
    for path in ("/admin/accounts/", f"/admin/accounts/{farm}/"):
        assert (await people[who].get(path)).status == status


@pytest.mark.parametrize(("who", "status"), [("visitor", 401), ("ada", 403)])
async def test_only_an_admin_changes_an_account(
    people: dict[str, Visitor], farm: int, session: AsyncSession, sandbox: SandboxControl, who: str, status: int
) -> None:
    assert (await save(people[who], farm)).status == status
    assert (await people[who].post(f"/admin/accounts/{farm}/default/")).status == status
    assert (await stored(session), await sandbox.calls()) == ({}, [])


async def test_what_is_no_page_has_no_account(admin: Visitor, session: AsyncSession, sandbox: SandboxControl) -> None:
    post_id = await make_post(session)
    await session.commit()
    for page_post_id in (post_id, 4711):
        assert (await admin.get(f"/admin/accounts/{page_post_id}/")).status == 404
        assert (await save(admin, page_post_id)).status == 404
        assert (await admin.post(f"/admin/accounts/{page_post_id}/default/")).status == 404
    assert await sandbox.calls() == []


# --- what is shown ---


async def test_every_page_is_listed_with_its_account(admin: Visitor, farm: int, session: AsyncSession) -> None:
    draft = await make_page(session, title="A draft", published_at=None, sumup_merchant_code=FARM)
    lost = await make_page(session, title="Lost", sumup_merchant_code="MLOST")
    sealed = await make_page(session, title="Sealed", sumup_merchant_code="MSEALED")
    await make_account(session, name="Home <Farm>", checked_at=datetime(2026, 7, 4, 18, 30, tzinfo=UTC))
    await make_account(session, merchant_code="MSEALED", sandbox=False, credentials_key=new_key())
    await session.commit()
    page = await admin.get("/admin/accounts/")
    assert page.texts("tbody th") == ["A draft", "Lost", "Sealed", "The farm"]
    assert page.text(f"#page-{farm} td.paid-to").endswith("own account")
    assert "Home <Farm>" in page.text(f"#page-{draft} td.paid-to")
    assert "Test account, no real money" in page.text(f"#page-{draft} td.paid-to")
    assert page.text(f"#page-{draft} time") == "Sat 4 Jul 2026, 19:30"
    for broken in (lost, sealed):
        assert page.text(f"#page-{broken} .tag--bad") == "No usable key: cannot be paid"
    assert page.attribute(f"#page-{farm} a", "href") == f"/admin/accounts/{farm}/"


async def test_the_number_of_queries_does_not_depend_on_the_number_of_pages(
    admin: Visitor, farm: int, session: AsyncSession
) -> None:
    with counted_queries(every=True) as few:
        await admin.get("/admin/accounts/")
    for number in range(6):
        await make_page(session, sumup_merchant_code=f"M{number}")
        await make_account(session, merchant_code=f"M{number}")
    await session.commit()
    with counted_queries(every=True) as many:
        await admin.get("/admin/accounts/")
    assert (len(few), len(many)) == (5, 5)  # who asks, refunds; the pages, which account each has, the accounts
    with counted_queries(every=True) as one:
        await admin.get(f"/admin/accounts/{farm}/")
    assert len(one) == 5


async def test_the_form_knows_the_code_and_never_the_key(admin: Visitor, farm: int, session: AsyncSession) -> None:
    await save(admin, farm)
    page = await admin.get(f"/admin/accounts/{farm}/")
    assert page.attribute("[name=merchant_code]", "value") == FARM
    field = page.html.css_first("[name=api_key]")
    assert field is not None
    assert (field.attributes["type"], field.attributes["value"]) == ("password", "")
    assert field.attributes["autocomplete"] == "off"


async def test_a_page_without_an_account_of_its_own_offers_no_way_back(admin: Visitor, farm: int) -> None:
    page = await admin.get(f"/admin/accounts/{farm}/")
    assert page.attribute("[name=merchant_code]", "value") == ""
    assert not page.has("form[action$='/default/']")


async def test_a_page_that_cannot_be_paid_says_so(admin: Visitor, farm: int, session: AsyncSession) -> None:
    page = await session.get_one(PageConfig, 1)
    page.sumup_merchant_code = "MLOST"
    await session.commit()
    assert "Nothing of this page can be paid for" in (await admin.get(f"/admin/accounts/{farm}/")).text(".notice--bad")


# --- check and save ---


async def test_a_key_that_the_provider_knows_is_sealed_and_the_page_is_paid_to_its_account(
    admin: Visitor, farm: int, session: AsyncSession, context: PaymentContext, sandbox: SandboxControl
) -> None:
    answer = await save(admin, farm)
    assert (answer.status, answer.location) == (303, "/admin/accounts/?result=saved")
    assert "was checked" in (await admin.get(answer.location)).text(".notice--good")
    account = (await stored(session))[FARM]
    assert vault_of(context.settings).open(account.api_key_encrypted).get_secret_value() == FARM_KEY
    assert (account.name, account.currency, account.sandbox) == ("Maypole sandbox shop", "GBP", True)
    assert account.updated_by == admin.id
    assert await account_of(session, farm) == FARM
    assert await sandbox.calls() == ["account"]


async def test_a_change_is_told_in_the_journal_without_the_key(
    admin: Visitor, farm: int, session: AsyncSession
) -> None:
    await save(admin, farm)
    await admin.post(f"/admin/accounts/{farm}/default/")
    lines = await journal_of(session, farm)
    assert [(line.event, line.actor, line.data) for line in lines] == [
        ("account_set", f"user:{admin.id}", {"merchant_code": FARM}),
        ("account_set", f"user:{admin.id}", {"merchant_code": OWN}),
    ]


async def test_all_admins_and_the_seller_are_told_of_a_new_payee(
    admin: Visitor, farm: int, session: AsyncSession
) -> None:
    await session.execute(update(PageConfig).values(seller_email="ann@farm.example"))
    await grant_role(session, (await ensure_user(session, "other@maypole.example")).id, Role.ADMIN)
    await session.commit()
    email = await session.scalar(select(User.email).where(User.id == admin.id))
    await save(admin, farm)
    async with fresh(session) as now:
        mails = list(await now.scalars(select(Mail).where(Mail.kind == "security").order_by(Mail.id)))
    assert {mail.recipient for mail in mails} == {email, "other@maypole.example", "ann@farm.example"}
    assert {mail.subject for mail in mails} == {"The farm: paid to another account"}
    assert all(FARM in mail.text and str(email) in mail.text and FARM_KEY not in mail.text for mail in mails)


async def test_spaces_around_what_was_pasted_do_no_harm(admin: Visitor, farm: int, session: AsyncSession) -> None:
    assert (await save(admin, farm, f" {FARM}\n", f"\t{FARM_KEY} ")).status == 303
    assert await account_of(session, farm) == FARM


async def test_a_new_key_takes_the_place_of_the_old_one(
    admin: Visitor, farm: int, session: AsyncSession, context: PaymentContext
) -> None:
    await make_account(
        session, api_key="sup_sk_that_was_revoked", name="Old", checked_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    await session.commit()
    await save(admin, farm)
    accounts = await stored(session)
    assert list(accounts) == [FARM]
    assert vault_of(context.settings).open(accounts[FARM].api_key_encrypted).get_secret_value() == FARM_KEY
    assert accounts[FARM].name == "Maypole sandbox shop"
    assert accounts[FARM].checked_at > datetime(2026, 1, 2, tzinfo=UTC)


async def test_paying_to_the_installations_account_again_keeps_the_old_key(
    admin: Visitor, farm: int, session: AsyncSession, sandbox: SandboxControl
) -> None:
    await save(admin, farm)
    for _ in range(2):
        answer = await admin.post(f"/admin/accounts/{farm}/default/")
        assert (answer.status, answer.location) == (303, "/admin/accounts/?result=default")
    assert await account_of(session, farm) is None
    assert list(await stored(session)) == [FARM]
    assert await sandbox.calls() == ["account"]


async def test_an_address_cannot_put_words_on_the_page(admin: Visitor) -> None:
    assert not (await admin.get("/admin/accounts/?result=<b>Paid+to+Mallory</b>")).has(".notice")


# --- refusals ---


@pytest.mark.parametrize(
    ("code", "key", "field", "words"),
    [
        (FARM, "sup_sk_nobody", "api_key", "does not know this key"),
        (FARM, OWN_KEY, "merchant_code", "the key is another account's"),
        ("MNOBODY", FARM_KEY, "merchant_code", "knows no account MNOBODY"),
        (EURO, EURO_KEY, "merchant_code", "kept in EUR, and everything here is sold in GBP"),
    ],
    ids=["wrong key", "another account's key", "unknown account", "another currency"],
)
async def test_what_the_provider_does_not_confirm_is_refused_and_says_why(
    admin: Visitor, farm: int, session: AsyncSession, code: str, key: str, field: str, words: str
) -> None:
    answer = await save(admin, farm, code, key)
    assert answer.status == 422
    assert words in answer.text(f"#f-{field}-error")
    assert answer.attribute(".error-summary a", "href") == f"#f-{field}"
    assert answer.attribute("[name=merchant_code]", "value") == code
    assert answer.attribute("[name=api_key]", "value") == ""
    assert "please enter it again" in answer.text("#f-api_key-hint")
    assert (await stored(session), await account_of(session, farm)) == ({}, None)
    assert await journal_of(session, farm) == []


@pytest.mark.parametrize(
    ("code", "key", "field"),
    [
        ("", FARM_KEY, "merchant_code"),
        ("../v0.1/me", FARM_KEY, "merchant_code"),
        ("M" * 65, FARM_KEY, "merchant_code"),
        ("<b>", FARM_KEY, "merchant_code"),
        (OWN, OWN_KEY, "merchant_code"),
        (FARM, "", "api_key"),
        (FARM, "two words", "api_key"),
        (FARM, "key\r\nX-Header: 1", "api_key"),
        (FARM, "schlüssel", "api_key"),
        (FARM, "k" * 201, "api_key"),
        (FARM, "nul\0", "api_key"),
    ],
)
async def test_what_cannot_be_right_is_refused_before_anybody_is_asked(
    admin: Visitor, farm: int, sandbox: SandboxControl, code: str, key: str, field: str
) -> None:
    answer = await save(admin, farm, code, key)
    assert answer.status == 422
    assert answer.has(f"#f-{field}-error")
    assert answer.attribute("[name=merchant_code]", "value") == code
    assert await sandbox.calls() == []


async def test_an_empty_form_is_refused(admin: Visitor, farm: int) -> None:
    assert (await admin.post(f"/admin/accounts/{farm}/")).status == 422


async def test_a_provider_out_of_reach_is_told_and_nothing_is_changed(
    admin: Visitor, farm: int, session: AsyncSession, sandbox: SandboxControl
) -> None:
    await sandbox.fail_next("account", "status", status=429, headers={"Retry-After": "60"}, body="{}")
    answer = await save(admin, farm)
    assert answer.status == 503
    assert "cannot be reached right now" in answer.text(".error-summary")
    assert answer.attribute("[name=merchant_code]", "value") == FARM
    assert (await stored(session), await account_of(session, farm)) == ({}, None)


class Elsewhere(FakeGateway):
    """A provider whose key opens another account than the one that was asked for."""

    async def check_account(self, merchant_code: str) -> Account:
        return Account("MELSEWHERE", "Somebody else", "GBP", sandbox=True)


async def _try(context: PaymentContext, gateway: FakeGateway, page_post_id: int, admin: Visitor) -> None:
    await pay_page_to(
        replace(context, gateways=OneGateway(gateway)),
        page_post_id=page_post_id,
        merchant_code=FARM,
        api_key=SecretStr(FARM_KEY),
        actor_user_id=admin.id,
    )


@pytest.mark.parametrize(
    ("error", "refusal", "field"),
    [
        (AuthFailed("UNAUTHORIZED"), BadInput, "api_key"),
        (NotAllowed("FORBIDDEN"), BadInput, "api_key"),
        (GatewayNotFound("NOT_FOUND"), BadInput, "merchant_code"),
        (Rejected("INVALID", ("merchant_code",)), BadInput, "merchant_code"),
        (RateLimited(60), Unavailable, None),
        (GatewayUnavailable("no route"), Unavailable, None),
        (GatewayUnknown("the answer was lost"), Unavailable, None),
        (GatewayConflict("ODD"), Unavailable, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, GatewayError) else "",
)
async def test_every_answer_of_the_provider_but_a_yes_changes_nothing(
    context: PaymentContext,
    farm: int,
    admin: Visitor,
    session: AsyncSession,
    error: GatewayError,
    refusal: type[ShopError],
    field: str | None,
) -> None:
    gateway = FakeGateway(merchant_code=FARM)
    gateway.fail_next(error, "account")
    with pytest.raises(refusal) as caught:
        await _try(context, gateway, farm, admin)
    assert caught.value.field == field
    assert (await stored(session), await account_of(session, farm)) == ({}, None)


async def test_a_key_that_opens_another_account_is_refused(
    context: PaymentContext, farm: int, admin: Visitor, session: AsyncSession
) -> None:
    with pytest.raises(BadInput, match="belongs to the account MELSEWHERE"):
        await _try(context, Elsewhere(merchant_code=FARM), farm, admin)
    assert await stored(session) == {}


class Careless(SqlBlogService):
    """A blog that loses the page just when its account is to be set, or falls over."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def set_page_account(self, session: AsyncSession, page_post_id: int, merchant_code: str | None) -> None:
        raise self.error


async def test_both_are_written_or_neither(
    context: PaymentContext, farm: int, admin: Visitor, session: AsyncSession
) -> None:
    losing = replace(context, services=replace(context.services, blog=Careless(NotFound())))
    with pytest.raises(NotFound):
        await _try(losing, FakeGateway(merchant_code=FARM), farm, admin)
    assert await stored(session) == {}


# --- the key is nowhere ---


def told(caplog: pytest.LogCaptureFixture) -> str:
    """Return everything that was logged, with the traces and whatever came with each line."""
    lines = [caplog.text]
    for record in caplog.records:
        lines += [str(vars(record)), logging.Formatter().format(record)]
    return "\n".join(lines)


async def test_no_log_line_and_no_answer_has_the_key(
    app: Quart,
    admin: Visitor,
    farm: int,
    session: AsyncSession,
    sandbox: SandboxControl,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for noisy in ("httpx", "httpcore", "asyncio"):
        caplog.set_level(logging.DEBUG, noisy)
    keys = ["sup_sk_nobody", FARM_KEY, EURO_KEY, "sup_sk_with_ümlaut", "sup_sk with spaces"]
    client, shown = admin.client, ""
    headers = {"Origin": "http://localhost"}
    for key in keys:
        for code in (FARM, EURO, "<>"):
            answer = await client.post(f"/admin/accounts/{farm}/", headers=headers, form=form(code, key))
            shown += f"{answer.headers} {await answer.get_data(as_text=True)}"
    await sandbox.fail_next("account", "status", status=429, headers={"Retry-After": "60"}, body="{}")
    shown += await (await client.post(f"/admin/accounts/{farm}/", headers=headers, form=form())).get_data(as_text=True)
    for path in ("/admin/accounts/", f"/admin/accounts/{farm}/"):
        shown += await (await client.get(path)).get_data(as_text=True)
    shown += str([(line.event, line.data, line.why) for line in await journal_of(session, farm)])
    logged = told(caplog)
    for happened in ("sumup_refused", "page_account_set", "account_not_checked"):
        assert happened in logged
    for key in keys:
        assert key not in logged
        assert key not in shown


async def test_a_crash_while_saving_does_not_show_the_key(
    app: Quart, running: AppState, admin: Visitor, farm: int, session: AsyncSession, caplog: pytest.LogCaptureFixture
) -> None:
    context: PaymentContext = app.extensions[PAYMENT_CONTEXT]
    app.extensions[PAYMENT_CONTEXT] = replace(
        context, services=replace(context.services, blog=Careless(RuntimeError("no blog")))
    )
    caplog.set_level(logging.DEBUG)
    answer = await admin.client.post(f"/admin/accounts/{farm}/", headers={"Origin": "http://localhost"}, form=form())
    assert answer.status_code == 500
    assert "no blog" in told(caplog)
    assert FARM_KEY not in told(caplog)
    assert FARM_KEY not in await answer.get_data(as_text=True)
    assert await stored(session) == {}


# --- orders, and the accounts that they are paid to ---


async def _check_out(who: Visitor, path: str = "/checkout/") -> Answer:
    return await who.post(path, {"shown_total": "25.00"})


async def test_an_open_order_stays_with_its_account_when_the_page_moves_on(
    admin: Visitor,
    ada: Visitor,
    show: Show,
    fill_cart: FillCart,
    session: AsyncSession,
    sandbox: SandboxControl,
) -> None:
    await save(admin, show.page.id)
    await fill_cart(ada, show, 2)
    assert (await _check_out(ada)).status == 303
    [payment] = await payments_of(session, ada)

    await admin.post(f"/admin/accounts/{show.page.id}/default/")
    await sandbox.pay(str(payment.checkout_id))
    await ada.get(f"/checkout/return/{payment.return_token}/")
    session.add(
        Debt(order_id=payment.order_id, payment_id=payment.id, amount="25.00", currency="GBP", reason="goodwill")
    )
    await session.commit()
    refunded = await admin.post(f"/admin/refunds/{(await session.scalars(select(Debt.id))).one()}/")
    await fill_cart(ada, show, 2)
    assert (await _check_out(ada)).status == 303

    first, second = await payments_of(session, ada)
    assert (first.merchant_code, first.state, second.merchant_code) == (FARM, PaymentState.PAID, OWN)
    assert refunded.location == "/admin/refunds/?result=succeeded"
    at_the_provider = {each["id"]: each for each in await sandbox.checkouts()}
    assert at_the_provider[first.checkout_id]["merchant_code"] == FARM
    assert [move["amount"] for move in at_the_provider[first.checkout_id]["attempts"][0]["movements"]] == ["25.00"]
    assert at_the_provider[second.checkout_id]["merchant_code"] == OWN


@pytest.mark.parametrize("path", ["/checkout/", "/{slug}/checkout/"])
@pytest.mark.parametrize("sealed", [False, True], ids=["no account", "a key that does not open"])
async def test_a_page_whose_account_has_no_usable_key_takes_no_money_and_keeps_the_cart(
    ada: Visitor,
    show: Show,
    fill_cart: FillCart,
    session: AsyncSession,
    sandbox: SandboxControl,
    path: str,
    sealed: bool,
) -> None:
    await set_account(session, show.page, "MLOST")
    if sealed:
        await make_account(session, merchant_code="MLOST", credentials_key=new_key())
        await session.commit()
    await fill_cart(ada, show, 2)
    answer = await _check_out(ada, path.format(slug=show.page.slug))
    assert answer.status == 503
    assert "Nothing was charged" in answer.text(".notice--bad")
    assert answer.text(".line__title") == "The Tempest"
    assert await tickets_of(session, ada) == ["pending"] * 2
    assert [order.state for order in await orders_of(session, ada)] == [OrderState.FAILED]
    assert [payment.state for payment in await payments_of(session, ada)] == [PaymentState.CANCELLED]
    assert await sandbox.calls() == []


async def test_another_page_is_still_paid_for_meanwhile(
    ada: Visitor, show: Show, fill_cart: FillCart, session: AsyncSession
) -> None:
    await set_account(session, (await make_show(session, name="Hamlet")).page, "MLOST")
    await fill_cart(ada, show, 2)
    assert (await _check_out(ada)).status == 303


# --- refunds by themselves ---


async def test_a_page_may_have_its_refunds_made_by_themselves(admin: Visitor, show: Show) -> None:
    path = f"/admin/accounts/{show.page.id}/"
    assert (await admin.get(path)).has("#f-refunds-person[checked]")
    answer = await admin.post(f"{path}refunds/", {"automatic": "yes"})
    page = await admin.get(answer.location)
    assert "goes back by itself" in page.text(".notice--good")
    assert "Refunds what is owed by itself" in page.text(f"#page-{show.page.id} .paid-to")
    assert (await admin.get(path)).has("#f-refunds-automatic[checked]")
    await admin.post(f"{path}refunds/", {"automatic": "no"})
    assert (await admin.get(path)).has("#f-refunds-person[checked]")


async def test_refunds_of_a_page_that_is_none_cannot_be_chosen(admin: Visitor) -> None:
    assert (await admin.post("/admin/accounts/4711/refunds/", {"automatic": "yes"})).status == 404


@pytest.mark.parametrize(("who", "status"), [("visitor", 401), ("ada", 403)])
async def test_only_an_admin_chooses_it(people: dict[str, Visitor], show: Show, who: str, status: int) -> None:
    assert (await people[who].post(f"/admin/accounts/{show.page.id}/refunds/", {"automatic": "yes"})).status == status


# --- who is told ---


async def payee_mails(session: AsyncSession) -> list[str]:
    """Return what the mails about payees say."""
    async with fresh(session) as now:
        return list(await now.scalars(select(Mail.text).where(Mail.kind == "security").order_by(Mail.id)))


async def test_a_mail_says_from_which_account_to_which(admin: Visitor, farm: int, session: AsyncSession) -> None:
    await save(admin, farm)
    await save(admin, farm)  # the same account once more: its key alone is new
    await admin.post(f"/admin/accounts/{farm}/default/")
    first, second = await payee_mails(session)
    assert f"are paid to the account {FARM}.\nUntil then: {OWN}\n" in first
    assert f"are paid to the account {OWN}.\nUntil then: {FARM}\n" in second


ORIGIN = "http://localhost:8002"


async def test_the_security_journal_has_each_change_of_a_page_with_its_network(
    admin: Visitor, farm: int, session: AsyncSession
) -> None:
    here = {"headers": {"Origin": ORIGIN}, "scope_base": {"client": ("198.51.100.77", 1)}}
    await admin.client.post(f"/admin/accounts/{farm}/", form=form(), **here)
    for _ in range(2):  # the second time nothing changes
        await admin.client.post(f"/admin/accounts/{farm}/refunds/", form={"automatic": "yes"}, **here)
    async with fresh(session) as now:
        rows = list(await now.scalars(select(SecurityEntry).order_by(SecurityEntry.id)))
    assert [(row.event, row.user_id, row.data) for row in rows] == [
        ("payee_changed", admin.id, {"page": farm, "merchant_code": FARM}),
        ("page_changed", admin.id, {"page": farm, "automatic": True}),
    ]
    assert {row.network for row in rows} == {"198.51.100.0/24"}


# --- later, so that somebody can object ---


@pytest.fixture
def slow(app: Quart, context: PaymentContext) -> MovableClock:
    """Let a new account be used two days later; return the clock of what moves money."""
    clock = MovableClock(datetime.now(UTC))
    app.extensions[PAYMENT_CONTEXT] = replace(
        context, settings=context.settings.model_copy(update={"payee_delay_hours": 48}), clock=clock
    )
    return clock


async def paid_to(admin: Visitor, page_post_id: int) -> str:
    """Return what the overview says of a page."""
    row = (await admin.get("/admin/accounts/")).html.css_first(f"#page-{page_post_id} .paid-to")
    assert row is not None
    return " ".join(row.text().split())


async def test_a_new_account_is_used_only_after_the_delay(
    slow: MovableClock, admin: Visitor, farm: int, session: AsyncSession
) -> None:
    said = await save(admin, farm)
    assert said.location.endswith("result=later")
    assert f"on: {FARM}" in await paid_to(admin, farm)
    [mail] = await payee_mails(session)
    assert f"From {when(slow() + timedelta(hours=48), 'Europe/London')} on new orders" in mail

    for hours, code in ((47, OWN), (2, FARM)):
        slow.forward(hours=hours)
        assert await merchant_codes(session, [farm], OWN, now=slow.now) == {farm: code}


async def test_an_admin_keeps_the_account_as_it_is(
    slow: MovableClock, admin: Visitor, farm: int, session: AsyncSession
) -> None:
    await save(admin, farm)
    assert (await admin.post(f"/admin/accounts/{farm}/keep/")).location.endswith("result=kept")
    assert "on:" not in await paid_to(admin, farm)
    assert await merchant_codes(session, [farm], OWN, now=slow.now + timedelta(days=9)) == {farm: OWN}


async def test_a_change_after_a_change_counts_from_what_is_so_by_then(
    slow: MovableClock, farm: int, session: AsyncSession
) -> None:
    blog, start = SqlBlogService(), slow.now
    for number, code in enumerate((FARM, None, "MOTHER")):
        at = start + timedelta(hours=number * 10)
        await blog.plan_page_account(session, farm, code, now=at, from_at=at + timedelta(hours=5))
    hours = (24.9, 25)
    codes = [(await merchant_codes(session, [farm], OWN, now=start + timedelta(hours=hour)))[farm] for hour in hours]
    assert codes == [OWN, "MOTHER"]
