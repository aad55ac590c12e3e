"""Everything that one running sandbox is made of, and how a request finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

from pydantic import BaseModel
from quart import current_app

from shared.contracts.protocols import Clock
from shared.settings import Settings

from .bank import Bank, SandboxClock
from .faults import Faults
from .ledger import Ledger
from .merchants import Merchant, sandbox_accounts
from .records import Store
from .webhooks import Messenger

KEY = "sumup_sandbox"


class Call(BaseModel):
    """One request to the API, so that a test can count them."""

    operation: str
    path: str


@dataclass(slots=True)
class World:
    """One running sandbox."""

    settings: Settings
    clock: SandboxClock
    bank: Bank
    ledger: Ledger
    messenger: Messenger
    started_at: datetime
    merchants: Mapping[str, Merchant]
    faults: Faults = field(default_factory=Faults)
    calls: list[Call] = field(default_factory=list)


def build_world(settings: Settings, clock: Clock, path: Path | None) -> World:
    """Put a sandbox together; call it while an event loop runs."""
    moving = SandboxClock(clock)
    messenger = Messenger(settings.sandbox_webhook_delays_s)
    store = Store(path)
    return World(
        settings=settings,
        clock=moving,
        bank=Bank(store, moving, notify=messenger.notify),
        ledger=Ledger(store, moving),
        messenger=messenger,
        started_at=moving(),
        merchants=sandbox_accounts(settings),
    )


def here() -> World:
    """Return the sandbox that serves the current request."""
    return cast("World", current_app.extensions[KEY])
