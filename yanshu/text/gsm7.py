"""GSM 03.38: the default alphabet and its extension table, as unpacked septets (one octet each)."""

import re

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
ESCAPE = 0x1B
_UNREADABLE = "\ufffd"


class _Septets(dict[int, str]):
    """Code point → its septets; a character outside the alphabet is an error, not passed through."""

    def __missing__(self, point: int) -> str:
        raise ValueError(f"U+{point:04X} is not in the GSM alphabet")


_ENCODE = _Septets({ord(char): chr(code) for code, char in enumerate(_BASIC) if code != ESCAPE})
_ENCODE.update({ord(char): chr(ESCAPE) + chr(code) for code, char in _EXTENSION.items()})
_DECODE = {code: _BASIC[code] if code < 128 else _UNREADABLE for code in range(256)}
_FOREIGN = re.compile("[^" + re.escape("".join(map(chr, _ENCODE))) + "]")
_EXTENDED = re.compile("[" + re.escape("".join(_EXTENSION.values())) + "]")
_PAIR = re.compile("\x1b(.?)", re.DOTALL)


def is_gsm7(text: str) -> bool:
    """Whether every character has a septet or an escape pair."""
    return _FOREIGN.search(text) is None


def length(text: str) -> int:
    """Return the number of septets of a text for which `is_gsm7` holds; extension characters count two."""
    if _EXTENDED.search(text) is None:
        return len(text)
    return len(text) + len(_EXTENDED.findall(text))


def encode(text: str) -> bytes:
    """Return one octet a septet. Raises ValueError for a character outside the alphabet."""
    return text.translate(_ENCODE).encode("latin-1")


def decode(septets: bytes) -> str:
    """Return the text. Octets above 0x7F become U+FFFD; an unknown escape pair shows its second character (GSM 03.38 §6.2.1.1)."""
    text = septets.decode("latin-1")
    if ESCAPE not in septets:
        return text.translate(_DECODE)
    pieces = _PAIR.split(text)
    plain = [piece.translate(_DECODE) for piece in pieces[::2]]
    escaped = [_extension(char) for char in pieces[1::2]]
    return "".join(a + b for a, b in zip(plain, [*escaped, ""], strict=True))


def _extension(char: str) -> str:
    if not char:
        return " "
    known = _EXTENSION.get(ord(char))
    if known is not None:
        return known
    return " " if ord(char) == ESCAPE else char.translate(_DECODE)
