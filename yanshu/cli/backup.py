"""`yanshu backup`: a consistent copy of the store while it is in use."""

import asyncio
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from yanshu.app.stores import backup_store
from yanshu.settings import Settings, settings_from_process

_LOOK_SECONDS = 0.2


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Write a consistent copy to TARGET, which must not exist yet. The server may keep running.

    Of SQLite the copy is a database file, of PostgreSQL a gzip'd SQL script. Restoring is told in docs/how-to/backup.md.
    The master key in the data directory is not in the copy: keep it elsewhere, sealed secrets cannot be read without it.
    """
    settings = settings_from_process()
    if target.exists():
        raise click.ClickException(f"{target} exists already; name a new file")
    if not target.absolute().parent.is_dir():
        raise click.ClickException(f"the directory {target.absolute().parent} does not exist; make it first")
    size = _size(settings)
    asyncio.run(_copy(settings, target, size))
    click.echo(f"{target}: {target.stat().st_size:,} bytes")


def _size(settings: Settings) -> int | None:
    """Return the bytes to copy, if they can be known."""
    if settings.database_url:
        return None
    source = Path(settings.data_dir) / "yanshu.db"
    if not source.exists():
        raise click.ClickException(f"there is no {source}; name the data directory in YANSHU_DATA_DIR")
    return _length(source) + _length(source.with_name(f"{source.name}-wal"))


async def _copy(settings: Settings, target: Path, size: int | None) -> None:
    """Write the copy, and show meanwhile how much of it is there."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("backup", total=size)
        copying = asyncio.ensure_future(backup_store(settings, str(target)))
        partial = target.with_name(f"{target.name}.partial")
        while not (await asyncio.wait({copying}, timeout=_LOOK_SECONDS))[0]:
            progress.update(task, completed=_length(partial))
        await copying
        progress.update(task, completed=_length(target), total=_length(target))


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
