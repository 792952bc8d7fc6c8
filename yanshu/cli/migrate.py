"""`yanshu migrate`: bring the database schema to this version."""

import asyncio

import click
from rich.console import Console

from yanshu.app.stores import migrate_store
from yanshu.settings import settings_from_process


@click.command()
def migrate() -> None:
    """Apply the schema changes this version needs.

    Safe to run again, and from several machines at once: one works, the others wait. `yanshu serve` does the same when it starts.
    """
    console = Console(stderr=True)
    with console.status("changing the schema") as status:
        steps = asyncio.run(migrate_store(settings_from_process(), lambda why: status.update(f"waiting for the store: {why}")))
    for step in steps:
        click.echo(f"applied {step}")
    if not steps:
        click.echo("the schema is up to date")
