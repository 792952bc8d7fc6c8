"""Brings a database's schema up to date with the Alembic scripts packaged beside this file."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> list[str]:
    """Run what is missing inside the transaction `connection` already has; the names of the steps, oldest first.

    The caller holds the lock that keeps other processes from doing the same.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    missing = [step for step in script.iterate_revisions("heads", current or "base") if step.revision != current]
    if missing:
        command.upgrade(config, "heads")
    return [f"{step.revision} {step.doc}" for step in reversed(missing)]
