"""`yanshu serve`: run the platform, or some roles of it, until told to stop."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import uvloop

from yanshu.app import Platform, serve_until_signal
from yanshu.settings import settings_from_process


@click.command()
@click.option("--host", help="Address of the HTTP API (YANSHU_LISTEN_HOST).")
@click.option("--port", type=int, help="Port of the HTTP API, 0 for a free one (YANSHU_LISTEN_PORT).")
@click.option("--data", help="Data directory (YANSHU_DATA_DIR).")
@click.option("--roles", help="all, or a comma list of api, dispatcher, worker (YANSHU_ROLES).")
def serve(host: str | None, port: int | None, data: str | None, roles: str | None) -> None:
    """Run the platform until SIGTERM or Ctrl-C; then finish what is under way and stop. A second Ctrl-C ends it at once.

    The first start makes the database and prints one admin key. Where it listens is said on standard output, for a person on
    a terminal and as one line of JSON otherwise; logs go to standard error. All settings: `yanshu doctor --settings`.
    """
    settings = settings_from_process(listen_host=host, listen_port=port, data_dir=data, roles=roles)
    uvloop.run(serve_until_signal(settings, _announce))


def _announce(platform: Platform) -> None:
    """Say where it listens and, on the first start, the admin key: it is shown this once."""
    text = _for_a_person(platform) if sys.stdout.isatty() else json.dumps(_for_a_program(platform))
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _for_a_program(platform: Platform) -> dict[str, Any]:
    said: dict[str, Any] = {"listening": platform.url or None, "url": platform.url, "roles": sorted(platform.roles)}
    if platform.url:
        said["docs"] = f"{platform.url}/docs"
    if platform.admin_key:
        said["admin_key"] = platform.admin_key
        said["note"] = "this key is shown once; keep it"
    return said


def _for_a_person(platform: Platform) -> str:
    store = "PostgreSQL" if platform.settings.database_url else str(Path(platform.settings.data_dir) / "yanshu.db")
    lines = ["", "  Yanshu is ready. Ctrl-C stops it.", "", f"  roles      {', '.join(sorted(platform.roles))}", f"  store      {store}"]
    if platform.url:
        lines += [f"  API        {platform.url}/v1", f"  try it     {platform.url}/docs"]
    if platform.admin_key:
        lines += ["", f"  admin key  {platform.admin_key}", "             It is shown this once: keep it where passwords are kept."]
        lines += ["", "  Next: docs/tutorial.md (docs/zh/tutorial.md): connect the simulated carrier and send a message."]
    return "\n".join([*lines, ""])
