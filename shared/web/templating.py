"""What every template has: its folders, filters, and the few names that are the same on every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, ChoiceLoader, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from quart import Quart

from shared.browser.filters import amount, mailto, money_filter, page_url_of, qr, tel
from shared.contracts.times import until, when
from shared.contracts.vat import rate_text
from shared.labels import OWN_TAGS, was_text
from shared.settings import Settings

from .attention import current_attention
from .badge import current_badge
from .identity import current_user
from .next_url import sign_in_url
from .request_log import request_id

TEMPLATE_FOLDER = Path(__file__).resolve().parent.parent / "browser" / "templates"


class CompiledOnce(BytecodeCache):
    """Keeps compiled templates in memory, by their source: the apps of one process compile a shared one once."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill ``bucket`` where its template is known."""
        known = self._compiled.get((bucket.key, bucket.checksum))
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_COMPILED = CompiledOnce()


async def _each_page() -> dict[str, Any]:
    return {
        "current_user": current_user(),
        "badge": current_badge(),
        "attention": current_attention(),
        "request_id": request_id(),
    }


def install_templates(app: Quart, settings: Settings, *, folder: Path, asset: Callable[[str], str]) -> None:
    """Let ``app`` find its own templates first, then the shared ones; a name that nobody gave is an error."""
    # The app's folder first: it may replace a shared template by one of the same name.
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(TEMPLATE_FOLDER)])
    environment = app.jinja_env
    # A misspelt name must fail in a test, and not leave an empty place on a page.
    environment.undefined = StrictUndefined
    environment.bytecode_cache = _COMPILED
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals |= {
        "asset": asset,
        "own_tags": OWN_TAGS,
        "page_url": page_url_of(settings),
        "sign_in_url": sign_in_url,
        "site_name": settings.site_name,
        "uses_sandbox": settings.uses_sandbox,
    }
    environment.filters |= {
        "amount": amount,
        "mailto": mailto,
        "money": money_filter(settings.currency),
        "qr": qr,
        "rate": rate_text,
        "tel": tel,
        "until": until,
        "was": was_text,
        "when": when,
    }
    app.context_processor(_each_page)
