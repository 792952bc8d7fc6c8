"""CMPP codec: PDUs to octets and back, from one table of layouts; 2.0 and 3.0 differ in its numbers only (protocols.md §4.2).

Whatever octets come in, only RemoteProtocolError comes out.
"""

from struct import Struct as Packed

from msgspec.structs import replace

from yanshu.protocols.cmpp import pdus
from yanshu.protocols.cmpp.constants import HEADER_LENGTH, MAX_LENGTH, RESPONSE_BIT, Command, Format, Result, Version
from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.layouts import Content, Field, Layout, Numbers, fixed_size, layout, read, text, write

_HEADER = Packed(">III")
# Total_Length, Command_Id, Sequence_Id: to octets, and from a frame of at least 12.
pack_header = _HEADER.pack
header = _HEADER.unpack_from

# DestUsr_tl is below 100.
_MOST_NUMBERS = 99
_LONGEST_ASCII = 159
_LONGEST = 140
# Stands for a number while a body is taken apart; no text field before it holds so many of these.
_MARK = "?" * 21


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


# Octets of a terminal id.
_TERMINAL_SIZE = {Version.V20: 21, Version.V30: 32}
_BY_VERSION: dict[int, list[Layout]] = {
    Version.V20: _layouts("B", _TERMINAL_SIZE[Version.V20], 8, typed=False),
    Version.V30: _layouts("I", _TERMINAL_SIZE[Version.V30], 20, typed=True),
}
_BY_COMMAND = {version: {layout.command_id: layout for layout in found} for version, found in _BY_VERSION.items()}
_BY_KIND = {version: {layout.kind: layout for layout in found} for version, found in _BY_VERSION.items()}
_OTHER = {Version.V20: Version.V30, Version.V30: Version.V20}
# Their end may be missing: ACTIVE_TEST_RESP without its octet, a LinkID cut short, DELIVER without any.
_CUT_SHORT = frozenset({int(Command.ACTIVE_TEST_RESP), int(Command.DELIVER)})


def command_of(pdu: pdus.Pdu) -> int:
    """Return the Command_Id of a PDU."""
    return _BY_KIND[Version.V30][type(pdu)].command_id


# --- to octets ---


def encode(pdu: pdus.Pdu, version: Version) -> bytes:
    """Return the octets. Raises LocalProtocolError when a value does not fit its field."""
    octets = body(pdu, version)
    length = HEADER_LENGTH + len(octets)
    if length > MAX_LENGTH:
        raise LocalProtocolError(f"{type(pdu).__name__} would have {length} octets; at most {MAX_LENGTH} are allowed")
    return pack_header(length, command_of(pdu), pdu.sequence_id) + octets


def body(pdu: pdus.Pdu, version: Version) -> bytes:
    """Return the octets behind the header."""
    if isinstance(pdu, pdus.Submit | pdus.Deliver):
        limit = _LONGEST_ASCII if pdu.msg_fmt == Format.ASCII else _LONGEST
        if len(pdu.msg_content) > limit:
            raise LocalProtocolError(f"msg_content may have at most {limit} octets in format {pdu.msg_fmt}, not {len(pdu.msg_content)}")
    return write(_BY_KIND[version][type(pdu)], pdu)


def around_number(pdu: pdus.Submit, version: Version) -> tuple[bytes, bytes]:
    """Return the body of a submit to one number in two parts: what stands before the number, and what behind it."""
    head, _, tail = body(replace(pdu, dest_terminal_ids=(_MARK,)), version).partition(number(_MARK, version))
    return head, tail


def number(value: str, version: Version) -> bytes:
    """Return a number as it stands in a submit. Raises LocalProtocolError when it does not fit."""
    return text("dest_terminal_id", value, _TERMINAL_SIZE[version])


# --- from octets ---


def decode(frame: bytes, version: Version) -> pdus.Pdu:
    """Read one whole frame. Raises RemoteProtocolError with the result to answer.

    What the peer asks of us is read strictly, but for the end of DELIVER. A response of the other version's size is read as
    that: gateways mix them up, and a response cannot be refused.
    """
    if len(frame) < HEADER_LENGTH:
        raise RemoteProtocolError(f"{len(frame)} octets are no header", Result.LENGTH)
    length, command_id, sequence_id = header(frame)
    if length != len(frame):
        raise RemoteProtocolError(f"length {length} of a frame of {len(frame)} octets", Result.LENGTH)
    found = _BY_COMMAND[version].get(command_id)
    if found is None:
        raise RemoteProtocolError(f"unknown command 0x{command_id:08x}", Result.COMMAND)
    if command_id & RESPONSE_BIT:
        other = _BY_COMMAND[_OTHER[version]][command_id]
        if length == HEADER_LENGTH + fixed_size(other):
            found = other
    may_be_cut = command_id in _CUT_SHORT
    try:
        values, end = read(found, frame, HEADER_LENGTH, may_be_cut=may_be_cut)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{found.kind.__name__} of {length} octets: {error}", Result.LENGTH) from None
    if end < length and not command_id & RESPONSE_BIT and not may_be_cut:
        raise RemoteProtocolError(f"{found.kind.__name__} has {length - end} octets too many", Result.LENGTH)
    pdu: pdus.Pdu = found.kind(sequence_id=sequence_id, **values)
    return pdu
