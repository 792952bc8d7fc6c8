"""CMPP codec: PDUs to octets and back, from one table of layouts; 2.0 and 3.0 differ in its numbers only (protocols.md §4.2).

Whatever octets come in, only RemoteProtocolError comes out.
"""

from struct import Struct as Packed
from typing import Any

from msgspec.structs import replace

from yanshu.protocols.cmpp import pdus
from yanshu.protocols.cmpp.constants import HEADER_LENGTH, MAX_LENGTH, RESPONSE_BIT, Command, Format, Result, Version
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

# Total_Length, Command_Id, Sequence_Id, from a frame of at least 12.
header = THREE_WORDS.unpack_from

# DestUsr_tl is below 100.
_MOST_NUMBERS = 99
_LONGEST_ASCII = 159
_LONGEST = 140


def _submit(terminal: int, tail: int, *, typed: bool) -> tuple[Field, ...]:
    return (
        ("msg_id", "Q"),
        ("pk_total", "B"),
        ("pk_number", "B"),
        ("registered_delivery", "B"),
        ("msg_level", "B"),
        ("service_id", 10),
        ("fee_user_type", "B"),
        ("fee_terminal_id", terminal),
        *_octet_if(typed, "fee_terminal_type"),
        ("tp_pid", "B"),
        ("tp_udhi", "B"),
        ("msg_fmt", "B"),
        ("msg_src", 6),
        ("fee_type", 2),
        ("fee_code", 6),
        ("valid_time", 17),
        ("at_time", 17),
        ("src_id", 21),
        ("dest_terminal_ids", Numbers(terminal, _MOST_NUMBERS)),
        *_octet_if(typed, "dest_terminal_type"),
        ("msg_content", Content(1)),
        ("link_id", tail),
    )


def _deliver(terminal: int, tail: int, *, typed: bool) -> tuple[Field, ...]:
    return (
        ("msg_id", "Q"),
        ("dest_id", 21),
        ("service_id", 10),
        ("tp_pid", "B"),
        ("tp_udhi", "B"),
        ("msg_fmt", "B"),
        ("src_terminal_id", terminal),
        *_octet_if(typed, "src_terminal_type"),
        ("registered_delivery", "B"),
        ("msg_content", Content(1)),
        ("link_id", tail),
    )


def _octet_if(there: bool, name: str) -> tuple[Field, ...]:
    """The type of a terminal id stands behind it in 3.0 only."""
    return ((name, "B"),) if there else ()


_CONNECT: tuple[Field, ...] = (("source_addr", 6), ("authenticator_source", "16s"), ("version", "B"), ("timestamp", "I"))
_QUERY: tuple[Field, ...] = (("time", 8), ("query_type", "B"), ("query_code", 10))
_COUNTERS: tuple[Field, ...] = tuple((name, "I") for name in pdus.QueryResp.__struct_fields__[-8:])


def _layouts(result: str, terminal: int, tail: int, *, typed: bool) -> list[Layout]:
    """Return the layouts of one version: the size of results, of terminal ids and of the last field; `typed`: ids have a type."""
    return [
        layout(Command.CONNECT, pdus.Connect, _CONNECT),
        layout(Command.CONNECT_RESP, pdus.ConnectResp, (("status", result), ("authenticator_ismg", "16s"), ("version", "B"))),
        layout(Command.TERMINATE, pdus.Terminate, ()),
        layout(Command.TERMINATE_RESP, pdus.TerminateResp, ()),
        layout(Command.SUBMIT, pdus.Submit, _submit(terminal, tail, typed=typed)),
        layout(Command.SUBMIT_RESP, pdus.SubmitResp, (("msg_id", "Q"), ("result", result))),
        layout(Command.DELIVER, pdus.Deliver, _deliver(terminal, tail, typed=typed)),
        layout(Command.DELIVER_RESP, pdus.DeliverResp, (("msg_id", "Q"), ("result", result))),
        layout(Command.QUERY, pdus.Query, (*_QUERY, ("reserve", 8))),
        layout(Command.QUERY_RESP, pdus.QueryResp, (*_QUERY, *_COUNTERS)),
        layout(Command.CANCEL, pdus.Cancel, (("msg_id", "Q"),)),
        layout(Command.CANCEL_RESP, pdus.CancelResp, (("success_id", result),)),
        layout(Command.ACTIVE_TEST, pdus.ActiveTest, ()),
        layout(Command.ACTIVE_TEST_RESP, pdus.ActiveTestResp, (("reserved", "B"),)),
    ]


