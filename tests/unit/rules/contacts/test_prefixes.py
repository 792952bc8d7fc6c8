"""The table of number ranges: what it says of numbers, and what is wrong with a table."""

from datetime import date

import pytest

from yanshu.domain.numbers import Operator
from yanshu.rules.contacts.prefixes import PrefixError, Prefixes, read_prefixes, shipped_prefixes

O = Operator  # noqa: E741 - short for the rows below


@pytest.fixture(scope="module")
def prefixes() -> Prefixes:
    return shipped_prefixes()


NUMBERS: list[tuple[str, str, Operator | None, str]] = [
    ("China Mobile's first", "13800138000", O.CMCC, "mobile"),
    ("134 belongs to China Mobile", "13412345678", O.CMCC, "mobile"),
    ("but 1349 to a satellite", "13491234567", O.CTCC, "satellite"),
    ("the other satellite", "17491234567", None, "satellite"),
    ("a data card of 147", "14712345678", O.CMCC, "data"),
    ("149, which others call invalid", "14912345678", O.CTCC, "data"),
    ("Broadcast", "19212345678", O.CBN, "mobile"),
    ("a virtual operator on China Mobile", "16512345678", O.CMCC, "virtual"),
    ("a virtual operator on China Unicom", "16712345678", O.CUCC, "virtual"),
    ("a virtual operator on China Telecom", "16212345678", O.CTCC, "virtual"),
    ("170 by its fourth digit: Telecom", "17001234567", O.CTCC, "virtual"),
    ("170 by its fourth digit: Mobile", "17031234567", O.CMCC, "virtual"),
    ("170 by its fourth digit: Unicom", "17091234567", O.CUCC, "virtual"),
    ("China Unicom", "18612345678", O.CUCC, "mobile"),
    ("China Telecom", "19912345678", O.CTCC, "mobile"),
    ("1740 up to its fifth digit", "17405123456", O.CTCC, "mobile"),
    ("a thing of China Telecom", "1410012345678", O.CTCC, "iot"),
    ("a data card of 145", "14512345678", O.CUCC, "data"),
    ("a thing of China Mobile", "1440012345678", O.CMCC, "iot"),
    ("a thing of China Unicom", "1461234567890", O.CUCC, "iot"),
]
NOBODYS = [
    ("a range not given to anybody", "15412345678"),
    ("a thing's number too short", "14412345678"),
    ("a phone's number too long", "1380013800012"),
    ("an emergency range of 174", "17406123456"),
    ("a landline", "01012345678"),
    ("nothing", ""),
]


@pytest.mark.parametrize(("name", "number", "operator", "kind"), NUMBERS, ids=[case[0] for case in NUMBERS])
def test_a_number_belongs_to_an_operator(prefixes: Prefixes, name: str, number: str, operator: Operator | None, kind: str) -> None:
    found = prefixes.find(number)
    assert found is not None
    assert (found.operator, found.kind) == (operator, kind)


@pytest.mark.parametrize(("name", "number"), NOBODYS, ids=[case[0] for case in NOBODYS])
def test_a_number_nobody_was_given_is_not_found(prefixes: Prefixes, name: str, number: str) -> None:
    assert prefixes.find(number) is None


def test_the_facts_of_a_number_name_its_country(prefixes: Prefixes) -> None:
    home, abroad = prefixes.facts_of("+8613800138000"), prefixes.facts_of("+85261234567")
    assert (home.country, home.operator, home.original_operator, home.kind, home.ported) == ("CN", O.CMCC, O.CMCC, "mobile", False)
    assert (abroad.country, abroad.operator, abroad.kind) == ("HK", None, "unknown")


HEAD = "prefix,operator,kind,digits\n"
BROKEN = [
    ("no heading", "138,cmcc,mobile,11\n", "line 1: the heading is prefix,operator,kind,digits"),
    ("no rows", "# nothing\n" + HEAD, "the table has no rows"),
    ("a field too few", HEAD + "138,cmcc,mobile\n", "line 2: 4 fields are expected, not 3"),
    ("letters for a prefix", HEAD + "13x,cmcc,mobile,11\n", "line 2: a prefix is digits, 10 at most, not '13x'"),
    ("an operator of the past", HEAD + "\n138,netcom,mobile,11\n", "line 3: operator is cmcc, cucc, ctcc, cbn or empty, not 'netcom'"),
    ("an unknown kind", HEAD + "138,cmcc,pager,11\n", "line 2: kind is one of"),
    ("a length of its own", HEAD + "138,cmcc,mobile,12\n", "line 2: digits is 11 or 13, not '12'"),
    ("a field without end", HEAD + "1" * 200_000 + ",cmcc,mobile,11\n", "line 2: a prefix is digits"),
    ("a date that is none", "# as of 2026-13-01\n" + HEAD + "138,cmcc,mobile,11\n", "line 1: a date is written like 2026-11-22"),
    ("a whole number for a prefix", HEAD + "13800138000,cmcc,mobile,11\n", "line 2: a prefix is digits, 10 at most"),
    ("a prefix twice", HEAD + "138,cmcc,mobile,11\n138,cucc,mobile,11\n", "line 3: prefix 138 stands there twice"),
]


TABLES = [
    ("a byte order mark of Excel", "\ufeff" + HEAD + "138,cmcc,mobile,11\r\n"),
    ("remarks and blanks", "# of today\n\n" + HEAD + " 138 , cmcc , mobile , 11 \n"),
]


@pytest.mark.parametrize(("name", "text"), TABLES, ids=[case[0] for case in TABLES])
def test_a_table_may_come_from_where_tables_come_from(name: str, text: str) -> None:
    found = read_prefixes(text).find("13800138000")
    assert found is not None
    assert found.operator is O.CMCC


@pytest.mark.parametrize(("name", "text", "told"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_table_that_cannot_be_read_is_told_with_its_line(name: str, text: str, told: str) -> None:
    with pytest.raises(PrefixError, match="^" + told.replace(".", r"\.")):
        read_prefixes(text)


def test_every_line_that_is_wrong_is_told_up_to_twenty() -> None:
    rows = ["138,cmcc,mobile,11", "13x,cmcc,mobile,11", "139,cmcc,pager,11", *["13x,cmcc,mobile,11"] * 30]
    with pytest.raises(PrefixError) as refused:
        read_prefixes(HEAD + "\n".join(rows))
    told = str(refused.value).splitlines()
    assert (told[0][:7], told[1][:7], len(told), told[-1]) == ("line 3:", "line 4:", 21, "and 12 more")


def test_what_has_another_heading_is_told_once() -> None:
    with pytest.raises(PrefixError, match=r"^line 1: the heading is prefix,operator,kind,digits$"):
        read_prefixes("<html>\n<body>\n138,cmcc,mobile,11\n")


def test_a_table_says_when_it_was_true() -> None:
    assert read_prefixes("# Ranges, as of 2027-01-02.\n" + HEAD + "138,cmcc,mobile,11\n").dated_on == date(2027, 1, 2)
    assert read_prefixes(HEAD + "138,cmcc,mobile,11\n").dated_on is None
    assert shipped_prefixes().dated_on is not None
