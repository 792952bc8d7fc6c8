"""The simulator as a server: listens, keeps the one timer, and stops cleanly. Used in-process and by `yanshu simulate`."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from yanshu.ports.clock import Clock
from yanshu.protocols.session import Timers
from yanshu.simulator.behaviour import Behaviour, SimulatedProtocol, SimulatorSettings
from yanshu.simulator.calls import Caller
from yanshu.simulator.handsets import HandsetMessage
from yanshu.simulator.http import HttpSide
from yanshu.simulator.ledger import Ledger
from yanshu.simulator.link import SimulatorLink
from yanshu.simulator.scenario import Player, Scenario, Step
from yanshu.simulator.smsc import Smsc
from yanshu.simulator.wires import Wire
from yanshu.simulator.wires.cmpp import VERSIONS, CmppWire
from yanshu.simulator.wires.sgip import SgipWire, stamps
from yanshu.simulator.wires.smgp import SmgpWire
from yanshu.simulator.wires.smpp import SmppWire

SWEEPS_PER_RESEND = 4
LONGEST_SWEEP_SECONDS = 1.0
STOP_SECONDS = 2.0
MakeWire = Callable[[int, Timers], Wire]


class Simulator:
    """A carrier on TCP ports, one for each protocol it was started for."""

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self._clock = clock
        self._smsc = Smsc(settings, clock)
        self._http = HttpSide(self._smsc, self.settle)
        self._sweep_seconds = min(LONGEST_SWEEP_SECONDS, settings.resend_seconds / SWEEPS_PER_RESEND)
        self._servers: list[asyncio.Server] = []
        self._links: set[SimulatorLink] = set()
        self._dirty: list[SimulatorLink] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        # The numbers of this one begin with the time of day.
        self._wires: dict[SimulatedProtocol, MakeWire] = {
            "smpp": SmppWire,
            "cmpp": partial(CmppWire, highest=VERSIONS[settings.cmpp_version]),
            "sgip": partial(SgipWire, stamp_at=stamps(clock)),
            "smgp": SmgpWire,
        }
        desks = [desk for desk in self._smsc.desks.values() if desk.account.protocol == "sgip" and desk.account.delivers_to]
        self._callers = [Caller(self._smsc, self, desk) for desk in desks]
        self._sweep()

    @property
    def settings(self) -> SimulatorSettings:
        """What it was started with."""
        return self._smsc.settings

    @property
    def ledger(self) -> Ledger:
        """Every submit that was answered, when `keep_ledger` is on."""
        return self._smsc.ledger

    @property
    def is_sleeping(self) -> bool:
        """Whether a silent link has ignored something already."""
        return any(link.slept for link in self._links)

    async def start(self, host: str = "127.0.0.1", port: int = 0, protocol: SimulatedProtocol = "smpp") -> int:
        """Listen for one protocol; return the bound port."""
        loop = asyncio.get_running_loop()
        make = self._http.serve() if protocol == "http" else partial(self._new_link, self._wires[protocol])
        server = await loop.create_server(make, host, port)
        self._servers.append(server)
        self._arm()
        for caller in self._callers if protocol == "sgip" else ():
            caller.open()
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Listen no more, unbind every session and close its connection; `start` may follow, nothing is forgotten."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        for caller in self._callers:
            caller.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._http.stop()
        for link in list(self._links):
            link.unbind()
        try:
            await asyncio.wait_for(self._is_empty.wait(), STOP_SECONDS)
        except TimeoutError:
            for link in list(self._links):
                link.cut()
        for server in servers:
            await server.wait_closed()

    def _new_link(self, wire: MakeWire) -> SimulatorLink:
        """Make the protocol of a new connection."""
        settings = self._smsc.settings
        timers = Timers(response_timeout_seconds=settings.resend_seconds)
        return SimulatorLink(self._smsc, self, wire(settings.deliver_window, timers))

    def opened(self, link: SimulatorLink) -> None:
        """See `link.Host`."""
        self._links.add(link)
        self._is_empty.clear()

    def closed(self, link: SimulatorLink) -> None:
        """See `link.Host`."""
        self._links.discard(link)
        if not self._links:
            self._is_empty.set()

    def mark(self, link: SimulatorLink) -> None:
        """See `link.Host`."""
        self._dirty.append(link)

    def settle(self) -> None:
        """See `link.Host`; also sets the timer for what is due next."""
        while self._dirty:
            self._dirty.pop().flush()
        self._arm()

    def _arm(self) -> None:
        """Set the timer for the earliest action, if it is not set for it already."""
        due = self._smsc.schedule.next_due()
        if due is None or not self._servers or (self._timer is not None and self._timer_due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self._clock.monotonic()), self._on_timer)

    def _on_timer(self) -> None:
        """Do what is due."""
        self._timer = None
        self._smsc.schedule.run_due(self._clock.monotonic())
        self.settle()

    def _sweep(self) -> None:
        """Let every session look at its timers, now and again."""
        for link in list(self._links):
            link.tick()
        self._smsc.schedule.add(self._clock.monotonic() + self._sweep_seconds, self._sweep)

    def state(self) -> dict[str, Any]:
        """Counters and behaviour as JSON values, in total and by account."""
        return self._smsc.state()

    def set_behaviour(self, changes: dict[str, Any], account: str | None = None) -> Behaviour:
        """Change behaviour at run time, of all accounts or of one. Raises `BehaviourError`, `UnknownName`."""
        behaviour = self._smsc.set_behaviour(changes, account)
        self.settle()
        return behaviour

    def play(self, scenario: Scenario, happened: Callable[[Step], None] = lambda _: None) -> None:
        """Play a scenario from its start; `happened` follows each step."""
        Player(scenario, self._smsc, happened).start()
        self._arm()

    def drop_links(self, account: str | None = None) -> int:
        """Cut all links, or those of one account, without a word; return how many. Raises `UnknownName`."""
        count = self._smsc.cut_links(account)
        self.settle()
        return count

    def handsets(self) -> list[str]:
        """Numbers (digits) that something was sent to, the longest unused first."""
        return self._smsc.handsets.numbers()

    def inbox(self, number: str) -> list[HandsetMessage]:
        """Texts that reached a handset, oldest first; empty for one that got nothing."""
        handset = self._smsc.handsets.find(number)
        return handset.inbox() if handset is not None else []

    def reply(self, number: str, text: str, to: str | None = None) -> int:
        """Send a text from a handset; return its segments. Raises `UnknownName` for one that got nothing yet."""
        count = self._smsc.reply(number, text, to)
        self.settle()
        return count
