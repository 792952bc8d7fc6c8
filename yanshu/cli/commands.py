"""The command group, and how errors of a command reach a person."""

import os
import sys

import click

from yanshu import __version__
from yanshu.cli.backup import backup
from yanshu.cli.doctor import doctor
from yanshu.cli.migrate import migrate
from yanshu.cli.prefixes import import_prefixes
from yanshu.cli.send import send
from yanshu.cli.serve import serve
from yanshu.cli.simulate import simulate
from yanshu.domain.errors import YanshuError
from yanshu.settings import SettingsError

# What we write (database, keys, backups) is for the account that runs us.
_UMASK = 0o077


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="yanshu")
def commands() -> None:
    """Yanshu: a self-hosted SMS platform between your systems and your carriers.

    Settings are environment variables; `yanshu doctor --settings` lists them. Exit status: 0 done, 1 it went wrong, 2 the command
    line is not understood.
    """


for command in (serve, simulate, send, migrate, doctor, backup, import_prefixes):
    commands.add_command(command)


def main() -> None:
    """Run the command; what went wrong is one sentence on stderr and exit status 1."""
    os.umask(_UMASK)
    try:
        commands(prog_name="yanshu")
    except (SettingsError, YanshuError, OSError) as error:
        click.echo(f"yanshu: {error}", err=True)
        sys.exit(1)
