"""`yanshu import-prefixes`: put a newer table of mainland number ranges in force, after a look at what it changes."""

import os
from pathlib import Path

import click

from yanshu.rules.contacts.coverage import Difference, coverage_of, differences, in_words
from yanshu.rules.contacts.prefixes import (
    LENGTHS,
    PrefixError,
    Prefixes,
    Range,
    load_prefixes,
    open_prefixes,
    prefix_path,
    shipped_prefixes,
)
from yanshu.settings import Settings, SettingsError, data_directory, settings_from_process

_SHOWN = 50


@click.command("import-prefixes")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def import_prefixes(file: Path, *, dry_run: bool) -> None:
    """Put FILE in force as the table of mainland number ranges, and say of which numbers it tells something else.

    FILE is CSV in UTF-8 (docs/reference/numbers.md). It becomes prefixes.csv in the data directory, or the file that
    YANSHU_PREFIX_FILE names; a running server reads it at its next start. A table with a fault is refused, line by line.
    """
    settings = settings_from_process()
    try:
        new = load_prefixes(file)
    except PrefixError as error:
        raise click.ClickException(f"{file} is no table of number ranges:\n{error}") from error
    old = _in_use(settings)
    click.echo(f"new: {in_words(coverage_of(new))}")
    click.echo(f"old: {in_words(coverage_of(old))}")
    if old.dated_on and new.dated_on and new.dated_on < old.dated_on:
        click.echo("the new table is older than the one in use")
    _tell(differences(old, new))
    if dry_run:
        click.echo("dry run: nothing was changed")
    else:
        click.echo(f"{_put(file, settings)} is written; a running server uses it after its next start")


def _in_use(settings: Settings) -> Prefixes:
    """The table to compare with; one that cannot be read is replaced, so it is only spoken of."""
    try:
        return open_prefixes(settings)
    except SettingsError as error:
        click.echo(f"{error}\nit is compared with the shipped table instead", err=True)
        return shipped_prefixes()


def _tell(found: list[Difference]) -> None:
    click.echo(f"differences: {len(found):,}" if found else "no number is told differently")
    for difference in found[:_SHOWN]:
        digits = f" ({difference.digits} digits)" if difference.digits != LENGTHS[0] else ""
        click.echo(f"  {difference.prefix}…{digits}: {_said(difference.was)} → {_said(difference.now)}")
    if len(found) > _SHOWN:
        click.echo(f"  and {len(found) - _SHOWN:,} more")


def _said(found: Range | None) -> str:
    return "nobody's" if found is None else f"{found.operator or 'no operator'} {found.kind}"


def _put(file: Path, settings: Settings) -> Path:
    """Write the table where the server looks for it; whoever reads meanwhile sees the old one or the new one, whole."""
    if not settings.prefix_file:
        data_directory(settings)
    path = prefix_path(settings)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as target:
        target.write(file.read_bytes())
        target.flush()
        os.fsync(target.fileno())
    partial.replace(path)
    return path