# Octets of a terminal id, and of the field at the end.
_TERMINAL_SIZE = {Version.V20: 21, Version.V30: 32}
_TAIL_SIZE = {Version.V20: 8, Version.V30: 20}
_BY_VERSION: dict[int, list[Layout]] = {
    Version.V20: _layouts("B", _TERMINAL_SIZE[Version.V20], _TAIL_SIZE[Version.V20], typed=False),
    Version.V30: _layouts("I", _TERMINAL_SIZE[Version.V30], _TAIL_SIZE[Version.V30], typed=True),
}
_BY_COMMAND = {version: {layout.command_id: layout for layout in found} for version, found in _BY_VERSION.items()}
_BY_KIND = {version: {layout.kind: layout for layout in found} for version, found in _BY_VERSION.items()}
_OTHER = {Version.V20: Version.V30, Version.V30: Version.V20}
# Their end may be missing: ACTIVE_TEST_RESP without its octet, a LinkID cut short, DELIVER without any.
_CUT_SHORT = frozenset({int(Command.ACTIVE_TEST_RESP), int(Command.DELIVER)})

# Octets behind the end that are no reason to refuse a delivery for ever, or to be taken for dead (protocols.md §10, lesson 13).
_JUNK = {int(command): 3 for command in (Command.DELIVER, Command.ACTIVE_TEST, Command.TERMINATE)}


def command_of(pdu: pdus.Pdu) -> int:
    """Return the Command_Id of a PDU."""
    return _BY_KIND[Version.V30][type(pdu)].command_id


# The hot path: what a DELIVER is made of up to the length of its text, and a whole DELIVER_RESP.
_DELIVER_HEAD = {
    Version.V20: Packed(f">III Q21s10sBBB{_TERMINAL_SIZE[Version.V20]}sBB"),
    Version.V30: Packed(f">III Q21s10sBBB{_TERMINAL_SIZE[Version.V30]}sBBB"),
}
_DELIVER_RESP = {Version.V20: Packed(">IIIQB"), Version.V30: Packed(">IIIQI")}


# --- to octets ---


def encode(pdu: pdus.Pdu, version: Version) -> bytes:
    """Return the octets. Raises LocalProtocolError when a value does not fit its field."""
    return framed(THREE_WORDS, (command_of(pdu), pdu.sequence_id), body(pdu, version), MAX_LENGTH)


def response_to(pdu: pdus.Pdu, **values: object) -> pdus.Pdu:
    """Return the response of a request with the same sequence_id; `values` fill its fields."""
    kind = _BY_COMMAND[Version.V30][command_of(pdu) | RESPONSE_BIT].kind
    made: pdus.Pdu = kind(sequence_id=pdu.sequence_id, **values)
    return made


def body(pdu: pdus.Pdu, version: Version) -> bytes:
    """Return the octets behind the header."""
    if isinstance(pdu, pdus.Submit | pdus.Deliver):
        content(pdu.msg_content, pdu.msg_fmt)  # for its limits
    return write(_BY_KIND[version][type(pdu)], pdu)


def around(pdu: pdus.Submit, version: Version) -> tuple[bytes, bytes, bytes]:
    """Return the body of a submit to one number in three parts: before the number, from there to the text, and behind the text."""
    made = _BY_KIND[version][pdus.Submit]
    octets = write(made, replace(pdu, dest_terminal_ids=("",), msg_content=b""))
    start = offset_of(made, "dest_terminal_ids") + 1
    stop = start + _TERMINAL_SIZE[version]
    behind = len(octets) - _TAIL_SIZE[version]
    return octets[:start], octets[stop : behind - 1], octets[behind:]


