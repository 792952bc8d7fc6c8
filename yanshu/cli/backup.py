"""`yanshu backup`: a consistent copy of the store while it is in use."""

import asyncio
from pathlib import Path

import click
from rich.console import Console

from yanshu.app import backup_store
from yanshu.settings import settings_from_process


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Write a consistent copy to TARGET, which must not exist yet. The server may keep running.

    The master key in the data directory is not in the copy: keep it elsewhere, sealed secrets cannot be read without it.
    """
    if target.exists():
        raise click.ClickException(f"{target} exists already; name a new file")
    with Console(stderr=True).status(f"writing {target}"):
        asyncio.run(backup_store(settings_from_process(), str(target)))
    click.echo(f"{target}: {target.stat().st_size:,} bytes")
