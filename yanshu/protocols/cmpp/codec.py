"""CMPP codec: PDUs to octets and back, from one table of layouts; 2.0 and 3.0 differ in its numbers only (protocols.md §4.2).

Fixed fields that stand together are packed and unpacked in one call. Whatever octets come in, only RemoteProtocolError comes out.
"""

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from msgspec.structs import replace

from yanshu.protocols.cmpp import pdus
from yanshu.protocols.cmpp.constants import HEADER_LENGTH, MAX_LENGTH, RESPONSE_BIT, Command, Format, Result, Version
from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError

_HEADER = struct.Struct(">III")
# Total_Length, Command_Id, Sequence_Id: to octets, and from a frame of at least 12.
pack_header = _HEADER.pack
header = _HEADER.unpack_from

# Stands for a number while a body is taken apart; no text field before it holds so many of these.
_MARK = "?" * 21
_MOST_NUMBERS = 99
_LONGEST_ASCII = 159
_LONGEST = 140

# A field: its name, and how it travels. "B", "I", "Q" are numbers, "16s" raw octets, an integer n text of n octets,
# "numbers" and "content" are counted by an octet before them.
_Field = tuple[str, str | int]


class _Run(NamedTuple):
    """Fixed fields that stand together; `texts` are the places and sizes of those that are text."""

    names: tuple[str, ...]
    packed: struct.Struct
    texts: tuple[tuple[int, int], ...]


class _Layout(NamedTuple):
    """A PDU in one version: runs of fixed fields with at most one list of numbers and one content between them."""

    command_id: int
    kind: type[pdus.Pdu]
    pieces: tuple[_Run | str, ...]
    number_size: int


def _layout(command_id: Command, kind: type[pdus.Pdu], fields: Iterable[_Field], number_size: int = 0) -> _Layout:
    """Compile the fields of a PDU."""
    pieces: list[_Run | str] = []
    run: list[_Field] = []
    for name, form in (*fields, ("", "end")):
        if form in {"numbers", "content", "end"}:
            if run:
                pieces.append(_run(run))
                run = []
            if name:
                pieces.append(name)
        else:
            run.append((name, form))
    return _Layout(command_id, kind, tuple(pieces), number_size)


def _run(fields: list[_Field]) -> _Run:
    form = "".join(f"{size}s" if isinstance(size, int) else size for _, size in fields)
    texts = tuple((place, size) for place, (_, size) in enumerate(fields) if isinstance(size, int))
    return _Run(tuple(name for name, _ in fields), struct.Struct(f">{form}"), texts)


def _submit(terminal: int, tail: int, *, typed: bool) -> tuple[_Field, ...]:
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
        ("dest_terminal_ids", "numbers"),
        *_octet_if(typed, "dest_terminal_type"),
        ("msg_content", "content"),
        ("link_id", tail),
    )


def _deliver(terminal: int, tail: int, *, typed: bool) -> tuple[_Field, ...]:
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
        ("msg_content", "content"),
        ("link_id", tail),
    )


def _octet_if(there: bool, name: str) -> tuple[_Field, ...]:
    """The type of a terminal id stands behind it in 3.0 only."""
    return ((name, "B"),) if there else ()


_CONNECT: tuple[_Field, ...] = (("source_addr", 6), ("authenticator_source", "16s"), ("version", "B"), ("timestamp", "I"))
_QUERY: tuple[_Field, ...] = (("time", 8), ("query_type", "B"), ("query_code", 10))
_COUNTERS: tuple[_Field, ...] = tuple((name, "I") for name in pdus.QueryResp.__struct_fields__[-8:])


def _layouts(result: str, terminal: int, tail: int, *, typed: bool) -> list[_Layout]:
    """Return the layouts of one version: the size of results, of terminal ids and of the last field; `typed`: ids have a type."""
    return [
        _layout(Command.CONNECT, pdus.Connect, _CONNECT),
        _layout(Command.CONNECT_RESP, pdus.ConnectResp, (("status", result), ("authenticator_ismg", "16s"), ("version", "B"))),
        _layout(Command.TERMINATE, pdus.Terminate, ()),
        _layout(Command.TERMINATE_RESP, pdus.TerminateResp, ()),
        _layout(Command.SUBMIT, pdus.Submit, _submit(terminal, tail, typed=typed), terminal),
        _layout(Command.SUBMIT_RESP, pdus.SubmitResp, (("msg_id", "Q"), ("result", result))),
        _layout(Command.DELIVER, pdus.Deliver, _deliver(terminal, tail, typed=typed)),
        _layout(Command.DELIVER_RESP, pdus.DeliverResp, (("msg_id", "Q"), ("result", result))),
        _layout(Command.QUERY, pdus.Query, (*_QUERY, ("reserve", 8))),
        _layout(Command.QUERY_RESP, pdus.QueryResp, (*_QUERY, *_COUNTERS)),
        _layout(Command.CANCEL, pdus.Cancel, (("msg_id", "Q"),)),
        _layout(Command.CANCEL_RESP, pdus.CancelResp, (("success_id", result),)),
        _layout(Command.ACTIVE_TEST, pdus.ActiveTest, ()),
        _layout(Command.ACTIVE_TEST_RESP, pdus.ActiveTestResp, (("reserved", "B"),)),
    ]


