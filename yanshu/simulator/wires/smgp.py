"""SMGP 3.0 as a simulated carrier speaks it."""

from datetime import UTC, datetime

from yanshu.protocols.session import Timers
from yanshu.protocols.smgp import pdus, reports
from yanshu.protocols.smgp.constants import LoginMode, Status, Tag
from yanshu.protocols.smgp.smgw import SmgwSession
from yanshu.simulator.accounts import AccountDesk, Admission
from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.identifiers import MICROSECOND
from yanshu.simulator.script import Report
from yanshu.simulator.stamps import Stamps
from yanshu.simulator.traffic import Delivery, Inbound, Receipt, Segment
from yanshu.simulator.wires import Client
from yanshu.simulator.wires.mainland import ENCODINGS, FORMATS, WITH_HEADER, at_home, in_full, stat_of
from yanshu.text import udh

GATEWAY = "0106"  # area 010; serials of six digits begin anew with every minute, so the second completes it
ERR_SIZE = 3
UNKNOWN_ERR = "999"
ERRORS = {"EXPIRED": "001", "REJECTD": "005"}  # unreachable, on a blacklist (protocols.md §6.5)
LABEL = b"id:"
REFUSED_LOGINS = {
    Admission.ALREADY_BOUND: Status.TOO_MANY_CONNECTIONS,
    Admission.NOT_ALLOWED: Status.ADDRESS,
    Admission.BAD_PASSWORD: Status.AUTHENTICATION,
}
_STAMPS = Stamps()


class SmgpWire:
    """See `wires.Wire`."""

    protocol = "smgp"
    busy = int(Status.NO_ROUTE)
    throttled = int(Status.BUSY)

    def __init__(self, window: int, timers: Timers) -> None:
        self.session: SmgwSession[Delivery] = SmgwSession(window, timers)
        self._submits = True

    def client(self, request: pdus.Login) -> Client:
        """See `Wire`."""
        self._submits = request.login_mode != LoginMode.RECEIVE
        return Client(request.client_id, lambda secret: self.session.proves(request, secret), request.login_mode != LoginMode.SEND)

    def admit(self, desk: AccountDesk) -> None:
        """See `Wire`; a gateway that proves itself wrongly uses another secret."""
        self.session.accept(desk.account.password + ("!" if desk.behaviour.false_proof else ""))

    def refuse(self, admission: Admission) -> None:
        """See `Wire`."""
        self.session.refuse(REFUSED_LOGINS[admission])

    def segment(self, request: pdus.Pdu, at: float) -> Segment | None:
        """See `Wire`; counters are not kept, a submit has one number, and a session to receive takes none."""
        if type(request) is not pdus.Submit:
            self.session.send(pdus.QueryResp(sequence_id=request.sequence_id))
        elif not self._submits:
            self.session.answer(request, Status.COMMAND)
        elif len(request.dest_term_ids) != 1:
            self.session.answer(request, Status.STRUCTURE)
        else:
            return read_segment(request, at)
        return None

    def answer(self, request: pdus.Submit, status: int, ident: str) -> None:
        """See `Wire`."""
        self.session.answer(request, status, ident or pdus.NO_ID)

    def deliver(self, delivery: Delivery, behaviour: Behaviour, now: float) -> None:
        """See `Wire`."""
        pdu = receipt_of(delivery, behaviour) if type(delivery) is Receipt else inbound_of(delivery)  # type: ignore[arg-type]
        self.session.deliver(((pdu, delivery),), now)

    def id_text(self, segment: Segment, number: int, behaviour: Behaviour) -> str:  # noqa: ARG002 - a MsgID has one form in answers
        """See `Wire`."""
        return msg_id(number)


def msg_id(number: int) -> str:
    """Return the MsgID of message `number`, which counts microseconds: gateway, MMDDHHMM and serial, each digit in half an octet."""
    second, serial = divmod(number, MICROSECOND)
    return f"{datetime.fromtimestamp(second, UTC):{GATEWAY}%S%m%d%H%M}{serial:06}"


def err_of(report: Report) -> str:
    """Return the error as the specification numbers it; beside a code in place of the state it tells nothing."""
    return report.err if len(report.err) == ERR_SIZE else ERRORS.get(stat_of(report), UNKNOWN_ERR)


def receipt_of(receipt: Receipt, behaviour: Behaviour) -> pdus.Deliver:
    """Return the Deliver of a receipt. Its id is ten octets or, when another form is asked for than that of answers, twenty digits."""
    ahead = behaviour.receipt_offset_minutes * 60
    segment, ident = receipt.segment, msg_id(receipt.number)
    report = reports.Report(
        msg_id=ident,
        sub="001",
        dlvrd="001" if receipt.report.is_delivery else "000",
        submit_date=_STAMPS.text(segment.at + ahead),
        done_date=_STAMPS.text(receipt.at + ahead),
        stat=stat_of(receipt.report),
        err=err_of(receipt.report),
        text="000",
    )
    content = reports.build(report)
    if behaviour.receipt_id_form != "same":
        content = LABEL + ident.encode("ascii") + content[len(LABEL) + len(ident) // 2 :]
    return pdus.Deliver(
        msg_id=ident,
        is_report=1,
        recv_time=f"20{report.done_date}00",
        src_term_id=at_home(segment.destination),
        dest_term_id=segment.source,
        msg_content=content,
    )


def inbound_of(inbound: Inbound) -> pdus.Deliver:
    """Return the Deliver of a phone's text."""
    header = udh.build(inbound.reference, inbound.parts, inbound.part) if inbound.parts > 1 else b""
    return pdus.Deliver(
        msg_format=FORMATS[inbound.encoding],
        src_term_id=at_home(inbound.source),
        dest_term_id=inbound.destination,
        msg_content=header + inbound.octets,
        tlvs={int(Tag.TP_UDHI): bytes((WITH_HEADER,))} if header else {},
    )


def read_segment(pdu: pdus.Submit, at: float) -> Segment:
    """Return what a submit to one number carries; TP_udhi is a parameter, and the header it tells of joins the segments."""
    reference, parts, part, payload = 0, 1, 1, pdu.msg_content
    if pdu.tlvs.get(Tag.TP_UDHI) == bytes((WITH_HEADER,)):
        found, payload = udh.parse(payload)
        if found is not None:
            reference, parts, part = found
    return Segment(
        source=pdu.src_term_id,
        destination=in_full(pdu.dest_term_ids[0]),
        encoding=ENCODINGS.get(pdu.msg_format, "latin1"),
        payload=payload,
        wants_receipt=pdu.need_report == 1,
        at=at,
        reference=reference,
        part=part,
        parts=parts,
    )
