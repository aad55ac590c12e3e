"""Forms: what somebody sent is read by a pydantic model, and shown again with what is wrong with it.

A model's fields say what may stand in them, and the words for when it does not. What is checked only later (because a
page has to be found first, or shown again with what was typed) is a plain text field, and a property that reads it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, ClassVar, Self, get_origin
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError
from quart import make_response, render_template
from quart.typing import ResponseTypes
from werkzeug.datastructures import MultiDict

from shared.contracts.errors import BadInput, NotFound, ShopError
from shared.contracts.ids import id_of

from .numbers import shown_amount_of
from .session import discard_session

INCOMPLETE = "That form was not complete. Please go back, reload the page and try again."
"""Said of what no person types: a page of ours wrote it into its form, and something else came back."""
NO_SUCH = "We could not find that."
_IN_WORDS = "in_words"

Sent = Mapping[str, str]
"""A form or a query: names with their texts. In a MultiDict, as requests have it, a name may have several."""


class FormRefused(BadInput):
    """A form has values that cannot be used. The text and the field are those of the first; ``problems`` has all."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        """Take what is wrong: pairs of a field and words for its user."""
        field, text = problems[0]
        super().__init__(text, field=field)
        self.problems = problems


class Form(BaseModel):
    """The base of all forms. Fields that a form does not know are ignored, and nothing of a form changes later."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    @classmethod
    def parse(cls, sent: Sent) -> Self:
        """Read a form, or an address that has its fields. Raises FormRefused."""
        try:
            return cls.model_validate(cls.values_of(sent))
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            raise FormRefused(tuple(_problem(each) for each in found)) from None

    @classmethod
    def values_of(cls, sent: Sent) -> dict[str, object]:
        """Return what was sent, by the names of the fields: one text, or all of them where a field takes several."""
        named = {field.alias or name: field for name, field in cls.model_fields.items()}
        found = ((name, field) for name, field in named.items() if name in sent)
        return {name: _texts(sent, name) if _is_list(field) else sent[name] for name, field in found}


def _is_list(field: FieldInfo) -> bool:
    """Tell whether a field takes several values."""
    return get_origin(field.annotation) in (tuple, frozenset)


def _texts(sent: Sent, name: str) -> list[str]:
    """Return all values of a name."""
    return sent.getlist(name) if isinstance(sent, MultiDict) else [sent[name]]


def _problem(error: ErrorDetails) -> tuple[str, str]:
    """Return the field of an error of pydantic's, and words that its user understands."""
    field = str(error["loc"][0]) if error["loc"] else ""
    return field, error["msg"] if error["type"] == _IN_WORDS else INCOMPLETE


# --- what may stand in a field ---


def in_words(text: str) -> PydanticCustomError:
    """Return what a validator raises, with words that are shown as they are."""
    return PydanticCustomError(_IN_WORDS, "{text}", {"text": text})


def or_say(text: str) -> WrapValidator:
    """Give a field's type the words for every value that it does not take."""

    def check(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise in_words(text) from None

    return WrapValidator(check)


def _empty_is_none(value: object) -> object:
    """Read an empty field as none."""
    return None if value == "" else value


def _read(reader: Callable[[str], object | None], words: str = INCOMPLETE) -> BeforeValidator:
    """Read a text with a function that returns None for what it cannot read."""

    def check(value: object) -> object:
        found = reader(value) if isinstance(value, str) else value
        if found is None:
            raise in_words(words)
        return found

    return BeforeValidator(check)


def _key_of(text: str) -> UUID | None:
    """Read a key that a page of ours made."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _moment_of(text: str) -> datetime | None:
    """Read a moment that a page of ours wrote; one without its zone is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


EmptyIsNone = BeforeValidator(_empty_is_none)
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
"""What was typed, without the blanks around it."""
Ticked = Annotated[bool, BeforeValidator(lambda value: value is not False)]
"""A box or a button whose name is sent only where it was ticked or pressed, whatever its value."""
Yes = Annotated[bool, BeforeValidator(lambda value: value in {"yes", True})]
"""A choice of which only ``yes`` counts."""
Id = Annotated[int, _read(id_of)]
"""An id; it fits into a bigint."""
ShownAmount = Annotated[Decimal, _read(shown_amount_of)]
"""An amount that a page of ours wrote into its form."""
Key = Annotated[UUID, _read(_key_of)]
Moment = Annotated[datetime, _read(_moment_of, NO_SUCH)]


# --- showing a form again ---


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """A page with a form, which after a refusal says what is wrong: at each field, and in a summary at the top."""

    CONTROLS: ClassVar[Mapping[str, str]] = {}
    """The form's fields, each with the id of its control. What is about any other is about none in particular."""

    refusal: ShopError | None = None

    @property
    def _found(self) -> tuple[tuple[str, str], ...]:
        """What is wrong, by field."""
        if self.refusal is None:
            return ()
        if isinstance(self.refusal, FormRefused):
            return self.refusal.problems
        return ((self.refusal.field or "", str(self.refusal)),)

    def problem_at(self, field: str) -> str:
        """Say what is wrong with a field; nothing where nothing is."""
        return next((text for name, text in self._found if name == field), "")

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What is wrong, with the control that it is about, for the summary that gets the focus; nothing twice."""
        return tuple(dict.fromkeys((self.CONTROLS.get(name, ""), text) for name, text in self._found))


async def show_form(template: str, page: object, refusal: ShopError | None = None) -> ResponseTypes:
    """Render a page with a form; after a refusal with its status."""
    status = HTTPStatus.OK if refusal is None else refusal.status
    return await make_response(await render_template(template, page=page), status)


async def or_show_again(
    work: Awaitable[ResponseTypes], again: Callable[[ShopError], Awaitable[ResponseTypes]]
) -> ResponseTypes:
    """Return what the work of a form answers; where it is refused, show the form again.

    What the request's session holds is dropped first: a refused form changes nothing, and its page shows what is so
    now. What there is not, or is somebody else's, has no form to show: that refusal goes on.
    """
    try:
        return await work
    except NotFound:
        raise
    except ShopError as refusal:
        await discard_session()
        return await again(refusal)
