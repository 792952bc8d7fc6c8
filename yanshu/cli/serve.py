"""`yanshu serve`: run the platform, or some roles of it, until told to stop."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import uvloop

from yanshu.app.platform import Platform
from yanshu.app.serving import serve_until_signal
from yanshu.runtime.clock import SystemClock
from yanshu.settings import Settings, settings_from_process
from yanshu.simulator.behaviour import Account, SimulatorSettings
from yanshu.simulator.server import Simulator


@click.command()
@click.option("--host", help="Address of the HTTP API (YANSHU_LISTEN_HOST).")
@click.option("--port", type=int, help="Port of the HTTP API, 0 for a free one (YANSHU_LISTEN_PORT).")
@click.option("--data", help="Data directory (YANSHU_DATA_DIR).")
@click.option("--roles", help="all, or a comma list of api, dispatcher, worker (YANSHU_ROLES).")
@click.option(
    "--simulate", type=click.IntRange(0, 65_535), metavar="PORT", help="Run the simulated carrier beside it, on this port of 127.0.0.1."
)
def serve(host: str | None, port: int | None, data: str | None, roles: str | None, simulate: int | None) -> None:
    """Run the platform until SIGTERM or Ctrl-C; then finish what is under way and stop. A second Ctrl-C ends it at once.

    The first start makes the database and prints one admin key. Where it listens is said on standard output, for a person on
    a terminal and as one line of JSON otherwise; logs go to standard error. All settings: `yanshu doctor --settings`.
    With --simulate, test keys find the handsets of their test numbers under /v1/sandbox/phones.
    """
    settings = settings_from_process(listen_host=host, listen_port=port, data_dir=data, roles=roles)
    uvloop.run(serve_until_signal(settings, _announce) if simulate is None else _serve_simulated(settings, simulate))


async def _serve_simulated(settings: Settings, port: int) -> None:
    """Run both in one process: the carrier starts first and stops last."""
    simulator = Simulator(SimulatorSettings(), SystemClock())
    try:
        bound = await simulator.start(port=port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on 127.0.0.1:{port}: {error.strerror or error}; choose another --simulate") from error
    try:
        await serve_until_signal(settings, lambda platform: _announce(platform, bound), simulator)
    finally:
        await simulator.stop()


def _announce(platform: Platform, carrier_port: int | None = None) -> None:
    """Say where it listens and, on the first start, the admin key: it is shown this once."""
    told = _for_a_person(platform, carrier_port) if sys.stdout.isatty() else json.dumps(_for_a_program(platform, carrier_port))
    sys.stdout.write(told + "\n")
    sys.stdout.flush()


def _for_a_program(platform: Platform, carrier_port: int | None) -> dict[str, Any]:
    said: dict[str, Any] = {"listening": platform.url or None, "url": platform.url, "roles": sorted(platform.roles)}
    if platform.reception.addresses:
        said["binds"] = platform.reception.addresses
    if carrier_port is not None:
        account = Account()
        said["simulator"] = {"host": "127.0.0.1", "port": carrier_port, "system_id": account.system_id, "password": account.password}
    if platform.url:
        said["docs"] = f"{platform.url}/docs"
    if platform.admin_key:
        said["admin_key"] = platform.admin_key
        said["note"] = "this key is shown once; keep it"
    return said


def _for_a_person(platform: Platform, carrier_port: int | None) -> str:
    store = "PostgreSQL" if platform.settings.database_url else str(Path(platform.settings.data_dir) / "yanshu.db")
    lines = ["", "  Yanshu is ready. Ctrl-C stops it.", "", f"  roles      {', '.join(sorted(platform.roles))}", f"  store      {store}"]
    if platform.url:
        lines += [f"  API        {platform.url}/v1", f"  try it     {platform.url}/docs"]
    if platform.reception.addresses:
        lines += [f"  binds      {', '.join(f'{name} on {where}' for name, where in platform.reception.addresses.items())}"]
    if carrier_port is not None:
        account = Account()
        lines += [f"  carrier    127.0.0.1:{carrier_port}, simulated ({account.system_id}, password {account.password})"]
    if platform.admin_key:
        lines += ["", f"  admin key  {platform.admin_key}", "             It is shown this once: keep it where passwords are kept."]
        lines += ["", "  Next: docs/tutorial.md (docs/zh/tutorial.md): connect the simulated carrier and send a message."]
    return "\n".join([*lines, ""])
