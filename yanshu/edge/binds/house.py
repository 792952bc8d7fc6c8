"""The house: listens for customers' programs, keeps their visits and desks, and follows what changes about their binds."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from yanshu.domain.binds import Bind, BindProtocol
from yanshu.domain.errors import StoreBusy
from yanshu.edge.binds.desk import Desk
from yanshu.edge.binds.dialect import Dialect
from yanshu.edge.binds.doorkeeper import LEASE, Admitted, unwelcome
from yanshu.edge.binds.visit import Floor, Visit
from yanshu.ports.store import Store
from yanshu.runtime.link import Address, listen
from yanshu.runtime.logs import get_logger
from yanshu.runtime.supervise import Factory

# Connections of all customers together, and connections of one address that have not bound yet.
_MOST_CONNECTIONS = 5000
_MOST_UNBOUND = 16
# A change of a bind is followed within this; what is owed is usually told of by a wake.
_ROUND_SECONDS = 1.0
_RENEW_SECONDS = LEASE.total_seconds() / 4
# A session's own patience for the answer to its goodbye, and a little for the network.
_GOODBYE_SECONDS = 6.0

Spawn = Callable[[str, Factory], asyncio.Task[None]]
"""Starts a supervised task."""


class Listener(Struct, frozen=True):
    """Where a protocol is spoken, and what speaks it: one dialect a connection."""

    address: Address
    make: Callable[[], Dialect]


class _Served(Struct):
    """A desk and the task that feeds its sessions."""

    desk: Desk
    task: asyncio.Task[None]


class House:
    """Every connection of this process."""

    def __init__(self, store: Store, floor: Floor, listeners: Mapping[BindProtocol, Listener], spawn: Spawn) -> None:
        self._store = store
        self._floor = floor
        self._listeners = listeners
        self._spawn = spawn
        self._servers: dict[BindProtocol, asyncio.Server] = {}
        self._visits: set[Visit] = set()
        self._served: dict[str, _Served] = {}
        self._looked_at = self._renewed_at = float("-inf")
        self._log = get_logger("binds")

    @property
    def addresses(self) -> dict[str, str]:
        """Where it listens: protocol → host:port."""
        found = {}
        for protocol, server in self._servers.items():
            host, port = server.sockets[0].getsockname()[:2]
            found[protocol.value] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return found

    async def open(self) -> None:
        """Listen. Raises OSError where that cannot be."""
        for protocol, listener in self._listeners.items():
            make = listener.make
            self._servers[protocol] = await listen(listener.address, lambda make=make: self._let_in(make))  # type: ignore[misc]

    async def run(self) -> None:
        """Follow the binds whose sessions are open here, and have them fed, for ever."""
        while True:
            with contextlib.suppress(StoreBusy):
                await self._round()
            await self._store.wait("binds", _ROUND_SECONDS)

    async def stop(self, budget_seconds: float) -> None:
        """Take no more connections, answer what was asked, say goodbye to everybody; what was not acknowledged stays owed."""
        for server in self._servers.values():
            server.close()
        visits = list(self._visits)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget_seconds):
                await asyncio.gather(*(visit.idle.wait() for visit in visits))
        for visit in visits:
            visit.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await asyncio.gather(*(visit.link.closed.wait() for visit in visits if visit.link.is_connected))
        for visit in list(self._visits):
            visit.link.abort()
        await asyncio.sleep(0)  # aborted links tell what they had not heard of
        await asyncio.gather(*(visit.end() for visit in visits))
        with contextlib.suppress(StoreBusy):
            await self._floor.outbox.flush()
            await self._floor.doorkeeper.leave()

    # --- what visits call ---

    def may_ask(self, visit: Visit) -> bool:
        """Whether an address may try one more bind: not while many of its connections wait for an answer."""
        address = visit.link.peer_host
        return sum(other.admitted is None and other.link.peer_host == address for other in self._visits) <= _MOST_UNBOUND

    def opened(self, visit: Visit, admitted: Admitted) -> Desk:
        """See `visit.Host`."""
        served = self._served.get(admitted.bind.id)
        if served is None:
            desk = Desk(admitted.bind, self._floor.outbox)
            served = self._served[admitted.bind.id] = _Served(desk, self._spawn(f"desk:{admitted.bind.id}", desk.run))
        served.desk.bind = admitted.bind
        if visit.receives:
            served.desk.windows.append(visit)
        self._tell_sessions(visit.dialect.protocol)
        return served.desk

    def ended(self, visit: Visit) -> None:
        """See `visit.Host`."""
        self._visits.discard(visit)
        if visit.admitted is None:
            return
        bind_id = visit.admitted.bind.id
        self._floor.doorkeeper.give_back(bind_id, visit.admitted.slot)
        served = self._served[bind_id]
        if visit in served.desk.windows:
            served.desk.windows.remove(visit)
        if not any(other.admitted is not None and other.admitted.bind.id == bind_id for other in self._visits):
            del self._served[bind_id]
            served.task.cancel()
        self._tell_sessions(visit.dialect.protocol)

    # --- private ---

    def _let_in(self, make: Callable[[], Dialect]) -> Any:
        """Return the protocol of a new connection; one too many is hung up on."""
        if len(self._visits) >= _MOST_CONNECTIONS:
            return _Crowded()
        visit = Visit(self._floor, make(), self)
        self._visits.add(visit)
        return visit.link

    async def _round(self) -> None:
        """Do what is due: follow changes, keep the places of sessions, ring where something is owed."""
        now = self._floor.clock.monotonic()
        if self._floor.doorkeeper.has_news or now - self._renewed_at >= _RENEW_SECONDS:
            await self._floor.doorkeeper.renew()
            self._renewed_at = now
        if not self._served:
            return
        if now - self._looked_at >= _ROUND_SECONDS:
            await self._follow()
            self._looked_at = now
        for bind_id in await self._floor.outbox.with_due(list(self._served)):
            if (served := self._served.get(bind_id)) is not None:
                served.desk.ring(due=True)

    async def _follow(self) -> None:
        """Take over what has changed about binds, and end sessions they let in no more."""
        async with self._store.read() as uow:
            binds = {ident: await uow.binds.get(ident) for ident in list(self._served)}
        for visit in list(self._visits):
            if visit.admitted is not None and visit.dialect.session.is_bound:
                bind = binds.get(visit.admitted.bind.id, visit.admitted.bind)
                if bind is None or not _may_stay(visit, visit.admitted, bind):
                    visit.leave()
        for ident, bind in binds.items():
            if bind is not None and (served := self._served.get(ident)) is not None:
                served.desk.bind = bind

    def _tell_sessions(self, protocol: BindProtocol) -> None:
        bound = [visit for visit in self._visits if visit.admitted is not None and visit.dialect.protocol is protocol]
        self._floor.metrics.bind_sessions(protocol, len(bound))


def _may_stay(visit: Visit, admitted: Admitted, bind: Bind) -> bool:
    """Whether a session would be let in again as the bind is now."""
    return bind.secret == admitted.bind.secret and unwelcome(bind, visit.link.peer_host) is None and admitted.slot < bind.sessions


class _Crowded(asyncio.Protocol):
    """A connection there is no room for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        transport.close()
