"""Reports: the content of a Deliver with IsReport 1, as the specification and as gateways write it (protocols.md §6.5)."""

import re

from msgspec import Struct

from yanshu.protocols import layouts
from yanshu.protocols.smgp.codec import id_octets
from yanshu.protocols.smgp.constants import MESSAGE_ID_SIZE

# Label as we write it, and octets of its value; the text stands behind them all.
_WIDTHS = {"sub": 3, "dlvrd": 3, "submit date": 10, "done date": 10, "stat": 7, "err": 3}
_TEXT_SIZE = 20

# The form of the specification, every value as wide as its table says; most reports have it, and one match reads it.
_REGULAR = re.compile(
    rf"id:(.{{{MESSAGE_ID_SIZE}}})" + "".join(f" {label}:([!-~]{{{width}}})" for label, width in _WIDTHS.items()) + " text:(.*)", re.DOTALL
)
# Nothing else has a label before the id: ten octets that may hold anything, a label, too, or twenty digits.
_ID = re.compile(rf"[^:]*?id:(?:([0-9a-f]{{{2 * MESSAGE_ID_SIZE}}})|(.{{{MESSAGE_ID_SIZE}}}))", re.IGNORECASE | re.DOTALL)
_TEXT = re.compile(r"(?:text|txt):", re.IGNORECASE)
# No blank need stand before a label, and one may stand behind it. The value is as wide as its table says, or ends before.
_LABELS = "|".join(label.replace(" ", "[ _]") for label in _WIDTHS)
_FIELD = re.compile(rf"({_LABELS}):[ ]?(?!s?(?:{_LABELS}):)", re.IGNORECASE)
_END_OF_VALUE = re.compile(r"[\s\0]")


class Report(Struct, frozen=True):
    """What became of the submit with this `msg_id`, 20 hex digits; the other fields are as written, empty when missing.

    Dates are YYMMDDhhmm of Beijing. `text` begins with three digits: the length of what was sent.
    """

    msg_id: str = ""
    sub: str = ""
    dlvrd: str = ""
    submit_date: str = ""
    done_date: str = ""
    stat: str = ""
    err: str = ""
    text: str = ""


def parse(content: bytes) -> Report | None:
    """Read a report (budget: 3 µs for the regular form); None when it has neither an id nor a state. Any other field may be missing, too.

    The id is stepped over before labels are looked for, and the text is cut off: neither can be taken for a field.
    """
    written = content.decode("latin-1")
    if regular := _REGULAR.fullmatch(written):
        octets, sub, dlvrd, submitted, done, stat, err, said = regular.groups()
        return Report(octets.encode("latin-1").hex(), sub, dlvrd, submitted, done, stat, err, said.rstrip("\0 "))
    ident = _ID.match(written)
    rest = written[ident.end() :] if ident else written
    text = _TEXT.search(rest)
    fields = _fields(rest[: text.start()] if text else rest)
    if ident is None and not fields.get("stat"):
        return None
    return Report(
        msg_id=_message_id(ident) if ident else "",
        text=rest[text.end() :].rstrip("\0 ") if text else "",
        **fields,
    )


def build(report: Report) -> bytes:
    """Return a report as the specification has it, of 122 octets. Raises LocalProtocolError when a value does not fit."""
    parts = [b"id:", id_octets(report.msg_id)]
    for label, width in _WIDTHS.items():
        name = label.replace(" ", "_")
        parts += (f" {label}:".encode("ascii"), layouts.text(name, getattr(report, name), width))
    return b"".join((*parts, b" text:", layouts.text("text", report.text, _TEXT_SIZE)))


def _fields(head: str) -> dict[str, str]:
    """Return the values behind their labels; the first one of a label counts."""
    found: dict[str, str] = {}
    for label in _FIELD.finditer(head):
        name = label[1].lower().replace("_", " ")
        value = head[label.end() : label.end() + _WIDTHS[name]]
        found.setdefault(name.replace(" ", "_"), _END_OF_VALUE.split(value, 1)[0])
    return found


def _message_id(ident: re.Match[str]) -> str:
    """Return an id as hex digits, whichever way it was written."""
    digits: str | None = ident[1]
    return digits.lower() if digits else ident[2].encode("latin-1").hex()
