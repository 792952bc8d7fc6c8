"""Stores: the only place that knows SQL."""

from yanshu.adapters.stores.postgres.store import PostgresStore
from yanshu.adapters.stores.sqlite.store import SqliteStore
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.settings import Settings, data_directory

_FILE = "yanshu.db"


def open_store(settings: Settings, clock: Clock) -> Store:
    """Return the store the settings name: PostgreSQL when there is a `database_url`, else SQLite in the data directory.

    Connections are opened when they are first needed, so a database that is not there yet shows as `StoreBusy` then.
    """
    if settings.database_url:
        return PostgresStore(settings.database_url, settings.database_pool_size, clock)
    return SqliteStore(data_directory(settings) / _FILE, clock)
