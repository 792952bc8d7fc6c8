"""Link: drives any sans-IO session over a TCP or TLS connection, client or server side.

A session is known by its shape only (`Session`); carriers, binds and the simulator share this driver without sharing code.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from msgspec import Struct

AnyProtocol = TypeVar("AnyProtocol", bound=asyncio.BaseProtocol)

# What is still to be written when a session is over has so long; a peer that does not read must not hold the socket.
_CLOSE_SECONDS = 5.0
# A peer that sends and does not read: submits are bounded by the window, answers to its requests are not.
_UNREAD_SECONDS = 30.0
_UNREAD_OCTETS = 16 * 1024 * 1024


class Session(Protocol):
    """Bytes and time in, events and bytes out. Times are those of `Link.now`."""

    reason: str

    @property
    def is_over(self) -> bool:
        """Whether to close once everything is written."""

    def connected(self, now: float) -> list[Any]:
        """The connection is there."""

    def receive_data(self, data: bytes, now: float) -> list[Any]:
        """Take octets from the peer."""

    def data_to_send(self) -> bytes:
        """Return what is to be written, and forget it."""

    def next_deadline(self) -> float | None:
        """When `tick` is due."""

    def tick(self, now: float) -> list[Any]:
        """Do what is due."""

    def connection_lost(self, now: float) -> list[Any]:
        """The connection is gone."""


class Address(Struct, frozen=True):
    """Where to connect or listen; `tls` None means plain TCP. The certificate must be of `server_name`, else of `host`."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    connect_timeout_seconds: float = 10.0
    server_name: str = ""


class Link(asyncio.Protocol):
    """One connection. Whoever asks something of the session calls `flush_soon` after it.

    `on_events` gets what one burst of octets or one timer brought, `on_closed` the reason, once, after the last events.
    A peer that has not read for `unread_seconds`, or leaves too much unread, is hung up on: nothing moves on such a link.
    """

    def __init__(
        self,
        session: Session,
        on_events: Callable[[list[Any]], None],
        on_closed: Callable[[str], None] = lambda _: None,
        unread_seconds: float = _UNREAD_SECONDS,
    ) -> None:
        self.session = session
        self._unread_seconds = unread_seconds
        self._unread: asyncio.TimerHandle | None = None
        self._on_events = on_events
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._flush_planned = False
        self.on_writable: Callable[[], None] = lambda: None
        self.is_writable = False
        self.reason = ""
        self.closed = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now; not while it is being made, its TLS handshake included."""
        return self._transport is not None

    @property
    def peer_host(self) -> str:
        """The address at the other end; "" when there is no connection."""
        name = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(name[0]) if name else ""

    def now(self) -> float:
        """The time that the session is told."""
        return self._loop.time()

    def flush_soon(self) -> None:
        """Write what the session has to say, once for everything asked in this turn of the event loop."""
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def abort(self) -> None:
        """Cut the connection without ceremony."""
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the socket up and let the session begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_writable = True
        _tune(self._transport.get_extra_info("socket"))
        self._report(self.session.connected(self.now()))

    def data_received(self, data: bytes) -> None:
        """Pass octets on."""
        self._report(self.session.receive_data(data, self.now()))

    def pause_writing(self) -> None:
        """The peer reads too slowly."""
        self.is_writable = False
        self._unread = self._loop.call_later(self._unread_seconds, self._hang_up)

    def resume_writing(self) -> None:
        """There is room again."""
        self._forget_unread()
        self.is_writable = True
        self.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session, then the owner."""
        self.is_writable = False
        self._transport = None
        self._forget_unread()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.reason = self.reason or self.session.reason or (f"{type(exc).__name__}: {exc}" if exc else "closed by the peer")
        events = self.session.connection_lost(self.now())
        try:
            if events:
                self._on_events(events)
        finally:
            self._on_closed(self.reason)
            self.closed.set()

    # --- private ---

    def _report(self, events: list[Any]) -> None:
        if events:
            self._on_events(events)
        self._flush()

    def _flush(self) -> None:
        self._flush_planned = False
        if self._transport is None:
            return
        data = self.session.data_to_send()
        if data:
            self._transport.write(data)
            if not self.is_writable and self._transport.get_write_buffer_size() > _UNREAD_OCTETS:
                self._hang_up()
                return
        if self.session.is_over:
            self._close(self._transport)
        else:
            self._plan_tick()

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _hang_up(self) -> None:
        """The peer does not read what we write."""
        self.reason = "the peer does not read"
        self.abort()

    def _close(self, transport: asyncio.Transport) -> None:
        """Close once everything is written, or when that takes too long."""
        if transport.is_closing():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(_CLOSE_SECONDS, transport.abort)
        transport.close()

    def _plan_tick(self) -> None:
        """Have the timer ring at the deadline. One that rings earlier is left alone: most deadlines only move away."""
        deadline = self.session.next_deadline()
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._report(self.session.tick(self.now()))


async def connect(address: Address, make_link: Callable[[], AnyProtocol]) -> AnyProtocol:
    """Open a connection, mostly for a `Link`. Raises OSError (ssl errors and timeouts among them) that says in words what is wrong."""
    loop = asyncio.get_running_loop()
    name = (address.server_name or address.host) if address.tls is not None else None
    try:
        (name or "").encode("idna")  # asyncio would find out after it has connected, and leave the socket open
        async with asyncio.timeout(address.connect_timeout_seconds):
            _, link = await loop.create_connection(make_link, address.host, address.port, ssl=address.tls, server_hostname=name)
    except TimeoutError as error:
        raise TimeoutError(f"no connection within {address.connect_timeout_seconds:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise ssl.SSLCertVerificationError(f"the certificate is not accepted: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise ssl.SSLError(f"TLS is not spoken as expected: {error.reason or error}") from error
    except (ConnectionResetError, ConnectionAbortedError) as error:
        raise OSError("the peer hung up before the connection was set up" + (": does it speak TLS?" if name else "")) from error
    except ValueError as error:  # a name that cannot be looked up is a ValueError to the resolver
        raise OSError(f"{name or address.host} is no host name: {error}") from error
    return link


async def listen(address: Address, make_link: Callable[[], Link]) -> asyncio.Server:
    """Accept connections, each with a link of its own; the server is listening when this returns."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(make_link, address.host, address.port, ssl=address.tls)


def _tune(sock: socket.socket | None) -> None:
    """Send at once, and let the kernel notice a dead peer too."""
    if sock is None:
        return
    with contextlib.suppress(OSError):  # the peer may be gone already
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
