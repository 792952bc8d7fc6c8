"""SMGP codec: PDUs to octets and back, from one table of layouts (protocols.md §6.2).

Whatever octets come in, only RemoteProtocolError comes out.
"""

import struct
from typing import Any

from msgspec.structs import replace

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.layouts import (
    THREE_WORDS,
    Content,
    Field,
    Layout,
    Numbers,
    framed,
    layout,
    offset_of,
    opened,
    plain,
    read,
    text,
    write,
)
from yanshu.protocols.smgp import pdus
from yanshu.protocols.smgp.constants import HEADER_LENGTH, MAX_LENGTH, MESSAGE_ID_SIZE, RESPONSE_BIT, TAG_SIZES, Command, Status

# PacketLength, RequestID, SequenceID, from a frame of at least 12.
header = THREE_WORDS.unpack_from

_TLV = struct.Struct(">HH")
_MOST_NUMBERS = 100
_NUMBER_SIZE = 21
_RESERVE_SIZE = 8
# Octets of a text in a Submit; the length of a Deliver says 255.
_LONGEST = 140
# The hot path: what a Deliver is made of up to the length of its text, and a whole Deliver_Resp.
_DELIVER_HEAD = struct.Struct(f">III{MESSAGE_ID_SIZE}sBB14s21s21sB")
_DELIVER_RESP = struct.Struct(f">III{MESSAGE_ID_SIZE}sI")

_LOGIN: tuple[Field, ...] = (
    ("client_id", 8),
    ("authenticator_client", "16s"),
    ("login_mode", "B"),
    ("timestamp", "I"),
    ("client_version", "B"),
)
_SUBMIT: tuple[Field, ...] = (
    ("msg_type", "B"),
    ("need_report", "B"),
    ("priority", "B"),
    ("service_id", 10),
    ("fee_type", 2),
    ("fee_code", 6),
    ("fixed_fee", 6),
    ("msg_format", "B"),
    ("valid_time", 17),
    ("at_time", 17),
    ("src_term_id", 21),
    ("charge_term_id", 21),
    ("dest_term_ids", Numbers(_NUMBER_SIZE, _MOST_NUMBERS)),
    ("msg_content", Content(1)),
    ("reserve", _RESERVE_SIZE),
)
_ID: Field = ("msg_id", f"{MESSAGE_ID_SIZE}s")
_DELIVER: tuple[Field, ...] = (
    _ID,
    ("is_report", "B"),
    ("msg_format", "B"),
    ("recv_time", 14),
    ("src_term_id", 21),
    ("dest_term_id", 21),
    ("msg_content", Content(1)),
    ("reserve", _RESERVE_SIZE),
)
_TAKEN: tuple[Field, ...] = (_ID, ("status", "I"))
_QUERY: tuple[Field, ...] = (("query_time", 8), ("query_type", "B"), ("query_code", 10))
_COUNTERS: tuple[Field, ...] = tuple((name, "I") for name in pdus.COUNTERS)

_LAYOUTS = (
    layout(Command.LOGIN, pdus.Login, _LOGIN),
    layout(Command.LOGIN_RESP, pdus.LoginResp, (("status", "I"), ("authenticator_server", "16s"), ("server_version", "B"))),
    layout(Command.SUBMIT, pdus.Submit, _SUBMIT),
    layout(Command.SUBMIT_RESP, pdus.SubmitResp, _TAKEN),
    layout(Command.DELIVER, pdus.Deliver, _DELIVER),
    layout(Command.DELIVER_RESP, pdus.DeliverResp, _TAKEN),
    layout(Command.ACTIVE_TEST, pdus.ActiveTest, ()),
    layout(Command.ACTIVE_TEST_RESP, pdus.ActiveTestResp, ()),
    layout(Command.EXIT, pdus.Exit, ()),
    layout(Command.EXIT_RESP, pdus.ExitResp, ()),
    layout(Command.QUERY, pdus.Query, _QUERY),
    layout(Command.QUERY_RESP, pdus.QueryResp, (*_QUERY, *_COUNTERS, ("reserve", 8))),
)
_BY_COMMAND: dict[int, Layout] = {found.command_id: found for found in _LAYOUTS}
_BY_KIND: dict[type[pdus.Pdu], Layout] = {found.kind: found for found in _LAYOUTS}

# Octets behind the end that are no reason to be taken for dead: CMPP has one there (protocols.md §10, lesson 13).
_JUNK = {int(command): 3 for command in (Command.ACTIVE_TEST, Command.EXIT)}


def command_of(pdu: pdus.Pdu) -> int:
    """Return the RequestID of a PDU."""
    return _BY_KIND[type(pdu)].command_id


def encode(pdu: pdus.Pdu) -> bytes:
    """Return the octets. Raises LocalProtocolError when a value does not fit its field."""
    return framed(THREE_WORDS, (command_of(pdu), pdu.sequence_id), body(pdu), MAX_LENGTH)


