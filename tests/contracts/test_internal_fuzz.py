"""schemathesis against the internal API of each app: what its document says, its answers keep, whatever is asked.

Deterministic: the same requests on every run. It makes good and bad ones of the document, and checks statuses, content
types and schemas of the answers, that good ones are taken and bad ones refused, and that no secret is no entry.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.owner import CartOwner
from shared.services.wiring import sql_services
from shared.settings import APPS, Settings
from shared.web.openapi import DOCUMENT_PATH
from shared.web.state import utc_now
from tests.factories.blog import make_page
from tests.factories.calendar import days_from_now, make_calendar, make_entry, make_rule, make_type
from tests.factories.market import make_product, variant_of
from tests.factories.users import make_user
from tests.support.internal_api import BEARER, FourApps, running_apps

EXAMPLES = 20
"""Random requests for each route, on top of those at the edges of what it takes."""
CHECKED = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "positive_data_acceptance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
}
ROUTES = {
    "blog": {"GET /internal/v1/pages": {200}, "GET /internal/v1/pages/{slug}": {200, 404, 422}},
    "market": {"GET /internal/v1/pages/{page_post_id}/products": {200, 404, 422}},
    "cart": {"GET /internal/v1/cart/summary": {200, 422}},
    "events": {
        "GET /internal/v1/pages/{page_post_id}/calendars": {200, 404, 422},
        "GET /internal/v1/upcoming": {200, 422},
    },
}
"""Every route, and what it must have answered to something: a run that only ever met 404 would have shown nothing."""


@dataclass(slots=True)
class Run:
    """What became of a run."""

    failures: list[str] = field(default_factory=list)
    checks: set[str] = field(default_factory=set)
    statuses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def note(self, event: events.EngineEvent) -> None:
        """Take down what the engine tells of."""
        if isinstance(event, events.NonFatalError | events.FatalError):
            self.failures.append(repr(event))
        if isinstance(event, events.ScenarioFinished):
            for checks in event.recorder.checks.values():
                self.checks |= {check.name for check in checks}
                failed = [check.failure_info for check in checks if check.failure_info is not None]
                self.failures += [f"{event.label}: {info.failure}\n{info.code_sample}" for info in failed]
            for call in event.recorder.interactions.values():
                if call.response is not None and event.label is not None:
                    self.statuses[event.label].add(call.response.status_code)


def fuzz(origin: str, headers: dict[str, str]) -> Run:
    """Run schemathesis against one app, with these headers on every request; takes its time, so not in the loop."""
    settings = {
        "headers": headers,
        "workers": 1,
        "generation": {"deterministic": True, "max-examples": EXAMPLES, "database": "none"},
        "phases": {"stateful": {"enabled": False}},
        "cache": {"enabled": False},
    }
    config = SchemathesisConfig.from_dict(settings)
    schema = schemathesis.openapi.from_url(origin + DOCUMENT_PATH, config=config, headers=BEARER)
    schema.validate()
    run = Run()
    for event in from_schema(schema).execute():
        run.note(event)
    return run


async def fill(session: AsyncSession, settings: Settings) -> None:
    """Make a page, 1 or "0", and a user, 1, who has everything in the cart: what is tried first is found."""
    services = sql_services(settings, utc_now)
    page_post_id = await make_page(session, slug="0", has_calendar=True, has_market=True)
    calendar = await make_calendar(session, container_id=page_post_id)
    await make_rule(session, calendar)
    entry = await make_entry(session, calendar, start_at=days_from_now(3))
    adult = await make_type(session, entry, capacity=1)
    user = await make_user(session)
    assert (page_post_id, user.id) == (1, 1)
    jam = await variant_of(session, await make_product(session, page_post_id, stock=3))
    who = CartOwner.of_user(user.id)
    await services.cart.change_item(session, who, variant_id=jam, quantity=2, more=True)
    start = days_from_now(2, hour=10, minute=0)
    await services.calendar.add_pending_bookings(
        session, who, calendar_id=calendar.id, wish={(start, start + timedelta(hours=1)): 1}
    )
    await services.calendar.add_pending_tickets(
        session, user_id=user.id, entry_id=entry.id, choice={adult.id: 2}, now=utc_now()
    )
    await session.commit()


@pytest.fixture
async def four(settings: Settings, session: AsyncSession) -> AsyncIterator[FourApps]:
    await fill(session, settings)
    async with running_apps(settings) as apps:
        yield apps


@pytest.mark.parametrize("app", APPS)
async def test_answers_keep_to_the_document_whatever_is_asked(four: FourApps, app: str) -> None:
    run = await asyncio.to_thread(fuzz, four.origin_of(app), BEARER)
    assert not run.failures, "\n\n".join(run.failures)
    assert run.checks >= CHECKED
    assert run.statuses.keys() == ROUTES[app].keys()
    for route, must in ROUTES[app].items():
        assert run.statuses[route] >= must, route


@pytest.mark.parametrize("app", APPS)
async def test_without_the_secret_everything_answers_401(four: FourApps, app: str) -> None:
    run = await asyncio.to_thread(fuzz, four.origin_of(app), {})
    assert run.statuses == {route: {401} for route in ROUTES[app]}
