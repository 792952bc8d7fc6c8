"""What a table covers, and what another one changes: numbers are compared, not rows."""

from datetime import date

import pytest

from yanshu.rules.contacts.coverage import coverage_of, differences, in_words
from yanshu.rules.contacts.prefixes import Prefixes, read_prefixes, shipped_prefixes

HEAD = "prefix,operator,kind,digits\n"


def _table(*rows: str) -> Prefixes:
    return read_prefixes(HEAD + "\n".join(rows))


_134 = [f"134{digit},cmcc,mobile,11" for digit in range(9)]
CASES: list[tuple[str, list[str], list[str], list[str]]] = [
    ("the same table", ["138,cmcc,mobile,11"], ["138,cmcc,mobile,11"], []),
    ("rows written in another way", [*_134, "1349,cmcc,mobile,11"], ["134,cmcc,mobile,11"], []),
    ("a row that repeats a shorter one", ["138,cmcc,mobile,11"], ["138,cmcc,mobile,11", "1388,cmcc,mobile,11"], []),
    ("a new range", ["138,cmcc,mobile,11"], ["138,cmcc,mobile,11", "154,cucc,mobile,11"], ["154 11: nobody → cucc mobile"]),
    ("a range taken back", ["138,cmcc,mobile,11", "154,cucc,mobile,11"], ["138,cmcc,mobile,11"], ["154 11: cucc mobile → nobody"]),
    (
        "an exception within a range",
        ["134,cmcc,mobile,11"],
        ["134,cmcc,mobile,11", "1349,ctcc,satellite,11"],
        ["1349 11: cmcc mobile → ctcc satellite"],
    ),
    (
        "ten exceptions that are the whole",
        ["134,cmcc,mobile,11"],
        [f"134{d},cucc,mobile,11" for d in range(10)],
        ["134 11: cmcc mobile → cucc mobile"],
    ),
    (
        "another length of the same prefix",
        ["146,cucc,iot,13"],
        ["146,cucc,iot,11"],
        ["146 11: nobody → cucc iot", "146 13: cucc iot → nobody"],
    ),
    ("another kind", ["165,cmcc,virtual,11"], ["165,cmcc,mobile,11"], ["165 11: cmcc virtual → cmcc mobile"]),
]


@pytest.mark.parametrize(("name", "old", "new", "told"), CASES, ids=[case[0] for case in CASES])
def test_numbers_that_are_told_differently_are_found(name: str, old: list[str], new: list[str], told: list[str]) -> None:
    found = differences(_table(*old), _table(*new))
    said = [(d.prefix, d.digits, *(f"{side.operator} {side.kind}" if side else "nobody" for side in (d.was, d.now))) for d in found]
    assert [f"{prefix} {digits}: {was} → {now}" for prefix, digits, was, now in said] == told


def test_the_differences_are_what_every_number_shows() -> None:
    old, new = shipped_prefixes(), _table("13,cucc,mobile,11", "1349,cmcc,mobile,11", "17001,ctcc,virtual,11", "148,cmcc,iot,13")
    found = {(d.prefix, d.digits): d for d in differences(old, new)}
    for digits in (11, 13):
        for start in range(13_000, 20_000):
            number = str(start).ljust(digits, "1")
            told = next((d for (prefix, length), d in found.items() if length == digits and number.startswith(prefix)), None)
            sides = (old.find(number), new.find(number))
            assert (sides == (told.was, told.now)) if told else sides[0] == sides[1], number


def test_a_table_of_many_rows_is_compared_in_a_moment() -> None:
    many = _table(*(f"{prefix},cmcc,mobile,11" for prefix in range(1_300_000, 1_350_000)))
    assert [d.prefix for d in differences(many, _table("13,cmcc,mobile,11"))] == ["135", "136", "137", "138", "139"]


def test_coverage_counts_ranges_and_names_the_free_blocks() -> None:
    text = "# as of 2027-01-02\n" + HEAD + "".join(f"{block},cucc,mobile,11\n" for block in range(130, 199)) + "1749,,satellite,11\n"
    covered = coverage_of(read_prefixes(text))
    assert (covered.dated_on, covered.ranges, covered.blocks_known, covered.blocks_free) == (date(2027, 1, 2), 70, 69, ("199",))
    assert in_words(covered) == "as of 2027-01-02: 70 ranges (cucc 69, other 1) in 69 of 70 blocks; nobody has 199"
    assert "without a date" in in_words(coverage_of(_table("138,cmcc,mobile,11")))
