"""SMPP 3.4 codec: PDUs to bytes and back, from one table of layouts."""

from struct import Struct as Packed
from typing import NamedTuple, TypeVar

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.smpp import pdus
from yanshu.protocols.smpp.constants import HEADER_LENGTH, MAX_LENGTH, RESPONSE_BIT, Command, Status, Tag

_HEADER = Packed(">IIII")
# command_length (it counts the header), command_id, command_status, sequence_number: to octets, and from a frame of at
# least 16. The struct's own methods, because a function around them costs as much again, twice a PDU.
pack_header = _HEADER.pack
header = _HEADER.unpack_from
_STATUS_AND_SEQUENCE = Packed(">II")
_TLV = Packed(">HH")
_SHORT_MESSAGE_LIMIT = 254

_OCTET = 0
_COUNTED = -1

_AnySm = TypeVar("_AnySm", bound=pdus.Sm)


class _Layout(NamedTuple):
    """How a PDU is laid out.

    `fields` are (name, size): size > 0 is a C-octet string of at most so many octets with its NUL, 0 an integer of one octet,
    -1 octets behind a length octet. A response with a status needs no body when `silent`.
    """

    command_id: int
    kind: type[pdus.Pdu]
    fields: tuple[tuple[str, int], ...] = ()
    has_tlvs: bool = False
    silent: bool = True


_BIND = (
    ("system_id", 16),
    ("password", 9),
    ("system_type", 13),
    ("interface_version", _OCTET),
    ("addr_ton", _OCTET),
    ("addr_npi", _OCTET),
    ("address_range", 41),
)


def _source(size: int) -> tuple[tuple[str, int], ...]:
    return ("source_addr_ton", _OCTET), ("source_addr_npi", _OCTET), ("source_addr", size)


def _destination(size: int) -> tuple[tuple[str, int], ...]:
    return ("dest_addr_ton", _OCTET), ("dest_addr_npi", _OCTET), ("destination_addr", size)


_SM = (
    ("service_type", 6),
    *_source(21),
    *_destination(21),
    ("esm_class", _OCTET),
    ("protocol_id", _OCTET),
    ("priority_flag", _OCTET),
    ("schedule_delivery_time", 17),
    ("validity_period", 17),
    ("registered_delivery", _OCTET),
    ("replace_if_present_flag", _OCTET),
    ("data_coding", _OCTET),
    ("sm_default_msg_id", _OCTET),
    ("short_message", _COUNTED),
)
_DATA_SM = (
    ("service_type", 6),
    *_source(65),
    *_destination(65),
    ("esm_class", _OCTET),
    ("registered_delivery", _OCTET),
    ("data_coding", _OCTET),
)
_QUERY_RESP = (("message_id", 65), ("final_date", 17), ("message_state", _OCTET), ("error_code", _OCTET))
_SYSTEM_ID = (("system_id", 16),)
_MESSAGE_ID = (("message_id", 65),)

_LAYOUTS = (
    _Layout(Command.BIND_RECEIVER, pdus.BindReceiver, _BIND),
    _Layout(Command.BIND_TRANSMITTER, pdus.BindTransmitter, _BIND),
    _Layout(Command.BIND_TRANSCEIVER, pdus.BindTransceiver, _BIND),
    _Layout(Command.BIND_RECEIVER_RESP, pdus.BindReceiverResp, _SYSTEM_ID, has_tlvs=True),
    _Layout(Command.BIND_TRANSMITTER_RESP, pdus.BindTransmitterResp, _SYSTEM_ID, has_tlvs=True),
    _Layout(Command.BIND_TRANSCEIVER_RESP, pdus.BindTransceiverResp, _SYSTEM_ID, has_tlvs=True),
    _Layout(Command.SUBMIT_SM, pdus.SubmitSm, _SM, has_tlvs=True),
    _Layout(Command.SUBMIT_SM_RESP, pdus.SubmitSmResp, _MESSAGE_ID, has_tlvs=True),
    _Layout(Command.DELIVER_SM, pdus.DeliverSm, _SM, has_tlvs=True),
    _Layout(Command.DELIVER_SM_RESP, pdus.DeliverSmResp, _MESSAGE_ID, has_tlvs=True, silent=False),
    _Layout(Command.DATA_SM, pdus.DataSm, _DATA_SM, has_tlvs=True),
    _Layout(Command.DATA_SM_RESP, pdus.DataSmResp, _MESSAGE_ID, has_tlvs=True),
    _Layout(Command.QUERY_SM, pdus.QuerySm, (("message_id", 65), *_source(21))),
    _Layout(Command.QUERY_SM_RESP, pdus.QuerySmResp, _QUERY_RESP),
    _Layout(Command.CANCEL_SM, pdus.CancelSm, (("service_type", 6), ("message_id", 65), *_source(21), *_destination(21))),
    _Layout(Command.CANCEL_SM_RESP, pdus.CancelSmResp),
    _Layout(Command.ENQUIRE_LINK, pdus.EnquireLink),
    _Layout(Command.ENQUIRE_LINK_RESP, pdus.EnquireLinkResp),
    _Layout(Command.UNBIND, pdus.Unbind),
    _Layout(Command.UNBIND_RESP, pdus.UnbindResp),
    _Layout(Command.GENERIC_NACK, pdus.GenericNack),
    _Layout(Command.OUTBIND, pdus.Outbind, (("system_id", 16), ("password", 16))),
)
_BY_COMMAND = {layout.command_id: layout for layout in _LAYOUTS}
_BY_KIND = {layout.kind: layout for layout in _LAYOUTS}


