"""One SMPP session of the simulator: bytes from a socket to the simulated carrier and back, one write a loop turn."""

import asyncio
from functools import partial
from typing import Protocol, cast

from yanshu.protocols.events import Answered, BindRequested, Event, Lost, Requested, TimedOut
from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, constants, pdus
from yanshu.protocols.smpp.constants import Status, Tag
from yanshu.protocols.smpp.smsc import SmscSession
from yanshu.simulator.accounts import AccountDesk
from yanshu.simulator.smsc import Smsc
from yanshu.simulator.traffic import Delivery, Segment
from yanshu.text import udh

RECEIPT_WANTED = 0x03
SYSTEM_ID = "YANSHU-SIM"
ADDRESS_HEAD = b"\x00\x01\x01"  # service type, ton, npi
ADDRESS_SIZE = 21
REFUSALS: dict[type[pdus.Pdu], Status] = {
    pdus.QuerySm: Status.ESME_RQUERYFAIL,
    pdus.CancelSm: Status.ESME_RCANCELFAIL,
    pdus.DataSm: Status.ESME_RSYSERR,
}
Answer = tuple[pdus.SubmitSm, int, str]


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
    """A connection: the session does the protocol, the carrier decides, this moves bytes between them and the socket."""

    def __init__(self, smsc: Smsc, host: Host) -> None:
        self.account: AccountDesk = None  # type: ignore[assignment]  # no line of an account before the bind
        self.receives = False
        self._smsc = smsc
        self._host = host
        timers = Timers(response_timeout_seconds=smsc.settings.resend_seconds)
        self._session: SmscSession[Delivery] = SmscSession(smsc.settings.deliver_window, timers)
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._held: list[Answer] = []
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

    def _bind(self, pdu: pdus.Bind) -> None:
        """Check credentials and join the account."""
        status = self._smsc.admit(pdu.system_id, pdu.password, self._address)
        if status:
            self._session.refuse_bind(status)
            return
        self._session.accept_bind(SYSTEM_ID)
        self.receives = not isinstance(pdu, pdus.BindTransmitter)
        self.account = self._smsc.desk(pdu.system_id)
        self.account.join(self)

    def _requested(self, pdu: pdus.Pdu) -> None:
        """Hand a submit to the carrier; the simulator serves no other request."""
        if type(pdu) is not pdus.SubmitSm:
            self._session.answer(pdu, REFUSALS[type(pdu)])
        elif len(pdu.source_addr) >= ADDRESS_SIZE:
            self._session.answer(pdu, Status.ESME_RINVSRCADR)
        elif not 0 < len(pdu.destination_addr) < ADDRESS_SIZE:
            self._session.answer(pdu, Status.ESME_RINVDSTADR)
        else:
            self._smsc.submitted(self, pdu, read_segment(pdu, self._at))

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

    def answer(self, request: pdus.SubmitSm, status: int, carrier_message_id: str) -> None:
        """See `Line`."""
        if self._is_closing:
            return
        self._mark()
        if self.account.behaviour.reorder_answers:
            self._held.append((request, status, carrier_message_id))
        else:
            self._session.answer(request, status, message_id=carrier_message_id)

    def deliver(self, delivery: Delivery) -> None:
        """See `Line`."""
        self._mark()
        delivery.tries += 1
        self._session.deliver(((encode_delivery(delivery), delivery),), self._smsc.clock.monotonic())

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
            self._session.answer(request, status, message_id=carrier_message_id)
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


def encode_delivery(delivery: Delivery) -> bytes:
    """Return the body of a deliver_sm; service type and times are empty, addresses international ISDN (§4.6.1)."""
    return b"".join(
        (
            ADDRESS_HEAD,
            codec.encode_text("source_addr", delivery.source, ADDRESS_SIZE),
            ADDRESS_HEAD[1:],
            codec.encode_text("destination_addr", delivery.destination, ADDRESS_SIZE),
            bytes((delivery.esm_class, 0, 0, 0, 0, 0, 0, delivery.data_coding, 0, len(delivery.short_message))),
            delivery.short_message,
            codec.encode_tlvs(dict(delivery.tlvs)) if delivery.tlvs else b"",
        )
    )


def read_segment(pdu: pdus.SubmitSm, at: float) -> Segment:
    """Return what a submit carries, whichever of the three ways joins its segments (UDH, SAR TLVs, message_payload)."""
    payload, reference, part, parts, mark = pdu.short_message, 0, 1, 1, None
    if pdu.tlvs:
        payload = payload or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
        reference = codec.tlv_number(pdu.tlvs, Tag.SAR_MSG_REF_NUM) or 0
        part = codec.tlv_number(pdu.tlvs, Tag.SAR_SEGMENT_SEQNUM) or 1
        parts = codec.tlv_number(pdu.tlvs, Tag.SAR_TOTAL_SEGMENTS) or 1
        mark = codec.tlv_number(pdu.tlvs, Tag.USER_MESSAGE_REFERENCE)
    if pdu.esm_class & constants.ESM_UDHI:
        found, payload = udh.parse(payload)
        if found is not None:
            reference, parts, part = found
    return Segment(
        source=pdu.source_addr,
        destination=pdu.destination_addr.removeprefix("+"),
        data_coding=pdu.data_coding,
        payload=payload,
        wants_receipt=bool(pdu.registered_delivery & RECEIPT_WANTED),
        at=at,
        reference=reference,
        part=part,
        parts=parts,
        user_reference=mark,
    )
