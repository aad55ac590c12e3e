"""The declarative base: names of constraints, types of columns, and relationships that never load by themselves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, Identity, MetaData, Numeric, Text, TypeDecorator, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.contracts import states

# Every constraint has a name of ours: migrations have to drop them by it, and refusals are told apart by it.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class EnumText(TypeDecorator[StrEnum]):
    """A text column that holds one of an enum's values, and gives the enum's member back.

    Text of no member is a ValueError in a statement, before the database is asked. The column's CHECK is written beside
    it with ``one_of``: the database refuses other texts from whoever they come.
    """

    impl = Text
    cache_ok = True

    def __init__(self, values: type[StrEnum]) -> None:
        super().__init__()
        self.values = values

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """Give the database the text of a member, or of an equal string."""
        return None if value is None else self.values(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """Return the member whose text the database holds."""
        return None if value is None else self.values(value)


ENUMS = tuple(each for each in vars(states).values() if isinstance(each, type) and each.__module__ == states.__name__)
"""Every enum of ``shared.contracts.states``: a table may name one as the type of a column."""


class Base(DeclarativeBase):
    """All tables. Amounts are ``numeric(10,2)``, times are ``timestamptz``, texts are unbounded ``text``."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: Text,
        Decimal: Numeric(10, 2),
        datetime: DateTime(timezone=True),
        UUID: Uuid,
        dict[str, Any]: JSONB,
        **{each: EnumText(each) for each in ENUMS},
    }


class IdMixin:
    """A numeric key that the database hands out."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)


def one_of(column: str, values: type[Any]) -> str:
    """Write the CHECK that a text column holds one of an enum's values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"
