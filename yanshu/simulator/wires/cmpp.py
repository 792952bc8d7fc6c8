"""CMPP 2.0 and 3.0 as a simulated carrier speaks them; a client's CONNECT says which."""

from datetime import UTC, datetime

from yanshu.protocols.cmpp import pdus, reports
from yanshu.protocols.cmpp.constants import ConnectStatus, Result, Version
from yanshu.protocols.cmpp.ismg import IsmgSession
from yanshu.protocols.session import Timers
from yanshu.simulator.accounts import AccountDesk, Admission
from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.identifiers import MICROSECOND
from yanshu.simulator.stamps import Stamps
from yanshu.simulator.traffic import Delivery, Inbound, Receipt, Segment
from yanshu.simulator.wires import Client
from yanshu.simulator.wires.mainland import ENCODINGS, FORMATS, WITH_HEADER, at_home, in_full, stat_of
from yanshu.text import udh

GATEWAY = 900_000  # a province's own numbering; ours begins here
REFUSED_LOGINS = {
    Admission.ALREADY_BOUND: 5,  # other errors: CMPP has no word for it
    Admission.NOT_ALLOWED: int(ConnectStatus.SOURCE_ADDRESS),
    Admission.BAD_PASSWORD: int(ConnectStatus.AUTHENTICATION),
}
_STAMPS = Stamps()
VERSIONS = {"3.0": Version.V30, "2.0": Version.V20}


class CmppWire:
    """See `wires.Wire`."""

    protocol = "cmpp"
    busy = int(Result.NOT_SERVED_HERE)
    throttled = int(Result.FLOW_CONTROL)

    def __init__(self, window: int, timers: Timers, highest: Version = Version.V30) -> None:
        self.session: IsmgSession[Delivery] = IsmgSession(window, timers, highest)

    def client(self, request: pdus.Connect) -> Client:
        """See `Wire`."""
        return Client(request.source_addr, lambda secret: self.session.proves(request, secret))

    def admit(self, desk: AccountDesk) -> None:
        """See `Wire`; a gateway that proves itself wrongly uses another secret."""
        self.session.accept(desk.account.password + ("!" if desk.behaviour.false_proof else ""))

    def refuse(self, admission: Admission) -> None:
        """See `Wire`."""
        self.session.refuse(REFUSED_LOGINS[admission])

    def segment(self, request: pdus.Pdu, at: float) -> Segment | None:
        """See `Wire`; counters are not kept, nothing is taken back, a submit has one number."""
        if type(request) is pdus.Submit:
            if len(request.dest_terminal_ids) == 1:
                return read_segment(request, at)
            self.session.answer(request, result=int(Result.STRUCTURE))
        elif type(request) is pdus.Cancel:
            self.session.answer(request, success_id=1)
        else:
            self.session.answer(request)
        return None

    def answer(self, request: pdus.Submit, status: int, ident: str) -> None:
        """See `Wire`."""
        self.session.answer(request, msg_id=int(ident or 0), result=status)

    def deliver(self, delivery: Delivery, behaviour: Behaviour, now: float) -> None:
        """See `Wire`."""
        if type(delivery) is Receipt:
            pdu = receipt_of(delivery, behaviour, long=self.session.version is Version.V30)
        else:
            pdu = inbound_of(delivery)  # type: ignore[arg-type]
        self.session.deliver(((pdu, delivery),), now)

    def id_text(self, segment: Segment, number: int, behaviour: Behaviour) -> str:  # noqa: ARG002 - a Msg_Id has one form
        """See `Wire`."""
        return str(msg_id(number))


def msg_id(number: int) -> int:
    """Return the Msg_Id of message `number`, which counts microseconds: the second, and what is left as gateway and serial."""
    second, left = divmod(number, MICROSECOND)
    at = datetime.fromtimestamp(second, UTC)
    gateway, serial = divmod(left, 1 << 16)
    return reports.put_together(reports.MessageId(at.month, at.day, at.hour, at.minute, at.second, GATEWAY + gateway, serial))


def receipt_of(receipt: Receipt, behaviour: Behaviour, *, long: bool) -> pdus.Deliver:
    """Return the DELIVER of a receipt; `long` is the form of 71 octets."""
    ahead = behaviour.receipt_offset_minutes * 60
    segment = receipt.segment
    number = at_home(segment.destination)
    report = reports.Report(
        msg_id=msg_id(receipt.number),
        stat=stat_of(receipt.report),
        submit_time=_STAMPS.text(segment.at + ahead),
        done_time=_STAMPS.text(receipt.at + ahead),
        dest_terminal_id=number,
        smsc_sequence=receipt.number & 0xFFFFFFFF,
    )
    return pdus.Deliver(
        msg_id=msg_id(receipt.number),
        dest_id=segment.source,
        src_terminal_id=number,
        registered_delivery=1,
        msg_content=reports.build(report, long=long),
    )


def inbound_of(inbound: Inbound) -> pdus.Deliver:
    """Return the DELIVER of a phone's text."""
    header = udh.build(inbound.reference, inbound.parts, inbound.part) if inbound.parts > 1 else b""
    return pdus.Deliver(
        dest_id=inbound.destination,
        src_terminal_id=at_home(inbound.source),
        tp_udhi=WITH_HEADER if header else 0,
        msg_fmt=FORMATS[inbound.encoding],
        msg_content=header + inbound.octets,
    )


def read_segment(pdu: pdus.Submit, at: float) -> Segment:
    """Return what a submit to one number carries; its header, not pk_number, joins the segments (protocols.md §4.6)."""
    reference, parts, part, payload = 0, 1, 1, pdu.msg_content
    if pdu.tp_udhi:
        found, payload = udh.parse(payload)
        if found is not None:
            reference, parts, part = found
    return Segment(
        source=pdu.src_id,
        destination=in_full(pdu.dest_terminal_ids[0]),
        encoding=ENCODINGS.get(pdu.msg_fmt, "latin1"),
        payload=payload,
        wants_receipt=pdu.registered_delivery == 1,
        at=at,
        reference=reference,
        part=part,
        parts=parts,
    )