def body(pdu: pdus.Pdu) -> bytes:
    """Return the octets behind the header. Raises LocalProtocolError when a value does not fit its field."""
    if isinstance(pdu, pdus.Submit):
        content(pdu.msg_content)  # for its limit
    written = replace(pdu, msg_id=id_octets(pdu.msg_id)) if hasattr(pdu, "msg_id") else pdu
    return write(_BY_KIND[type(pdu)], written) + _tlv_octets(getattr(pdu, "tlvs", {}))


def around(pdu: pdus.Submit) -> tuple[bytes, bytes, bytes]:
    """Return the body of a submit to one number in three parts: before the number, from there to the text, and behind the text."""
    made = _BY_KIND[pdus.Submit]
    octets = write(made, replace(pdu, dest_term_ids=("",), msg_content=b""))
    start = offset_of(made, "dest_term_ids") + 1
    behind = len(octets) - _RESERVE_SIZE
    return octets[:start], octets[start + _NUMBER_SIZE : behind - 1], octets[behind:] + _tlv_octets(pdu.tlvs)


def content(octets: bytes) -> bytes:
    """Return a text as it stands in a submit: with its length before it. Raises LocalProtocolError when it is too long."""
    if len(octets) > _LONGEST:
        raise LocalProtocolError(f"msg_content may have at most {_LONGEST} octets, not {len(octets)}")
    return bytes((len(octets),)) + octets


def delivered(pdu: pdus.Deliver, status: int) -> bytes:
    """Return the frame of a Deliver_Resp, as `encode` does, without the detour."""
    return _DELIVER_RESP.pack(_DELIVER_RESP.size, Command.DELIVER_RESP, pdu.sequence_id, id_octets(pdu.msg_id), status)


def number(value: str) -> bytes:
    """Return a number as it stands in a submit. Raises LocalProtocolError when it does not fit."""
    return text("dest_term_id", value, _NUMBER_SIZE)


def id_octets(msg_id: str) -> bytes:
    """Return the ten octets of a MsgID. Raises LocalProtocolError when it is not 20 hex digits."""
    try:
        octets = bytes.fromhex(msg_id)
    except ValueError:
        octets = b""
    if len(octets) != MESSAGE_ID_SIZE:
        raise LocalProtocolError(f"msg_id is {2 * MESSAGE_ID_SIZE} hex digits, not {msg_id!r}")
    return octets


def _tlv_octets(tlvs: dict[int, bytes]) -> bytes:
    padded = ((tag, value.ljust(TAG_SIZES.get(tag, 0), b"\0")) for tag, value in tlvs.items())
    try:
        return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in padded)
    except struct.error as error:
        raise LocalProtocolError(f"tags and lengths of parameters have two octets: {error}") from error


def decode(frame: bytes) -> pdus.Pdu:
    """Read one whole frame. Raises RemoteProtocolError with the status to answer.

    Parameters come in any order, and unknown ones are kept. One that goes beyond the end, or fewer than 4 octets there, is junk
    that real gateways send.
    """
    command_id, sequence_id = opened(THREE_WORDS, frame, Status.LENGTH)
    length = len(frame)
    found = _BY_COMMAND.get(command_id)
    if found is None:
        raise RemoteProtocolError(f"unknown command 0x{command_id:08x}", Status.COMMAND)
    try:
        values, end = read(found, frame, HEADER_LENGTH, may_be_cut=found.kind is pdus.Deliver)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{found.kind.__name__} of {length} octets: {error}", Status.LENGTH) from None
    if "msg_id" in values:
        values["msg_id"] = values["msg_id"].hex()
    if found.kind in {pdus.Submit, pdus.Deliver}:
        values["tlvs"] = _read_tlvs(frame, end)
    elif length - end > _junk_allowed(command_id):
        raise RemoteProtocolError(f"{found.kind.__name__} has {length - end} octets too many", Status.LENGTH)
    pdu: pdus.Pdu = found.kind(sequence_id=sequence_id, **values)
    return pdu


def delivery(frame: bytes) -> pdus.Deliver | None:
    """Read a Deliver without parameters that fits its layout to the octet, as `decode` does, without the detour; None for all others."""
    start = _DELIVER_HEAD.size
    if len(frame) < start:
        return None
    _, _, sequence, ident, is_report, form, at, source, dest, size = _DELIVER_HEAD.unpack_from(frame)
    end = start + size
    if len(frame) != end + _RESERVE_SIZE:
        return None
    return pdus.Deliver(
        sequence_id=sequence,
        msg_id=ident.hex(),
        is_report=is_report,
        msg_format=form,
        recv_time=plain(at),
        src_term_id=plain(source),
        dest_term_id=plain(dest),
        msg_content=frame[start:end],
        reserve=plain(frame[end:]),
    )


def _junk_allowed(command_id: int) -> int:
    """Return how many octets may stand behind the end: any behind a response, and a few where peers are known to write them."""
    return MAX_LENGTH if command_id & RESPONSE_BIT else _JUNK.get(command_id, 0)


def _read_tlvs(frame: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, Any] = {}
    end = len(frame)
    while at + _TLV.size <= end:
        tag, size = _TLV.unpack_from(frame, at)
        at += _TLV.size
        if at + size > end:
            break
        found[tag] = frame[at : at + size]
        at += size
    return found
