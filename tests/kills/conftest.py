"""The processes that handle money, killed without a word (SIGKILL) at the worst moments, and started again.

Where a process stands is not told by the process: the sandbox is slow, or the test holds a row that the next step needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from cart.app import create_app
from shared.contracts.states import Role
from shared.db.uow import unit_of_work
from shared.models import Debt, Mail, Order, Payment, PaymentNotice, Refund, Ticket
from shared.services.identity import ensure_user, start_session
from shared.web.state import EXTENSION, AppState
from tests.factories.calendar import make_calendar, make_entry, make_type
from tests.factories.users import make_user
from tests.support.postgres import TestPostgres
from tests.support.sandbox import SandboxControl
from tests.support.site import Site, wait_until

NEEDED = ("sandbox", "cart", "worker")
TOTAL = "25.00"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in at the cart app."""

    id: int
    client: httpx.AsyncClient


@dataclass(slots=True)
class Trial:
    """One shopper with two tickets in the cart, and the processes that are to be killed."""

    site: Site
    sandbox: SandboxControl
    shopper: Person
    entry_id: int

    # --- what people do ---

    def press(self, path: str, body: dict[str, str] | None = None) -> asyncio.Task[Any]:
        """Send a form, and do not wait: the process that is to answer is about to die."""
        return asyncio.get_running_loop().create_task(post(self.site, self.shopper, path, body))

    async def check_out(self) -> str:
        """Press the button of the cart and return where that leads."""
        answer = await post(self.site, self.shopper, "/checkout/", {"shown_total": TOTAL})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def press_as(self, person: Person, path: str) -> asyncio.Task[Any]:
        """Let somebody else send a form, and do not wait."""
        return asyncio.get_running_loop().create_task(post(self.site, person, path))

    async def buy(self) -> Payment:
        """Check out and pay; nobody comes back from the payment."""
        await self.check_out()
        return await self.pay()

    async def pay(self) -> Payment:
        """Pay at the provider."""
        payment = await self.payment()
        assert payment.checkout_id is not None
        await self.sandbox.pay(payment.checkout_id)
        return payment

    def come_back(self, payment: Payment) -> asyncio.Task[Any]:
        """Open the page that the provider leads back to, and do not wait."""
        address = self.site.url("cart", f"/checkout/return/{payment.return_token}/")
        return asyncio.get_running_loop().create_task(self.shopper.client.get(address))

    # --- what is held, so that a process stands still ---

    @asynccontextmanager
    async def holding(self, rows: Select[Any]) -> AsyncIterator[AsyncSession]:
        """Hold rows, so that whoever wants to change them waits; let them go at the end of the block."""
        async with self.site.database.sessions() as session:
            await session.execute(rows.with_for_update())
            yield session
            await session.rollback()

    async def somebody_waits(self) -> bool:
        """Tell whether a process waits for a row that is held."""
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(await self._scalar(waiting))

    async def was_called(self, operation: str, times: int = 1) -> None:
        """Wait until the provider was asked for something."""

        async def asked() -> bool:
            return len(await self.sandbox.calls(operation)) >= times

        await wait_until(asked, f"{operation} was asked for")

    async def die(self, name: str, pressed: asyncio.Task[Any] | None = None) -> None:
        """Kill a process, and see its caller get no answer."""
        self.site.kill(name)
        if pressed is not None:
            with suppress(httpx.HTTPError):
                await pressed

    # --- how it is ---

    async def order(self) -> Order | None:
        """Return the shopper's newest order, if there is one."""
        return await self._scalar(select(Order).where(Order.user_id == self.shopper.id).order_by(Order.id.desc()))

    async def payment(self) -> Payment:
        """Return the newest attempt to pay."""
        found = await self._scalar(
            select(Payment).join(Payment.order).where(Order.user_id == self.shopper.id).order_by(Payment.id.desc())
        )
        assert isinstance(found, Payment)
        return found

    async def tickets(self) -> list[str]:
        """Return the states of the shopper's tickets."""
        async with unit_of_work(self.site.database) as uow:
            mine = select(Ticket.state).where(Ticket.user_id == self.shopper.id).order_by(Ticket.id)
            return list(await uow.session.scalars(mine))

    async def paid_checkouts(self) -> list[dict[str, Any]]:
        """Return the shopper's checkouts that the provider has taken money for."""
        return [each for each in await self._checkouts() if each["status"] == "PAID"]

    async def payable_checkouts(self) -> list[dict[str, Any]]:
        """Return the shopper's checkouts that can still be paid."""
        return [each for each in await self._checkouts() if each["status"] in {"PENDING", "FAILED"}]

    async def _checkouts(self) -> list[dict[str, Any]]:
        async with unit_of_work(self.site.database) as uow:
            mine = select(Payment.checkout_reference).join(Payment.order).where(Order.user_id == self.shopper.id)
            references = set(await uow.session.scalars(mine))
        return [each for each in await self.sandbox.checkouts() if each["reference"] in references]

    async def hurry(self) -> None:
        """Let everything of the shopper's be due a look now: the tests do not wait for the worker's own pace."""
        async with unit_of_work(self.site.database) as uow:
            mine = select(Payment.id).join(Payment.order).where(Order.user_id == self.shopper.id)
            for model, key in ((Payment, Payment.id), (Refund, Refund.payment_id)):
                due = update(model).where(key.in_(mine), model.next_check_at.is_not(None))
                await uow.session.execute(due.values(next_check_at=datetime.now(UTC)))
            await uow.commit()

    async def becomes(self, condition: Any, what: str) -> None:
        """Wait until the worker has made it so."""

        async def so() -> bool:
            await self.hurry()
            return bool(await condition())

        await wait_until(so, what)

    async def is_bought(self) -> bool:
        """Tell whether the order is paid and its tickets are there."""
        order = await self.order()
        return order is not None and order.state == "paid" and await self.tickets() == ["confirmed", "confirmed"]

    async def is_released(self) -> bool:
        """Tell whether the tickets are back in the cart, and hold no seats."""
        return await self.tickets() == ["pending", "pending"]

    async def is_noticed(self) -> bool:
        """Tell whether the provider's notice was stored."""
        payment = await self.payment()
        return bool(await self._scalar(select(PaymentNotice.id).where(PaymentNotice.payment_id == payment.id)))

    async def refund_is(self, debt_id: int, state: str) -> bool:
        """Tell whether the newest refund of a debt is in this state."""
        refund = await self._scalar(select(Refund).where(Refund.debt_id == debt_id).order_by(Refund.id.desc()))
        return refund is not None and refund.state == state

    async def make_older(self, *, minutes: int) -> None:
        """Let the newest order and its attempt have been made so many minutes before."""
        order, by = await self.order(), timedelta(minutes=minutes)
        assert order is not None
        async with unit_of_work(self.site.database) as uow:
            older = {"created_at": Order.created_at - by, "expires_at": Order.expires_at - by}
            await uow.session.execute(update(Order).where(Order.id == order.id).values(older))
            older = {"created_at": Payment.created_at - by, "valid_until": Payment.valid_until - by}
            await uow.session.execute(update(Payment).where(Payment.order_id == order.id).values(older))
            await uow.commit()

    async def make_refund_older(self, debt_id: int, *, minutes: int) -> None:
        """Let the refund of a debt have been asked for so many minutes before."""
        async with unit_of_work(self.site.database) as uow:
            older = update(Refund).where(Refund.debt_id == debt_id)
            await uow.session.execute(older.values(created_at=Refund.created_at - timedelta(minutes=minutes)))
            await uow.commit()

    async def sees_it_bought_once(self) -> None:
        """See the end of every way: one order, paid once, two tickets with seats, one mail."""
        await self.becomes(self.is_bought, "the order is paid and has its tickets")
        await wait_until(self._is_told, "the buyer is told")
        async with unit_of_work(self.site.database) as uow:
            orders = list(await uow.session.scalars(select(Order).where(Order.user_id == self.shopper.id)))
            mails = select(func.count()).select_from(Mail).where(Mail.key == f"order-paid:{orders[0].id}")
            assert [order.state for order in orders] == ["paid"]
            assert await uow.session.scalar(mails) == 1
        assert len(await self.paid_checkouts()) == 1
        assert await self.payable_checkouts() == []

    async def _is_told(self) -> bool:
        order = await self.order()
        assert order is not None
        return bool(await self._scalar(select(Mail.id).where(Mail.key.startswith(f"order-paid:{order.id}"))))

    async def owe(self, amount: str = "12.50") -> int:
        """Owe a part of the payment back, as an admin decides; return the debt's id."""
        payment = await self.payment()
        async with unit_of_work(self.site.database) as uow:
            debt = Debt(
                order_id=payment.order_id,
                payment_id=payment.id,
                amount=Decimal(amount),
                currency=payment.currency,
                reason="goodwill",
            )
            uow.session.add(debt)
            await uow.session.flush()
            await uow.commit()
            return debt.id

    async def refunded_so_far(self) -> list[str]:
        """Return the amounts that the provider has refunded of the shopper's payments."""
        attempts = [attempt for each in await self._checkouts() for attempt in each["attempts"]]
        moves = [move for attempt in attempts for move in attempt["movements"]]
        return [str(move["amount"]) for move in moves if move["event_type"] == "REFUND"]

    async def _scalar(self, statement: Any) -> Any:
        async with unit_of_work(self.site.database) as uow:
            return (
                await uow.session.execute(statement.limit(1) if isinstance(statement, Select) else statement)
            ).scalar()