_BY_VERSION: dict[int, list[_Layout]] = {
    Version.V20: _layouts("B", 21, 8, typed=False),
    Version.V30: _layouts("I", 32, 20, typed=True),
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
    layout = _BY_KIND[version][type(pdu)]
    parts: list[bytes] = []
    for piece in layout.pieces:
        if isinstance(piece, _Run):
            parts.append(_pack(piece, pdu))
        elif piece == "msg_content":
            parts.append(_content(pdu))
        else:
            parts.append(_numbers(getattr(pdu, piece), layout.number_size))
    return b"".join(parts)


def around_number(pdu: pdus.Submit, version: Version) -> tuple[bytes, bytes]:
    """Return the body of a submit to one number in two parts: what stands before the number, and what behind it."""
    octets = body(replace(pdu, dest_terminal_ids=(_MARK,)), version)
    head, _, tail = octets.partition(number(_MARK, version))
    return head, tail


def number(value: str, version: Version) -> bytes:
    """Return a number as it stands in a submit. Raises LocalProtocolError when it does not fit."""
    return text("dest_terminal_id", value, _BY_KIND[version][pdus.Submit].number_size)


def text(name: str, value: str, size: int) -> bytes:
    """Return text as it fills a field of `size` octets; `name` is for the error."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"{name} must be plain ASCII, not {value!r}") from error
    if len(octets) > size or 0 in octets:
        raise LocalProtocolError(f"{name} may have at most {size} characters and no NUL")
    return octets.ljust(size, b"\0")


def _pack(run: _Run, pdu: pdus.Pdu) -> bytes:
    values: list[Any] = [getattr(pdu, name) for name in run.names]
    for place, size in run.texts:
        values[place] = text(run.names[place], values[place], size)
    try:
        return run.packed.pack(*values)
    except struct.error as error:
        raise LocalProtocolError(f"a value of {type(pdu).__name__} does not fit its field: {error}") from error


def _numbers(numbers: tuple[str, ...], size: int) -> bytes:
    if not 1 <= len(numbers) <= _MOST_NUMBERS:
        raise LocalProtocolError(f"a submit goes to 1 to {_MOST_NUMBERS} numbers, not {len(numbers)}")
    return bytes((len(numbers),)) + b"".join(text("dest_terminal_id", number, size) for number in numbers)


def _content(pdu: Any) -> bytes:
    octets: bytes = pdu.msg_content
    limit = _LONGEST_ASCII if pdu.msg_fmt == Format.ASCII else _LONGEST
    if len(octets) > limit:
        raise LocalProtocolError(f"msg_content may have at most {limit} octets in format {pdu.msg_fmt}, not {len(octets)}")
    return bytes((len(octets),)) + octets


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
    layout = _BY_COMMAND[version].get(command_id)
    if layout is None:
        raise RemoteProtocolError(f"unknown command 0x{command_id:08x}", Result.COMMAND)
    if command_id & RESPONSE_BIT:
        other = _BY_COMMAND[_OTHER[version]][command_id]
        if length == _size(other):
            layout = other
    try:
        return _read(frame, layout, sequence_id)
    except (struct.error, IndexError):
        raise RemoteProtocolError(f"{layout.kind.__name__} of {length} octets ends too early", Result.LENGTH) from None


def _size(layout: _Layout) -> int:
    """Return the length of a PDU without variable fields, header included."""
    return HEADER_LENGTH + sum(piece.packed.size for piece in layout.pieces if isinstance(piece, _Run))


def _read(frame: bytes, layout: _Layout, sequence_id: int) -> pdus.Pdu:
    values: dict[str, Any] = {}
    at, end = HEADER_LENGTH, len(frame)
    for piece in layout.pieces:
        if isinstance(piece, _Run):
            if piece is layout.pieces[-1] and layout.command_id in _CUT_SHORT:
                frame = frame.ljust(at + piece.packed.size, b"\0")
            _unpack(frame, at, piece, values)
            at += piece.packed.size
        elif piece == "msg_content":
            at, values[piece] = _counted(frame, at, 1, end)
        else:
            at, octets = _counted(frame, at, layout.number_size, end)
            size = layout.number_size
            values[piece] = tuple(_plain(octets[place : place + size]) for place in range(0, len(octets), size))
    if at < end and not layout.command_id & RESPONSE_BIT and layout.command_id not in _CUT_SHORT:
        raise RemoteProtocolError(f"{layout.kind.__name__} has {end - at} octets too many", Result.LENGTH)
    return layout.kind(sequence_id=sequence_id, **values)


def _unpack(frame: bytes, at: int, run: _Run, values: dict[str, Any]) -> None:
    found = list(run.packed.unpack_from(frame, at))
    for place, _ in run.texts:
        found[place] = _plain(found[place])
    values.update(zip(run.names, found, strict=True))


def _counted(frame: bytes, at: int, size: int, end: int) -> tuple[int, bytes]:
    """Return where the next field begins, and the octets of `frame[at]` items of `size`."""
    stop = at + 1 + frame[at] * size
    if stop > end:
        raise RemoteProtocolError("a counted field goes beyond the PDU", Result.LENGTH)
    return stop, frame[at + 1 : stop]


def _plain(octets: bytes) -> str:
    """Return the text of a fixed field: up to the first NUL, without the blanks some peers pad with."""
    return octets.split(b"\0", 1)[0].decode("latin-1").strip(" ")
