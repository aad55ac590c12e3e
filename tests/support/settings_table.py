"""The table of all settings in docs/operating.md; ``.venv/bin/python -m tests.support.settings_table`` rewrites it."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from shared.settings import DEV_CREDENTIALS_KEY, DEV_SECRET, Settings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operating.md"
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->\n"


def table() -> str:
    """Return the table as the settings in the code make it."""
    rows = [f"| `{name.upper()}` | {shown_default(field)} | {field.description} |" for name, field in fields().items()]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows, ""])


def fields() -> dict[str, FieldInfo]:
    """Return all settings."""
    return dict(Settings.model_fields)


def shown_default(field: FieldInfo) -> str:
    """Return a default the way one would type it."""
    parts = field.default if isinstance(field.default, tuple) else (field.default,)
    words = [part.get_secret_value() if isinstance(part, SecretStr) else part for part in parts]
    text = ",".join(str(word).lower() if isinstance(word, bool) else str(word) for word in words if word is not None)
    if text in (DEV_SECRET, DEV_CREDENTIALS_KEY):
        return "one for development only"
    return f"`{text}`" if text else "empty"


def document_parts() -> tuple[str, str, str]:
    """Return what stands before the table, the table, and what stands after it."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    written, _, after = rest.partition(END)
    return before, written, after


if __name__ == "__main__":
    head, _, tail = document_parts()
    DOCUMENT.write_text(head + BEGIN + table() + END + tail)
