"""Reports: the content of a DELIVER with Registered_Delivery 1, and the layout of Msg_Id (protocols.md §4.4, §4.5)."""

from msgspec import Struct

from yanshu.protocols.layouts import plain, text

_STAT = slice(8, 15)
_SUBMIT_TIME = slice(15, 25)
_DONE_TIME = slice(25, 35)
_NUMBER_AT = 35
_SHORTEST = 35
# Whole reports have 60 octets with a number of 21 and 71 with one of 32, whatever the version of the session.
_LONG = 71
_NUMBER_SIZES = {False: 21, True: 32}


class Report(Struct, frozen=True):
    """What became of the submit with this `msg_id`; times are YYMMDDHHMM of Beijing, as written."""

    msg_id: int
    stat: str
    submit_time: str
    done_time: str
    dest_terminal_id: str
    smsc_sequence: int


class MessageId(Struct, frozen=True):
    """A Msg_Id taken apart; it names no year."""

    month: int
    day: int
    hour: int
    minute: int
    second: int
    gateway: int
    serial: int


def parse(content: bytes) -> Report | None:
    """Read a report; None when it is too short for an id and a state. The length decides about the form, not the version."""
    if len(content) < _SHORTEST:
        return None
    end = _NUMBER_AT + _NUMBER_SIZES[len(content) >= _LONG]
    return Report(
        int.from_bytes(content[:8], "big"),
        plain(content[_STAT]),
        plain(content[_SUBMIT_TIME]),
        plain(content[_DONE_TIME]),
        plain(content[_NUMBER_AT:end]),
        int.from_bytes(content[end : end + 4], "big"),
    )


def build(report: Report, *, long: bool) -> bytes:
    """Return a report of 71 octets, or of 60. Raises LocalProtocolError when a value does not fit its field."""
    sizes = (("stat", 7), ("submit_time", 10), ("done_time", 10), ("dest_terminal_id", _NUMBER_SIZES[long]))
    texts = b"".join(text(name, getattr(report, name), size) for name, size in sizes)
    return report.msg_id.to_bytes(8, "big") + texts + report.smsc_sequence.to_bytes(4, "big")


def take_apart(msg_id: int) -> MessageId:
    """Return the fields of a Msg_Id: month 4 bits, day 5, hour 5, minute 6, second 6, gateway 22, serial 16."""
    return MessageId(
        month=msg_id >> 60 & 0xF,
        day=msg_id >> 55 & 0x1F,
        hour=msg_id >> 50 & 0x1F,
        minute=msg_id >> 44 & 0x3F,
        second=msg_id >> 38 & 0x3F,
        gateway=msg_id >> 16 & 0x3FFFFF,
        serial=msg_id & 0xFFFF,
    )


def put_together(parts: MessageId) -> int:
    """Return the Msg_Id of these fields."""
    value = parts.month
    for number, bits in ((parts.day, 5), (parts.hour, 5), (parts.minute, 6), (parts.second, 6), (parts.gateway, 22), (parts.serial, 16)):
        value = value << bits | number
    return value
