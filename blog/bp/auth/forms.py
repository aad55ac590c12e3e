"""The forms of signing in, and of the account. Addresses and names are checked where they are kept."""

from __future__ import annotations

from pydantic import Field

from shared.web.forms import Form, Yes


class SignInForm(Form):
    """An address to which a link is to be mailed."""

    email: str = ""
    next_url: str = Field("", alias="next")
    """Where to go on to; not to be trusted."""
    again: Yes = False
    """Whether somebody who is signed in proves once more who they are."""


class SignOutForm(Form):
    """The end of a session, or of all of them."""

    everywhere: Yes = False


class NameForm(Form):
    """A new name."""

    name: str = ""
