"""`yanshu simulate`: run carriers to test against, with scripted numbers and virtual handsets."""

import asyncio
import json
import math
import signal
import sys
from pathlib import Path
from typing import Any, NamedTuple, get_args

import click
import uvloop
from msgspec.structs import replace

from yanshu.runtime.clock import SystemClock
from yanshu.simulator.behaviour import USUAL_ACCOUNTS, Account, Behaviour, BehaviourError, SimulatedProtocol, SimulatorSettings, changed
from yanshu.simulator.control import ControlServer
from yanshu.simulator.scenario import Scenario, ScenarioError, Step, read_scenario
from yanshu.simulator.server import Simulator

_PORT = click.IntRange(0, 65_535)


class Limits(NamedTuple):
    """What a person calls a protocol, the port it is known by, and the octets it allows of an account and its password."""

    title: str
    port: int
    account: int
    password: int


PROTOCOLS: dict[SimulatedProtocol, Limits] = {
    "smpp": Limits("SMPP 3.4", 2775, 15, 8),
    "cmpp": Limits("CMPP 2.0 and 3.0", 7890, 6, 64),
    "sgip": Limits("SGIP 1.2", 8801, 15, 16),
    "smgp": Limits("SMGP 3.0", 8890, 8, 64),
    "http": Limits("HTTP", 8088, 15, 64),
}
# What an account of `--account` speaks when it does not say.
_USUAL: SimulatedProtocol = "smpp"


def read_account(text: str) -> Account:
    """Return the account of `[protocol/]id:password`, optionally `:refuses_07` behind it."""
    named, *rest = text.split(":")
    if not rest or len(rest) > 2 or rest[1:] not in ([], ["refuses_07"]):
        raise click.BadParameter(f"{text!r} is not [protocol/]id:password or [protocol/]id:password:refuses_07", param_hint="--account")
    protocol, slash, ident = named.rpartition("/")
    spoken = next((one for one in get_args(SimulatedProtocol) if one == protocol), None if slash else _USUAL)
    if spoken is None:
        raise click.BadParameter(f"{protocol!r} is not one of {', '.join(PROTOCOLS)}", param_hint="--account")
    limits = PROTOCOLS[spoken]
    if not text.isascii() or not 1 <= len(ident) <= limits.account or len(rest[0]) > limits.password:
        raise click.BadParameter(
            f"{limits.title} allows {limits.account} ASCII characters of account and {limits.password} of password", param_hint="--account"
        )
    return Account(protocol=spoken, system_id=ident, password=rest[0], refuses_07=len(rest) == 2)


def read_accounts(texts: tuple[str, ...]) -> tuple[Account, ...]:
    """Return the accounts of all `--account` options, or the usual ones when there is none."""
    accounts = tuple(map(read_account, texts))
    if len({account.name for account in accounts}) < len(accounts):
        raise click.BadParameter("each account may be given once", param_hint="--account")
    return accounts or USUAL_ACCOUNTS


