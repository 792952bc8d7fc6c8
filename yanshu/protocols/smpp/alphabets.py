"""What the octets of a text stand for, by data_coding (SMPP 3.4 §5.2.19)."""

from yanshu.text import gsm7

# 15 is what Chinese carriers write for GBK; 0x18 to 0x1b are UCS-2 with a message class (3GPP 23.038 §4).
_CODINGS = {
    1: "latin-1",
    3: "latin-1",
    5: "shift_jis",
    6: "iso8859_5",
    7: "iso8859_8",
    8: "utf-16-be",
    14: "euc_kr",
    15: "gb18030",
    **dict.fromkeys(range(0x18, 0x1C), "utf-16-be"),
}
_GSM_CLASSES = frozenset({0x00, 0x10, 0x11, 0x12, 0x13, 0xF0, 0xF1, 0xF2, 0xF3})


def is_text(data_coding: int) -> bool:
    """Whether octets of this coding are a text at all, as far as we know."""
    return data_coding in _CODINGS or data_coding in _GSM_CLASSES


def read_text(octets: bytes, data_coding: int, alphabet: str) -> str:
    """Return a text; `alphabet` (``gsm``, ``latin1``, ``ascii``) is the default one of this connection.

    Whatever cannot be read becomes U+FFFD; it is never an error.
    """
    name = _CODINGS.get(data_coding)
    if name is not None:
        return octets.decode(name, "replace")
    if data_coding not in _GSM_CLASSES:
        return octets.decode("ascii", "replace")
    if alphabet != "gsm":
        return octets.decode("latin-1")
    if not octets.isascii():
        # Not the GSM alphabet, whatever the phone says; in China it is GBK then (protocols.md §7).
        try:
            return octets.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return gsm7.decode(octets)
