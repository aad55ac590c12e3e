"""The forms of payments in review."""

from __future__ import annotations

from shared.web.forms import Form, ShownAmount


class ShownForm(Form):
    """A decision about an amount that was shown."""

    shown: ShownAmount
