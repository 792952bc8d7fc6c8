"""Calls: connections that a simulated carrier opens to its client when something waits for it, where the protocol has it so."""

import asyncio
from functools import partial

from yanshu.protocols.events import BindRefused, Bound, Event
from yanshu.protocols.session import Timers
from yanshu.simulator.accounts import AccountDesk
from yanshu.simulator.link import Host, SimulatorLink
from yanshu.simulator.smsc import Smsc
from yanshu.simulator.wires.sgip import SgipWire

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 30.0


class CallLink(SimulatorLink):
    """A connection of the carrier's own: it delivers and takes no submits."""

    def __init__(self, smsc: Smsc, host: Host, wire: SgipWire, desk: AccountDesk) -> None:
        super().__init__(smsc, host, wire)
        self._desk = desk
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        super().connection_made(transport)
        self._mark()
        self._host.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `SimulatorLink`."""
        super().connection_lost(exc)
        self.ended.set()

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if type(event) is Bound:
                self._desk.tally.calls += 1
                self.account, self.receives = self._desk, True
                self._desk.join(self)
            elif type(event) is BindRefused:
                self._desk.tally.failed_calls += 1
        super()._take(events)


class Caller:
    """Calls the client of one account, one call at a time, as long as something waits; it comes back after a pause."""

    def __init__(self, smsc: Smsc, host: Host, desk: AccountDesk) -> None:
        self._smsc = smsc
        self._host = host
        self._desk = desk
        self._where, _, port = desk.account.delivers_to.rpartition(":")
        self._port = int(port)
        self._is_open = False
        self._task: asyncio.Task[None] | None = None
        desk.summon = self._summon

    def open(self) -> None:
        """Call from now on."""
        self._is_open = True
        self._desk.pump()

    def close(self) -> None:
        """Call no more; calls under way are links like others."""
        self._is_open = False
        if self._task is not None:
            self._task.cancel()

    def _summon(self) -> None:
        if self._is_open and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while not self._desk.behaviour.silent:
            link = self._new_link()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await asyncio.get_running_loop().create_connection(partial(_same, link), self._where, self._port)
            except OSError:
                self._desk.tally.failed_calls += 1
            else:
                await link.ended.wait()
            if not self._desk.waiting:
                return
            await asyncio.sleep(self._smsc.settings.resend_seconds)

    def _new_link(self) -> CallLink:
        settings = self._smsc.settings
        timers = Timers(response_timeout_seconds=settings.resend_seconds, probe_seconds=IDLE_SECONDS)
        wire = SgipWire.calling(self._desk.account, settings.deliver_window, timers, self._smsc.clock)
        return CallLink(self._smsc, self._host, wire, self._desk)


def _same(link: CallLink) -> CallLink:
    return link
