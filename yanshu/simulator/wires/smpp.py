"""SMPP 3.4 as a simulated carrier speaks it."""

from collections.abc import Callable

from yanshu.protocols.session import Timers
from yanshu.protocols.smpp import codec, constants, pdus
from yanshu.protocols.smpp.constants import Status, Tag
from yanshu.protocols.smpp.smsc import SmscSession
from yanshu.simulator.accounts import AccountDesk, Admission
from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.identifiers import id_text
from yanshu.simulator.traffic import Delivery, Encoding, Inbound, Receipt, Segment
from yanshu.simulator.wires import Client, smpp_receipts
from yanshu.text import udh

SYSTEM_ID = "YANSHU-SIM"
RECEIPT_WANTED = 0x03
RECEIPT_CLASS = 0x04
ADDRESS_HEAD = b"\x00\x01\x01"  # service type, ton, npi
ADDRESS_SIZE = 21
ENCODINGS: dict[int, Encoding] = {1: "latin1", 3: "latin1", 8: "ucs2"}
CODINGS: dict[Encoding, int] = {"gsm7": 0, "latin1": 3, "ucs2": 8}
REFUSED_BINDS = {
    Admission.ALREADY_BOUND: Status.ESME_RALYBND,
    Admission.NOT_ALLOWED: Status.ESME_RBINDFAIL,
    Admission.BAD_PASSWORD: Status.ESME_RINVPASWD,
}
REFUSED_REQUESTS: dict[type[pdus.Pdu], Status] = {
    pdus.QuerySm: Status.ESME_RQUERYFAIL,
    pdus.CancelSm: Status.ESME_RCANCELFAIL,
    pdus.DataSm: Status.ESME_RSYSERR,
}


class SmppWire:
    """See `wires.Wire`."""

    protocol = "smpp"
    busy = int(Status.ESME_RSYSERR)
    throttled = int(Status.ESME_RTHROTTLED)

    def __init__(self, window: int, timers: Timers) -> None:
        self.session: SmscSession[Delivery] = SmscSession(window, timers)

    def client(self, request: pdus.Bind) -> Client:
        """See `Wire`."""
        return Client(request.system_id, _knows(request.password), not isinstance(request, pdus.BindTransmitter))

    def admit(self, desk: AccountDesk) -> None:  # noqa: ARG002 - a bind is answered the same for all
        """See `Wire`."""
        self.session.accept_bind(SYSTEM_ID)

    def refuse(self, admission: Admission) -> None:
        """See `Wire`."""
        self.session.refuse_bind(REFUSED_BINDS[admission])

    def segment(self, request: pdus.Pdu, at: float) -> Segment | None:
        """See `Wire`; no other request is served."""
        if type(request) is not pdus.SubmitSm:
            self.session.answer(request, REFUSED_REQUESTS[type(request)])
        elif len(request.source_addr) >= ADDRESS_SIZE:
            self.session.answer(request, Status.ESME_RINVSRCADR)
        elif not 0 < len(request.destination_addr) < ADDRESS_SIZE:
            self.session.answer(request, Status.ESME_RINVDSTADR)
        else:
            return read_segment(request, at)
        return None

    def answer(self, request: pdus.SubmitSm, status: int, ident: str) -> None:
        """See `Wire`."""
        self.session.answer(request, status, message_id=ident)

    def deliver(self, delivery: Delivery, behaviour: Behaviour, now: float) -> None:
        """See `Wire`."""
        octets = encode_receipt(delivery, behaviour) if type(delivery) is Receipt else encode_inbound(delivery)  # type: ignore[arg-type]
        self.session.deliver(((octets, delivery),), now)

    def id_text(self, segment: Segment, number: int, behaviour: Behaviour) -> str:  # noqa: ARG002 - the carrier gives it
        """See `Wire`."""
        return id_text(number, behaviour.id_form)


def _knows(password: str) -> Callable[[str], bool]:
    return lambda expected: password == expected


def encode_receipt(receipt: Receipt, behaviour: Behaviour) -> bytes:
    """Return the body of the deliver_sm of a receipt."""
    short_message, tlvs = smpp_receipts.content(receipt, behaviour)
    body = _deliver_sm(receipt.segment.destination, receipt.segment.source, RECEIPT_CLASS, 0, short_message)
    return body + codec.encode_tlvs(tlvs) if tlvs else body


def encode_inbound(inbound: Inbound) -> bytes:
    """Return the body of the deliver_sm of a phone's text."""
    header = udh.build(inbound.reference, inbound.parts, inbound.part) if inbound.parts > 1 else b""
    esm_class = constants.ESM_UDHI if header else 0
    return _deliver_sm(inbound.source, inbound.destination, esm_class, CODINGS[inbound.encoding], header + inbound.octets)


def _deliver_sm(source: str, destination: str, esm_class: int, data_coding: int, short_message: bytes) -> bytes:
    """Return a body; service type and times are empty, addresses international ISDN (§4.6.1)."""
    return b"".join(
        (
            ADDRESS_HEAD,
            codec.encode_text("source_addr", source, ADDRESS_SIZE),
            ADDRESS_HEAD[1:],
            codec.encode_text("destination_addr", destination, ADDRESS_SIZE),
            bytes((esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, len(short_message))),
            short_message,
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
        encoding=ENCODINGS.get(pdu.data_coding, "gsm7"),
        payload=payload,
        wants_receipt=bool(pdu.registered_delivery & RECEIPT_WANTED),
        at=at,
        reference=reference,
        part=part,
        parts=parts,
        user_reference=mark,
    )
