"""The HTTP carrier: one message is one request, whatever its length; the carrier cuts it into segments itself.

There is no session to hold. A link is up once a connection could be opened. It goes down when a request finds none, or when several
in a row end with nobody knowing, and is blocked when the carrier refuses the account. Then it looks again after growing pauses, and
lets a single message try before it takes more: a carrier that is broken must not make a whole queue unknown.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct, field

from yanshu.adapters.carriers.http.answers import Outcome, Reply, read_answer
from yanshu.adapters.carriers.http.building import NoTemplateFits, Site, build
from yanshu.adapters.carriers.http.caller import Call, Caller, NoAnswer
from yanshu.adapters.carriers.http.definition import Definition
from yanshu.adapters.carriers.http.settings import read_settings, site_of
from yanshu.adapters.carriers.http.signing import sign
from yanshu.adapters.carriers.pace import Pace
from yanshu.domain.connectors import Connector, LinkState
from yanshu.domain.messages import Message
from yanshu.domain.submissions import Answer, AnswerResult
from yanshu.ports.callbacks import CallbackUrls
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock
from yanshu.runtime.backoff import Backoff
from yanshu.runtime.link import Address
from yanshu.runtime.logs import get_logger

_ENTROPY_BYTES = 2
_NONCE_BYTES = 16
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_MOST_UNKNOWN = 5


class _Flight(Struct):
    """A message on its way, and how far its request has come."""

    message: Message
    call: Call = field(default_factory=Call)


class Interface(Struct, frozen=True):
    """What a link speaks: the definition, and what its connector adds."""

    definition: Definition
    site: Site


def http_carrier(connector: Connector, secret: str, intake: Intake, clock: Clock, urls: CallbackUrls) -> "HttpCarrier":
    """Build one link of an HTTP connector. Raises `Invalid` when its settings cannot be used."""
    provider = read_settings(connector.settings)
    settings = provider.settings
    address = Address(connector.host, connector.port, settings.tls_context(), settings.connect_timeout_seconds, settings.tls_server_name)
    caller = Caller(address, settings.response_timeout_seconds, connector.window)
    return HttpCarrier(connector, Interface(provider.definition, site_of(connector, provider, secret, urls)), caller, intake, clock)


class HttpCarrier:
    """One link of a connector (see `ports.carrier.Carrier`). `window` is requests under way, `throughput` requests a second."""

    def __init__(self, connector: Connector, interface: Interface, caller: Caller, intake: Intake, clock: Clock) -> None:
        self.connector_id = connector.id
        self._interface = interface
        self._caller = caller
        self._intake = intake
        self._clock = clock
        self._log = get_logger("http")
        self._window = connector.window
        self._pace = Pace(connector.throughput / max(connector.links, 1), connector.window, clock.monotonic())
        self._backlog: deque[_Flight] = deque()
        self._flights: dict[asyncio.Task[list[Outcome]], _Flight] = {}
        self._backoff = Backoff()
        self._pause = 0.0
        self._proven_at: float | None = None
        self._is_on_trial = False
        self._unknown = 0
        self._reached, self._detail = LinkState.DOWN, "not connected yet"
        self._state = LinkState.DOWN
        self._stopping = asyncio.Event()
        self._trouble = asyncio.Event()
        self._announced = False
        self._alarm: asyncio.TimerHandle | None = None

    # --- ports.carrier.Carrier ---

    @property
    def state(self) -> LinkState:
        """State of the link now."""
        return self._state

    @property
    def outstanding(self) -> int:
        """Messages given to `submit` whose end has not been told."""
        return len(self._backlog) + len(self._flights)

    def free(self, reserve: int = 0) -> int:
        """Requests that may be begun now, the last `reserve` permits of the window left alone; after a refusal a single one."""
        if self._state is not LinkState.UP:
            return 0
        room = (1 if self._is_on_trial else self._window - reserve) - self.outstanding
        if room <= 0:
            return 0
        now = self._clock.monotonic()
        allowed = self._pace.allowance(now) - len(self._backlog)
        if allowed < room:
            self._ring_in(self._pace.opens_in(now))
        return max(min(room, allowed), 0)

    def submit(self, messages: Sequence[Message]) -> None:
        """Begin a request for each message; what is beyond the window waits here, and is ``unsent`` when the link goes down."""
        self._backlog.extend(_Flight(message) for message in messages)
        if self._stopping.is_set() or self._reached is not LinkState.UP:
            self._give_back()
        else:
            self._pump()

    async def run(self) -> None:
        """Be up as much as possible until `stop`."""
        pause = 0.0
        try:
            while not await self._stopped_within(pause):
                pause = await self._live()
        finally:
            if not self._stopping.is_set():
                await self._end(0.0)

    async def stop(self, budget_seconds: float) -> None:
        """Begin no more, wait for answers up to the budget, close."""
        self._stopping.set()
        self._trouble.set()
        self._publish()
        await self._end(budget_seconds)
        self._change(LinkState.DOWN, "stopped")

    # --- the link ---

    async def _live(self) -> float:
        """Be up until something speaks against it; return how long to wait before the next time."""
        where = f"{self._caller.address.host}:{self._caller.address.port}"
        self._trouble.clear()
        self._change(LinkState.CONNECTING, f"connecting to {where}")
        try:
            await self._caller.reach()
        except OSError as error:
            self._change(LinkState.DOWN, f"cannot connect to {where}: {error}")
            return self._backoff.after_failure(self._clock.entropy(_ENTROPY_BYTES))
        if self._stopping.is_set():
            return 0.0
        self._proven_at = None
        self._change(LinkState.UP, f"{where} can be reached")
        await self._trouble.wait()
        return self._pause

    def _fail(self, state: LinkState, why: str, *, is_suspect: bool) -> None:
        """Go down, or be blocked, for a pause that grows from one time to the next; one that is suspect comes back on trial."""
        if self._reached is not LinkState.UP:
            return
        if self._proven_at is not None:
            self._backoff.was_up(self._clock.monotonic() - self._proven_at)
        entropy, backoff = self._clock.entropy(_ENTROPY_BYTES), self._backoff
        self._is_on_trial = self._is_on_trial or is_suspect
        self._pause = backoff.after_refusal(entropy) if state is LinkState.BLOCKED else backoff.after_failure(entropy)
        self._trouble.set()
        self._change(state, f"{why}; next try in {self._pause:.0f} s")

    def _change(self, state: LinkState, detail: str) -> None:
        self._reached, self._detail = state, detail
        self._publish()

    def _publish(self) -> None:
        """Say the state when it changed; give back what cannot be begun, or begin what can."""
        state, detail = self._current()
        if self._reached is not LinkState.UP or self._stopping.is_set():
            self._give_back()
        else:
            self._pump()
        if state is not self._state:
            self._state = state
            self._intake.link_changed(self.connector_id, state, detail)
        self._announce()

    def _current(self) -> tuple[LinkState, str]:
        if self._reached is not LinkState.UP:
            return self._reached, self._detail
        if self._stopping.is_set():
            return LinkState.DRAINING, "stopping"
        if self._pace.is_paused(self._clock.monotonic()):
            return LinkState.THROTTLED, f"the carrier says too fast; now {self._pace.rate:.0f} requests/s"
        return LinkState.UP, self._detail

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()

    async def _end(self, budget_seconds: float) -> None:
        """Wait for answers, then cut off what has none, and close."""
        self._give_back()
        if self._flights:
            await asyncio.wait(self._flights, timeout=budget_seconds)
        left = list(self._flights)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._alarm is not None:
            self._alarm.cancel()
        await self._caller.close()

    # --- requests ---

    def _pump(self) -> None:
        """Begin what window and pace take."""
        now = self._clock.monotonic()
        count = min(self._window - len(self._flights), len(self._backlog), self._pace.allowance(now))
        if count > 0:
            self._pace.spend(count, now)
        for _ in range(count):
            flight = self._backlog.popleft()
            task = asyncio.get_running_loop().create_task(self._send(flight))
            self._flights[task] = flight
            task.add_done_callback(partial(self._landed, flight))
        if self._backlog:
            self._ring_in(self._pace.opens_in(now))

    async def _send(self, flight: _Flight) -> list[Outcome]:
        """Make the request for one message and read the answer. Signed only now: signatures carry the time."""
        definition, site = self._interface.definition, self._interface.site
        try:
            request = build(definition, site, flight.message)
        except NoTemplateFits as error:
            return [Outcome(AnswerResult.REFUSED, None, f"local: {error}")]
        nonce = self._clock.entropy(_NONCE_BYTES).hex()
        signed = sign(definition.send.auth.recipe, request, site.credentials, self._clock.now(), nonce)
        reply = await self._caller.post(signed, flight.call)
        outcomes = read_answer(definition.answer, reply)
        if any(outcome.result is AnswerResult.THROTTLED for outcome in outcomes):
            self._slow_down(reply)
        return outcomes

    def _landed(self, flight: _Flight, task: asyncio.Task[list[Outcome]]) -> None:
        """Tell how a message ended: with its answer, or without one."""
        del self._flights[task]
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            outcomes = task.result()
        else:
            outcomes = [Outcome(AnswerResult.UNANSWERED if flight.call.is_begun else AnswerResult.UNSENT, None, None)]
            self._note(flight, error)
        if flight.call.is_begun:
            self._learn(outcomes)
        now = self._clock.now()
        self._intake.answered([self._answer(flight, place, len(outcomes), now) for place in enumerate(outcomes, 1)])
        self._publish()

    def _learn(self, outcomes: Sequence[Outcome]) -> None:
        """Judge the link by how a request ended that reached the carrier."""
        blocked = next((outcome for outcome in outcomes if outcome.is_blocked), None)
        if blocked is not None:
            self._fail(LinkState.BLOCKED, f"the carrier refuses the account: {blocked.code}", is_suspect=True)
        elif any(outcome.result is AnswerResult.UNANSWERED for outcome in outcomes):
            self._unknown += 1
            if self._unknown >= _MOST_UNKNOWN or self._is_on_trial:
                self._fail(LinkState.DOWN, f"no answer of use to {self._unknown} requests in a row", is_suspect=True)
        else:
            self._unknown, self._is_on_trial = 0, False
            if self._proven_at is None:
                self._proven_at = self._clock.monotonic()

    def _note(self, flight: _Flight, error: BaseException) -> None:
        """Go down when no connection could be had; an error that nobody expects is a fault of ours, and told."""
        if isinstance(error, NoAnswer):
            if not flight.call.is_begun:
                self._fail(LinkState.DOWN, f"no connection: {error}", is_suspect=False)
        elif not isinstance(error, asyncio.CancelledError):
            self._log.error("request failed", message_id=flight.message.id, connector_id=self.connector_id, exc_info=error)

    def _answer(self, flight: _Flight, place: tuple[int, Outcome], total: int, now: datetime) -> Answer:
        (segment, outcome), message = place, flight.message
        return Answer(
            message.id,
            message.attempts,
            segment,
            total,
            self.connector_id,
            outcome.result,
            now,
            outcome.carrier_message_id,
            outcome.code,
        )

    def _give_back(self) -> None:
        """Say of what has not been begun that it was not."""
        waiting, self._backlog = self._backlog, deque()
        if waiting:
            now, unsent = self._clock.now(), Outcome(AnswerResult.UNSENT, None, None)
            self._intake.answered([self._answer(flight, (1, unsent), 1, now) for flight in waiting])

    # --- pace ---

    def _slow_down(self, reply: Reply) -> None:
        """Pause the link for as long as the carrier says, within reason, and be slower after it (protocols.md §8)."""
        pause = min(max(reply.retry_after or 0.0, _PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
        self._pace.throttled(pause, self._clock.monotonic())
        self._ring_in(pause)

    def _ring_in(self, seconds: float | None) -> None:
        """Look again after a pause or when tokens have grown."""
        if seconds is None or self._alarm is not None:
            return
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = self._clock.monotonic()
        if self._pace.is_paused(now):
            self._ring_in(self._pace.opens_in(now))
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
