"""Segments: in which encoding a text travels, how many units it has, and where it is cut."""

from typing import Literal, NamedTuple

from yanshu.text import gsm7

GSM7: Literal["gsm7"] = "gsm7"
UCS2: Literal["ucs2"] = "ucs2"

# Units of a single segment, and of each of several whose header is 6 octets (8-bit reference).
LIMITS: dict[str, tuple[int, int]] = {GSM7: (160, 153), UCS2: (70, 67)}
# The same with a 7-octet header (16-bit reference).
LIMITS_WIDE: dict[str, tuple[int, int]] = {GSM7: (160, 152), UCS2: (70, 66)}

_UCS2_SINGLE, _UCS2_EACH = LIMITS[UCS2]
_GSM7_SINGLE, _GSM7_EACH = LIMITS[GSM7]


class Count(NamedTuple):
    """How a text travels: `units` are septets (gsm7) or UTF-16 units (ucs2)."""

    encoding: Literal["gsm7", "ucs2"]
    units: int
    segments: int


def count(text: str, *, mainland: bool) -> Count:
    """Return encoding, units and segments of a final text.

    Mainland China is always counted in UTF-16 units, 70 or 67 a segment, whatever the characters (china-sms.md §4.1).
    """
    if not mainland and gsm7.is_gsm7(text):
        return _count_gsm7(text)
    units = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) >> 1
    if units <= _UCS2_SINGLE:
        return Count(UCS2, units, 1)
    if units == len(text):
        return Count(UCS2, units, -(-units // _UCS2_EACH))
    return Count(UCS2, units, len(_cut_units(text, _UCS2_EACH)))


def cut(text: str, encoding: str, single: int, per_segment: int) -> tuple[str, ...]:
    """Return the text in pieces of at most `per_segment` units, or whole when it has at most `single`.

    Never cuts a surrogate pair nor an escape pair. `encoding` is ``gsm7`` or ``ucs2``.
    """
    if encoding == GSM7:
        if gsm7.length(text) <= single:
            return (text,)
        return _cut_septets(text, per_segment)
    if len(text) <= single and (text.isascii() or len(text.encode("utf-16-le", "surrogatepass")) <= 2 * single):
        return (text,)
    return _cut_units(text, per_segment)


def _count_gsm7(text: str) -> Count:
    units = gsm7.length(text)
    if units <= _GSM7_SINGLE:
        return Count(GSM7, units, 1)
    if units == len(text):
        return Count(GSM7, units, -(-units // _GSM7_EACH))
    return Count(GSM7, units, len(_cut_septets(text, _GSM7_EACH)))


def _cut_units(text: str, size: int) -> tuple[str, ...]:
    octets = text.encode("utf-16-le", "surrogatepass")
    pieces: list[str] = []
    start = 0
    while start < len(octets):
        end = start + 2 * size
        # The high octet of the last unit tells whether it opens a surrogate pair.
        if end < len(octets) and octets[end - 1] & 0xFC == 0xD8:
            end -= 2
        pieces.append(octets[start:end].decode("utf-16-le", "surrogatepass"))
        start = end
    return tuple(pieces)


def _cut_septets(text: str, size: int) -> tuple[str, ...]:
    septets = gsm7.encode(text)
    pieces: list[str] = []
    start = 0
    while start < len(septets):
        end = start + size
        if end < len(septets) and septets[end - 1] == gsm7.ESCAPE:
            end -= 1
        pieces.append(gsm7.decode(septets[start:end]))
        start = end
    return tuple(pieces)
