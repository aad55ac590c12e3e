"""What the pages share that ask for a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.web.forms import Form, FormPage


class NoteForm(Form):
    """What somebody wrote down. The use case says what it has to have."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotePage(FormPage):
    """A page with one field, ``note``: after a refusal it shows what was typed, and what is wrong with it."""

    CONTROLS: ClassVar[Mapping[str, str]] = {"note": "f-note"}

    time_zone: str
    typed: str = ""
