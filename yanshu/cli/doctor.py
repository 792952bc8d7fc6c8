"""`yanshu doctor`: the effective settings, secrets hidden, and whether what they point at works."""

import asyncio
from dataclasses import fields

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from yanshu.cli.examine import examine
from yanshu.settings import PREFIX, Settings, settings_from_process, shown


@click.command()
@click.option("--settings", "only_settings", is_flag=True, help="Only list all settings, their defaults and what they mean.")
def doctor(*, only_settings: bool) -> None:
    """Print the settings in force, secrets hidden, and look at what they point at.

    Looks at the settings, the store and its schema, the master key, the data directory, the port and the links to carriers.
    Changes nothing. Exit status 1 if something is wrong; each such line says what to do.
    """
    console = Console(highlight=False, soft_wrap=True)
    if only_settings:
        _list_settings(console)
        return
    settings = settings_from_process()
    console.print(_values(settings))
    findings = asyncio.run(examine(settings))
    for finding in findings:
        mark = "[green]ok [/]" if finding.good else "[bold red]bad[/]"
        console.print(f"{mark} {escape(f'{finding.what}: {finding.detail}')}")
    if not all(finding.good for finding in findings):
        raise SystemExit(1)


def _values(settings: Settings) -> Table:
    """Every setting with its value; those that are not the default are marked."""
    table = Table(box=None, pad_edge=False)
    for name in ("setting", "value", ""):
        table.add_column(name, overflow="fold")
    for declared in fields(Settings):
        is_set = getattr(settings, declared.name) != declared.default
        value = shown(settings, declared.name) or "(empty)"
        table.add_row(PREFIX + declared.name.upper(), escape(value), "set" if is_set else "default")
    return table


def _list_settings(console: Console) -> None:
    for declared in fields(Settings):
        default = f" [default: {declared.default}]" if declared.default != "" else ""
        console.print(f"{PREFIX}{declared.name.upper()}{escape(default)}\n    {escape(declared.metadata['help'])}")
