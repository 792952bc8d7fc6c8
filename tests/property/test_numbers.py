"""What is known of numbers, whatever comes: any table, any story of receipts, any answer of a register."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from yanshu.adapters.lookups.definition import LookupDefinition
from yanshu.adapters.lookups.http import HttpLookup
from yanshu.domain.errors import LookupFailed
from yanshu.domain.lessons import Heard, Lesson
from yanshu.domain.numbers import NumberFacts, Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.rules.contacts.coverage import coverage_of, differences
from yanshu.rules.contacts.lessons import Policy, facts_with, homes, looked_up, teach
from yanshu.rules.contacts.prefixes import PrefixError, Prefixes, Range, read_prefixes

HEAD = "prefix,operator,kind,digits\n"
CELLS = st.sampled_from(
    ["138", "1", "13x", "cmcc", "netcom", "mobile", "iot", "11", "13", "12", "#", "１３８", "\ufeff", "", " ", "# as of 2026-01-01"]
)
LINES = st.lists(st.one_of(st.text(max_size=30), st.lists(CELLS, max_size=5).map(",".join)), max_size=12)


@given(LINES, st.booleans())
def test_any_text_is_a_table_or_is_refused_by_its_lines(lines: list[str], headed: bool) -> None:
    told = ""
    try:
        table = read_prefixes((HEAD if headed else "") + "\n".join(lines))
    except PrefixError as error:
        told = str(error)
    if told:
        assert told.startswith(("line ", "the table has no rows"))
    else:
        assert coverage_of(table).ranges == len(table) > 0


RANGES = st.dictionaries(
    st.text("0123456789", min_size=1, max_size=5),
    st.builds(Range, st.sampled_from([*Operator, None]), st.sampled_from(["mobile", "iot"]), st.sampled_from([11, 13])),
    max_size=12,
)


@given(RANGES, RANGES, st.lists(st.text("0123456789", min_size=13, max_size=13), max_size=20))
def test_differences_are_what_numbers_show(old: dict[str, Range], new: dict[str, Range], numbers: list[str]) -> None:
    before, after = Prefixes(old), Prefixes(new)
    found = differences(before, after)
    for number in [*numbers, *(prefix.ljust(13, "7") for prefix in (*old, *new))]:
        for digits in (11, 13):
            whole = number[:digits]
            told = [d for d in found if d.digits == digits and whole.startswith(d.prefix)]
            sides = before.find(whole), after.find(whole)
            assert [(d.was, d.now) for d in told] == ([sides] if sides[0] != sides[1] else [])


START = datetime(2026, 11, 25, tzinfo=UTC)
NUMBER = "+8613800138000"
POLICY = Policy()
STORIES = st.lists(
    st.builds(
        lambda hours, outcome, serves, code, message: Heard(
            number=NUMBER,
            owner=Operator.CMCC,
            serves=serves,
            outcome=outcome,
            code=code,
            message_id=f"msg_{message}",
            at=START + timedelta(hours=hours),
        ),
        st.integers(-10_000, 10_000),  # clocks jump
        st.sampled_from(OutcomeClass),
        st.sampled_from([*Operator, None]),
        st.sampled_from(["MK:0001", "NP:1243", ""]),
        st.integers(0, 20),
    ),
    max_size=40,
)


@given(STORIES, st.integers(0, 40))
def test_whatever_is_heard_a_lesson_holds_together(story: list[Heard], asked_after: int) -> None:
    lesson: Lesson | None = None
    for place, heard in enumerate(story):
        if place == asked_after:
            lesson = looked_up(lesson, NUMBER, Operator.CUCC, "register", heard.at, heard.at + timedelta(days=30))
        before, lesson = lesson, teach(lesson, heard, POLICY)
        assert teach(before, heard, POLICY) == lesson, "the same teaches the same"
        if lesson is None:
            continue
        assert (lesson.dead_since is None) is (lesson.probe_at is None)
        assert (lesson.operator is None) is (lesson.trusted_until is None) is (lesson.source is None)
        assert len(lesson.strikes) <= 8
        assert lesson.operator not in lesson.moved_from
        assert len(set(homes(lesson))) == len(homes(lesson))
        assert lesson.expires_at >= max(filter(None, (lesson.trusted_until, lesson.probe_at)), default=lesson.expires_at)
        facts = facts_with(NumberFacts(number=NUMBER, country="CN", operator=Operator.CMCC), lesson, heard.at)
        assert facts.operator in {lesson.operator, Operator.CMCC}
        if heard.outcome is OutcomeClass.DELIVERED:
            assert (lesson.dead_since, lesson.strikes) == (None, ())


REGISTER = HttpLookup(LookupDefinition(name="r", url="http://127.0.0.1/{number}", answer="data.0.isp", operators={"1": Operator.CMCC}))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "isp", "0"]), inner, max_size=3),
)


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_answer_of_a_register_is_read_or_a_failed_lookup(octets: bytes) -> None:
    found, told = None, "its answer "
    try:
        found = REGISTER._read(octets)
    except LookupFailed as error:
        told = str(error)
    assert told.startswith("its answer ")
    assert found in {None, *Operator}
