"""Columns that hold one of an enum's values are of that enum."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import CheckConstraint, Column
from sqlalchemy.dialects import postgresql

from shared.contracts.states import OrderState, PaymentState
from shared.models import Base
from shared.models.base import EnumText

LISTED = re.compile(r"(\w+) IN \(('\w+'(?:, '\w+')*)\)")


def listed_columns() -> Iterator[tuple[Column[object], set[str]]]:
    """Yield each column of which a CHECK says that it holds one of a list of words, and nothing else."""
    for table in Base.metadata.tables.values():
        for check in table.constraints:
            found = LISTED.fullmatch(str(check.sqltext)) if isinstance(check, CheckConstraint) else None
            if found is not None:
                yield table.c[found[1]], set(re.findall(r"\w+", found[2]))


def test_a_column_with_a_list_of_words_is_of_the_enum_with_these_words() -> None:
    found = {f"{column.table.name}.{column.name}": (column.type, words) for column, words in listed_columns()}
    assert len(found) >= 11
    for name, (kind, words) in found.items():
        assert isinstance(kind, EnumText), name
        assert {each.value for each in kind.values} == words, name


@pytest.mark.parametrize("value", ["paid", OrderState.PAID])
def test_a_member_and_its_text_are_stored_as_the_same_text(value: str) -> None:
    stored = EnumText(OrderState).process_bind_param(value, postgresql.dialect())
    assert (stored, type(stored)) == ("paid", str)


def test_what_is_read_is_the_member() -> None:
    assert EnumText(OrderState).process_result_value("paid", postgresql.dialect()) is OrderState.PAID


@pytest.mark.parametrize("value", ["payed", PaymentState.CLOSING])
def test_a_word_of_no_member_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not a valid OrderState"):
        EnumText(OrderState).process_bind_param(value, postgresql.dialect())


def test_nothing_is_nothing() -> None:
    column: EnumText = EnumText(OrderState)
    assert column.process_bind_param(None, postgresql.dialect()) is None
    assert column.process_result_value(None, postgresql.dialect()) is None
