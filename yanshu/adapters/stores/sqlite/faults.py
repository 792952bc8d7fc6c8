"""SQLite's errors in our words."""

import re
import sqlite3

from sqlalchemy.exc import DBAPIError

from yanshu.domain.errors import StoreBusy, StoreConflict, StoreUnusable

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OTHER_SCHEMA = ("no such table", "no such column")
_COLUMNS = re.compile(r"UNIQUE constraint failed: (\w+)\.(.+)")


def translate(error: BaseException) -> BaseException:
    """Return the store error that `error` means, or `error` itself when it is a defect of ours."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(origin, sqlite3.Error):
        return error
    code = getattr(origin, "sqlite_errorcode", 0)
    if code in _UNIQUE:
        return StoreConflict(_constraint(str(origin)))
    if code & 0xFF in _PASSING:
        return StoreBusy(f"SQLite: {origin}")
    if code & 0xFF in _DAMAGED:
        return StoreUnusable(f"SQLite: {origin}: stop the server and restore the last backup (docs/how-to/backup.md)")
    if str(origin).startswith(_OTHER_SCHEMA):
        return StoreUnusable(f"SQLite: {origin}: the schema is not this version's; run `yanshu migrate`")
    return error


def _constraint(message: str) -> str:
    """`table.column,column` of SQLite's sentence."""
    found = _COLUMNS.match(message)
    if found is None:
        return message
    table, columns = found.groups()
    return f"{table}.{columns.replace(f' {table}.', '')}"