def command_of(pdu: pdus.Pdu) -> int:
    """Return the command_id of a PDU."""
    return _BY_KIND[type(pdu)].command_id


def response_to(pdu: pdus.Pdu, **values: object) -> pdus.Pdu:
    """Return the response of a request with the same sequence_number; `values` fill its fields."""
    kind = _BY_COMMAND[command_of(pdu) | RESPONSE_BIT].kind
    return kind(sequence_number=pdu.sequence_number, **values)  # type: ignore[arg-type]


def encode(pdu: pdus.Pdu) -> bytes:
    """Return the octets. Raises LocalProtocolError when a value does not fit its field."""
    layout = _BY_KIND[type(pdu)]
    body = b"" if layout.silent and pdu.command_status and layout.command_id & RESPONSE_BIT else _encode_body(pdu, layout)
    length = HEADER_LENGTH + len(body)
    if length > MAX_LENGTH:
        raise LocalProtocolError(f"{type(pdu).__name__} would have {length} octets; at most {MAX_LENGTH} are allowed")
    return pack_header(length, layout.command_id, pdu.command_status, pdu.sequence_number) + body


def body(pdu: pdus.Pdu) -> bytes:
    """Return the octets behind the header: what a session sends with a sequence_number of its own."""
    return _encode_body(pdu, _BY_KIND[type(pdu)])


def encode_tlvs(tlvs: dict[int, bytes]) -> bytes:
    """Return optional parameters as octets."""
    return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs.items())


