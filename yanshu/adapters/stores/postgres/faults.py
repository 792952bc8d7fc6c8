"""PostgreSQL's errors in our words."""

import re

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from yanshu.domain.errors import StoreBusy, StoreConflict, StoreUnusable

# Classes of SQLSTATE that pass: connection, login refused, no such database (both are put right over there, without a restart
# here), resources, operator intervention, system errors; then single codes: serialization failure, deadlock, lock not
# available, read-only transaction.
_PASSING_CLASSES = ("08", "28", "3D", "53", "57", "58")
_PASSING = frozenset({"40001", "40P01", "55P03", "25006"})
_UNIQUE = "23505"
# Undefined table, undefined column; insufficient privilege.
_OTHER_SCHEMA = frozenset({"42P01", "42703"})
_NO_RIGHT = "42501"
_KEY = re.compile(r"Key \((.+?)\)=")

# What a call into the driver may raise; anything else is a defect of ours and stays what it is.
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, DBAPIError, PoolTimeout, OSError, TimeoutError)


def translate(error: BaseException) -> BaseException:
    """Return the store error that `error` means, or `error` itself when it is a defect of ours."""
    origin = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(origin, asyncpg.UniqueViolationError):
        return StoreConflict(_constraint(origin))
    if isinstance(origin, asyncpg.PostgresError):
        return _of_server(origin) or error
    # The driver's own state is in disorder when the server says farewell between two steps of a COPY.
    if isinstance(origin, asyncpg.InternalClientError) or (isinstance(origin, asyncpg.InterfaceError) and "clos" in str(origin)):
        return StoreBusy(f"PostgreSQL: {origin}")
    if isinstance(origin, OSError | TimeoutError | PoolTimeout):
        return StoreBusy(f"PostgreSQL cannot be reached: {origin or type(origin).__name__}")
    return error


def _of_server(error: asyncpg.PostgresError) -> BaseException | None:
    """Return what an error the server reports means, or None."""
    state = error.sqlstate or ""
    if state in _OTHER_SCHEMA:
        return StoreUnusable(f"PostgreSQL: {error}: the schema is not this version's; run `yanshu migrate`")
    if state == _NO_RIGHT:
        return StoreUnusable(f"PostgreSQL: {error}: the account of YANSHU_DATABASE_URL must own the database")
    return StoreBusy(f"PostgreSQL: {error}") if state in _PASSING or state[:2] in _PASSING_CLASSES else None


def _constraint(error: asyncpg.UniqueViolationError) -> str:
    """`table.column,column` of the server's detail."""
    found = _KEY.search(error.detail or "")
    return f"{error.table_name}.{found.group(1).replace(' ', '')}" if found else str(error.constraint_name)
