"""One session of the simulator: bytes from a socket to the simulated carrier and back, one write a loop turn."""

import asyncio
from functools import partial
from typing import Protocol, cast

from yanshu.protocols.events import Answered, BindRequested, Event, Lost, Requested, TimedOut
from yanshu.simulator.accounts import AccountDesk, Admission
from yanshu.simulator.behaviour import account_name
from yanshu.simulator.smsc import Smsc
from yanshu.simulator.traffic import Delivery, Segment
from yanshu.simulator.wires import Wire


class Host(Protocol):
    """What a link needs of the server that owns it."""

    def opened(self, link: "SimulatorLink") -> None:
        """A connection was made."""

    def closed(self, link: "SimulatorLink") -> None:
        """A connection has ended."""

    def mark(self, link: "SimulatorLink") -> None:
        """The link has something to flush."""

    def settle(self) -> None:
        """A turn ends: flush all marked links."""


class SimulatorLink(asyncio.Protocol):
    """A connection: the wire does the protocol, the carrier decides, this moves bytes between them and the socket."""

    def __init__(self, smsc: Smsc, host: Host, wire: Wire) -> None:
        self.account: AccountDesk = None  # type: ignore[assignment]  # no line of an account before the bind
        self.receives = False
        self._smsc = smsc
        self._host = host
        self.busy, self.throttled = wire.busy, wire.throttled
        self._wire = wire
        self._session = wire.session
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._held: list[tuple[object, int, str]] = []
        self._at = 0.0
        self._is_marked = False
        self._is_full = False
        self._is_closing = False
        self.slept = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio switches Nagle's algorithm off itself."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")  # None when the client is gone already
        self._address = peer[0] if peer else ""
        self._host.opened(self)
        self._session.connected(self._smsc.clock.monotonic())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended does not matter
        """What was not acknowledged is delivered over another link or at the next bind."""
        self._transport, self._is_closing = None, True
        events = self._session.connection_lost(self._smsc.clock.monotonic())
        if self.account is not None:
            self.account.leave(self, [event.item for event in events if isinstance(event, Lost)])
        self._host.closed(self)
        self._host.settle()

    def pause_writing(self) -> None:
        """The peer does not read: take nothing more from it, deliver nothing more to it."""
        self._is_full = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._is_full = False
        if self._transport is not None:
            self._transport.resume_reading()
        if self.account is not None:
            self.account.pump()
        self._host.settle()

    def data_received(self, data: bytes) -> None:
        """Handle every whole PDU, then write once."""
        if self._is_silent():
            self.slept = True
            return
        if self.slept:  # octets were lost meanwhile: the stream cannot be followed any more
            self.cut()
            return
        self._mark()
        self._at = self._smsc.clock.now().timestamp()
        self._take(self._session.receive_data(data, self._smsc.clock.monotonic()))
        self._host.settle()

    def tick(self) -> None:
        """Let the session do what is due: ask whether the client is there, give up what is not acknowledged."""
        if not self._is_silent():
            self._mark()
            self._take(self._session.tick(self._smsc.clock.monotonic()))

    def _take(self, events: list[Event]) -> None:
        """Act on what the session reports; what comes behind the end of the session was never read."""
        for event in events:
            if self._is_closing:
                return
            if type(event) is Requested:
                self._requested(event.pdu)
            elif type(event) is Answered:
                self._acknowledged(event)
            elif type(event) is TimedOut:
                self.account.tally.resent += 1
                self.account.hand_over(event.item)
            elif type(event) is BindRequested:
                self._bind(event.pdu)
        if self.account is not None and self.account.waiting:
            self.account.pump()

    def _bind(self, request: object) -> None:
        """Check credentials and join the account."""
        client = self._wire.client(request)
        name = account_name(self._wire.protocol, client.system_id)
        admission = self._smsc.admit(name, client.proves, self._address)
        if admission is not Admission.WELCOME:
            self._wire.refuse(admission)
            return
        self.account = self._smsc.desk(name)
        self._wire.admit(self.account)
        self.receives = client.receives and self.account.summon is None
        self.account.join(self)

    def _requested(self, request: object) -> None:
        """Hand a submit to the carrier."""
        segment = self._wire.segment(request, self._at)
        if segment is not None:
            self._smsc.submitted(self, request, segment)

    def _acknowledged(self, event: Answered[Delivery]) -> None:
        """A delivery is done, or comes again later when the client could not take it. Late answers change nothing."""
        account = self.account
        if event.is_late:
            return
        if event.status == 0:
            account.tally.acknowledged += 1
            return
        account.tally.resent += 1
        due = self._smsc.clock.monotonic() + self._smsc.settings.resend_seconds
        self._smsc.schedule.add(due, partial(account.hand_over, event.item))

    def has_room(self) -> bool:
        """See `Line`."""
        if self._is_full or self._is_closing or self._is_silent():
            return False
        return self._session.free > 0

    def answer(self, request: object, status: int, carrier_message_id: str) -> None:
        """See `Line`."""
        if self._is_closing:
            return
        self._mark()
        if self.account.behaviour.reorder_answers:
            self._held.append((request, status, carrier_message_id))
        else:
            self._wire.answer(request, status, carrier_message_id)

    def id_text(self, segment: Segment, number: int) -> str:
        """See `Line`."""
        return self._wire.id_text(segment, number, self.account.behaviour)

    def deliver(self, delivery: Delivery) -> None:
        """See `Line`."""
        self._mark()
        delivery.tries += 1
        self._wire.deliver(delivery, self.account.behaviour, self._smsc.clock.monotonic())

    def cut(self) -> None:
        """See `Line`. What was to be written is lost."""
        self._is_closing = True
        self._held.clear()
        self._session.data_to_send()
        if self._transport is not None:
            self._transport.abort()

    def unbind(self) -> None:
        """Say goodbye and hang up: the simulator stops."""
        self._session.unbind(self._smsc.clock.monotonic())
        self.flush()
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    def write_garbage(self, data: bytes) -> None:
        """See `Line`."""
        self._mark()
        self._session.send_octets(data)

    def behaviour_changed(self) -> None:
        """See `Line`."""
        if self.slept and not self._is_silent():
            self.cut()

    def flush(self) -> None:
        """Write everything of this turn at once, hang up when the session is over. A silent link forgets what it would say."""
        self._is_marked = False
        for request, status, carrier_message_id in reversed(self._held):
            self._wire.answer(request, status, carrier_message_id)
        self._held.clear()
        data = self._session.data_to_send()
        if self._transport is None:
            return
        if data and self._is_silent():
            self.slept = True
        elif data:
            self._transport.write(data)
        if self._session.is_over and not self._is_closing:
            self._is_closing = True
            self._transport.close()

    def _mark(self) -> None:
        """Have the link flushed when the turn ends."""
        if not self._is_marked:
            self._is_marked = True
            self._host.mark(self)

    def _is_silent(self) -> bool:
        """Whether the link plays dead."""
        return (self.account.behaviour if self.account is not None else self._smsc.behaviour).silent