def encode_text(name: str, value: str, size: int) -> bytes:
    """Return a C-octet string of at most `size` octets with its NUL; `name` is for the error."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"{name} must be plain ASCII, not {value!r}") from error
    if len(octets) >= size or 0 in octets:
        raise LocalProtocolError(f"{name} may have at most {size - 1} characters and no NUL")
    return octets + b"\0"


def _encode_body(pdu: pdus.Pdu, layout: _Layout) -> bytes:
    parts: list[bytes] = []
    for name, size in layout.fields:
        value = getattr(pdu, name)
        if size == _OCTET:
            parts.append(_encode_octet(name, value))
        elif size == _COUNTED:
            parts.append(_encode_octet(name, len(value)) + value)
        else:
            parts.append(encode_text(name, value, size))
    if layout.has_tlvs:
        parts.append(encode_tlvs(pdu.tlvs))  # type: ignore[attr-defined]
    return b"".join(parts)


def _encode_octet(name: str, value: int) -> bytes:
    if not 0 <= value <= (_SHORT_MESSAGE_LIMIT if name == "short_message" else 0xFF):
        raise LocalProtocolError(f"{name} does not fit: {value}")
    return bytes((value,))


def decode(frame: bytes) -> pdus.Pdu:
    """Read one whole frame. Raises RemoteProtocolError with the status to answer.

    What the peer asks of us is read strictly. Responses and deliveries are read as far as they make sense: a response cannot
    be refused, and a refused delivery comes again for ever (protocols.md §10, lessons 13 and 14).
    """
    if len(frame) < HEADER_LENGTH:
        raise RemoteProtocolError(f"{len(frame)} octets are no header", Status.ESME_RINVCMDLEN)
    length, command_id, status, sequence = header(frame)
    if length != len(frame):
        raise RemoteProtocolError(f"length {length} of a frame of {len(frame)} octets", Status.ESME_RINVCMDLEN)
    if command_id == Command.DELIVER_SM:
        return decode_sm(frame, pdus.DeliverSm)
    if command_id == Command.SUBMIT_SM:
        return decode_sm(frame, pdus.SubmitSm)
    layout = _BY_COMMAND.get(command_id)
    if layout is None:
        raise RemoteProtocolError(f"unknown command 0x{command_id:08x}", Status.ESME_RINVCMDID)
    return decode_by_table(frame, layout.command_id, status, sequence)


def decode_by_table(frame: bytes, command_id: int, status: int, sequence: int) -> pdus.Pdu:
    """Read the body of a known command field by field."""
    layout = _BY_COMMAND[command_id]
    tolerant = bool(command_id & RESPONSE_BIT)
    values: dict[str, object] = {}
    at = HEADER_LENGTH
    for name, size in layout.fields:
        if tolerant and at >= len(frame):
            break
        at, values[name] = _read_field(frame, at, size, tolerant)
    if layout.has_tlvs:
        values["tlvs"] = decode_tlvs(frame, at, strict=not tolerant and command_id != Command.DELIVER_SM)
    return layout.kind(command_status=status, sequence_number=sequence, **values)


def _read_field(frame: bytes, at: int, size: int, tolerant: bool) -> tuple[int, object]:
    """Return where the next field begins, and the value."""
    if size > 0:
        end = frame.find(0, at)
        if end < 0:
            if not tolerant:
                raise RemoteProtocolError("a string has no end", Status.ESME_RINVPARLEN)
            end = len(frame)
        return end + 1, frame[at:end].decode("latin-1")
    if at >= len(frame):
        raise RemoteProtocolError("the body ends too early", Status.ESME_RINVCMDLEN)
    if size == _OCTET:
        return at + 1, frame[at]
    end = at + 1 + frame[at]
    if end > len(frame):
        raise RemoteProtocolError("sm_length goes beyond the PDU", Status.ESME_RINVMSGLEN)
    return end, frame[at + 1 : end]


def decode_sm(frame: bytes, kind: type[_AnySm]) -> _AnySm:
    """Read a whole submit_sm or deliver_sm; the same as by table, but this is the hot path (budget: 1 µs).

    All octets become text at once, because a slice of a str costs less than one of bytes that is decoded after it.
    """
    status, sequence = _STATUS_AND_SEQUENCE.unpack_from(frame, 8)
    octets = str(frame, "latin-1")
    index = octets.index
    try:
        a = index("\0", 16)
        b = index("\0", a + 3)
        c = index("\0", b + 3)
        d = index("\0", c + 4)
        e = index("\0", d + 1)
        start = e + 6
        end = start + frame[e + 5]
    except (ValueError, IndexError):
        raise RemoteProtocolError("a string has no end, or the body ends too early", Status.ESME_RINVPARLEN) from None
    length = len(frame)
    if end > length:
        raise RemoteProtocolError("sm_length goes beyond the PDU", Status.ESME_RINVMSGLEN)
    return kind(
        status,
        sequence,
        octets[16:a],  # service_type
        frame[a + 1],  # source_addr_ton
        frame[a + 2],  # source_addr_npi
        octets[a + 3 : b],  # source_addr
        frame[b + 1],  # dest_addr_ton
        frame[b + 2],  # dest_addr_npi
        octets[b + 3 : c],  # destination_addr
        frame[c + 1],  # esm_class
        frame[c + 2],  # protocol_id
        frame[c + 3],  # priority_flag
        octets[c + 4 : d],  # schedule_delivery_time
        octets[d + 1 : e],  # validity_period
        frame[e + 1],  # registered_delivery
        frame[e + 2],  # replace_if_present_flag
        frame[e + 3],  # data_coding
        frame[e + 4],  # sm_default_msg_id
        frame[start:end],  # short_message
        decode_tlvs(frame, end, strict=kind is pdus.SubmitSm) if end < length else {},
    )


def decode_tlvs(frame: bytes, at: int, *, strict: bool) -> dict[int, bytes]:
    """Read optional parameters up to the end. Fewer than 4 octets at the end are junk (real carriers send a NUL there).

    A value that goes beyond the end is an error when `strict`, else it is left out.
    """
    found: dict[int, bytes] = {}
    end = len(frame)
    while at + 4 <= end:
        tag, size = _TLV.unpack_from(frame, at)
        at += 4
        if at + size > end:
            if strict:
                raise RemoteProtocolError(f"optional parameter 0x{tag:04x} goes beyond the PDU", Status.ESME_RINVOPTPARSTREAM)
            break
        found[tag] = frame[at : at + size]
        at += size
    return found


def tlv_number(tlvs: dict[int, bytes], tag: Tag) -> int | None:
    """Return an integer parameter, or None when it is absent or empty."""
    value = tlvs.get(tag)
    return int.from_bytes(value, "big") if value else None


def tlv_text(tlvs: dict[int, bytes], tag: Tag) -> str | None:
    """Return a C-octet string parameter up to its NUL, or None when it is absent."""
    value = tlvs.get(tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")
