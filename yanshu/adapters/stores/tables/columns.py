"""What tables are made of: the one `MetaData`, and columns by kind."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Text, text
from sqlalchemy.dialects import postgresql

metadata = MetaData()

# Ids and keys compare by byte on both engines, so that key ranges and keyset pages agree.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def words(*names: str, null: bool = False) -> list[Column[Any]]:
    """Columns of text."""
    return [Column(name, TEXT, nullable=null) for name in names]


def times(*names: str, null: bool = False) -> list[Column[Any]]:
    """Columns of microseconds since 1970 UTC."""
    return [Column(name, BigInteger, nullable=null) for name in names]


def numbers(*names: str, null: bool = False) -> list[Column[Any]]:
    """Columns of whole numbers."""
    return [Column(name, Integer, nullable=null) for name in names]


def flags(*names: str) -> list[Column[Any]]:
    """Columns of booleans."""
    return [Column(name, Boolean, nullable=False) for name in names]


def partial(name: str, *columns: Any, where: str) -> Index:
    """An index over the rows that satisfy `where`."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def key(name: str = "id") -> Column[Any]:
    """A text primary key."""
    return Column(name, TEXT, primary_key=True)
