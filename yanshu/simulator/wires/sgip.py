"""SGIP 1.2 as a simulated carrier speaks it: the client submits to it, and it calls the client to report and to deliver."""

from collections.abc import Callable
from datetime import timedelta, timezone

from msgspec.structs import replace

from yanshu.ports.clock import Clock
from yanshu.protocols.session import Timers
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.client import ClientSession
from yanshu.protocols.sgip.constants import LoginType, ReportFlag, ReportState, Result
from yanshu.protocols.sgip.numbering import Sequences, number_of, sequence_of, stamp_of
from yanshu.protocols.sgip.server import ServerSession
from yanshu.simulator.accounts import AccountDesk, Admission
from yanshu.simulator.behaviour import Account, Behaviour
from yanshu.simulator.script import Report
from yanshu.simulator.traffic import Delivery, Inbound, Receipt, Segment
from yanshu.simulator.wires import Client
from yanshu.simulator.wires.mainland import ENCODINGS, FORMATS, WITH_HEADER, in_full
from yanshu.text import udh

BEIJING = timezone(timedelta(hours=8))
NODE = 101000  # of a gateway: 1, area, and a digit
REFUSED_LOGINS = {
    Admission.ALREADY_BOUND: Result.TOO_MANY_CONNECTIONS,
    Admission.NOT_ALLOWED: Result.BAD_LOGIN,
    Admission.BAD_PASSWORD: Result.BAD_LOGIN,
}
# What the codes of the script are called here: no such number, out of reach, on a block list.
ERRORS = {"MK:0001": 12, "MI:0024": 25, "MK:0024": 25, "DB:0141": 69}
OTHER_ERROR = 21


def stamps(clock: Clock) -> Callable[[float], int]:
    """Return what tells the time in a sequence."""
    return lambda _: stamp_of(clock.now().astimezone(BEIJING))


class SgipWire:
    """See `wires.Wire`. What the client opens is for submits, what the carrier opens (`calling`) for deliveries."""

    protocol = "sgip"
    busy = int(Result.GNS_OPERATION)
    throttled = int(Result.OVER_FLOW_LIMIT)

    def __init__(self, window: int, timers: Timers, stamp_at: Callable[[float], int]) -> None:
        self._door: ServerSession[Delivery] = ServerSession(LoginType.SP_TO_SMG, timers, window=window, sequences=Sequences(NODE, stamp_at))
        self.session: ServerSession[Delivery] | ClientSession[Delivery] = self._door

    @classmethod
    def calling(cls, account: Account, window: int, timers: Timers, clock: Clock) -> "SgipWire":
        """Return the wire of a call to an account's client."""
        wire = cls(window, timers, stamps(clock))
        bind = pdus.Bind(login_type=LoginType.SMG_TO_SP, login_name=account.system_id, login_password=account.password)
        begin = int.from_bytes(clock.entropy(3), "big")
        wire.session = ClientSession(bind, Sequences(NODE, stamps(clock), begin=begin), window, timers)
        return wire

    def client(self, request: pdus.Bind) -> Client:
        """See `Wire`."""
        return Client(request.login_name, lambda password: request.login_password == password)

    def admit(self, desk: AccountDesk) -> None:  # noqa: ARG002 - a login is answered the same for all
        """See `Wire`."""
        self._door.accept()

    def refuse(self, admission: Admission) -> None:
        """See `Wire`."""
        self._door.refuse(REFUSED_LOGINS[admission])

    def segment(self, request: pdus.Submit, at: float) -> Segment | None:
        """See `Wire`; a submit has one number."""
        if len(request.user_numbers) == 1:
            return read_segment(request, at)
        self.session.acknowledge([request], Result.ONE_NUMBER_ONLY)
        return None

    def answer(self, request: pdus.Submit, status: int, ident: str) -> None:  # noqa: ARG002 - its sequence is its id
        """See `Wire`."""
        self.session.acknowledge([request], status)

    def deliver(self, delivery: Delivery, behaviour: Behaviour, now: float) -> None:  # noqa: ARG002 - a report has one form
        """See `Wire`. What is delivered again keeps its sequence."""
        pdu = report_of(delivery) if type(delivery) is Receipt else deliver_of(delivery)  # type: ignore[arg-type]
        if delivery.mark is not None:
            pdu = replace(pdu, sequence=delivery.mark)
        (delivery.mark,) = self.session.deliver(((pdu, delivery),), now)

    def id_text(self, segment: Segment, number: int, behaviour: Behaviour) -> str:  # noqa: ARG002 - the client gave it
        """See `Wire`."""
        return sequence_of(segment.user_reference or 0).message_id


def state_of(report: Report) -> tuple[int, int]:
    """Return state and error code of a report."""
    if report.is_delivery:
        return ReportState.DELIVERED, 0
    return ReportState.FAILED, ERRORS.get(report.err, OTHER_ERROR)


def report_of(receipt: Receipt) -> pdus.Report:
    """Return the REPORT of a receipt; a stray one is of a submit that the gateway would have numbered itself."""
    state, error = state_of(receipt.report)
    submitted = sequence_of(receipt.segment.user_reference or 0)
    if receipt.is_stray:
        submitted = replace(submitted, node=NODE)
    return pdus.Report(submit_sequence=submitted, user_number=receipt.segment.destination, state=state, error_code=error)


def deliver_of(inbound: Inbound) -> pdus.Deliver:
    """Return the DELIVER of a phone's text."""
    header = udh.build(inbound.reference, inbound.parts, inbound.part) if inbound.parts > 1 else b""
    return pdus.Deliver(
        user_number=inbound.source,
        sp_number=inbound.destination,
        tp_udhi=WITH_HEADER if header else 0,
        message_coding=FORMATS[inbound.encoding],
        message_content=header + inbound.octets,
    )


def read_segment(pdu: pdus.Submit, at: float) -> Segment:
    """Return what a submit to one number carries; its sequence is its mark."""
    reference, parts, part, payload = 0, 1, 1, pdu.message_content
    if pdu.tp_udhi:
        found, payload = udh.parse(payload)
        if found is not None:
            reference, parts, part = found
    return Segment(
        source=pdu.sp_number,
        destination=in_full(pdu.user_numbers[0]),
        encoding=ENCODINGS.get(pdu.message_coding, "latin1"),
        payload=payload,
        wants_receipt=pdu.report_flag == ReportFlag.ALWAYS,
        at=at,
        reference=reference,
        part=part,
        parts=parts,
        user_reference=number_of(pdu.sequence),
    )
