"""The schema, once, for SQLite and PostgreSQL: text ids, times as microseconds since 1970 UTC, JSON and enums as text."""

from yanshu.adapters.stores.tables import binds, codes, health, incidents, numbers, path, surroundings
from yanshu.adapters.stores.tables.columns import metadata

# Importing a file is what puts its tables into the metadata.
__all__ = ["binds", "codes", "health", "incidents", "metadata", "numbers", "path", "surroundings"]
