"""Fleet: which links this process holds. Each link is a slot of a connector, owned through a lease row.

Definitions say how many links a connector may have over all processes; a lease says who holds each. A process takes at
most one free slot of a connector a round, so that slots spread over the processes that want them.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from yanshu.domain.connectors import Connector, ConnectorState, LinkReport, LinkState
from yanshu.domain.errors import StoreBusy, YanshuError
from yanshu.pipeline.dispatch import Bell, Dispatcher
from yanshu.pipeline.heartbeats import STOPPED, Heartbeats
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.route import Router
from yanshu.ports.carrier import Carrier
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.runtime.logs import get_logger
from yanshu.runtime.supervise import Supervisor

_ROUND_SECONDS = 1.0
_CLOSE_SECONDS = 5.0
# With the round in which it is seen and the bind, a dead process's link is another's in less than 10 s.
_LEASE = timedelta(seconds=7)
# Which part of a lease we rely on without renewing it; in the rest, links are closed, each wait of that within the hurry.
_TRUSTED = 0.65
_HURRY_SECONDS = 1.2
_TOLD = {LinkState.UP: logging.INFO, LinkState.DOWN: logging.WARNING, LinkState.BLOCKED: logging.ERROR}
MakeCarrier = Callable[[Connector, int], Carrier]
"""Builds the adapter of one slot of a connector."""


class _Held(Struct):
    """A link this process holds."""

    connector: Connector
    slot: int
    carrier: Carrier
    tasks: list[asyncio.Task[None]]
    bell: Bell
    renewed_at: float
    state: LinkState = LinkState.DOWN
    detail: str = ""


class Fleet:
    """Keeps the links this process should hold, and only those."""

    def __init__(self, node_id: str, store: Store, clock: Clock, router: Router, dispatcher: Dispatcher, make_carrier: MakeCarrier) -> None:
        self._node_id = node_id
        self._store = store
        self._clock = clock
        self._router = router
        self._dispatcher = dispatcher
        self._make_carrier = make_carrier
        self._held: dict[tuple[str, int], _Held] = {}
        self._kick = asyncio.Event()
        self._rounds = asyncio.Lock()
        self._is_stopping = False
        self._log = get_logger("fleet")
        self._told: dict[str, tuple[LinkState, str]] = {}
        self._heartbeats = Heartbeats(node_id, _LEASE.total_seconds())

    def attach(self, outcome: Outcome) -> None:
        """Hear from the intake about links and windows."""
        outcome.on_window = self._window_opened
        outcome.on_link = self._link_changed

    async def run(self, supervisor: Supervisor) -> None:
        """Hold the right links until `stop`."""
        watches = [
            asyncio.create_task(self._watch("queue", Bell.queued)),
            asyncio.create_task(self._watch("urgent", Bell.queued_urgently)),
            asyncio.create_task(self._watch_leases()),
        ]
        try:
            while not self._is_stopping:
                await self.step(supervisor)
                await self._pause()
        finally:
            for watch in watches:
                watch.cancel()

    async def step(self, supervisor: Supervisor) -> None:
        """Do one round: hold the links this process should hold."""
        async with self._rounds:
            try:
                await self._round(supervisor)
            except StoreBusy:
                await self._let_go()

    async def stop(self, budget_seconds: float) -> None:
        """Drain and close every link, then give up the leases; no round may open one anew meanwhile."""
        self._is_stopping = True
        async with self._rounds:
            held, self._held = list(self._held.values()), {}
        await asyncio.gather(*(self._close(link, budget_seconds) for link in held))
        try:
            async with self._store.write() as uow:
                for link in held:
                    await uow.records.report_link(self._report(link, LinkState.DOWN, STOPPED))
                await uow.records.release_leases(self._node_id)
                await uow.commit()
        except StoreBusy:
            return  # the leases run out by themselves

    async def _round(self, supervisor: Supervisor) -> None:
        """Renew, take and give up slots according to the definitions."""
        if self._is_stopping:
            return
        await self._router.refresh()
        wanted = {c.id: c for c in self._router.connectors.values() if c.state is ConnectorState.ACTIVE}
        unwanted = [
            key for key, link in self._held.items() if not link.connector.links_like(wanted.get(key[0])) or key[1] >= link.connector.links
        ]
        # All at once: one after another they could take longer than our other leases last.
        await asyncio.gather(*(self._close(self._held.pop(key), _CLOSE_SECONDS) for key in unwanted))
        for key in await self._lease_slots(wanted):
            self._open(wanted[key[0]], key[1], supervisor)

    async def _let_go(self) -> None:
        """Unbind, in a hurry, what we could not renew: when its lease is over, somebody who reaches the store may bind it.

        Before that a busy store is no reason to drop links: answers still come in, and leases outlive a short outage.
        """
        horizon = self._clock.monotonic() - _TRUSTED * _LEASE.total_seconds()
        overdue = [self._held.pop(key) for key, link in list(self._held.items()) if link.renewed_at < horizon]
        await asyncio.gather(*(link.carrier.stop(_HURRY_SECONDS) for link in overdue))
        await asyncio.gather(*(self._close(link, 0.0) for link in overdue))

    async def _watch_leases(self) -> None:
        """Let go in time even while a round waits for the store."""
        while True:
            await asyncio.sleep(_ROUND_SECONDS / 2)
            await self._let_go()

    async def _lease_slots(self, wanted: dict[str, Connector]) -> list[tuple[str, int]]:
        """Renew our leases, drop links whose lease went to somebody else, and take at most one free slot a connector."""
        now, began = self._clock.now(), self._clock.monotonic()
        taken: list[tuple[str, int]] = []
        lost: list[tuple[str, int]] = []
        async with self._store.write() as uow:
            self._heartbeats.look(await uow.records.links(), began)
            for key, link in list(self._held.items()):
                if not await uow.records.acquire_lease(_lease_name(key), self._node_id, now, now + _LEASE):
                    lost.append(key)
                else:
                    await uow.records.report_link(self._report(link, link.carrier.state, link.detail))
            for connector in wanted.values():
                slots = ((connector.id, slot) for slot in range(connector.links))
                for key in slots:
                    if key not in self._held and await self._take(uow, key, now):
                        taken.append(key)
                        break
            await uow.commit()
        for link in self._held.values():
            link.renewed_at = began
        for key in lost:
            if key in self._held:
                await self._close(self._held.pop(key), 0.0)
        return taken

    async def _take(self, uow: UnitOfWork, key: tuple[str, int], now: datetime) -> bool:
        """Take a slot that is free, or whose holder has died; never one that is seen to be held, whatever the clocks say."""
        seen = self._clock.monotonic()
        if self._heartbeats.is_alive(key, seen):
            return False
        died_at = self._heartbeats.died_at(key, seen)
        # A holder that died before the clock was set back left a lease that would last until the clock has caught up.
        over = now if died_at is None else max(now, died_at + _LEASE)
        if not await uow.records.acquire_lease(_lease_name(key), self._node_id, over, now + _LEASE):
            return False
        await uow.records.report_link(
            LinkReport(connector_id=key[0], slot=key[1], node_id=self._node_id, state=LinkState.DOWN, detail="taken over", changed_at=now)
        )
        return True

    def _open(self, connector: Connector, slot: int, supervisor: Supervisor) -> None:
        """Start the adapter and its dispatcher; one that cannot be made is told of, and tried again, without harm to the others."""
        try:
            carrier = self._make_carrier(connector, slot)
        except YanshuError as error:
            self._tell(connector.id, LinkState.BLOCKED, f"it cannot be opened: {error}")
            return
        bell = Bell()
        name = f"{connector.id}:{slot}"
        tasks = [
            supervisor.spawn(f"link:{name}", carrier.run),
            supervisor.spawn(f"dispatch:{name}", lambda: self._dispatcher.run(carrier, connector.window, bell)),
        ]
        self._held[connector.id, slot] = _Held(connector, slot, carrier, tasks, bell, self._clock.monotonic())

    async def _close(self, link: _Held, budget_seconds: float) -> None:
        """Stop claiming, let answers come in, unbind."""
        run, dispatch = link.tasks
        dispatch.cancel()
        await asyncio.gather(dispatch, return_exceptions=True)
        await link.carrier.stop(budget_seconds)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    async def _watch(self, topic: str, ring: Callable[[Bell], None]) -> None:
        """Pass news of the queue to every dispatcher."""
        while True:
            if await self._store.wait(topic, 30.0):
                for link in self._held.values():
                    ring(link.bell)

    async def _pause(self) -> None:
        self._kick.clear()
        try:
            async with asyncio.timeout(_ROUND_SECONDS):
                await self._kick.wait()
        except TimeoutError:
            return

    def _window_opened(self, connector_id: str) -> None:
        for (ident, _), link in self._held.items():
            if ident == connector_id:
                link.bell.opened()

    def _link_changed(self, connector_id: str, state: LinkState, detail: str) -> None:
        for (ident, _), link in self._held.items():
            if ident == connector_id and link.carrier.state is state:
                link.state, link.detail = state, detail
                link.bell.opened()
        self._tell(connector_id, state, detail)
        self._kick.set()

    def _tell(self, connector_id: str, state: LinkState, detail: str) -> None:
        """Log what a person may ask about: a link that is up, down or refused. The same again is told once."""
        if (
            self._is_stopping
            or state not in _TOLD
            or self._told.get(connector_id) == (news := (state, "" if state is LinkState.BLOCKED else detail))
        ):
            return
        self._told[connector_id] = news
        self._log.log(_TOLD[state], "link changed", connector_id=connector_id, state=state.value, detail=detail)

    def _report(self, link: _Held, state: LinkState, detail: str) -> LinkReport:
        return LinkReport(
            connector_id=link.connector.id,
            slot=link.slot,
            node_id=self._node_id,
            state=state,
            detail=detail,
            changed_at=self._clock.now(),
        )


def _lease_name(key: tuple[str, int]) -> str:
    return f"link:{key[0]}:{key[1]}"
