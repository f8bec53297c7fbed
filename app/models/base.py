"""The declarative base: names of constraints, column types, and their defaults."""

import enum
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, registry

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class IllegalTransition(Exception):
    """A state change that the table of allowed transitions does not have."""


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """Stores aware datetimes as UTC with microseconds; refuses naive ones."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(sa.DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


class Code(sa.types.TypeDecorator[str]):
    """Stores codes and keys: plain ASCII, compared byte by byte.

    MariaDB's default collations compare without case and accents (two different codes could be
    equal), so those databases get an `ascii_bin` column. Comparing one with other characters is an
    error there, and strangers may ask for any code: such characters become escapes, which no code
    of ours has.
    """

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        length = cast(sa.String, self.impl_instance).length
        if dialect.name in ("mysql", "mariadb"):
            exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
            return dialect.type_descriptor(exact)
        return dialect.type_descriptor(sa.String(length))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and value.encode("ascii", "backslashreplace").decode("ascii")


def code_column(length: int) -> Code:
    """Return the type of codes and keys of at most `length` characters."""
    return Code(length)


def exact_text(length: int) -> sa.types.TypeEngine[str]:
    """Return a type for names in any script that are keys: equal only when written the same.

    MariaDB's default collations take Reguler for reguler, and any two emoji for the same.
    """
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def enum_column(kind: type[enum.Enum]) -> sa.Enum:
    """Return a type that stores an enum by value in a VARCHAR: a new state alters no table."""
    return sa.Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Base of all tables. Money is whole rupiah, times are aware UTC."""

    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMING),
        type_annotation_map={
            datetime: UTCDateTime(),
            str: sa.String(255),
            int: sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            dict[str, Any]: sa.JSON(),
            list[str]: sa.JSON(),
        },
    )
