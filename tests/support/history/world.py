"""A shop of which every change of a state is watched, whatever its journal tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select, text

from cart.orders.buyer import Buyer
from shared.contracts.dtos import Checkout
from shared.db.engine import Database
from shared.db.uow import unit_of_work
from shared.models import Payment
from tests.fakes.interrupted import InterruptedGateway
from tests.support.mixed import Goods, Hall
from tests.support.shop import Shop, Show

TABLES = {
    "orders": "order",
    "payments": "payment",
    "debts": "debt",
    "refunds": "refund",
    "calendar_entries": "entry",
    "tickets": "ticket",
    "stock_allocations": "stock",
}
WATCH = """
CREATE TABLE watched (
    id bigint GENERATED ALWAYS AS IDENTITY, thing text, thing_id bigint, order_id bigint, change text);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    row jsonb := to_jsonb(NEW);
    was jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) END;
    its_order bigint := coalesce(row ->> 'order_id', was ->> 'order_id')::bigint;
BEGIN
    IF TG_ARGV[0] = 'order' THEN
        its_order := NEW.id;
    ELSIF TG_ARGV[0] = 'refund' THEN
        SELECT p.order_id INTO its_order FROM payments p WHERE p.id = (row ->> 'payment_id')::bigint;
    END IF;
    IF its_order IS NOT NULL AND was ->> 'state' IS DISTINCT FROM row ->> 'state' THEN
        INSERT INTO watched (thing, thing_id, order_id, change)
        VALUES (TG_ARGV[0], NEW.id, its_order, coalesce(was ->> 'state', 'new') || '>' || (row ->> 'state'));
    END IF;
    RETURN NULL;
END $$;
"""
WATCHES = [
    f"CREATE TRIGGER watch AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION watch('{thing}')"
    for table, thing in TABLES.items()
]


class Killed(Exception):
    """The app stopped in the middle of something."""


async def die() -> None:
    raise Killed


class QuietGateway(InterruptedGateway):
    """A provider that can keep to itself which transaction paid a checkout."""

    names_transactions = True

    async def get(self, checkout_id: str) -> Checkout:
        checkout = await super().get(checkout_id)
        return checkout if self.names_transactions else replace(checkout, transaction_id=None, transaction_code=None)


@dataclass(slots=True)
class World:
    """One buyer, a ticket, an hour and a jar, and somebody who decides."""

    shop: Shop
    gateway: QuietGateway
    show: Show
    goods: Goods
    hall: Hall
    buyer: Buyer
    admin: int
    total: Decimal = Decimal(0)

    async def payment(self) -> Payment:
        """Return the newest payment."""
        async with unit_of_work(self.shop.context.database) as uow:
            return (await uow.session.scalars(select(Payment).order_by(Payment.id.desc()).limit(1))).one()

    async def checkout(self) -> Checkout:
        """Return its checkout, even where we do not know it."""
        found = await self.gateway.find((await self.payment()).checkout_reference)
        assert found is not None
        return found


Step = Callable[[World], Awaitable[object]]


async def watch(owner: Database) -> None:
    """Have every change of a state in this database written down."""
    async with owner.engine.begin() as connection:
        for statement in (*WATCH.strip().split(";\n", 1), *WATCHES):
            await connection.execute(text(statement))
