"""The GSM alphabet, character by character where carriers get it wrong."""

import pytest

from yanshu.text import gsm7

PAIRS = [
    ("@", "00"),
    ("£$¥", "010203"),
    ("Δ_ΦΓΛΩΠΨΣΘΞ", "101112131415161718191a"),
    ("Ç", "09"),
    ("¡¿", "4060"),
    ("€", "1b65"),
    ("[]{}~^|\\", "1b3c1b3e1b281b291b3d1b141b401b2f"),
    ("\f", "1b0a"),
    ("Hello\n", "48656c6c6f0a"),
]


@pytest.mark.parametrize(("text", "octets"), PAIRS, ids=[repr(case[0]) for case in PAIRS])
def test_a_text_has_these_septets_and_back(text: str, octets: str) -> None:
    assert gsm7.encode(text).hex() == octets
    assert gsm7.decode(bytes.fromhex(octets)) == text
    assert gsm7.length(text) == len(octets) // 2


def test_the_default_alphabet_has_127_characters_and_ten_more_behind_the_escape() -> None:
    texts = [chr(point) for point in range(0x10000) if gsm7.is_gsm7(chr(point))]
    assert len([text for text in texts if gsm7.length(text) == 1]) == 127
    assert len([text for text in texts if gsm7.length(text) == 2]) == 10


FOREIGN = ["ç", "`", "\t", "中", "’", "😀", "á", "\x1b"]


@pytest.mark.parametrize("text", FOREIGN, ids=ascii)
def test_a_character_outside_the_alphabet_is_refused(text: str) -> None:
    assert not gsm7.is_gsm7(text)
    with pytest.raises(ValueError, match="not in the GSM alphabet"):
        gsm7.encode(text)


UNUSUAL = [
    ("an octet above 0x7F", "41ff", "A\ufffd"),
    ("an escape at the end", "411b", "A "),
    ("two escapes", "1b1b41", " A"),
    ("an unknown escape pair shows its second character", "1b41", "A"),
    ("an escape before an octet above 0x7F", "1bff", "\ufffd"),
]


@pytest.mark.parametrize(("name", "octets", "text"), UNUSUAL, ids=[case[0] for case in UNUSUAL])
def test_unusual_octets_are_read(name: str, octets: str, text: str) -> None:
    assert gsm7.decode(bytes.fromhex(octets)) == text
