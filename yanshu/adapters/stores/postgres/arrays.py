"""Chunks as arrays: a statement gets one array a column and unnests them into rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, Table


def unnest(table: Table, columns: Sequence[str]) -> str:
    """`unnest(…) AS c (…)` over parameters $1, $2, … typed like the table's columns; `name AS other` names one twice."""
    pairs = [column.split(" AS ") for column in columns]
    arrays = ", ".join(f"${place}::{_kind(table, pair[0])}[]" for place, pair in enumerate(pairs, 1))
    names = ", ".join(pair[-1] for pair in pairs)
    return f"unnest({arrays}) AS c ({names})"


def columns_of(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows turned into columns."""
    return list(zip(*rows, strict=True))


def _kind(table: Table, column: str) -> str:
    """The server's name of a column's type."""
    kind = table.c[column].type
    if isinstance(kind, BigInteger):
        return "bigint"
    if isinstance(kind, Integer):
        return "integer"
    return "boolean" if isinstance(kind, Boolean) else "text"
