"""`yanshu doctor`: the effective settings, secrets hidden, and whether what they point at works."""

import asyncio
from dataclasses import fields

import click
from rich.console import Console
from rich.table import Table

from yanshu.app import examine
from yanshu.settings import PREFIX, SECRET_FIELDS, Settings, settings_from_process


@click.command()
@click.option("--settings", "only_settings", is_flag=True, help="Only list the settings with their meaning.")
def doctor(*, only_settings: bool) -> None:
    """Print the effective settings and check store, data directory, port and links; exit status 1 if something is wrong."""
    settings = settings_from_process()
    console = Console()
    console.print(_settings_table(settings))
    if only_settings:
        return
    findings = asyncio.run(examine(settings))
    for finding in findings:
        console.print(f"[{'green' if finding.good else 'red'}]{'ok ' if finding.good else 'bad'}[/] {finding.what}: {finding.detail}")
    if not all(finding.good for finding in findings):
        raise SystemExit(1)


def _settings_table(settings: Settings) -> Table:
    table = Table("setting", "value", "meaning")
    for declared in fields(Settings):
        value = getattr(settings, declared.name)
        shown = "(set, hidden)" if declared.name in SECRET_FIELDS and value else repr(value)
        table.add_row(PREFIX + declared.name.upper(), shown, declared.metadata["help"])
    return table
