"""The link over real sockets, plain and TLS: batching, timers, backpressure, ends."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.certificates import server_context
from yanshu.runtime.link import Address, Link, connect, listen


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


class Echo:
    """A session that reports what it hears, says what it is told, and ticks once."""

    def __init__(self, deadline_in: float | None = None) -> None:
        self.reason = ""
        self.is_over = False
        self.out: list[bytes] = []
        self._deadline_in = deadline_in
        self._deadline: float | None = None

    def connected(self, now: float) -> list[Any]:
        self._deadline = now + self._deadline_in if self._deadline_in is not None else None
        return ["connected"]

    def receive_data(self, data: bytes, now: float) -> list[Any]:
        return [data]

    def data_to_send(self) -> bytes:
        data = b"".join(self.out)
        self.out.clear()
        return data

    def next_deadline(self) -> float | None:
        return self._deadline

    def tick(self, now: float) -> list[Any]:
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            return ["tick"]
        return []

    def connection_lost(self, now: float) -> list[Any]:
        return ["lost"]


class Pair:
    """Two links joined by a socket, with what each reported."""

    def __init__(self, deadline_in: float | None = None, **link: Any) -> None:
        self._options = link
        self.ours, self.theirs = Echo(deadline_in), Echo()
        self.heard: list[Any] = []
        self.seen: list[Any] = []
        self.reasons: list[str] = []
        self.peers: list[Link] = []

    @property
    def peer(self) -> Link:
        """The server's end of the first connection."""
        return self.peers[0]

    def _accept(self) -> Link:
        self.peers.append(Link(self.theirs, self.seen.extend))
        return self.peers[-1]

    async def open(self, server_tls: ssl.SSLContext | None = None, client_tls: ssl.SSLContext | None = None) -> None:
        self.server = await listen(Address("127.0.0.1", 0, server_tls), self._accept)
        port = self.server.sockets[0].getsockname()[1]
        self.link = Link(self.ours, self.heard.extend, self.reasons.append, **self._options)
        await connect(Address("127.0.0.1", port, client_tls), lambda: self.link)
        await until(lambda: self.seen)

    async def close(self) -> None:
        self.link.abort()
        self.peer.abort()
        await asyncio.wait_for(self.link.closed.wait(), 5)
        await asyncio.wait_for(self.peer.closed.wait(), 5)
        self.server.close()
        await self.server.wait_closed()


async def test_what_is_asked_in_one_turn_is_written_once() -> None:
    pair = Pair()
    await pair.open()
    for number in range(10):
        pair.ours.out.append(b"%d" % number)
        pair.link.flush_soon()
    await until(lambda: len(pair.seen) > 1)
    assert pair.seen == ["connected", b"0123456789"]
    await pair.close()


async def test_the_session_is_ticked_at_its_deadline() -> None:
    pair = Pair(deadline_in=0.05)
    await pair.open()
    await until(lambda: "tick" in pair.heard)
    await pair.close()


async def test_a_session_that_is_over_is_written_out_and_closed() -> None:
    pair = Pair()
    await pair.open()
    pair.ours.out.append(b"bye")
    pair.ours.is_over, pair.ours.reason = True, "enough"
    pair.link.flush_soon()
    await until(lambda: pair.reasons)
    await until(lambda: pair.seen[-1] == "lost")
    assert (pair.reasons, pair.heard[-1], pair.seen) == (["enough"], "lost", ["connected", b"bye", "lost"])
    await pair.close()


async def test_a_socket_is_kept_alive_and_writes_at_once() -> None:
    pair = Pair()
    await pair.open()
    transport = pair.link._transport
    assert transport is not None
    plug = transport.get_extra_info("socket")
    assert plug.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await pair.close()


async def test_a_peer_that_does_not_read_makes_the_link_unwritable_until_it_does() -> None:
    pair = Pair()
    await pair.open()
    writable: list[bool] = []
    pair.link.on_writable = lambda: writable.append(True)
    transport = pair.peer._transport
    assert transport is not None
    transport.pause_reading()
    pair.ours.out.append(bytes(20_000_000))
    pair.link.flush_soon()
    await until(lambda: not pair.link.is_writable)
    transport.resume_reading()
    await until(lambda: pair.link.is_writable)
    assert writable == [True]
    await pair.close()


@pytest.mark.parametrize(("patience", "octets"), [(0.05, 14_000_000), (60.0, 40_000_000)], ids=["too long", "too much"])
async def test_a_peer_that_never_reads_is_hung_up_on(patience: float, octets: int) -> None:
    pair = Pair(unread_seconds=patience)
    await pair.open()
    transport = pair.peer._transport
    assert transport is not None
    transport.pause_reading()
    for _ in range(2):  # the socket takes the first octets before it is full
        pair.ours.out.append(bytes(octets // 2))
        pair.link.flush_soon()
        await until(lambda: not pair.ours.out)
    await until(lambda: pair.reasons)
    assert pair.reasons == ["the peer does not read"]
    await pair.close()


async def test_a_refused_connection_is_an_os_error() -> None:
    with pytest.raises(OSError, match="onnect"):
        await connect(Address("127.0.0.1", 1), lambda: Link(Echo(), print))


async def test_tls_is_spoken_and_the_certificate_is_checked(tmp_path: Path) -> None:
    server_tls, cert_file = server_context(tmp_path)
    pair = Pair()
    await pair.open(server_tls, ssl.create_default_context(cafile=cert_file))
    pair.ours.out.append(b"hello")
    pair.link.flush_soon()
    await until(lambda: pair.seen[-1] == b"hello")
    port = pair.server.sockets[0].getsockname()[1]
    with pytest.raises(ssl.SSLError):
        await connect(Address("127.0.0.1", port, ssl.create_default_context()), lambda: Link(Echo(), print))
    await pair.close()
