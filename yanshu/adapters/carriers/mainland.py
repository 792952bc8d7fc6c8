"""What the dialects of mainland carriers share: cutting and writing texts, writing and reading numbers and times (protocols.md §7)."""

from datetime import datetime, timedelta, timezone
from typing import Literal

from msgspec import Struct

from yanshu.adapters.carriers import arrivals
from yanshu.text import segments
from yanshu.text.formats import GBK, UCS2

TextFormat = Literal["ucs2", "gbk"]
NumberPrefix = Literal["", "86", "+86"]

_MAINLAND = "+86"
_CENTURY = 2000
_BEIJING = timezone(timedelta(hours=8))


class Cut(Struct, frozen=True):
    """A text as octets, one piece a segment, and the format they are in."""

    form: int
    pieces: tuple[bytes, ...]


def cut(text: str, text_format: TextFormat, *, wide: bool) -> Cut:
    """Return the text's octets in pieces, of at most 70 or 67 characters in either format: so the carriers count.

    ``gbk`` writes what GBK has in GBK, and all other texts in UCS-2. `wide`: room for a header with a 16-bit reference.
    """
    single, each = (segments.LIMITS_WIDE if wide else segments.LIMITS)[segments.UCS2]
    pieces = segments.cut(text, segments.UCS2, single, each)
    if text_format == "gbk":
        try:
            return Cut(GBK, tuple(piece.encode("gbk") for piece in pieces))
        except UnicodeEncodeError:
            pass
    return Cut(UCS2, tuple(piece.encode("utf-16-be", "surrogatepass") for piece in pieces))


def number_for(recipient: str, prefix: NumberPrefix) -> str:
    """Return a recipient as the gateway writes numbers: `prefix` goes in front of those of the mainland."""
    if recipient.startswith(_MAINLAND):
        return prefix + recipient[len(_MAINLAND) :]
    return recipient.removeprefix("+")


def phone_number(address: str) -> str | None:
    """Return a person's number in E.164 as far as it is one; None when the carrier left it out.

    At these gateways a number that begins with 1 is of the mainland: phones have 11 digits, things 13 (china-sms.md §1).
    """
    if address.startswith("1") and address.isascii() and address.isdecimal():
        return f"{_MAINLAND}{address[: arrivals.LONGEST_ADDRESS]}"
    return arrivals.phone_number(address)


def beijing_time(text: str) -> datetime | None:
    """Read YYMMDDHHMM of Beijing; None when it is no time, or one cut short, of which other times could be made."""
    if len(text) != len("YYMMDDHHMM") or not (text.isascii() and text.isdecimal()):
        return None
    year, month, day, hour, minute = (int(text[place : place + 2]) for place in range(0, len(text), 2))
    try:
        return datetime(_CENTURY + year, month, day, hour, minute, tzinfo=_BEIJING)
    except ValueError:
        return None
