"""SGIP codec: PDUs to octets and back, from one table of layouts (protocols.md §5.2, §5.3).

Whatever octets come in, only RemoteProtocolError comes out.
"""

import struct

from msgspec.structs import replace

from yanshu.protocols.errors import LocalProtocolError, RemoteProtocolError
from yanshu.protocols.layouts import Content, Field, Layout, Numbers, framed, layout, offset_of, opened, plain, read, text, write
from yanshu.protocols.sgip import pdus
from yanshu.protocols.sgip.constants import HEADER_LENGTH, MAX_LENGTH, RESPONSE_BIT, Command, Result

# Message Length, Command ID, and the three words of the sequence.
_HEADER = struct.Struct(">IIIII")
_SEQUENCE = struct.Struct(">III")
# The same with the sequence as it travels. Takes the length, the command and twelve octets.
pack_header = struct.Struct(">II12s").pack
_MOST_NUMBERS = 100
_NUMBER_SIZE = 21
_RESERVE_SIZE = 8
_CONTENT_LENGTH = struct.Struct(">I")
# The hot path: a whole REPORT, and a whole response with its result.
_REPORT_FRAME = struct.Struct(f">IIIIIIIIB{_NUMBER_SIZE}sBB{_RESERVE_SIZE}s")
_RESPONSE_FRAME = struct.Struct(f">IIIIIB{_RESERVE_SIZE}x")
_LONGEST_ASCII = 159
_LONGEST = 140
_ASCII = 0
_TIME_SIZE = 16

_RESERVE: Field = ("reserve", _RESERVE_SIZE)
_RESP: tuple[Field, ...] = (("result", "B"), _RESERVE)
_BIND: tuple[Field, ...] = (("login_type", "B"), ("login_name", 16), ("login_password", 16), _RESERVE)
_SUBMIT: tuple[Field, ...] = (
    ("sp_number", 21),
    ("charge_number", 21),
    ("user_numbers", Numbers(_NUMBER_SIZE, _MOST_NUMBERS)),
    ("corp_id", 5),
    ("service_type", 10),
    ("fee_type", "B"),
    ("fee_value", 6),
    ("given_value", 6),
    ("agent_flag", "B"),
    ("more_late_to_mt_flag", "B"),
    ("priority", "B"),
    ("expire_time", _TIME_SIZE),
    ("schedule_time", _TIME_SIZE),
    ("report_flag", "B"),
    ("tp_pid", "B"),
    ("tp_udhi", "B"),
    ("message_coding", "B"),
    ("message_type", "B"),
    ("message_content", Content(4)),
    _RESERVE,
)
_DELIVER: tuple[Field, ...] = (
    ("user_number", 21),
    ("sp_number", 21),
    ("tp_pid", "B"),
    ("tp_udhi", "B"),
    ("message_coding", "B"),
    ("message_content", Content(4)),
    _RESERVE,
)
_REPORT: tuple[Field, ...] = (
    ("submit_sequence", "12s"),
    ("report_type", "B"),
    ("user_number", 21),
    ("state", "B"),
    ("error_code", "B"),
    _RESERVE,
)
_USER_RPT: tuple[Field, ...] = (("sp_number", 21), ("user_number", 21), ("user_condition", "B"), _RESERVE)
_TRACE: tuple[Field, ...] = (("submit_sequence", "12s"), ("user_number", 21), _RESERVE)

_LAYOUTS = (
    layout(Command.BIND, pdus.Bind, _BIND),
    layout(Command.BIND_RESP, pdus.BindResp, _RESP),
    layout(Command.UNBIND, pdus.Unbind, ()),
    layout(Command.UNBIND_RESP, pdus.UnbindResp, ()),
    layout(Command.SUBMIT, pdus.Submit, _SUBMIT),
    layout(Command.SUBMIT_RESP, pdus.SubmitResp, _RESP),
    layout(Command.DELIVER, pdus.Deliver, _DELIVER),
    layout(Command.DELIVER_RESP, pdus.DeliverResp, _RESP),
    layout(Command.REPORT, pdus.Report, _REPORT),
    layout(Command.REPORT_RESP, pdus.ReportResp, _RESP),
    layout(Command.USER_RPT, pdus.UserRpt, _USER_RPT),
    layout(Command.USER_RPT_RESP, pdus.UserRptResp, _RESP),
    layout(Command.TRACE, pdus.Trace, _TRACE),
)
_BY_COMMAND: dict[int, Layout] = {found.command_id: found for found in _LAYOUTS}
_BY_KIND: dict[type[pdus.Pdu], Layout] = {found.kind: found for found in _LAYOUTS}


def command_of(pdu: pdus.Pdu) -> int:
    """Return the Command ID of a PDU."""
    return _BY_KIND[type(pdu)].command_id


def encode(pdu: pdus.Pdu) -> bytes:
    """Return the octets. Raises LocalProtocolError when a value does not fit its field."""
    sequence = pdu.sequence
    return framed(_HEADER, (command_of(pdu), sequence.node, sequence.stamp, sequence.counter), body(pdu), MAX_LENGTH)


