"""What the pages share that ask for a note."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.errors import ShopError


@dataclass(frozen=True, slots=True, kw_only=True)
class NotePage:
    """A page with one field, ``note``: after a refusal it shows what was typed, and what is wrong with it."""

    time_zone: str
    typed: str = ""
    refusal: ShopError | None = None

    @property
    def note_problem(self) -> str:
        """What is wrong with the note."""
        return str(self.refusal) if self.refusal is not None and self.refusal.field == "note" else ""

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What is wrong, with the control that it is about; none for what is wrong with no field in particular."""
        if self.refusal is None:
            return ()
        return (("f-note" if self.note_problem else "", str(self.refusal)),)
