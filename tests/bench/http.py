"""A load driver's HTTP client: keep-alive connections, prepared requests, as little CPU as Python allows."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from typing import Any


class Connection:
    """One keep-alive HTTP/1.1 connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect."""
        return cls(*await asyncio.open_connection(host, port))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a prepared request; status and body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def prepare(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """Return a request ready for the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Driver:
    """Sends prepared requests over several connections and keeps the latencies."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self.seconds: list[float] = []
        self.answers: list[bytes] = []

    async def run(self, requests: Iterable[bytes], connections: int, keep: Callable[[bytes], bool] = lambda _: False) -> float:
        """Send everything; wall seconds. An answer other than 2xx ends the run with its text."""
        work = iter(requests)
        started = time.perf_counter()
        await asyncio.gather(*(self._worker(work, keep) for _ in range(connections)))
        return time.perf_counter() - started

    async def _worker(self, work: Iterable[bytes], keep: Callable[[bytes], bool]) -> None:
        connection = await Connection.open(self._host, self._port)
        for request in work:
            started = time.perf_counter()
            status, body = await connection.send(request)
            self.seconds.append(time.perf_counter() - started)
            if status >= 300:
                raise RuntimeError(f"{status} {body[:500]!r}")
            if keep(body):
                self.answers.append(body)
        connection.close()

    async def call(self, method: str, path: str, key: str, body: dict[str, Any] | None = None) -> Any:
        """Make one call and return its JSON."""
        connection = await Connection.open(self._host, self._port)
        status, answer = await connection.send(prepare(method, path, key, json.dumps(body).encode() if body is not None else b""))
        connection.close()
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:500]!r}")
        return json.loads(answer) if answer else None
