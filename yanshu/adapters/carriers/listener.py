"""Listener: the half of a link that the carrier opens. It listens, lets in who may come, and passes on what is delivered."""

import asyncio
import contextlib
import errno
from collections.abc import Callable
from functools import partial
from typing import Any

from yanshu.adapters.carriers.dialect import Hearing, ServerSession
from yanshu.domain.connectors import LinkState
from yanshu.ports.clock import Clock
from yanshu.protocols.events import BindRequested
from yanshu.runtime.backoff import Backoff
from yanshu.runtime.link import Link, listen
from yanshu.runtime.logs import get_logger

_ENTROPY_BYTES = 2
_CLOSE_SECONDS = 6.0
# Carriers come with one connection or a few; who comes with more has lost count of them, or is no carrier.
_MOST_CALLERS = 64
# Who knocks again and again gets one line a second in the log.
_LOG_SECONDS = 1.0
_NOT_ADMITTED = "its address is not in listen_allow"
_TOO_MANY = f"there are {_MOST_CALLERS} connections already"
_EVICTED = f"it had not logged in when connection {_MOST_CALLERS + 1} came"
_FIXES = {
    errno.EADDRINUSE: "another program, or another connector, listens there; change listen_port, or end the other",
    errno.EADDRNOTAVAIL: "this machine has no such address; change listen_host",
    errno.EACCES: "it is not allowed to; change listen_port to one above 1023",
}


class Caller:
    """One connection of the carrier."""

    def __init__(self, session: ServerSession) -> None:
        self.session = session
        self.link: Link | None = None
        self.is_let_in = False


class _CallerLink(Link):
    """A link whose owner looks at who has come before anything is said."""

    on_made: Callable[[], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.on_made()


class Listener:
    """One address that the carrier connects to. `on_events` gets what is said there, `on_state` is called when listening fails or works.

    What cannot be listened on needs a person: it is ``blocked``, and tried again with growing pauses.
    """

    def __init__(
        self,
        hearing: Hearing,
        connector_id: str,
        clock: Clock,
        on_events: Callable[[Caller, list[Any]], None],
        on_state: Callable[[], None],
    ) -> None:
        self._hearing = hearing
        self._where = f"{hearing.address.host} port {hearing.address.port}"
        self._connector_id = connector_id
        self._clock = clock
        self._on_events = on_events
        self._on_state = on_state
        self._backoff = Backoff()
        self._stopping = asyncio.Event()
        self._callers: dict[Caller, None] = {}
        self._log = get_logger("listener")
        self._logged_at = float("-inf")
        self._untold = 0
        self.state = LinkState.DOWN
        self.detail = "not listening yet"

    async def run(self) -> None:
        """Listen until `close`."""
        while not self._stopping.is_set():
            pause = await self._listen()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
        self._change(LinkState.DOWN, "stopped")

    async def close(self, budget_seconds: float) -> None:
        """Let nobody in any more, and end the connections there are once what was said over them is written."""
        self._stopping.set()
        links = [caller.link for caller in self._callers if caller.link is not None and caller.link.is_connected]
        for caller in self._callers:
            if caller.link is not None:
                caller.session.unbind(caller.link.now())
                caller.link.flush_soon()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_CLOSE_SECONDS, max(budget_seconds, 1.0))):
                await asyncio.gather(*(link.closed.wait() for link in links))
        self._cut()

    async def _listen(self) -> float:
        """Listen as long as it works; return how long to wait before the next time."""
        try:
            server = await listen(self._hearing.address, self._make_link)
        except OSError as error:
            reason = _FIXES.get(error.errno or 0) or error.strerror or str(error)
            self._change(LinkState.BLOCKED, f"cannot listen on {self._where}: {reason}")
            return self._backoff.after_failure(self._clock.entropy(_ENTROPY_BYTES))
        try:
            self._change(LinkState.UP, f"listening on {self._where}")
            await self._stopping.wait()
        finally:
            server.close()
            if not self._stopping.is_set():  # cancelled
                self._cut()
        return 0.0

    def _make_link(self) -> Link:
        session = self._hearing.make()
        caller = Caller(session)
        link = caller.link = _CallerLink(session, partial(self._take, caller), lambda _: self._callers.pop(caller, None))
        link.on_made = partial(self._came, caller, link)
        return link

    def _came(self, caller: Caller, link: Link) -> None:
        """Keep a connection, or end it before it costs anything. Who has not logged in gives way to who comes after."""
        host = link.peer_host
        if not self._hearing.admits(host):
            self._turn_away(caller, _NOT_ADMITTED)
            return
        if len(self._callers) >= _MOST_CALLERS:
            oldest = next((other for other in self._callers if not other.is_let_in), None)
            self._turn_away(oldest or caller, _TOO_MANY if oldest is None else _EVICTED)
            if oldest is None:
                return
        self._callers[caller] = None

    def _turn_away(self, caller: Caller, detail: str) -> None:
        self._callers.pop(caller, None)
        if caller.link is not None:
            self._complain(caller.link.peer_host, detail)
            caller.link.abort()

    def _take(self, caller: Caller, events: list[Any]) -> None:
        for event in events:
            if type(event) is BindRequested:
                self._judge(caller, event.pdu)
        self._on_events(caller, events)

    def _judge(self, caller: Caller, request: Any) -> None:
        host = caller.link.peer_host if caller.link is not None else ""
        turned = self._hearing.judge(request)
        if turned is None:
            caller.is_let_in = True
            caller.session.accept()
        else:
            caller.session.refuse(turned.status)
            self._complain(host, turned.detail)

    def _complain(self, host: str, detail: str) -> None:
        """Say who was not let in and why: it is the first thing to look for when no receipts come (protocols.md §10, lesson 16)."""
        now = self._clock.monotonic()
        self._untold += 1
        if now - self._logged_at >= _LOG_SECONDS:
            self._log.warning("carrier not let in", connector_id=self._connector_id, address=host, detail=detail, count=self._untold)
            self._logged_at, self._untold = now, 0

    def _cut(self) -> None:
        for caller in list(self._callers):
            if caller.link is not None:
                caller.link.abort()

    def _change(self, state: LinkState, detail: str) -> None:
        self.state, self.detail = state, detail
        self._on_state()
