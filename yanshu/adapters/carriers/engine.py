"""The carrier engine: one link of a connector in any dialect. Window, pace, backlog, long texts, answers, acknowledgements."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from yanshu.adapters.carriers.dialect import Dialect, Hearing
from yanshu.adapters.carriers.flights import Flight, Long
from yanshu.adapters.carriers.line import Line
from yanshu.adapters.carriers.listener import Caller, Listener
from yanshu.adapters.carriers.pace import Pace
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.messages import Message
from yanshu.domain.submissions import Answer, AnswerResult
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock
from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.events import Answered, Lost, PeerFault, Requested, TimedOut
from yanshu.runtime.logs import get_logger

# Plain names for the hot path: looking a member of an enum up, or comparing with it, costs more than the rest of the line.
_ACCEPTED = AnswerResult.ACCEPTED
# The worst of several binds, and of what listens, is the state of the connector's link.
_WORST_FIRST = (LinkState.BLOCKED, LinkState.DOWN, LinkState.CONNECTING)
# A peer that talks nonsense gets one line a second in the log, not one a PDU.
_FAULT_LOG_SECONDS = 1.0
# protocols.md §8: never more than one attempt a second per account, however many links it has.
_STAGGER_SECONDS = 1.0
# A pause of so long is a stop: what waits is given back, so that it finds another connector or waits in the queue, where it can.
_STOP_SECONDS = 60.0


class SessionCarrier:
    """One live link of a connector (see `ports.carrier.Carrier`).

    `slot` numbers the links of the connector, over all of which its throughput is divided. With a `hearing` this link is the one
    that the carrier finds when it connects to us.
    """

    def __init__(
        self, connector: Connector, dialect: Dialect, intake: Intake, clock: Clock, slot: int = 0, hearing: Hearing | None = None
    ) -> None:
        self.connector_id = connector.id
        self._window = connector.window
        self._intake = intake
        self._clock = clock
        self._dialect = dialect
        self._accepted, self._accepted_code = dialect.accepted, dialect.accepted_code
        self._log = get_logger(dialect.name)
        self._pace = Pace(connector.throughput / max(connector.links, 1), connector.window, clock.monotonic())
        self._backlog: deque[Flight] = deque()
        plans = dialect.plans()
        self._lines = [
            Line(plan, dialect.refused, clock, self._take, self._publish, place * _STAGGER_SECONDS)
            for place, plan in enumerate(plans, slot * len(plans))
        ]
        self._sending = next((line for line in self._lines if line.may_submit), None)
        self._parts: list[Line | Listener] = [*self._lines]
        if hearing is not None:
            self._parts.append(Listener(hearing, connector.id, clock, self._take, self._publish))
        self._state = LinkState.DOWN
        self._is_stopping = False
        self._unacknowledged = 0
        self._quiet = asyncio.Event()
        self._announced = False
        self._alarm: asyncio.TimerHandle | None = None
        self._stop_code = ""
        self._fault_logged_at = float("-inf")

    # --- ports.carrier.Carrier ---

    @property
    def state(self) -> LinkState:
        """State of the link now; with two binds the worse of them. A line at rest is up."""
        return self._state

    @property
    def outstanding(self) -> int:
        """Segments given to `submit` whose end has not been told: on the wire, or waiting here for it."""
        return len(self._backlog) + sum(line.session.outstanding for line in self._lines if line.session is not None)

    def free(self, reserve: int = 0) -> int:
        """Segments that may be written now, the last `reserve` permits of the window left alone."""
        line = self._sending
        if self._state is not LinkState.UP or line is None:
            return 0
        if line.is_resting:
            permits = self._window
        elif line.session is None or line.link is None or not line.link.is_writable:
            return 0
        else:
            permits = line.session.free
        room = permits - len(self._backlog) - reserve
        if room <= 0:
            return 0
        now = self._clock.monotonic()
        allowed = self._pace.allowance(now) - len(self._backlog)
        if allowed < room:
            self._ring_in(self._pace.opens_in(now))
        return max(min(room, allowed), 0)

    def submit(self, messages: Sequence[Message]) -> None:
        """Write messages; what is beyond the window waits here for permits and is answered ``unsent`` if the link drops.

        Once a segment of a long message has been taken, the others are written whatever it takes (after a pause, over the
        next connection): a part of a text is of no use to anybody.
        """
        now = self._clock.now()
        bodies_of, backlog = self._dialect.chunk(now).bodies, self._backlog
        ended: list[Answer] = []
        for message in messages:
            try:
                bodies = bodies_of(message)
            except LocalProtocolError as error:
                ended.append(self._answer(Flight(message.id, message.attempts, 1, 1), AnswerResult.REFUSED, now, f"local: {error}"))
                continue
            total = len(bodies)
            if total == 1:
                backlog.append(Flight(message.id, message.attempts, 1, 1, bodies[0]))
                continue
            long = Long(message.expires_at)
            backlog.extend(Flight(message.id, message.attempts, part, total, body, long) for part, body in enumerate(bodies, 1))
        if ended:
            self._intake.answered(ended)
        if self._is_stopped_by_carrier:
            self._give_back(everything=True)
        elif self._is_stopping or self._sending is None or not self._sending.may_wait:
            self._give_back()
        else:
            self._pump()

    async def run(self) -> None:
        """Keep every bind alive, and listen, until `stop`."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in self._parts:
                    group.create_task(part.run())
        finally:
            self._give_back(everything=True)
            if self._alarm is not None:
                self._alarm.cancel()

    async def stop(self, budget_seconds: float) -> None:
        """Take no more, wait for answers and for acknowledgements to be possible, unbind, close."""
        self._is_stopping = True
        self._publish()
        self._give_back()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget_seconds):
                while self._is_busy():
                    self._quiet.clear()
                    await self._quiet.wait()
        self._give_back(everything=True)
        await asyncio.gather(*(part.close(budget_seconds) for part in self._parts))

    # --- towards the carrier ---

    def _pump(self) -> None:
        """Write from the backlog what the window and the pace take; wake a line at rest for it."""
        line, backlog = self._sending, self._backlog
        if backlog and line is not None and line.is_resting:
            line.wake()
            return
        if not backlog or line is None or line.session is None or line.link is None or line.state is not LinkState.UP:
            return
        now = self._clock.monotonic()
        count = min(line.session.free, len(backlog), self._pace.allowance(now))
        if count > 0:
            flights = [backlog.popleft() for _ in range(count)]
            for flight in flights:
                if flight.long is not None:
                    flight.long.is_begun = True
            self._pace.spend(count, now)
            line.session.submit([(flight.body, flight) for flight in flights], line.link.now())
            line.link.flush_soon()
        if backlog:
            self._ring_in(self._pace.opens_in(now))

    def _give_back(self, *, everything: bool = False) -> None:
        """Say of what has not been written that it was not; the rest of a long message that has begun may stay."""
        if not self._backlog:
            return
        now = self._clock.now()
        waiting, self._backlog = self._backlog, deque()
        ended: list[Answer] = []
        for flight in waiting:
            if everything or not self._goes_on(flight, now):
                ended.append(self._answer(flight, AnswerResult.UNSENT, now))
            else:
                self._backlog.append(flight)
        if ended:
            self._intake.answered(ended)

    def _goes_on(self, flight: Flight, now: datetime) -> bool:
        """Whether a segment still waits for the wire although nothing new may be written."""
        long = flight.long
        if long is None or now >= long.until:
            return False
        if self._sending is not None and self._sending.state is LinkState.UP:
            return long.is_begun
        return long.is_taken and not self._is_stopping

    # --- from the carrier ---

    def _take(self, line: Line | Caller, events: list[Any]) -> None:
        """Translate one burst: one call for all answers, one for all deliveries."""
        now = self._clock.now()
        answers: list[Answer] = []
        deliveries: list[Any] = []
        faults: list[PeerFault] = []
        again: list[Flight] = []
        for event in events:
            kind = type(event)
            if kind is Answered:
                self._take_answer(event, now, answers, again)
            elif kind is Requested:
                deliveries.append(event.pdu)
            elif kind is TimedOut or kind is Lost:
                answers.append(self._answer(event.item, AnswerResult.UNANSWERED, now, message_id=event.message_id or None))
            elif kind is PeerFault:
                faults.append(event)
        if answers or again:
            self._take_answers(answers, again)
        if deliveries:
            self._take_deliveries(line, deliveries)
        if faults:
            self._log_faults(faults)
        if self._is_stopping:
            self._quiet.set()

    def _take_answers(self, answers: list[Answer], again: list[Flight]) -> None:
        """Pass answers on, put throttled segments back to the head, and use the permits that became free."""
        self._backlog.extendleft(reversed(again))
        if answers:
            self._intake.answered(answers)
        self._pump()
        self._announce()

    def _take_answer(self, event: Answered[Flight], now: datetime, answers: list[Answer], again: list[Flight]) -> None:
        """Translate one answer; a throttled segment of a long message goes to `again` instead of ending."""
        status, flight = event.status, event.item
        if status == self._accepted and not event.is_nack:
            if flight.long is not None:
                flight.long.is_taken = True
            answers.append(
                Answer(
                    flight.message_id,
                    flight.attempt,
                    flight.segment,
                    flight.total,
                    self.connector_id,
                    _ACCEPTED,
                    now,
                    event.message_id,
                    self._accepted_code,
                )
            )
            return
        if event.is_late:
            return  # it was given up as unanswered; that it was refused changes nothing that is safe to act on
        result = self._dialect.result_of(status)
        if event.is_nack and result is not AnswerResult.THROTTLED:
            result = AnswerResult.BUSY  # it did not understand us; another try or another connector may do
        if result is AnswerResult.THROTTLED:
            self._slow_down(status)
            if flight.long is not None and now < flight.long.until and not self._is_stopped_by_carrier:
                again.append(flight)
                return
        answers.append(self._answer(flight, result, now, self._dialect.code_of(status)))

    def _answer(
        self, flight: Flight, result: AnswerResult, now: datetime, code: str | None = None, message_id: str | None = None
    ) -> Answer:
        return Answer(flight.message_id, flight.attempt, flight.segment, flight.total, self.connector_id, result, now, message_id, code)

    def _take_deliveries(self, line: Line | Caller, deliveries: list[Any]) -> None:
        """Hand a burst over; acknowledge it, all together, once it is safe.

        Of a connection that is gone the session hears, too: it may know what is safe when the carrier says it again.
        """
        session, link, dialect = line.session, line.link, self._dialect
        self._unacknowledged += 1

        def done(is_safe: bool) -> None:
            self._unacknowledged -= 1
            if self._is_stopping:
                self._quiet.set()
            if session is not None and link is not None:
                dialect.acknowledge(session, deliveries, is_safe=is_safe)
                link.flush_soon()

        arrivals = dialect.read(deliveries)
        if arrivals:
            self._intake.arrived(arrivals, done)
        else:  # nothing of it has to be kept
            done(True)

    def _slow_down(self, status: int) -> None:
        """Pause the whole link, and be slower after it (protocols.md §8)."""
        now, pause = self._clock.monotonic(), self._dialect.pause_of(status)
        stops = pause >= _STOP_SECONDS
        if stops or not self._pace.is_paused(now):
            self._stop_code = self._dialect.code_of(status) if stops else ""
        if self._pace.throttled(pause, now) or stops:
            self._publish()
        self._ring_in(pause)

    @property
    def _is_stopped_by_carrier(self) -> bool:
        """Whether the carrier has said that it takes nothing for a long time."""
        return bool(self._stop_code) and self._pace.is_paused(self._clock.monotonic())

    def _log_faults(self, faults: Iterable[PeerFault]) -> None:
        now = self._clock.monotonic()
        if now - self._fault_logged_at >= _FAULT_LOG_SECONDS:
            self._fault_logged_at = now
            found = list(faults)
            self._log.warning("peer fault", connector_id=self.connector_id, detail=found[0].detail, count=len(found))

    # --- state ---

    def _publish(self) -> None:
        """Say the state when it changed, use the permits there may be now, and say that some may be free."""
        state, detail = self._current()
        if self._is_stopped_by_carrier:
            self._give_back(everything=True)
        elif self._sending is not None and not self._sending.may_wait:
            self._give_back()
        # What waits here was claimed already: no dispatcher comes for it after a reconnect or when the socket takes octets again.
        self._pump()
        if self._is_stopping:
            self._quiet.set()
        if state is not self._state:
            self._state = state
            self._intake.link_changed(self.connector_id, state, detail)
        self._announce()

    def _current(self) -> tuple[LinkState, str]:
        for state in _WORST_FIRST:
            for part in self._parts:
                if part.state is state:
                    return state, part.detail
        if self._is_stopping:
            return LinkState.DRAINING, "stopping"
        if self._is_stopped_by_carrier:
            seconds = self._pace.opens_in(self._clock.monotonic()) or 0.0
            return LinkState.BLOCKED, f"the carrier takes nothing for now (code {self._stop_code}); next try in {seconds:.0f} s"
        if self._pace.is_paused(self._clock.monotonic()):
            return LinkState.THROTTLED, f"the carrier says too fast; now {self._pace.rate:.0f} segments/s"
        return LinkState.UP, self._lines[0].detail

    def _ring_in(self, seconds: float | None) -> None:
        """Look again after a pause or when tokens have grown."""
        if seconds is None or (self._alarm is not None and not self._alarm.cancelled()):
            return
        loop: Callable[..., asyncio.TimerHandle] = asyncio.get_running_loop().call_later
        self._alarm = loop(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        remaining = self._pace.opens_in(self._clock.monotonic())
        if self._pace.is_paused(self._clock.monotonic()):
            self._ring_in(remaining)
            return
        self._pump()
        self._publish()

    def _announce(self) -> None:
        """Tell the dispatcher that permits are free, once a turn of the event loop."""
        if not self._announced:
            self._announced = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._announced = False
        if self.free() > 0:
            self._intake.window_opened(self.connector_id)

    def _is_busy(self) -> bool:
        return self._unacknowledged > 0 or self.outstanding > 0