@pytest.fixture(scope="session")
async def site(postgres: TestPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Give the sandbox, the cart app and the worker, running."""
    async with postgres.clean_database() as urls:
        started = Site(urls, tmp_path_factory.mktemp("site"))
        try:
            await started.start(*NEEDED)
            yield started
        finally:
            await started.end()


@pytest.fixture(autouse=True)
async def _whole(site: Site) -> AsyncIterator[None]:
    """Start whatever a test has killed and left, and fail a test during which a process has logged an error."""
    site.new_complaints()
    yield
    missing = [name for name in NEEDED if not site.is_running(name)]
    if missing:
        await site.start(*missing)
    complaints = site.new_complaints()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
async def trial(site: Site) -> AsyncIterator[Trial]:
    """Give somebody with two tickets at 12.50 in the cart."""
    async with unit_of_work(site.database) as uow:
        entry = await make_entry(uow.session, await make_calendar(uow.session), capacity=2)
        kind = await make_type(uow.session, entry, cost="12.50")
        user = await ensure_user(uow.session, f"kill.{next(_numbers)}@maypole.example")
        uow.session.add_all(Ticket(entry_id=entry.id, ticket_type_id=kind.id, user_id=user.id) for _ in range(2))
        await uow.commit()
    async with httpx.AsyncClient(trust_env=False) as steering, signed_in(site, user.id) as shopper:
        sandbox = SandboxControl(site.settings.sumup_origin, steering)
        await sandbox.reset()
        yield Trial(site, sandbox, shopper, entry.id)


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[Person]:
    """Give an admin."""
    async with unit_of_work(site.database) as uow:
        user = await make_user(uow.session, email=f"admin.{next(_numbers)}@maypole.example", roles=(Role.ADMIN,))
        await uow.commit()
    async with signed_in(site, user.id) as person:
        yield person


@asynccontextmanager
async def signed_in(site: Site, user_id: int) -> AsyncIterator[Person]:
    """Give a browser's connection that somebody is signed in on."""
    app = create_app(site.settings)
    state: AppState = app.extensions[EXTENSION]
    async with unit_of_work(site.database) as uow:
        made = await start_session(uow.session, user_id=user_id, now=datetime.now(UTC), days=1)
        await uow.commit()
    cookies = {str(state.auth.cookie_name): state.auth.dump_token(made.token, app=app)}
    async with httpx.AsyncClient(trust_env=False, cookies=cookies, timeout=30) as client:
        yield Person(user_id, client)


def post(site: Site, person: Person, path: str, body: dict[str, str] | None = None) -> Awaitable[httpx.Response]:
    """Send a form to the cart app as one of its pages would."""
    origin = site.url("cart", "")
    return person.client.post(origin + path, data=body or {}, headers={"Origin": origin})
