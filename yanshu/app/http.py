"""HTTP listeners: a socket bound first, uvicorn on it later, without signal handlers of its own."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from yanshu.edge.exchange import Application
from yanshu.settings import SettingsError


class Listener:
    """One listener: `open` takes the port, so that its URL is known before there is an application to serve."""

    def __init__(self, drain_seconds: int) -> None:
        self._drain_seconds = drain_seconds
        self._socket: socket.socket | None = None
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where it answers; empty as long as it has no port."""
        if self._socket is None:
            return ""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def open(self, host: str, port: int, fix: str) -> None:
        """Take the port. Raises `SettingsError` that says what to choose otherwise."""
        self._socket = _bound(host, port, fix)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def offer(self, app: Application) -> None:
        """Make the server that `serve` runs."""
        self._server = Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", proxy_headers=False, timeout_graceful_shutdown=self._drain_seconds
            )
        )

    async def serve(self) -> None:
        """Answer until told to stop."""
        if self._server is not None and self._socket is not None:
            await self._server.serve([self._socket])

    async def drain(self) -> None:
        """Take no more connections, and let requests end."""
        if self._server is not None:
            self._server.should_exit = True
            await self._server.finished.wait()

    def close(self) -> None:
        """Let go of the port; the server has done so, unless it never came to serve."""
        if self._socket is not None:
            self._socket.close()


def _bound(host: str, port: int, fix: str) -> socket.socket:
    try:
        kind = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=kind, backlog=2048)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}; {fix}") from error


class Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: `serve_until_signal` decides when to stop. `finished` after the last request."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.finished = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit`."""
        try:
            await super().serve(sockets)
        finally:
            self.finished.set()
