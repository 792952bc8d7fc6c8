"""A visit: one connection of a customer's program, from its bind to its end."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Protocol

from msgspec import Struct

from yanshu.domain.binds import Bind, BindDelivery, BindSubmit
from yanshu.edge.binds.desk import Desk
from yanshu.edge.binds.dialect import Acknowledgement, Dialect, NotTaken, Refusal
from yanshu.edge.binds.doorkeeper import Admitted, Doorkeeper
from yanshu.pipeline.bind_accept import BindIntake
from yanshu.pipeline.bind_outbox import Outbox
from yanshu.ports.clock import Clock
from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.events import Answered, BindRequested, Lost, PeerFault, Requested, TimedOut
from yanshu.rules.accounts.limits import Buckets
from yanshu.runtime.link import Link
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

_FAULTS_TOLD = 20


class Floor(Struct, frozen=True):
    """What visits work with."""

    doorkeeper: Doorkeeper
    intake: BindIntake
    outbox: Outbox
    buckets: Buckets
    clock: Clock
    metrics: Metrics


class Host(Protocol):
    """Who keeps the visits."""

    def may_ask(self, visit: "Visit") -> bool:
        """Whether one more bind from this address may be looked at."""

    def opened(self, visit: "Visit", admitted: Admitted) -> Desk:
        """A session is bound; the desk of its bind."""

    def ended(self, visit: "Visit") -> None:
        """The connection is gone."""


class Visit:
    """One connection. Requests of one read are one chunk; those that come while it is being stored are the next."""

    def __init__(self, floor: Floor, dialect: Dialect, host: Host) -> None:
        self.dialect = dialect
        self.link = Link(dialect.session, self._take, self._closed)
        self.admitted: Admitted | None = None
        self.receives = False
        self._floor = floor
        self._host = host
        self._desk: Desk | None = None
        self._requests: list[Any] = []
        self._unanswered = 0
        self._serving = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self._log = get_logger("binds")

    @property
    def bind(self) -> Bind:
        """The bind as it is now."""
        assert self._desk is not None  # noqa: S101 - nobody asks before the session is bound
        return self._desk.bind

    @property
    def room(self) -> int:
        """See `desk.Window`."""
        session = self.dialect.session
        if not self.receives or not self.link.is_writable:
            return 0
        return max(0, min(session.free, self.bind.window - session.outstanding))

    def deliver(self, deliveries: Sequence[BindDelivery]) -> None:
        """See `desk.Window`. What cannot travel is told of and given up, and harms nothing else."""
        for delivery in deliveries:
            try:
                self.dialect.deliver([delivery], self.bind, self.link.now())
            except LocalProtocolError as error:
                self._log.error("something owed cannot travel", bind_id=self.bind.id, object_id=delivery.object_id, error=str(error))
                self._floor.outbox.refused(delivery, 0)
        self.link.flush_soon()

    def leave(self) -> None:
        """End the session politely."""
        self.dialect.session.unbind(self.link.now())
        self.link.flush_soon()

    async def end(self) -> None:
        """Give up whatever is still under way; the connection is closed already."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what the link calls ---

    def _take(self, events: list[Any]) -> None:
        """Act on what one burst of octets or one timer brought."""
        for event in events:
            handler = self._handlers.get(type(event))
            if handler is not None:  # what has none, the session has dealt with
                handler(self, event)
        if self._requests and not self._serving:
            self._serving = True
            self.idle.clear()
            self._spawn(self._serve())

    def _closed(self, reason: str) -> None:
        """The connection is gone. What is being stored is stored, though nobody hears the answer; what waits was never taken."""
        self._requests.clear()
        if self.admitted is None:
            for task in self._tasks:  # nobody waits for that answer any more
                task.cancel()
        if self.admitted is not None:
            self._log.info("a bind's session ended", bind_id=self.admitted.bind.id, because=reason)
        self._host.ended(self)

    def _requested(self, event: Requested) -> None:
        """Line a request up, or refuse at once what is beyond the window or the rate."""
        bind = self.bind
        now = self.link.now()
        too_many = self._unanswered >= bind.window
        if too_many or (bind.throughput and not self._floor.buckets.take(bind.id, bind.throughput, 1, now).granted):
            self._count({self.dialect.throttle(event.pdu): 1})
            return
        self._unanswered += 1
        self._requests.append(event.pdu)

    def _answered(self, event: Answered[BindDelivery]) -> None:
        outbox, delivery = self._floor.outbox, event.item
        verdict = self.dialect.judge(event.status)
        if verdict is Acknowledgement.TAKEN:
            outbox.acknowledged(delivery)
        elif event.is_late:
            return  # it was put off when the time was over
        elif verdict is Acknowledgement.NEVER:
            outbox.refused(delivery, event.status)
        else:
            outbox.put_off(delivery)
        if self._desk is not None:
            self._desk.ring()

    def _timed_out(self, event: TimedOut[BindDelivery]) -> None:
        self._floor.outbox.put_off(event.item)

    def _lost(self, event: Lost[BindDelivery]) -> None:
        self._floor.outbox.put_back([event.item])

    def _fault(self, event: PeerFault) -> None:
        """Say what a customer's program does wrong, but not for ever."""
        self._faults += 1
        if self._faults <= _FAULTS_TOLD:
            bind_id = self.admitted.bind.id if self.admitted is not None else None
            self._log.info("a customer's program made a fault", bind_id=bind_id, address=self.link.peer_host, detail=event.detail)

    def _bind_requested(self, event: BindRequested) -> None:
        if self._host.may_ask(self):
            self._spawn(self._open(event.pdu))
        else:
            self.link.abort()

    # --- work that takes its time ---

    async def _open(self, pdu: Any) -> None:
        """Let the client in or send it away."""
        asked = self.dialect.asked(pdu)
        dialect = self.dialect
        found = await self._floor.doorkeeper.admit(dialect.protocol, asked, self.link.peer_host, lambda secret: dialect.proves(pdu, secret))
        if dialect.session.is_over or not self.link.is_connected:
            if isinstance(found, Admitted):
                self._floor.doorkeeper.give_back(found.bind.id, found.slot)
            return
        if isinstance(found, Refusal):
            dialect.turn_away(found)
        else:
            self.admitted, self.receives = found, asked.receives
            self._desk = self._host.opened(self, found)
            dialect.welcome(found.secret)
            self._log.info("a bind's session began", bind_id=found.bind.id, address=self.link.peer_host, slot=found.slot)
            self.link.on_writable = self._desk.ring
            self._desk.ring(due=True)
        self.link.flush_soon()

    async def _serve(self) -> None:
        """Store requests, a chunk at a time, and answer each once it is safe."""
        while self._requests:
            pdus, self._requests = self._requests, []
            submits, readable = self._read(pdus)
            told = await self._floor.intake.take(self.bind, submits)
            self._unanswered -= len(pdus)
            statuses: dict[str, int] = {}
            for pdu, answer in zip(readable, told, strict=True):
                status = self.dialect.answer(pdu, answer)
                statuses[status] = statuses.get(status, 0) + 1
            self._count(statuses)
            self.link.flush_soon()
        self._serving = False
        self.idle.set()

    def _read(self, pdus: Sequence[Any]) -> tuple[list[BindSubmit], list[Any]]:
        """Read requests; what the protocol itself refuses is answered here."""
        now = self._floor.clock.now()
        submits: list[BindSubmit] = []
        readable: list[Any] = []
        for pdu in pdus:
            try:
                submits.append(self.dialect.read(pdu, self.bind, now))
            except NotTaken as error:
                self._count({self.dialect.refuse(pdu, error.status): 1})
            else:
                readable.append(pdu)
        return submits, readable

    def _count(self, statuses: dict[str, int]) -> None:
        for status, count in statuses.items():
            self._floor.metrics.bind_submits(self.dialect.protocol, status, count)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """A fault of ours ends the connection: what is unanswered was not taken, as far as the customer knows."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("a bind's session broke", exc_info=error)
            self.idle.set()
            self.link.abort()

    _handlers: ClassVar[dict[type, Callable[["Visit", Any], None]]] = {
        Requested: _requested,
        Answered: _answered,
        TimedOut: _timed_out,
        Lost: _lost,
        PeerFault: _fault,
        BindRequested: _bind_requested,
    }
