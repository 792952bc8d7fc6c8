"""User data headers, as built and as phones send them."""

import pytest

from yanshu.text import udh
from yanshu.text.udh import Concatenation

HEADERS = [
    ("8-bit reference", udh.build(0x2A, 2, 1), "0500032a0201"),
    ("16-bit reference", udh.build(0x1234, 2, 1, wide=True), "06080412340201"),
    ("an 8-bit reference wraps", udh.build(0x12A, 2, 1), "0500032a0201"),
]


@pytest.mark.parametrize(("name", "built", "octets"), HEADERS, ids=[case[0] for case in HEADERS])
def test_a_header_is_built(name: str, built: bytes, octets: str) -> None:
    assert built.hex() == octets


PARSED = [
    ("8-bit reference", "0500032a0201" + "6869", Concatenation(0x2A, 2, 1), "6869"),
    ("16-bit reference", "06080412340302" + "6869", Concatenation(0x1234, 3, 2), "6869"),
    ("behind another element", "0b" + "05040b8423f0" + "0003070202" + "68", Concatenation(7, 2, 2), "68"),
    ("no concatenation", "06" + "05040b8423f0" + "68", None, "68"),
    ("part 0 is to be ignored", "0500032a0200" + "68", None, "68"),
    ("a part beyond the total is to be ignored", "0500032a0203" + "68", None, "68"),
    ("an element longer than the header", "030003ff" + "68", None, "68"),
    ("a header longer than the content", "0900032a", None, "0900032a"),
    ("nothing", "", None, ""),
    ("an empty header", "00" + "68", None, "68"),
]


@pytest.mark.parametrize(("name", "octets", "found", "rest"), PARSED, ids=[case[0] for case in PARSED])
def test_a_header_is_read(name: str, octets: str, found: Concatenation | None, rest: str) -> None:
    assert udh.parse(bytes.fromhex(octets)) == (found, bytes.fromhex(rest))