def content(octets: bytes, form: int) -> bytes:
    """Return a text as it stands in a submit: with its length before it. Raises LocalProtocolError when it is too long."""
    limit = _LONGEST_ASCII if form == Format.ASCII else _LONGEST
    if len(octets) > limit:
        raise LocalProtocolError(f"msg_content may have at most {limit} octets in format {form}, not {len(octets)}")
    return bytes((len(octets),)) + octets


def delivered(pdu: pdus.Deliver, result: int, version: Version) -> bytes:
    """Return the frame of a DELIVER_RESP, as `encode` does, without the detour."""
    packed = _DELIVER_RESP[version]
    return packed.pack(packed.size, Command.DELIVER_RESP, pdu.sequence_id, pdu.msg_id, result)


def number(value: str) -> bytes:
    """Return a number as it stands in a submit of 2.0, whose field is the shorter one. Raises LocalProtocolError when it does not fit."""
    return text("dest_terminal_id", value, _TERMINAL_SIZE[Version.V20])


def widened(octets: bytes, version: Version) -> bytes:
    """Return what `number` made as it stands in a submit of any version."""
    return octets.ljust(_TERMINAL_SIZE[version], b"\0")


# --- from octets ---


def decode(frame: bytes, version: Version) -> pdus.Pdu:
    """Read one whole frame. Raises RemoteProtocolError with the result to answer.

    Responses and deliveries that do not fit the version's layout are read in the other's when they fit that one: gateways mix them
    up, a response cannot be refused, and a delivery must not be read as something it is not. Only where neither fits may the end
    of a delivery be missing. What else the peer asks of us is read strictly.
    """
    command_id, sequence_id = opened(THREE_WORDS, frame, Result.LENGTH)
    found = _BY_COMMAND[version].get(command_id)
    if found is None:
        raise RemoteProtocolError(f"unknown command 0x{command_id:08x}", Result.COMMAND)
    fitting = [found, _BY_COMMAND[_OTHER[version]][command_id]] if command_id & RESPONSE_BIT or command_id == Command.DELIVER else [found]
    for made in fitting:
        values = _fields(made, frame, command_id, strictly=True)
        if values is not None:
            break
    else:
        values = next((values for made in fitting if (values := _fields(made, frame, command_id, strictly=False)) is not None), None)
    if values is None:
        raise RemoteProtocolError(f"{found.kind.__name__} of {len(frame)} octets is too short or too long", Result.LENGTH)
    pdu: pdus.Pdu = found.kind(sequence_id=sequence_id, **values)
    return pdu


def delivery(frame: bytes, version: Version) -> pdus.Deliver | None:
    """Read a DELIVER that fits the version's layout to the octet, as `decode` does, without the detour; None for all others."""
    head = _DELIVER_HEAD[version]
    start = head.size
    if len(frame) < start:
        return None
    _, _, sequence, ident, dest, service, pid, udhi, form, source, *types, size = head.unpack_from(frame)
    end = start + size
    if len(frame) != end + _TAIL_SIZE[version]:
        return None
    return pdus.Deliver(
        sequence_id=sequence,
        msg_id=ident,
        dest_id=plain(dest),
        service_id=plain(service),
        tp_pid=pid,
        tp_udhi=udhi,
        msg_fmt=form,
        src_terminal_id=plain(source),
        src_terminal_type=types[0] if len(types) > 1 else 0,
        registered_delivery=types[-1],
        msg_content=frame[start:end],
        link_id=plain(frame[end:]),
    )


def _fields(made: Layout, frame: bytes, command_id: int, *, strictly: bool) -> dict[str, Any] | None:
    """Return the fields when the body ends with the frame; unless `strictly`, also when it ends as peers are known to end it."""
    try:
        values, end = read(made, frame, HEADER_LENGTH, may_be_cut=not strictly and command_id in _CUT_SHORT)
    except RemoteProtocolError:
        return None
    if len(frame) - end > (0 if strictly else _junk_allowed(command_id)):
        return None
    return values


def _junk_allowed(command_id: int) -> int:
    """Return how many octets may stand behind the end: any behind a response, and a few where peers are known to write them."""
    return MAX_LENGTH if command_id & RESPONSE_BIT else _JUNK.get(command_id, 0)
