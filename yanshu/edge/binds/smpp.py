"""SMPP 3.4 as a server: binds, submits and deliveries in the words of the protocol."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from yanshu.domain.binds import Alphabet, Bind, BindDelivery, BindProtocol, BindSubmit, ReceiptOwed, TextOwed, Wanted
from yanshu.domain.errors import CallerError
from yanshu.domain.lanes import DEFAULT_PRIORITY
from yanshu.domain.messages import Encoding
from yanshu.edge.binds.dialect import LARGEST_WINDOW, TIMERS, Acknowledgement, Asked, NotTaken, Refusal
from yanshu.edge.binds.receipts import state_of
from yanshu.pipeline.bind_accept import Told
from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.smpp import alphabets, codec, pdus
from yanshu.protocols.smpp.codec import tlv_number
from yanshu.protocols.smpp.constants import (
    CODING_DEFAULT,
    CODING_UCS2,
    ESM_RECEIPT,
    ESM_TYPE_MASK,
    ESM_UDHI,
    MessageState,
    Status,
    Tag,
    status_name,
)
from yanshu.protocols.smpp.smsc import SmscSession
from yanshu.protocols.times import read_time
from yanshu.rules.accounts.binds import is_secret, may_send_as
from yanshu.text import gsm7, udh

# How we call ourselves.
_SYSTEM_ID = "yanshu"
# The dates of receipts: mainland customers read them so, whatever the machine's zone.
_BEIJING = timezone(timedelta(hours=8))
_LONGEST_ADDRESS = 20
_SENDER = re.compile(r"[0-9A-Za-z]{1,20}")
_CODE = re.compile(r"[0-9A-Za-z]{1,3}")
_INTERNATIONAL, _ISDN = 1, 1
_WANTED_MASK = 0x03
_WANTED = {0: Wanted.NEVER, 1: Wanted.ALWAYS, 2: Wanted.FAILURE, 3: Wanted.ALWAYS}
_MOST_PRIORITY = 3
_MOST_PARTS = 255
_ALONE = udh.Concatenation(0, 1, 1)
_NETWORK_ERROR = b"\x03"  # the error code is one of GSM (§5.3.2.31)

_REFUSALS: dict[Refusal, Status] = {
    Refusal.CREDENTIALS: Status.ESME_RINVPASWD,
    Refusal.ADDRESS: Status.ESME_RBINDFAIL,
    Refusal.DISABLED: Status.ESME_RBINDFAIL,
    Refusal.FULL: Status.ESME_RALYBND,
    Refusal.BUSY: Status.ESME_RSYSERR,
}
# Our refusals in the words of §5.1.3; whatever has none is ESME_RSUBMITFAIL.
_STATUSES: dict[str, Status] = {
    "phone_invalid": Status.ESME_RINVDSTADR,
    "phone_not_mobile": Status.ESME_RINVDSTADR,
    "test_key_live_recipient": Status.ESME_RINVDSTADR,
    "text_empty": Status.ESME_RINVMSGLEN,
    "text_too_long": Status.ESME_RINVMSGLEN,
    "send_at_past": Status.ESME_RINVSCHED,
    "send_at_too_far": Status.ESME_RINVSCHED,
    "too_many_messages": Status.ESME_RTHROTTLED,
    "overloaded": Status.ESME_RMSGQFUL,
}
# What else a client may ask for: we do not serve it.
_UNSERVED: dict[type[pdus.Pdu], Status] = {pdus.QuerySm: Status.ESME_RQUERYFAIL, pdus.CancelSm: Status.ESME_RCANCELFAIL}
_NEVER = frozenset({Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN})
_STATES: dict[str, MessageState] = {
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
}
_PYTHON_NAMES = {Alphabet.LATIN1: "latin-1", Alphabet.ASCII: "ascii"}


def read_text(content: bytes, coding: int, alphabet: Alphabet) -> str:
    """Return the text that octets of a data_coding stand for on such a bind."""
    return alphabets.read_text(content, coding, alphabet)


class SmppDialect:
    """See `dialect.Dialect`."""

    protocol = BindProtocol.SMPP

    def __init__(self) -> None:
        self.session: SmscSession[BindDelivery] = SmscSession(LARGEST_WINDOW, TIMERS)

    def asked(self, pdu: pdus.Bind) -> Asked:
        """See `Dialect.asked`."""
        return Asked(pdu.system_id, not isinstance(pdu, pdus.BindTransmitter))

    def proves(self, pdu: pdus.Bind, secret: str) -> bool:
        """See `Dialect.proves`."""
        return is_secret(pdu.password, secret)

    def welcome(self, secret: str) -> None:  # noqa: ARG002 - other protocols prove themselves with it
        """See `Dialect.welcome`."""
        self.session.accept_bind(_SYSTEM_ID)

    def turn_away(self, why: Refusal) -> None:
        """See `Dialect.turn_away`."""
        self.session.refuse_bind(_REFUSALS[why])

    def read(self, pdu: Any, bind: Bind, now: datetime) -> BindSubmit:
        """See `Dialect.read`."""
        if type(pdu) in _UNSERVED:
            raise NotTaken(_UNSERVED[type(pdu)])
        if not alphabets.is_text(pdu.data_coding):
            raise NotTaken(Status.ESME_RSUBMITFAIL)
        joined, content = _content(pdu)
        send_at, expires_in = _times(pdu, now)
        reference = tlv_number(pdu.tlvs, Tag.USER_MESSAGE_REFERENCE)
        return BindSubmit(
            numbers=(_number(pdu),),
            sender=_sender(pdu.source_addr, bind),
            source=_written(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
            destinations=(_written(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr),),
            content=content,
            coding=pdu.data_coding,
            wanted=_WANTED[pdu.registered_delivery & _WANTED_MASK],
            part=joined.part,
            parts=joined.total,
            reference=joined.reference,
            priority=DEFAULT_PRIORITY + min(getattr(pdu, "priority_flag", 0), _MOST_PRIORITY),
            send_at=send_at,
            expires_in=expires_in,
            client_reference=None if reference is None else str(reference),
        )

    def answer(self, pdu: Any, told: Told) -> str:
        """See `Dialect.answer`."""
        if isinstance(told, CallerError):
            return self.refuse(pdu, _STATUSES.get(told.code, Status.ESME_RSUBMITFAIL))
        self.session.answer(pdu, message_id=_shown(told[0]))
        return Status.ESME_ROK.name

    def refuse(self, pdu: Any, status: int) -> str:
        """See `Dialect.refuse`."""
        self.session.answer(pdu, status)
        return status_name(status)

    def throttle(self, pdu: Any) -> str:
        """See `Dialect.throttle`."""
        return self.refuse(pdu, Status.ESME_RTHROTTLED)

    def deliver(self, deliveries: Sequence[BindDelivery], bind: Bind, now: float) -> None:
        """See `Dialect.deliver`."""
        self.session.deliver([(codec.body(_deliver_sm(delivery, bind)), delivery) for delivery in deliveries], now)

    def judge(self, status: int) -> Acknowledgement:
        """See `Dialect.judge`."""
        if status == Status.ESME_ROK:
            return Acknowledgement.TAKEN
        return Acknowledgement.NEVER if status in _NEVER else Acknowledgement.LATER


def _shown(ident: str) -> str:
    """Return an id of ours as customers see it: without ``msg_``, whose last character is another one in the GSM alphabet.

    Receipts are texts in the default alphabet, and programs that read them as such would look for an id they were never given.
    """
    return ident.rpartition("_")[2]


def _content(pdu: pdus.SubmitSm | pdus.DataSm) -> tuple[udh.Concatenation, bytes]:
    """Return which segment this is, and its octets without header; a header wins over SAR parameters."""
    short = pdu.short_message if isinstance(pdu, pdus.SubmitSm) else b""
    content = short or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if pdu.esm_class & ESM_TYPE_MASK:
        raise NotTaken(Status.ESME_RINVESMCLASS)  # acknowledgements of a person's own are nothing we could pass on
    if pdu.esm_class & ESM_UDHI:
        if not content or content[0] + 1 > len(content):
            raise NotTaken(Status.ESME_RINVESMCLASS)
        found, octets = udh.parse(content)
        return found or _ALONE, octets
    total = tlv_number(pdu.tlvs, Tag.SAR_TOTAL_SEGMENTS) or 1
    if total == 1:
        return _ALONE, content
    part, reference = tlv_number(pdu.tlvs, Tag.SAR_SEGMENT_SEQNUM), tlv_number(pdu.tlvs, Tag.SAR_MSG_REF_NUM)
    if part is None or reference is None:
        raise NotTaken(Status.ESME_RMISSINGOPTPARAM)
    if total > _MOST_PARTS or not 1 <= part <= total:
        raise NotTaken(Status.ESME_RINVOPTPARAMVAL)
    return udh.Concatenation(reference & 0xFFFF, total, part), content


def _number(pdu: pdus.SubmitSm | pdus.DataSm) -> str:
    """Return the recipient as people write numbers: an international one with its plus."""
    number = pdu.destination_addr
    if not 0 < len(number) <= _LONGEST_ADDRESS:
        raise NotTaken(Status.ESME_RINVDSTADR)
    return f"+{number}" if pdu.dest_addr_ton == _INTERNATIONAL and not number.startswith(("+", "00")) else number


def _sender(address: str, bind: Bind) -> str | None:
    """Return what the text is to come from; None leaves that to the connector."""
    if not address:
        return None
    bare = address.removeprefix("+")
    if _SENDER.fullmatch(bare) is None or not may_send_as(bind.senders, address):
        raise NotTaken(Status.ESME_RINVSRCADR)
    return bare


def _times(pdu: pdus.SubmitSm | pdus.DataSm, now: datetime) -> tuple[datetime | None, int | None]:
    """Return when to send, and for how many seconds after that it may be sent."""
    if not isinstance(pdu, pdus.SubmitSm):
        return None, None
    send_at = _time(pdu.schedule_delivery_time, now, Status.ESME_RINVSCHED)
    until = _time(pdu.validity_period, now, Status.ESME_RINVEXPIRY)
    if until is None:
        return send_at, None
    seconds = int((until - max(send_at or now, now)).total_seconds())
    if seconds <= 0:
        raise NotTaken(Status.ESME_RINVEXPIRY)
    return send_at, seconds


def _time(text: str, now: datetime, status: Status) -> datetime | None:
    try:
        return read_time(text, now)
    except RemoteProtocolError as error:
        raise NotTaken(status) from error


def _written(ton: int, npi: int, address: str) -> str:
    """Return an address as one text, so that a receipt can name it as the customer did."""
    return f"{ton}.{npi}.{address}"


def _address(written: str) -> tuple[int, int, str]:
    ton, npi, address = written.split(".", 2)
    return int(ton), int(npi), address


def _deliver_sm(delivery: BindDelivery, bind: Bind) -> pdus.DeliverSm:
    if delivery.receipt is not None:
        return _receipt(delivery.receipt)
    if delivery.text is not None:
        return _text(delivery.text, bind)
    raise ValueError(f"{delivery.id} is empty")


def _receipt(owed: ReceiptOwed) -> pdus.DeliverSm:
    """Return a receipt as Appendix B words it, with the parameters that say the same."""
    from_ton, from_npi, from_address = _address(owed.destination)
    to_ton, to_npi, to_address = _address(owed.source)
    state, ident = state_of(owed), _shown(owed.ident)
    code = owed.code if owed.code and _CODE.fullmatch(owed.code) else ""
    submitted, done = (at.astimezone(_BEIJING).strftime("%y%m%d%H%M") for at in (owed.submitted_at, owed.done_at))
    text = (
        f"id:{ident} sub:001 dlvrd:{'001' if state == 'DELIVRD' else '000'} submit date:{submitted} done date:{done} "
        f"stat:{state} err:{code or '000':>03} text:"
    )
    tlvs = {
        int(Tag.RECEIPTED_MESSAGE_ID): ident.encode("ascii") + b"\0",
        int(Tag.MESSAGE_STATE): bytes((_STATES[state],)),
    }
    if code.isdecimal() and int(code):
        tlvs[int(Tag.NETWORK_ERROR_CODE)] = _NETWORK_ERROR + int(code).to_bytes(2, "big")
    return pdus.DeliverSm(
        source_addr_ton=from_ton,
        source_addr_npi=from_npi,
        source_addr=from_address,
        dest_addr_ton=to_ton,
        dest_addr_npi=to_npi,
        destination_addr=to_address,
        esm_class=ESM_RECEIPT,
        short_message=text.encode("ascii"),
        tlvs=tlvs,
    )


def _text(owed: TextOwed, bind: Bind) -> pdus.DeliverSm:
    """Return a piece of an inbound; long ones are joined by a header."""
    coding, octets = _encoded(owed, bind.alphabet)
    header = udh.build(owed.reference, owed.parts, owed.part) if owed.parts > 1 else b""
    return pdus.DeliverSm(
        source_addr_ton=_INTERNATIONAL,
        source_addr_npi=_ISDN,
        source_addr=owed.sender.removeprefix("+")[:_LONGEST_ADDRESS],
        dest_addr_npi=_ISDN,
        destination_addr=owed.recipient.removeprefix("+")[:_LONGEST_ADDRESS],
        esm_class=ESM_UDHI if header else 0,
        data_coding=coding,
        short_message=header + octets,
    )


def _encoded(owed: TextOwed, alphabet: Alphabet) -> tuple[int, bytes]:
    """Return data_coding and octets."""
    if owed.encoding is Encoding.GSM7:
        octets = gsm7.encode(owed.text) if alphabet is Alphabet.GSM else owed.text.encode(_PYTHON_NAMES[alphabet], "replace")
        return CODING_DEFAULT, octets
    return CODING_UCS2, owed.text.encode("utf-16-be", "surrogatepass")