def _words(sequence: pdus.Sequence) -> bytes:
    """Return the twelve octets of a sequence. Raises LocalProtocolError when a word does not fit its four."""
    try:
        return _SEQUENCE.pack(sequence.node, sequence.stamp, sequence.counter)
    except struct.error as error:
        raise LocalProtocolError(f"a word of {sequence} is not between 0 and 4294967295") from error


def body(pdu: pdus.Pdu) -> bytes:
    """Return the octets behind the header."""
    if isinstance(pdu, pdus.Submit | pdus.Deliver):
        limit = _LONGEST_ASCII if pdu.message_coding == _ASCII else _LONGEST
        if len(pdu.message_content) > limit:
            raise LocalProtocolError(f"message_content may have at most {limit} octets, not {len(pdu.message_content)}")
    if isinstance(pdu, pdus.Submit):
        for name, value in (("expire_time", pdu.expire_time), ("schedule_time", pdu.schedule_time)):
            if len(value) not in {0, _TIME_SIZE}:
                raise LocalProtocolError(f"{name} has exactly {_TIME_SIZE} characters, not {len(value)}")
    written = pdu
    if isinstance(pdu, pdus.Report | pdus.Trace):
        written = replace(pdu, submit_sequence=_words(pdu.submit_sequence))
    return write(_BY_KIND[type(pdu)], written)


def around(pdu: pdus.Submit) -> tuple[bytes, bytes, bytes]:
    """Return the body of a submit to one number in three parts: before the number, from there to the text, and behind the text."""
    made = _BY_KIND[pdus.Submit]
    octets = write(made, replace(pdu, user_numbers=("",), message_content=b""))
    start = offset_of(made, "user_numbers") + 1
    behind = len(octets) - _RESERVE_SIZE
    return octets[:start], octets[start + _NUMBER_SIZE : behind - _CONTENT_LENGTH.size], octets[behind:]


def content(octets: bytes) -> bytes:
    """Return a text as it stands in a submit: with its length before it. Raises LocalProtocolError when it is too long."""
    if len(octets) > _LONGEST:
        raise LocalProtocolError(f"message_content may have at most {_LONGEST} octets, not {len(octets)}")
    return _CONTENT_LENGTH.pack(len(octets)) + octets


def number(value: str) -> bytes:
    """Return a number as it stands in a submit. Raises LocalProtocolError when it does not fit."""
    return text("user_number", value, _NUMBER_SIZE)


def response(pdu: pdus.Pdu, result: int) -> bytes:
    """Return the frame of the response to a request, as `encode` does, without the detour."""
    sequence = pdu.sequence
    command_id = _BY_KIND[type(pdu)].command_id | RESPONSE_BIT
    return _RESPONSE_FRAME.pack(_RESPONSE_FRAME.size, command_id, sequence.node, sequence.stamp, sequence.counter, result)


def report(frame: bytes) -> pdus.Report | None:
    """Read a REPORT that fits its layout to the octet, as `decode` does, without the detour; None for all others."""
    if len(frame) != _REPORT_FRAME.size:
        return None
    _, _, node, stamp, counter, sp, at, number, kind, user, state, error, reserve = _REPORT_FRAME.unpack(frame)
    return pdus.Report(
        sequence=pdus.Sequence(node, stamp, counter),
        submit_sequence=pdus.Sequence(sp, at, number),
        report_type=kind,
        user_number=plain(user),
        state=state,
        error_code=error,
        reserve=plain(reserve),
    )


def decode(frame: bytes) -> pdus.Pdu:
    """Read one whole frame. Raises RemoteProtocolError with the result to answer.

    The reserve at the end may be missing or longer: nothing is in it.
    """
    command_id, node, stamp, counter = opened(_HEADER, frame, Result.LENGTH)
    length = len(frame)
    found = _BY_COMMAND.get(command_id)
    if found is None:
        raise RemoteProtocolError(f"unknown command 0x{command_id:08x}", Result.COMMAND)
    try:
        values, end = read(found, frame, HEADER_LENGTH, may_be_cut=_ends_in_reserve_alone(found))
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{found.kind.__name__} of {length} octets: {error}", Result.LENGTH) from None
    if end < length and not command_id & RESPONSE_BIT and found.kind is pdus.Submit:
        raise RemoteProtocolError(f"{found.kind.__name__} has {length - end} octets too many", Result.LENGTH)
    if "submit_sequence" in values:
        values["submit_sequence"] = pdus.Sequence(*_SEQUENCE.unpack(values["submit_sequence"]))
    pdu: pdus.Pdu = found.kind(sequence=pdus.Sequence(node, stamp, counter), **values)
    return pdu


def _ends_in_reserve_alone(found: Layout) -> bool:
    """Whether the last fixed fields are the reserve and nothing else, behind a content."""
    last = found.pieces[-1] if found.pieces else None
    return getattr(last, "names", ()) == ("reserve",)


def node_of(area_code: str, company_code: str) -> int:
    """Return the node number of an SP: 3, the area code right-filled to four digits with 0, the company code of five digits."""
    digits = area_code + company_code
    if not (digits.isascii() and digits.isdecimal() and company_code) or len(area_code) not in {3, 4} or len(company_code) > 5:
        raise LocalProtocolError("an area code has 3 or 4 digits, a company code at most 5")
    return int(f"3{area_code:0<4}{company_code:0>5}")
