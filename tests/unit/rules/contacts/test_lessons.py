"""What receipts teach about a number: tables of what was heard day by day, and what is known then."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from yanshu.domain.lessons import Heard, Lesson
from yanshu.domain.numbers import NumberFacts, Operator, Source
from yanshu.domain.outcomes import OutcomeClass
from yanshu.rules.contacts.lessons import Policy, facts_with, is_suppressed, looked_up, teach

NUMBER = "+8613800138000"
START = datetime(2026, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()
O, C = Operator, OutcomeClass  # noqa: E741 - short for the rows below
FACTS = NumberFacts(number=NUMBER, country="CN", operator=O.CMCC, original_operator=O.CMCC, kind="mobile")

Said = tuple[float, OutcomeClass, str, Operator | None]
"""After so many days, over a connector for that operator, such a code was heard."""


def _taught(*said: Said, lesson: Lesson | None = None, owner: Operator | None = O.CMCC, message: str | None = None) -> Lesson | None:
    for place, (day, outcome, code, serves) in enumerate(said):
        at, ident = START + day * DAY, message or f"msg_{place}"
        heard = Heard(number=NUMBER, owner=owner, serves=serves, outcome=outcome, code=code, message_id=ident, at=at)
        lesson = teach(lesson, heard, POLICY)
    return lesson


OPERATORS: list[tuple[str, list[Said], tuple[Operator | None, int, tuple[Operator, ...]]]] = [
    ("lost by its owner", [(0, C.PORTED, "DB:0126", O.CMCC)], (O.CTCC, 33, (O.CMCC,))),
    ("lost, and the code names the new one", [(0, C.PORTED, "NP:1243", O.CMCC)], (O.CUCC, 90, (O.CMCC,))),
    ("lost over a connector for several", [(0, C.PORTED, "LT:11", None)], (O.CTCC, 33, (O.CMCC,))),
    ("lost by the next one too", [(0, C.PORTED, "LT:11", None), (1, C.PORTED, "LT:11", None)], (O.CUCC, 50, (O.CMCC, O.CTCC))),
    ("found at the next", [(0, C.PORTED, "LT:11", O.CMCC), (0, C.DELIVERED, "", O.CTCC)], (O.CTCC, 95, ())),
    ("found at another than the likeliest", [(0, C.PORTED, "LT:11", O.CMCC), (0, C.DELIVERED, "", O.CUCC)], (O.CUCC, 95, ())),
    ("delivered by somebody for several", [(0, C.PORTED, "LT:11", O.CMCC), (0, C.DELIVERED, "", None)], (O.CTCC, 33, (O.CMCC,))),
    ("denied by all", [(0, C.PORTED, "LT:11", o) for o in (O.CMCC, O.CTCC, O.CUCC, O.CBN)], (O.CMCC, 33, (O.CBN,))),
    ("a code that names the one that lost it", [(0, C.PORTED, "NP:1243", O.CUCC)], (O.CMCC, 33, (O.CUCC,))),
]


@pytest.mark.parametrize(("name", "said", "known"), OPERATORS, ids=[case[0] for case in OPERATORS])
def test_the_operator_of_a_number_is_learned(name: str, said: list[Said], known: tuple[Operator | None, int, tuple[Operator, ...]]) -> None:
    lesson = _taught(*said)
    assert lesson is not None
    assert (lesson.operator, lesson.confidence, lesson.moved_from) == known
    assert (lesson.source, lesson.trusted_until, lesson.expires_at) == (Source.LEARNED, lesson.updated_at + 180 * DAY, lesson.trusted_until)


NOTHING: list[tuple[str, list[Said]]] = [
    ("a delivery to a number as its range says", [(0, C.DELIVERED, "", O.CMCC)]),
    ("a delivery by another operator's connector", [(0, C.DELIVERED, "", O.CTCC)]),
    ("a phone that is off", [(0, C.OFF_OR_UNREACHABLE, "MK:0024", O.CMCC)]),
    ("a text that was blocked", [(0, C.CONTENT_BLOCKED, "XA:0004", O.CMCC)]),
    ("back with its owner", [(0, C.PORTED, "LT:11", O.CMCC), (1, C.DELIVERED, "", O.CMCC)]),
    ("absent once, then there", [(0, C.INVALID_NUMBER, "MK:0001", O.CMCC), (1, C.DELIVERED, "", O.CMCC)]),
]


@pytest.mark.parametrize(("name", "said"), NOTHING, ids=[case[0] for case in NOTHING])
def test_what_teaches_nothing_leaves_nothing(name: str, said: list[Said]) -> None:
    assert _taught(*said) is None


def test_a_number_of_nobodys_range_that_is_ported_teaches_nothing() -> None:
    assert _taught((0, C.PORTED, "LT:11", None), owner=None) is None


_ABSENT, _DEAD_OR_OFF, _DEBT = (C.INVALID_NUMBER, "MK:0001"), (C.DEAD_OR_OFF, "MK:0013"), (C.SUSPENDED, "MK:0005")
DEATHS: list[tuple[str, list[tuple[float, tuple[OutcomeClass, str]]], bool]] = [
    ("absent once", [(0, _ABSENT)], False),
    ("absent twice, a day apart", [(0, _ABSENT), (1, _ABSENT)], True),
    ("absent ten times in an hour", [(n / 240, _ABSENT) for n in range(10)], False),
    ("absent twice, too far apart", [(0, _ABSENT), (31, _ABSENT)], False),
    ("absent and in debt", [(0, _ABSENT), (2, _DEBT)], False),
    ("dead or off twice", [(0, _DEAD_OR_OFF), (2, _DEAD_OR_OFF)], False),
    ("dead or off three times", [(0, _DEAD_OR_OFF), (2, _DEAD_OR_OFF), (4, _DEAD_OR_OFF)], True),
    ("a mixture of three", [(0, _DEAD_OR_OFF), (2, _DEBT), (4, _ABSENT)], True),
    ("three, the first too long ago", [(0, _DEAD_OR_OFF), (29, _DEAD_OR_OFF), (31, _DEAD_OR_OFF)], False),
    ("and then the window slides on", [(0, _DEBT), (29, _DEBT), (31, _DEBT), (33, _DEBT)], True),
]


@pytest.mark.parametrize(("name", "said", "dead"), DEATHS, ids=[case[0] for case in DEATHS])
def test_a_number_dies_of_proofs_over_days(name: str, said: list[tuple[float, tuple[OutcomeClass, str]]], dead: bool) -> None:
    lesson = _taught(*((day, outcome, code, O.CMCC) for day, (outcome, code) in said))
    assert lesson is not None
    last = START + said[-1][0] * DAY
    assert (lesson.dead_since, lesson.probe_at) == ((last, last + 90 * DAY) if dead else (None, None))
    assert is_suppressed(facts_with(FACTS, lesson, last), last) is dead


def test_segments_of_one_message_are_one_strike() -> None:
    lesson = _taught((0, *_ABSENT, O.CMCC), (1, *_ABSENT, O.CMCC), message="msg_one")
    assert lesson is not None
    assert (len(lesson.strikes), lesson.dead_since) == (1, None)


def test_a_dead_number_is_tried_again_and_stays_dead_or_comes_back() -> None:
    dead = _taught((0, *_ABSENT, O.CMCC), (1, *_ABSENT, O.CMCC))
    assert dead is not None
    probe = START + 91 * DAY
    facts = facts_with(FACTS, dead, probe)
    assert (is_suppressed(facts, probe - timedelta(seconds=1)), is_suppressed(facts, probe)) == (True, False)
    still = _taught((91, *_ABSENT, O.CMCC), lesson=dead, message="msg_probe")
    assert still is not None
    assert (still.dead_since, still.probe_at, still.expires_at) == (dead.dead_since, probe + 90 * DAY, probe + 180 * DAY)
    assert _taught((91, C.DELIVERED, "", O.CMCC), lesson=dead) is None


def test_a_dead_number_has_no_operator_any_more() -> None:
    lesson = _taught((0, C.PORTED, "LT:11", O.CMCC), (1, *_ABSENT, O.CTCC), (3, *_ABSENT, O.CTCC))
    assert lesson is not None
    assert (lesson.dead_since is not None, lesson.operator, lesson.moved_from) == (True, None, ())


def test_strikes_are_kept_within_bounds() -> None:
    lesson = _taught(*((n / 100, *_ABSENT, O.CMCC) for n in range(50)))
    assert lesson is not None
    assert len(lesson.strikes) == 8


def test_what_was_learned_is_believed_for_its_time_only() -> None:
    lesson = _taught((0, C.PORTED, "LT:11", O.CMCC))
    assert lesson is not None
    within, after = facts_with(FACTS, lesson, START + 179 * DAY), facts_with(FACTS, lesson, START + 180 * DAY)
    assert (within.operator, within.source, within.ported, within.checked_at) == (O.CTCC, Source.LEARNED, True, START)
    assert (after.operator, after.source, after.ported, after.checked_at) == (O.CMCC, Source.PREFIX, False, None)


def test_a_lookup_overrules_what_was_guessed_and_leaves_the_strikes() -> None:
    struck = _taught((0, C.PORTED, "LT:11", O.CMCC), (1, *_ABSENT, O.CTCC))
    known = looked_up(struck, NUMBER, O.CUCC, "register", START + DAY, START + 31 * DAY)
    assert (known.operator, known.source, known.confidence, known.moved_from, len(known.strikes)) == (O.CUCC, Source.LOOKUP, 90, (), 1)
    fresh = looked_up(None, NUMBER, O.CMCC, "register", START, START + 30 * DAY)
    facts = facts_with(FACTS, fresh, START)
    assert (facts.operator, facts.source, facts.ported, facts.checked_at) == (O.CMCC, Source.LOOKUP, False, START)
    assert fresh.expires_at == START + 30 * DAY


def test_a_delivery_over_the_known_operator_is_written_down_only_now_and_then() -> None:
    known = _taught((0, C.PORTED, "LT:11", O.CMCC), (0, C.DELIVERED, "", O.CTCC))
    assert known is not None
    assert _taught((1, C.DELIVERED, "", O.CTCC), (89, C.DELIVERED, "", O.CTCC), lesson=known) is known
    later = _taught((91, C.DELIVERED, "", O.CTCC), lesson=known)
    assert later is not None
    assert later.trusted_until == START + (91 + 180) * DAY


def test_what_a_register_has_said_is_not_forgotten_when_it_proves_true() -> None:
    at_home = looked_up(None, NUMBER, O.CMCC, "register", START, START + 30 * DAY)
    assert _taught((1, C.DELIVERED, "", O.CMCC), lesson=at_home) is at_home
    struck = _taught((1, *_ABSENT, O.CMCC), lesson=at_home)
    assert _taught((2, C.DELIVERED, "", O.CMCC), lesson=struck) == replace(at_home, updated_at=START + 2 * DAY)
    assert _taught((31, C.DELIVERED, "", O.CMCC), lesson=at_home) is None, "it is not believed any more"


def test_a_delivery_elsewhere_overrules_a_register() -> None:
    wrong = looked_up(None, NUMBER, O.CMCC, "register", START, START + 30 * DAY)
    right = _taught((1, C.DELIVERED, "", O.CTCC), lesson=wrong)
    assert right is not None
    assert (right.operator, right.source) == (O.CTCC, Source.LEARNED)


def test_a_lesson_that_changes_nothing_is_the_same_lesson() -> None:
    lesson = looked_up(None, NUMBER, O.CMCC, "register", START, START + 30 * DAY)
    assert _taught((1, C.DELIVERED, "", None), lesson=lesson) is lesson
    assert _taught((1, C.HANDSET, "MK:0017", O.CMCC), lesson=lesson) is lesson
    assert replace(lesson) == lesson
