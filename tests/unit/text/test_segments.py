"""Segments against the vectors of china-sms.md §4.2 and the mainland rule of §4.1."""

import pytest

from yanshu.text import segments
from yanshu.text.segments import Count

# Source: china-sms.md §4.2. Two public calculators (Twilio's sms-segments-calculator 1.3.0 and split-sms 0.1.7) agree on all of these.
ABROAD = [
    ("a single GSM segment, full", "a" * 160, Count("gsm7", 160, 1)),
    ("one septet more", "a" * 161, Count("gsm7", 161, 2)),
    ("two GSM segments, full", "a" * 306, Count("gsm7", 306, 2)),
    ("one septet more than two", "a" * 307, Count("gsm7", 307, 3)),
    ("an extension character makes it 161 septets", "a" * 159 + "€", Count("gsm7", 161, 2)),
    ("an extension character that just fits", "a" * 158 + "€", Count("gsm7", 160, 1)),
    ("an escape pair on the border", "a" * 152 + "€" + "a" * 152, Count("gsm7", 306, 3)),
    ("a curly quote turns the whole text", "It’s " + "a" * 80, Count("ucs2", 85, 2)),
    ("small c-cedilla is not GSM", "ç" * 71, Count("ucs2", 71, 2)),
    ("capital c-cedilla is GSM", "Ç" * 71, Count("gsm7", 71, 1)),
    ("a tab is not GSM", "a\tb", Count("ucs2", 3, 1)),
    ("nothing at all", "", Count("gsm7", 0, 1)),
]
EVERYWHERE = [
    ("a single UCS-2 segment, full", "中" * 70, Count("ucs2", 70, 1)),
    ("one unit more", "中" * 71, Count("ucs2", 71, 2)),
    ("two UCS-2 segments, full", "中" * 134, Count("ucs2", 134, 2)),
    ("one unit more than two", "中" * 135, Count("ucs2", 135, 3)),
    ("three, full", "中" * 201, Count("ucs2", 201, 3)),
    ("one unit more than three", "中" * 202, Count("ucs2", 202, 4)),
    ("five hundred", "中" * 500, Count("ucs2", 500, 8)),
    ("emoji, full", "😀" * 35, Count("ucs2", 70, 1)),
    ("one emoji more", "😀" * 36, Count("ucs2", 72, 2)),
    ("a surrogate pair on the border", "中" * 66 + "😀" + "中" * 66, Count("ucs2", 134, 3)),
]
MAINLAND = [
    ("a short English text", "Your code is 1234", Count("ucs2", 17, 1)),
    ("an English text of 70", "a" * 70, Count("ucs2", 70, 1)),
    ("an English text of 71", "a" * 71, Count("ucs2", 71, 2)),
    ("an English text of 160", "a" * 160, Count("ucs2", 160, 3)),
    ("the euro sign is one unit", "€" * 70, Count("ucs2", 70, 1)),
]


@pytest.mark.parametrize(("name", "text", "expected"), ABROAD + EVERYWHERE, ids=[case[0] for case in ABROAD + EVERYWHERE])
def test_a_text_abroad_counts(name: str, text: str, expected: Count) -> None:
    assert segments.count(text, mainland=False) == expected


@pytest.mark.parametrize(("name", "text", "expected"), MAINLAND + EVERYWHERE, ids=[case[0] for case in MAINLAND + EVERYWHERE])
def test_a_text_to_the_mainland_counts(name: str, text: str, expected: Count) -> None:
    assert segments.count(text, mainland=True) == expected


CUTS = [
    ("a text that fits is whole", "a" * 160, "gsm7", (160, 153), [160]),
    ("GSM segments", "a" * 310, "gsm7", (160, 153), [153, 153, 4]),
    ("GSM segments behind a 7-octet header", "a" * 310, "gsm7", (160, 152), [152, 152, 6]),
    ("an escape pair stays together", "a" * 152 + "€" + "a" * 152, "gsm7", (160, 153), [152, 152, 1]),
    ("UCS-2 segments", "中" * 140, "ucs2", (70, 67), [67, 67, 6]),
    ("UCS-2 segments behind a 7-octet header", "中" * 140, "ucs2", (70, 66), [66, 66, 8]),
    ("a surrogate pair stays together", "中" * 66 + "😀" + "中" * 66, "ucs2", (70, 67), [66, 66, 1]),
    ("an English text to the mainland", "a" * 160, "ucs2", (70, 67), [67, 67, 26]),
]


@pytest.mark.parametrize(("name", "text", "encoding", "limits", "lengths"), CUTS, ids=[case[0] for case in CUTS])
def test_a_text_is_cut(name: str, text: str, encoding: str, limits: tuple[int, int], lengths: list[int]) -> None:
    pieces = segments.cut(text, encoding, *limits)
    assert [len(piece) for piece in pieces] == lengths
    assert "".join(pieces) == text
