"""The command group, and how errors of a command reach a person."""

import sys

import click

from yanshu import __version__
from yanshu.cli.backup import backup
from yanshu.cli.doctor import doctor
from yanshu.cli.migrate import migrate
from yanshu.cli.send import send
from yanshu.cli.serve import serve
from yanshu.cli.simulate import simulate
from yanshu.domain.errors import YanshuError
from yanshu.settings import SettingsError


@click.group()
@click.version_option(__version__, prog_name="yanshu")
def commands() -> None:
    """Yanshu: a self-hosted SMS service platform."""


for command in (serve, migrate, doctor, send, backup, simulate):
    commands.add_command(command)


def main() -> None:
    """Run the command; what went wrong is one sentence on stderr and exit status 1."""
    try:
        commands(prog_name="yanshu")
    except (SettingsError, YanshuError, OSError) as error:
        click.echo(f"yanshu: {error}", err=True)
        sys.exit(1)
