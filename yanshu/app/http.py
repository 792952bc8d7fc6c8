"""The HTTP server: its listening socket, and uvicorn without signal handlers of its own."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from yanshu.settings import SettingsError


def bound(host: str, port: int) -> socket.socket:
    """Return the listening socket, or say which setting to change."""
    try:
        kind = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=kind, backlog=2048)
    except OSError as error:
        fix = "choose another YANSHU_LISTEN_PORT (--port) or YANSHU_LISTEN_HOST (--host)"
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
