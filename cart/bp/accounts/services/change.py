"""Have a page paid to another account: ask the provider with that very key, then write both in one commit.

The account that was paid before keeps its row and its key: what was paid to it is still settled and refunded there. An
order stays with the account that it was placed for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cart.payments.page_config import merchant_codes
from cart.wiring import PaymentContext
from shared.contracts.dtos import Account
from shared.contracts.errors import (
    AuthFailed,
    BadInput,
    GatewayError,
    GatewayNotFound,
    NotAllowed,
    NotFound,
    Rejected,
    Unavailable,
)
from shared.contracts.journal import JournalEvent, JournalThing, SecurityEvent
from shared.db.uow import unit_of_work
from shared.mail.security import tell_of_payee
from shared.models import PaymentAccount, User
from shared.payments.vault import vault_of
from shared.services.journal import record, user_actor
from shared.services.security import note_security

OWN_ACCOUNT = "This is the installation's own account. A page that has no other account is paid to it, without a key."
WRONG_KEY = "The payment provider does not know this key. Please copy it from its dashboard once more."
OUT_OF_REACH = (
    "The payment provider cannot be reached right now, so the key could not be checked. Nothing was changed;"
    " please try again in a few minutes."
)
_log = structlog.get_logger("maypole.accounts")


@dataclass(frozen=True, slots=True)
class _Admin:
    """Who changes a page's settings, and from which address."""

    user_id: int
    address: str | None = None

    async def note(self, session: AsyncSession, event: SecurityEvent, data: dict[str, object]) -> None:
        """Write down in the security journal what they did."""
        await note_security(session, event, user_id=self.user_id, address=self.address, data=data)


async def pay_page_to(
    context: PaymentContext,
    *,
    page_post_id: int,
    merchant_code: str,
    api_key: SecretStr,
    actor_user_id: int,
    address: str | None = None,
) -> datetime | None:
    """Have a page paid to an account of its own, once the provider says that the key opens it.

    Returns from when on (``PAYEE_DELAY_HOURS``); None: from now on.

    Raises NotFound, BadInput with the field that is wrong, or Unavailable where the provider cannot be asked; then
    nothing was changed. ``address`` is the client's. Safe to repeat: a key that is stored already is replaced.
    """
    # Its key is in the settings: a second one in the table could differ from it.
    if merchant_code == context.settings.sumup_merchant_code:
        raise BadInput(OWN_ACCOUNT, field="merchant_code")
    # Before the provider is asked: no call about a page that is not there.
    await _require_page(context, page_post_id)
    # With the new key, before anything is stored: a wrong one would stop the page's sale.
    account = await _check(context, merchant_code, api_key)
    async with unit_of_work(context.database) as uow:
        await _keep(uow.session, context, account, api_key, actor_user_id)
        by = _Admin(actor_user_id, address)
        from_at = await _point(uow.session, context, page_post_id, account.merchant_code, by)
        await uow.commit()
    _log.info("page_account_set", page_post_id=page_post_id, merchant_code=account.merchant_code)
    return from_at


async def pay_page_to_default(
    context: PaymentContext, *, page_post_id: int, actor_user_id: int, address: str | None = None
) -> datetime | None:
    """Have a page paid to the installation's own account again; return from when on, None: from now on.

    Raises NotFound. Safe to repeat.
    """
    async with unit_of_work(context.database) as uow:
        from_at = await _point(uow.session, context, page_post_id, None, _Admin(actor_user_id, address))
        await uow.commit()
    _log.info("page_account_set", page_post_id=page_post_id, merchant_code=context.settings.sumup_merchant_code)
    return from_at


async def keep_page_account(
    context: PaymentContext, *, page_post_id: int, actor_user_id: int, address: str | None = None
) -> None:
    """Have a page stay with the account that it is paid to now, whatever was planned. Safe to repeat.

    Raises NotFound.
    """
    default, now = context.settings.sumup_merchant_code, context.clock()
    async with unit_of_work(context.database) as uow:
        code = (await merchant_codes(uow.session, [page_post_id], default, now=now))[page_post_id]
        own = None if code == default else code
        await _point(uow.session, context, page_post_id, own, _Admin(actor_user_id, address))
        await uow.commit()


async def refund_page_automatically(
    context: PaymentContext, *, page_post_id: int, automatic: bool, actor_user_id: int, address: str | None = None
) -> None:
    """Say whether what is owed to a page's buyers goes back by itself. Raises NotFound. Safe to repeat."""
    async with unit_of_work(context.database) as uow:
        changed = await context.services.blog.set_automatic_refunds(uow.session, page_post_id, automatic=automatic)
        # Saying the same again is no event.
        if changed:
            await record(
                uow.session,
                thing=JournalThing.PAGE,
                thing_id=page_post_id,
                event=JournalEvent.REFUNDS_SET,
                actor=user_actor(actor_user_id),
                data={"automatic": automatic},
            )
            by = _Admin(actor_user_id, address)
            await by.note(uow.session, SecurityEvent.PAGE_CHANGED, {"page": page_post_id, "automatic": automatic})
        await uow.commit()


