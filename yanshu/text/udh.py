"""The user data header that joins the segments of a long text (3GPP 23.040 §9.2.3.24.1 and .8)."""

from typing import NamedTuple

_CONCATENATED_8 = 0x00
_CONCATENATED_16 = 0x08


class Concatenation(NamedTuple):
    """Segment `part` (1-based) of `total` with the same `reference`."""

    reference: int
    total: int
    part: int


def build(reference: int, total: int, part: int, *, wide: bool = False) -> bytes:
    """Return the header: 6 octets with an 8-bit reference, 7 with a 16-bit one. The reference wraps."""
    if wide:
        return bytes((6, _CONCATENATED_16, 4, reference >> 8 & 0xFF, reference & 0xFF, total, part))
    return bytes((5, _CONCATENATED_8, 3, reference & 0xFF, total, part))


def parse(content: bytes) -> tuple[Concatenation | None, bytes]:
    """Split content that begins with a header into its concatenation, if any, and the text's octets.

    A header longer than the content is no header: the content comes back whole.
    """
    if not content or content[0] + 1 > len(content):
        return None, content
    end = content[0] + 1
    found: Concatenation | None = None
    at = 1
    while at + 2 <= end:
        kind, size = content[at], content[at + 1]
        value = content[at + 2 : min(at + 2 + size, end)]
        found = _concatenation(kind, value) or found
        at += 2 + size
    return found, content[end:]


def _concatenation(kind: int, value: bytes) -> Concatenation | None:
    if kind == _CONCATENATED_8 and len(value) == 3:
        reference = value[0]
    elif kind == _CONCATENATED_16 and len(value) == 4:
        reference = value[0] << 8 | value[1]
    else:
        return None
    total, part = value[-2], value[-1]
    # 23.040: a part number of 0 or beyond the total means that the element is to be ignored.
    return Concatenation(reference, total, part) if 1 <= part <= total else None
