"""`yanshu migrate`: bring the database schema to this version."""

import asyncio

import click

from yanshu.app import migrate_store
from yanshu.settings import settings_from_process


@click.command()
def migrate() -> None:
    """Apply the schema changes this version needs; safe to run again, and from several machines at once."""
    steps = asyncio.run(migrate_store(settings_from_process()))
    for step in steps:
        click.echo(f"applied {step}")
    if not steps:
        click.echo("the schema is up to date")
