"""`yanshu serve`: run the platform, or some roles of it, until told to stop."""

import click
import uvloop

from yanshu.app import serve_until_signal
from yanshu.settings import settings_from_process


@click.command()
@click.option("--host", help="Address of the HTTP API (YANSHU_LISTEN_HOST).")
@click.option("--port", type=int, help="Port of the HTTP API, 0 for a free one (YANSHU_LISTEN_PORT).")
@click.option("--data", help="Data directory (YANSHU_DATA_DIR).")
@click.option("--roles", help="all, or a comma list of api, dispatcher, worker (YANSHU_ROLES).")
def serve(host: str | None, port: int | None, data: str | None, roles: str | None) -> None:
    """Run the platform until SIGTERM or Ctrl-C; then drain and stop."""
    settings = settings_from_process(listen_host=host, listen_port=port, data_dir=data, roles=roles)
    uvloop.run(serve_until_signal(settings))