def delivering_to(address: str, accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    """Return the accounts with the address where the clients of SGIP listen."""
    host, _, port = address.rpartition(":")
    if address and not (host and port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise click.BadParameter(f"{address!r} is not host:port", param_hint="--sgip-deliver-to")
    return tuple(replace(account, delivers_to=address) for account in accounts)


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


_WHO = "Who may bind, over SMPP unless it says cmpp/, sgip/, smgp/ or http/.  [default: yanshu:simulate over each protocol]"
_LISTENER = "Where clients of SGIP accounts listen for receipts and texts; empty: over the connections they submit on."


def read_scenario_file(path: Path, settings: SimulatorSettings) -> Scenario:
    """Return the scenario of a file."""
    try:
        return read_scenario(path.read_text("utf-8"), settings)
    except (ScenarioError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--scenario") from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=PROTOCOLS["smpp"].port, show_default=True, help="SMPP port, 0 for a free one.")
@click.option("--cmpp-port", type=_PORT, help="CMPP port, e.g. 7890, 0 for a free one; none without it.")
@click.option("--cmpp-version", type=click.Choice(["3.0", "2.0"]), default="3.0", show_default=True, help="The highest that it speaks.")
@click.option("--sgip-port", type=_PORT, help="SGIP port, e.g. 8802, 0 for a free one; none without it.")
@click.option("--sgip-deliver-to", default=Account().delivers_to, show_default=True, metavar="HOST:PORT", help=_LISTENER)
@click.option("--smgp-port", type=_PORT, help="SMGP port, e.g. 8890, 0 for a free one; none without it.")
@click.option("--http-port", type=_PORT, help="Port of an HTTP carrier, e.g. 8088, 0 for a free one; none without it.")
@click.option("--control-port", type=_PORT, help="Port of the HTTP control server on 127.0.0.1, 0 for a free one; none without it.")
@click.option("--account", "accounts", multiple=True, metavar="[PROTOCOL/]ID:PASSWORD[:refuses_07]", help=_WHO)
@click.option("--hex", "id_form", flag_value="hex", help="Message ids in hexadecimal (the default).")
@click.option("--decimal", "id_form", flag_value="decimal", help="Message ids in decimal.")
@click.option("--uuid", "id_form", flag_value="uuid", help="Message ids as UUIDs.")
@click.option("--behave", "behaviours", multiple=True, metavar="FIELD=VALUE", help="Start with this behaviour, e.g. receipt_seconds=2.")
@click.option("--scenario", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Play what this TOML file says.")
@click.option("--time-factor", default=1.0, show_default=True, help="Divides the delays of the test numbers and of a scenario.")
@click.option("--keep-ledger", is_flag=True, help="Remember every submit, for GET /ledger.")
@click.option("--seed", type=int, help="Makes the dice repeatable.")
def simulate(**options: Any) -> None:
    """Run carriers to test against, speaking SMPP, CMPP, SGIP, SMGP and HTTP, until SIGTERM or Ctrl-C. No text leaves this machine.

    The test numbers behave as their last digits say (docs/reference/test-numbers.md); all others are delivered. Where it listens
    is said on standard output, for a person on a terminal and as one line of JSON otherwise.
    """
    if not 0 < options["time_factor"] < math.inf:
        raise click.BadParameter("must be a number above 0", param_hint="--time-factor")
    settings = SimulatorSettings(
        accounts=delivering_to(options["sgip_deliver_to"], read_accounts(options["accounts"])),
        behaviour=read_behaviour(options["behaviours"], options["id_form"]),
        time_factor=options["time_factor"],
        keep_ledger=options["keep_ledger"],
        seed=options["seed"],
        cmpp_version=options["cmpp_version"],
    )
    ports = {name: port for name in PROTOCOLS if (port := options[_said_as(name)]) is not None}
    scenario = read_scenario_file(options["scenario"], settings) if options["scenario"] else None
    uvloop.run(_serve(Simulator(settings, SystemClock()), scenario, options["host"], ports, options["control_port"]))


def _said_as(protocol: SimulatedProtocol) -> str:
    """What the port of a protocol is called, in options and in what is printed."""
    return "port" if protocol == _USUAL else f"{protocol}_port"


async def _serve(
    simulator: Simulator, scenario: Scenario | None, host: str, ports: dict[SimulatedProtocol, int], control_port: int | None
) -> None:
    """Listen until told to stop."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    control = ControlServer(simulator)
    try:
        where: dict[str, Any] = {"host": host}
        for protocol, port in ports.items():
            where[_said_as(protocol)] = await simulator.start(host, port, protocol)
        if control_port is not None:
            where["control_port"] = await control.start(control_port)
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error}; choose other ports or another --host") from error
    if scenario is not None:
        simulator.play(scenario, _tell)
    click.echo(_for_a_person(where, simulator.settings) if sys.stdout.isatty() else json.dumps(where))
    await stopping.wait()
    await control.stop()
    await simulator.stop()


def _tell(step: Step) -> None:
    """Say what has just changed."""
    if step.note:
        click.echo(f"scenario: {step.note}", err=True)


def _for_a_person(where: dict[str, Any], settings: SimulatorSettings) -> str:
    listening = [(limits.title, where.get(_said_as(protocol))) for protocol, limits in PROTOCOLS.items()]
    lines = [f"  {title:<18} {where['host']}:{port}" for title, port in listening if port is not None]
    if "control_port" in where:
        lines.append(f"  {'control':<18} http://127.0.0.1:{where['control_port']}")
    accounts = ", ".join(f"{account.name} (password {account.password})" for account in settings.accounts)
    return "\n".join(["", "  The simulated carrier is ready. Ctrl-C stops it.", "", *lines, f"  {'accounts':<18} {accounts}", ""])
