"""Shoppers, an admin, the worker, the clock, the provider and the network act in any order, and no penny is lost.

After every step the audit holds, and the provider has refunded no more than is owed. In the end, once the network
has healed, time has passed and the worker has made its rounds, nothing is left open (docs/money.md, promises 1 to 11, 13).

``MAYPOLE_STEPS=20000 ./test long -k state_machine -s`` makes so many steps, from a seed that it prints;
``MAYPOLE_SEED`` makes the same ones again, there and in ``./test``.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from secrets import randbits
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.contracts.dtos import MovementStatus
from shared.db.engine import Database
from shared.settings import Settings
from tests.fakes.gateway_trouble import Race
from tests.support.bazaar import IN_THE_END, Bazaar, Paying, RefundWish, Trouble, Verdict, Wish, empty, open_bazaar
from tests.support.postgres import Urls

STEPS_OF_ONE_RUN = 40
SHORT_RUNS = 28
"""About a minute, and there are two such tests, which run beside each other."""
Result = TypeVar("Result")


class Told(StrEnum):
    """How the shop hears of a payment."""

    NOT_EVEN_PAID = "not even paid"
    NOT_AT_ALL = "not at all"
    BY_RETURN = "by the browser's return"
    BY_A_CALL = "by a webhook"
    BY_TWO_CALLS = "by the same webhook twice"
    AND_KILLED = "by return, and the app is killed between its two commits"


users, everybody, which = st.integers(0, 1), st.integers(0, 2), st.integers(0, 3)
operations = st.sampled_from(["create", "get", "find", "cancel", "transaction", "refund", "history"])
payings = st.sampled_from(
    [*[Paying.IN_TIME] * 5, *[Paying.TOO_LATE] * 5, Paying.DECLINED, *[Paying.ANOTHER_AMOUNT] * 2, *[Paying.TWICE] * 2]
)
tellings = st.sampled_from([*[Told.NOT_EVEN_PAID] * 4, *[Told.BY_RETURN] * 3, *Told])
of_refunds = st.sampled_from(
    [None, Trouble.ANSWER_LOST, Trouble.REQUEST_LOST, Trouble.KILLED_BEFORE, Trouble.KILLED_AFTER, Trouble.STALE]
)
wishes = st.sampled_from(
    [
        Wish(tickets=1),
        Wish(tickets=2),
        Wish(tickets=3),
        Wish(jars=1),
        Wish(jars=2),
        Wish(hour=0),
        Wish(hour=1),
        Wish(2, 1, 0),
    ]
)


@dataclass
class Ground:
    """Where bazaars are held, one after the other, and how much has happened on it."""

    loop: asyncio.AbstractEventLoop
    database: Database
    owner: Database
    settings: Settings
    steps: Counter[str] = field(default_factory=Counter)
    runs: int = 0

    def run(self, doing: Awaitable[Result]) -> Result:
        return self.loop.run_until_complete(doing)

    def close(self) -> None:
        for database in (self.database, self.owner):
            self.run(database.dispose())
        self.loop.close()


def there_is(what: str) -> Callable[[Everything], bool]:
    """Let nobody act on what there is none of."""
    return lambda machine: what in machine.there_is


class Everything(RuleBasedStateMachine):
    """All that may happen."""

    bazaar: Bazaar

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.there_is: set[str] = set()

    def do(self, doing: Awaitable[object]) -> None:
        self.ground.steps["steps"] += 1
        self.ground.run(doing)

    @initialize()
    def open(self) -> None:
        self.ground.runs += 1
        self.ground.run(empty(self.ground.owner))
        self.bazaar = self.ground.run(open_bazaar(self.ground.database, self.ground.settings))

    # --- shoppers ---

    @rule(who=everybody, wish=wishes)
    def fill(self, who: int, wish: Wish) -> None:
        self.do(self.bazaar.fill(who, wish))

    @rule(who=everybody, wish=wishes, how=payings, told=tellings)
    def buy(self, who: int, wish: Wish, how: Paying, told: Told) -> None:
        self.do(self.bazaar.empty_cart(who))
        self.do(self.bazaar.fill(who, wish))
        self.do(self.bazaar.check_out(who))
        if told is not Told.NOT_EVEN_PAID:
            self.bazaar.pay(0, how)
            self.tell(0, told)

    @precondition(there_is("orders"))
    @rule(which=which, how=payings, told=tellings)
    def pay(self, which: int, how: Paying, told: Told) -> None:
        self.bazaar.pay(which, how)
        self.tell(which, told)

    @rule(who=everybody, wish=wishes, other=everybody, wish_of_other=wishes, told=tellings)
    def pay_after_somebody_else(self, who: int, wish: Wish, other: int, wish_of_other: Wish, told: Told) -> None:
        """Let an order lapse, somebody (else, or the same buyer) buy meanwhile, and its money come after that."""
        self.buy(who, wish, Paying.IN_TIME, Told.NOT_EVEN_PAID)
        self.wait(31, worker=True)
        self.buy(other, wish_of_other, Paying.IN_TIME, Told.BY_RETURN)
        self.pay(1, Paying.TOO_LATE, told)

    @rule(who=everybody, wish=wishes)
    def change_one_s_mind(self, who: int, wish: Wish) -> None:
        self.buy(who, wish, Paying.IN_TIME, Told.NOT_EVEN_PAID)
        self.do(self.bazaar.put_back(0))

    @rule(who=everybody, wish=wishes, part=st.sampled_from(RefundWish), trouble=of_refunds)
    def buy_and_get_some_back(self, who: int, wish: Wish, part: RefundWish, trouble: Trouble | None) -> None:
        self.buy(who, wish, Paying.IN_TIME, Told.BY_RETURN)
        self.refund_lines(0, part, trouble)

    def tell(self, which: int, told: Told) -> None:
        match told:
            case Told.BY_RETURN:
                self.do(self.bazaar.come_back(which))
            case Told.BY_A_CALL | Told.BY_TWO_CALLS:
                self.do(self.bazaar.call(which, 2 if told is Told.BY_TWO_CALLS else 1))
            case Told.AND_KILLED:
                self.do(self.bazaar.die_after_recording(which))

    @precondition(there_is("unpaid orders"))
    @rule(which=which)
    def go_on(self, which: int) -> None:
        self.do(self.bazaar.go_on(which))

    @precondition(there_is("unpaid orders"))
    @rule(which=which)
    def put_back(self, which: int) -> None:
        self.do(self.bazaar.put_back(which))

    @rule(who=everybody)
    def check_out(self, who: int) -> None:
        self.do(self.bazaar.check_out(who))

    @rule(who=everybody)
    def empty_cart(self, who: int) -> None:
        self.do(self.bazaar.empty_cart(who))

    @rule(who=users)
    def sign_in(self, who: int) -> None:
        self.do(self.bazaar.sign_in(who))

    # --- the provider and the network ---

    @rule(trouble=st.sampled_from(Trouble), operation=operations)
    def make_trouble(self, trouble: Trouble, operation: str) -> None:
        self.bazaar.make_trouble(trouble, operation)

    @rule(hold=st.booleans(), reason=st.sampled_from(["", "", "Not enough balance"]))
    def treat_refunds(self, hold: bool, reason: str) -> None:
        self.bazaar.gateway.hold_refunds(hold=hold)
        self.bazaar.gateway.refuse_refunds(reason)

    @precondition(there_is("open refunds"))
    @rule(status=st.sampled_from([MovementStatus.DONE, MovementStatus.VOID]))
    def decide_refunds(self, status: MovementStatus) -> None:
        self.bazaar.decide_refunds(status)

    @precondition(there_is("unpaid orders"))
    @rule(which=which, order=st.sampled_from(["payment_first", "payment_last"]))
    def race(self, which: int, order: Race) -> None:
        self.bazaar.race(which, order)

    @precondition(there_is("payments"))
    @rule(which=which, chargeback=st.booleans(), whole=st.booleans())
    def move_elsewhere(self, which: int, chargeback: bool, whole: bool) -> None:
        self.bazaar.move_elsewhere(which, chargeback=chargeback, whole=whole)

    # --- admins, the worker, the clock ---

    @precondition(there_is("payments"))
    @rule(which=which, wish=st.sampled_from(RefundWish), trouble=of_refunds)
    def refund_lines(self, which: int, wish: RefundWish, trouble: Trouble | None) -> None:
        if trouble is not None:
            self.bazaar.make_trouble(trouble, "refund")
        self.do(self.bazaar.refund_lines(which, wish))

    @precondition(there_is("payments in review"))
    @rule(which=which, verdict=st.sampled_from(Verdict))
    def review(self, which: int, verdict: Verdict) -> None:
        self.do(self.bazaar.review(which, verdict))

    @precondition(there_is("debts"))
    @rule(which=which)
    def settle_by_hand(self, which: int) -> None:
        self.do(self.bazaar.settle_by_hand(which))

    @precondition(there_is("payments"))
    @rule(which=which)
    def cancel(self, which: int) -> None:
        self.do(self.bazaar.cancel(which))

    @precondition(there_is("payments"))
    @rule()
    def walk(self) -> None:
        self.do(self.bazaar.walk())

    @rule()
    def bring_more(self) -> None:
        self.do(self.bazaar.bring_more())

    @precondition(there_is("debts"))
    @rule(
        which=which,
        times=st.integers(1, 2),
        trouble=of_refunds,
        operation=st.sampled_from(["refund", "refund", "transaction"]),
    )
    def refund(self, which: int, times: int, trouble: Trouble | None, operation: str) -> None:
        if trouble is not None:
            self.bazaar.make_trouble(trouble, operation)
        for _ in range(times):
            self.do(self.bazaar.refund(which))

    @precondition(there_is("waiting bookings"))
    @rule(which=which, approved=st.booleans())
    def decide(self, which: int, approved: bool) -> None:
        self.do(self.bazaar.decide(which, approved=approved))

    @rule(minutes=st.sampled_from([31, 31, 31, 11, 1, 3 * 24 * 60]), worker=st.sampled_from([True, True, True, False]))
    def wait(self, minutes: int, worker: bool) -> None:
        self.bazaar.wait(minutes)
        if worker:
            self.do(self.bazaar.work())

    @rule()
    def forget_sessions(self) -> None:
        self.bazaar.wait(31 * 24 * 60)
        self.do(self.bazaar.forget())

    # --- what holds ---

    @invariant()
    def every_promise_holds(self) -> None:
        assert self.ground.run(self.bazaar.wrong()) == []
        assert self.ground.run(self.bazaar.refunded_so_far_too_much()) == []
        assert self.ground.run(self.bazaar.payable_though_released("expired")) == []
        self.there_is = self.ground.run(self.bazaar.there_is())

    def teardown(self) -> None:
        if not hasattr(self, "bazaar"):
            return
        self.ground.run(self.bazaar.come_to_an_end())
        assert self.ground.run(self.bazaar.wrong(IN_THE_END)) == []
        assert self.ground.run(self.bazaar.left_open()) == []


@pytest.fixture
def ground(database_urls: Urls, settings: Settings) -> Iterator[Ground]:
    """Give a database of its own, and a loop for it."""
    app, owner = (Database(url, pool_size=5, settings=settings) for url in (database_urls.app, database_urls.owner))
    made = Ground(asyncio.new_event_loop(), app, owner, settings)
    yield made
    made.close()


def go_through(ground: Ground, *, runs: int, number: int) -> None:
    """Hold so many bazaars; for one number always the same ones."""
    machine: Callable[[], Everything] = partial(Everything, ground)
    run_state_machine_as_test(seed(number)(machine), settings=settings_of(runs))


def settings_of(runs: int) -> settings:
    return settings(
        max_examples=runs,
        stateful_step_count=STEPS_OF_ONE_RUN,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def a_number(name: str) -> int | None:
    return int(os.environ[name]) if os.environ.get(name) else None


@pytest.mark.parametrize("number", [20_261_122, 20_261_126], ids=["first", "second"])
def test_whatever_happens_in_whatever_order_no_penny_is_lost(ground: Ground, number: int) -> None:
    go_through(ground, runs=SHORT_RUNS, number=a_number("MAYPOLE_SEED") or number)
    assert ground.steps["steps"] > 0


@pytest.mark.long
def test_nor_in_as_many_steps_as_one_likes(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    number = a_number("MAYPOLE_SEED") or randbits(32)
    runs = max(1, (a_number("MAYPOLE_STEPS") or 20_000) // STEPS_OF_ONE_RUN)
    try:
        go_through(ground, runs=runs, number=number)
    finally:
        with capsys.disabled():
            print(f"\n{ground.steps['steps']:,} steps in {ground.runs:,} runs, MAYPOLE_SEED={number}")  # noqa: T201 - how it is made again
