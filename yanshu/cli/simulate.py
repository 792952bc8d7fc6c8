"""`yanshu simulate`: run an SMPP carrier to test against, with scripted numbers and virtual handsets."""

import asyncio
import json
import math
import signal
import sys
from typing import Any

import click
import uvloop

from yanshu.runtime.clock import SystemClock
from yanshu.simulator.behaviour import Account, Behaviour, BehaviourError, SimulatorSettings, changed
from yanshu.simulator.control import ControlServer
from yanshu.simulator.server import Simulator

DEFAULT_PORT = 2775
PASSWORD_LIMIT = 8
_PORT = click.IntRange(0, 65_535)


def read_account(text: str) -> Account:
    """Return the account of `system_id:password`, optionally `:refuses_07` behind it."""
    system_id, *rest = text.split(":")
    if not rest or len(rest) > 2 or rest[1:] not in ([], ["refuses_07"]):
        raise click.BadParameter(f"{text!r} is not system_id:password or system_id:password:refuses_07", param_hint="--account")
    if not text.isascii() or not 1 <= len(system_id) <= 15 or len(rest[0]) > PASSWORD_LIMIT:
        raise click.BadParameter("SMPP allows 15 ASCII characters of system_id and 8 of password", param_hint="--account")
    return Account(system_id=system_id, password=rest[0], refuses_07=len(rest) == 2)


def read_accounts(texts: tuple[str, ...]) -> tuple[Account, ...]:
    """Return the accounts of all `--account` options, or the usual one when there is none."""
    accounts = tuple(map(read_account, texts))
    if len({account.system_id for account in accounts}) < len(accounts):
        raise click.BadParameter("each system_id may be given once", param_hint="--account")
    return accounts or (Account(),)


def read_behaviour(pairs: tuple[str, ...], id_form: str | None) -> Behaviour:
    """Return the behaviour of `field=value` options; values are JSON, or plain words."""
    changes: dict[str, Any] = {"id_form": id_form} if id_form else {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            changes[name] = json.loads(value)
        except ValueError:
            changes[name] = value
    try:
        return changed(Behaviour(), changes)
    except BehaviourError as error:
        raise click.BadParameter(str(error), param_hint="--behave") from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=DEFAULT_PORT, show_default=True, help="SMPP port, 0 for a free one.")
@click.option("--control-port", type=_PORT, help="Port of the HTTP control server on 127.0.0.1, 0 for a free one; none without it.")
@click.option("--account", "accounts", multiple=True, metavar="ID:PASSWORD[:refuses_07]", help="Who may bind.  [default: yanshu:simulate]")
@click.option("--hex", "id_form", flag_value="hex", help="Message ids in hexadecimal (the default).")
@click.option("--decimal", "id_form", flag_value="decimal", help="Message ids in decimal.")
@click.option("--uuid", "id_form", flag_value="uuid", help="Message ids as UUIDs.")
@click.option("--behave", "behaviours", multiple=True, metavar="FIELD=VALUE", help="Start with this behaviour, e.g. receipt_seconds=2.")
@click.option("--time-factor", default=1.0, show_default=True, help="Divides the delays of the test numbers.")
@click.option("--keep-ledger", is_flag=True, help="Remember every submit, for GET /ledger.")
@click.option("--seed", type=int, help="Makes the dice repeatable.")
def simulate(**options: Any) -> None:
    """Run a carrier to test against, speaking SMPP 3.4, until SIGTERM or Ctrl-C. No text leaves this machine.

    The test numbers behave as their last digits say (docs/reference/test-numbers.md); all others are delivered. Where it listens
    is said on standard output, for a person on a terminal and as one line of JSON otherwise.
    """
    if not 0 < options["time_factor"] < math.inf:
        raise click.BadParameter("must be a number above 0", param_hint="--time-factor")
    settings = SimulatorSettings(
        accounts=read_accounts(options["accounts"]),
        behaviour=read_behaviour(options["behaviours"], options["id_form"]),
        time_factor=options["time_factor"],
        keep_ledger=options["keep_ledger"],
        seed=options["seed"],
    )
    uvloop.run(_serve(settings, options["host"], options["port"], options["control_port"]))


async def _serve(settings: SimulatorSettings, host: str, port: int, control_port: int | None) -> None:
    """Listen until told to stop."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    simulator = Simulator(settings, SystemClock())
    control = ControlServer(simulator)
    try:
        where: dict[str, Any] = {"host": host, "port": await simulator.start(host, port)}
        if control_port is not None:
            where["control_port"] = await control.start(control_port)
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error}; choose another --port, --control-port or --host") from error
    click.echo(_for_a_person(where, settings) if sys.stdout.isatty() else json.dumps(where))
    await stopping.wait()
    await control.stop()
    await simulator.stop()


def _for_a_person(where: dict[str, Any], settings: SimulatorSettings) -> str:
    accounts = ", ".join(f"{account.system_id} (password {account.password})" for account in settings.accounts)
    lines = ["", "  The simulated carrier is ready. Ctrl-C stops it.", "", f"  SMPP 3.4   {where['host']}:{where['port']}"]
    if "control_port" in where:
        lines.append(f"  control    http://127.0.0.1:{where['control_port']}")
    return "\n".join([*lines, f"  accounts   {accounts}", ""])