async def _require_page(context: PaymentContext, page_post_id: int) -> None:
    """Raise NotFound where there is no such page: then nobody has to be asked about a key."""
    async with unit_of_work(context.database) as uow:
        if not await context.services.blog.pages_by_id(uow.session, [page_post_id]):
            raise NotFound


async def _check(context: PaymentContext, merchant_code: str, api_key: SecretStr) -> Account:
    """Ask the provider for the account with exactly this key, and see that it is the one that is wanted."""
    account = await _ask(context, merchant_code, api_key)
    if account.merchant_code != merchant_code:
        raise BadInput(f"This key belongs to the account {account.merchant_code}, not to this one.", field="api_key")
    # A checkout in another currency than the account's would be refused, order by order.
    if account.currency != context.settings.currency:
        raise BadInput(
            f"The account {merchant_code} is kept in {account.currency}, and everything here is sold in"
            f" {context.settings.currency}. Please use an account in {context.settings.currency}.",
            field="merchant_code",
        )
    return account


async def _ask(context: PaymentContext, merchant_code: str, api_key: SecretStr) -> Account:
    try:
        return await context.gateways.with_key(api_key).check_account(merchant_code)
    except AuthFailed as error:
        raise BadInput(WRONG_KEY, field="api_key") from error
    except NotAllowed as error:
        raise BadInput(f"This key may not use the account {merchant_code}.", field="api_key") from error
    # SumUp answers both for a code that the key does not open.
    except (GatewayNotFound, Rejected) as error:
        raise BadInput(
            f"With this key the payment provider knows no account {merchant_code}: the code is mistyped, or the key"
            " is another account's.",
            field="merchant_code",
        ) from error
    except GatewayError as error:
        _log.warning("account_not_checked", merchant_code=merchant_code, error=type(error).__name__)
        raise Unavailable(OUT_OF_REACH) from error


async def _keep(
    session: AsyncSession, context: PaymentContext, account: Account, api_key: SecretStr, actor_user_id: int
) -> None:
    """Store an account with its key sealed; one that is known gets the new key."""
    values = {
        # Sealed before it reaches the session: a statement that is logged shows nothing.
        "api_key_encrypted": vault_of(context.settings).seal(api_key),
        "name": account.name,
        "currency": account.currency,
        "sandbox": account.sandbox,
        "checked_at": context.clock(),
        "updated_by": actor_user_id,
    }
    row = insert(PaymentAccount).values(merchant_code=account.merchant_code, **values)
    await session.execute(row.on_conflict_do_update(index_elements=[PaymentAccount.merchant_code], set_=values))


async def _point(
    session: AsyncSession, context: PaymentContext, page_post_id: int, merchant_code: str | None, by: _Admin
) -> datetime | None:
    """Have the page paid to an account, and tell of it; return from when on, None: from now on."""
    now, default = context.clock(), context.settings.sumup_merchant_code
    before = (await merchant_codes(session, [page_post_id], default, now=now))[page_post_id]
    paid_to = merchant_code or default
    delay = timedelta(hours=context.settings.payee_delay_hours)
    # To stay with an account needs no time in which somebody could object.
    from_at = now + delay if delay and paid_to != before else None
    said: dict[str, object] = {"merchant_code": paid_to}
    if from_at is None:
        await context.services.blog.set_page_account(session, page_post_id, merchant_code)
    else:
        await context.services.blog.plan_page_account(session, page_post_id, merchant_code, now=now, from_at=from_at)
    await by.note(session, SecurityEvent.PAYEE_CHANGED, {"page": page_post_id, "merchant_code": paid_to})
    # The same account again has a new key; the money goes where it went.
    if before != paid_to:
        await _tell_of_payee(session, context, page_post_id, (before, paid_to), from_at, by)
    await record(
        session,
        thing=JournalThing.PAGE,
        thing_id=page_post_id,
        event=JournalEvent.ACCOUNT_SET,
        actor=user_actor(by.user_id),
        data=said if from_at is None else said | {"from": from_at.isoformat()},
    )
    return from_at


async def _tell_of_payee(
    session: AsyncSession,
    context: PaymentContext,
    page_post_id: int,
    codes: tuple[str, str],
    from_at: datetime | None,
    by: _Admin,
) -> None:
    """Tell the admins and the seller: whoever can change a payee can take a page's money."""
    page = (await context.services.blog.pages_by_id(session, [page_post_id]))[page_post_id]
    email = await session.scalar(select(User.email).where(User.id == by.user_id))
    await tell_of_payee(
        session,
        context.settings,
        page=page.title,
        seller_email=page.seller_email,
        before=codes[0],
        after=codes[1],
        from_at=from_at,
        by=email or "somebody who was forgotten",
    )
