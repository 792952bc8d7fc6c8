"""What a repository needs of an open transaction, whichever engine it runs on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from yanshu.ports.filters import Page

AnySelect = TypeVar("AnySelect", bound=Select[Any])
Insert = sqlite.Insert | postgresql.Insert
_PARAMETERS = 32_000


class Tally:
    """Changes of batch counters in this transaction, written once, in key order, when they are needed.

    Late, so that the rows all chunks of a batch share are locked only for the commit; in order, so that two transactions
    cannot wait for each other.
    """

    def __init__(self) -> None:
        self._changes: defaultdict[tuple[str, str], int] = defaultdict(int)

    def add(self, batch_id: str, status: str, count: int) -> None:
        """Remember `count` messages more (or fewer) of that status."""
        self._changes[batch_id, status] += count

    def take(self) -> list[tuple[str, str, int]]:
        """The changes so far, sorted; they are forgotten here."""
        changes = sorted((batch_id, status, n) for (batch_id, status), n in self._changes.items() if n)
        self._changes.clear()
        return changes


class Session(Protocol):
    """An open transaction. Failures come out as `StoreBusy` and `StoreConflict`."""

    tally: Tally

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """Run a statement and return its rows."""

    async def run(self, statement: Executable) -> int:
        """Run a statement and return how many rows it changed."""

    async def put(self, statement: Executable) -> None:
        """Run a statement whose outcome nobody waits for: before the next one that is waited for, at the latest with the commit."""

    async def add_rows(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, each in the order of the table's columns: for rows that come by the thousand. Failures come out as with `put`."""

    async def bulk(self, statement: Select[Any]) -> Sequence[Sequence[Any]]:
        """Many rows of a select without binary columns, by position."""

    def insert(self, table: Table) -> Insert:
        """The engine's own insert, which knows ON CONFLICT."""


async def insert_new(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving those whose key exists as they are."""
    for part in _parts(rows):
        await session.put(session.insert(table).values(part).on_conflict_do_nothing())


async def save(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows or replace those with the same primary key; ordered by key, which keeps writers from blocking each other."""
    keys = [column.name for column in table.primary_key]
    ordered = sorted(rows, key=lambda row: tuple(row[key] for key in keys))
    for part in _parts(ordered):
        statement = session.insert(table).values(part)
        replaced = {name: statement.excluded[name] for name in part[0] if name not in keys}
        await session.put(statement.on_conflict_do_update(index_elements=keys, set_=replaced))


def _parts(rows: Sequence[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    """Cut rows into statements that stay below either engine's limit of parameters."""
    size = _PARAMETERS // len(rows[0]) if rows else 1
    return (list(rows[start : start + size]) for start in range(0, len(rows), size))


def keyset(statement: AnySelect, table: Table, page: Page) -> AnySelect:
    """Order by id, start behind the page's key and stop at its limit."""
    key = table.c.id
    if page.after is not None:
        statement = statement.where(key < page.after if page.descending else key > page.after)
    return statement.order_by(key.desc() if page.descending else key).limit(page.limit)


def given(*conditions: tuple[Any, Any]) -> Iterable[Any]:
    """`column == value` for each pair whose value is given."""
    return [column == value for column, value in conditions if value is not None]
