"""Line: one bind of a connector: connects, binds, comes back after failures or on demand, unbinds on stop."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from yanshu.adapters.carriers.dialect import ClientSession, Plan, Refused
from yanshu.domain.connectors import LinkState
from yanshu.ports.clock import Clock
from yanshu.protocols.events import BindRefused, Bound, Lost
from yanshu.runtime.backoff import Backoff, jitter
from yanshu.runtime.link import Link, connect

_ENTROPY_BYTES = 2
# protocols.md §8: after unbind wait 5 s for the answer; the session itself gives up then, this is for a socket that hangs.
_CLOSE_SECONDS = 6.0


class Line:
    """One bind. `on_events` gets what the session reports about texts, `on_state` is called whenever more or less may be sent.

    `refused` says what a refused bind means. Every attempt comes `delay_seconds` later than it might: each line of an account has
    another delay, so that they do not all come at once when the carrier is back. A line whose session is at rest is as good as
    bound: it waits without a connection until `wake`.
    """

    def __init__(
        self,
        plan: Plan,
        refused: Callable[[int], Refused],
        clock: Clock,
        on_events: Callable[["Line", list[Any]], None],
        on_state: Callable[[], None],
        delay_seconds: float,
    ) -> None:
        self._plan = plan
        self._judge = refused
        self._clock = clock
        self._on_events = on_events
        self._on_state = on_state
        self._delay = delay_seconds
        self.may_submit = plan.may_submit
        self._backoff = Backoff()
        self._stopping = asyncio.Event()
        self._roused = asyncio.Event()
        self._is_waking = False
        self.is_resting = False
        self._refused: int | None = None
        self._up_since: float | None = None
        self.state = LinkState.DOWN
        self.detail = "not connected yet"
        self.session: ClientSession | None = None
        self.link: Link | None = None

    @property
    def may_wait(self) -> bool:
        """Whether what is to be written may wait here: for permits, or for the connection that it asked for."""
        return self.state is LinkState.UP or self._is_waking

    def wake(self) -> None:
        """There is something to write over a line at rest."""
        self._roused.set()

    async def run(self) -> None:
        """Be bound as long as possible, until `close`."""
        pause = self._delay
        while not await self._stopped_within(pause):
            pause = await self._live()
            if self.is_resting:
                await self._roused.wait()
                self.is_resting, self._is_waking = False, not self._stopping.is_set()
            else:
                pause += self._delay
        self._change(LinkState.DOWN, "stopped")

    async def close(self, budget_seconds: float) -> None:
        """Unbind and do not come back. An attempt to connect is not waited for: cancel `run` to end it before its time is over."""
        self._stopping.set()
        self._roused.set()
        link, session = self.link, self.session
        if link is None or session is None or not link.is_connected:
            return
        session.unbind(link.now())
        link.flush_soon()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_CLOSE_SECONDS, max(budget_seconds, 1.0))):
                await link.closed.wait()
        link.abort()

    async def _live(self) -> float:
        """Connect and stay until the connection ends; return how long to wait before the next time."""
        self._refused = self._up_since = None
        self._change(LinkState.CONNECTING, f"connecting to {self._plan.where}")
        session = self._plan.make()
        link = Link(session, self._take)
        link.on_writable = self._on_state
        self.session, self.link = session, link
        try:
            await connect(self._plan.address(), lambda: link)
        except OSError as error:
            self.session = self.link = None
            self._is_waking = False
            self._change(LinkState.DOWN, f"cannot connect to {self._plan.where}: {error}")
            return self._backoff.after_failure(self._clock.entropy(_ENTROPY_BYTES))
        if self._stopping.is_set():
            session.unbind(link.now())
            link.flush_soon()
        try:
            await link.closed.wait()
        finally:
            link.abort()
            self.session = self.link = None
        return self._ended(link, session)

    def _rest(self) -> float:
        """Wait for something to write; nothing is wrong, and what went wrong before is over."""
        self._backoff = Backoff()
        self._roused.clear()
        self.is_resting = True
        self._change(LinkState.UP, f"at rest: connects to {self._plan.where} when there is something to send")
        return 0.0

    def _ended(self, link: Link, session: ClientSession) -> float:
        """Say why it ended, and decide when to come back (protocols.md §3.3, §8)."""
        entropy = self._clock.entropy(_ENTROPY_BYTES)
        self._is_waking = False
        if self._refused is None:
            if self._up_since is not None:
                self._backoff.was_up(link.now() - self._up_since)
            if session.is_at_rest and not self._stopping.is_set():
                return self._rest()
            self._change(LinkState.DOWN, f"connection ended: {link.reason}")
            return self._backoff.after_failure(entropy)
        refused = self._judge(self._refused)
        if refused.is_ours:
            pause = self._backoff.after_refusal(entropy)
            self._change(LinkState.BLOCKED, f"{refused.detail}; next try in {pause:.0f} s")
            return pause
        self._change(LinkState.DOWN, refused.detail)
        if refused.pause_seconds is not None:
            return jitter(refused.pause_seconds, entropy)
        return self._backoff.after_failure(entropy)

    def _take(self, events: list[Any]) -> None:
        """Notice binds and losses, and pass everything on in one call."""
        if self.state is not LinkState.UP:
            for event in events:
                if type(event) is Bound:
                    self._up_since = self.link.now() if self.link is not None else None
                    self._is_waking = False
                    self._change(LinkState.UP, f"bound to {event.peer or self._plan.where}")
                elif type(event) is BindRefused:
                    self._refused = event.status
        elif events and type(events[-1]) is Lost:
            self._change(LinkState.DOWN, f"connection ended: {self.link.reason if self.link is not None else 'lost'}")
        self._on_events(self, events)

    def _change(self, state: LinkState, detail: str) -> None:
        self.state, self.detail = state, detail
        self._on_state()

    async def _stopped_within(self, seconds: float) -> bool:
        if seconds <= 0:
            return self._stopping.is_set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()
