"""What receipts and lookups teach about a number: who serves it, and when it counts as dead (china-sms.md §1.3, §5.4).

Pure: a lesson and what was heard in, the new lesson out. None is a number of which there is nothing to remember.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain.lessons import Heard, Lesson, Strike
from yanshu.domain.numbers import NumberFacts, Operator, Source
from yanshu.domain.outcomes import OutcomeClass


class Policy(Struct, frozen=True):
    """When receipts prove something, and for how long.

    A number is dead after `receipts` messages that found no such number, or `strikes` that found it dead, suspended or without
    SMS in whatever mixture; all within `window`, and the first and the last at least `spread` apart: a gateway that errs for an
    hour kills nobody. `probe` later it is tried again. Who serves a number is believed for `trust`.
    """

    receipts: int = 2
    strikes: int = 3
    spread: timedelta = timedelta(days=1)
    window: timedelta = timedelta(days=30)
    probe: timedelta = timedelta(days=90)
    trust: timedelta = timedelta(days=180)


# Where a number goes that its operator has lost, likeliest first; Broadcast's customers are few.
_LIKELY = (Operator.CMCC, Operator.CTCC, Operator.CUCC, Operator.CBN)
# Codes that say where the number went (china-sms.md §1.3).
_WENT_TO: dict[str, Operator] = {"NP:1243": Operator.CUCC}
_SAID = 90
_DELIVERED = 95

# What says that nobody reads a message to the number. A phone that is off or full proves the opposite, but not who has it.
DEADLY = frozenset({OutcomeClass.INVALID_NUMBER, OutcomeClass.SUSPENDED, OutcomeClass.DEAD_OR_OFF, OutcomeClass.NO_SMS_SERVICE})
# What a number without a lesson can teach; a delivery only confirms or corrects what was learned before.
NEWS = DEADLY | {OutcomeClass.PORTED}
_STRIKES_KEPT = 8

Taught = Lesson | None


def teach(lesson: Taught, heard: Heard, policy: Policy) -> Taught:
    """Return what is known of the number after this was heard of it; the very same lesson when it teaches nothing."""
    step = _STEPS.get(heard.outcome)
    return lesson if step is None else step(lesson, heard, policy)


def looked_up(lesson: Taught, number: str, operator: Operator, name: str, at: datetime, until: datetime) -> Lesson:
    """Return what is known of the number after the lookup `name` has named its operator."""
    known = lesson or Lesson(number=number, updated_at=at, expires_at=until)
    learned = replace(known, operator=operator, source=Source.LOOKUP, confidence=_SAID, evidence=name, learned_at=at, trusted_until=until)
    return replace(learned, moved_from=(), updated_at=at, expires_at=max(until, known.expires_at))


def is_trusted(lesson: Lesson, now: datetime) -> bool:
    """Whether it is still believed who serves the number."""
    return lesson.operator is not None and lesson.trusted_until is not None and now < lesson.trusted_until


def is_adrift(lesson: Lesson) -> bool:
    """Whether the number has moved, and where to is only a guess."""
    return bool(lesson.moved_from) and lesson.confidence < _SAID


def facts_with(facts: NumberFacts, lesson: Lesson, now: datetime) -> NumberFacts:
    """Return the facts of a number's range, corrected by what was learned about the number itself."""
    facts = replace(facts, dead_since=lesson.dead_since, probe_at=lesson.probe_at)
    if not is_trusted(lesson, now):
        return facts
    return replace(facts, operator=lesson.operator, source=lesson.source or Source.LEARNED, checked_at=lesson.learned_at)


def homes(lesson: Lesson) -> tuple[Operator, ...]:
    """Return the operators that a number may be with that has left its own, likeliest first."""
    others = tuple(operator for operator in _LIKELY if operator not in (lesson.operator, *lesson.moved_from))
    return () if lesson.operator is None else (lesson.operator, *others)


def is_suppressed(facts: NumberFacts, now: datetime) -> bool:
    """Whether the number is dead, and not yet due to be tried again."""
    return facts.dead_since is not None and facts.probe_at is not None and now < facts.probe_at


def _delivered(lesson: Taught, heard: Heard, policy: Policy) -> Taught:
    """Somebody has it, and the connector's operator reaches them."""
    if lesson is None:
        return None
    alive = replace(lesson, strikes=(), dead_since=None, probe_at=None)
    if heard.serves is None or _is_settled(lesson, heard, policy):
        pass
    elif heard.serves is heard.owner:
        alive = _without_operator(alive)
    else:
        alive = _served(alive, heard, heard.serves, _DELIVERED, policy)
        alive = replace(alive, moved_from=())
    return _kept(alive, heard.at, policy) if alive != lesson else lesson


def _is_settled(lesson: Lesson, heard: Heard, policy: Policy) -> bool:
    """Whether a delivery over its operator says nothing new: it is not written down with every message.

    What a register has said stays as it is, also that the number is at home: it would only be asked again.
    """
    if lesson.operator is not heard.serves or lesson.trusted_until is None:
        return False
    left = lesson.trusted_until - heard.at
    return left > timedelta(0) if lesson.source is Source.LOOKUP else lesson.confidence >= _DELIVERED and left > policy.trust / 2


def _ported(lesson: Taught, heard: Heard, policy: Policy) -> Taught:
    """Whoever was asked has lost it. It is at the one that the code names, else at the likeliest of the others."""
    known = lesson or _blank(heard)
    loser = heard.serves or known.operator or heard.owner
    if loser is None:
        return lesson
    moved_from = tuple(dict.fromkeys((*known.moved_from, loser)))
    left = [operator for operator in _LIKELY if operator not in moved_from]
    if not left:  # everybody has denied it: begin anew rather than believe that nobody serves it
        moved_from, left = (loser,), [operator for operator in _LIKELY if operator is not loser]
    told = _WENT_TO.get(heard.code)
    operator, confidence = (told, _SAID) if told and told is not loser else (left[0], 100 // len(left))
    return _kept(replace(_served(known, heard, operator, confidence, policy), moved_from=moved_from), heard.at, policy)


def _struck(lesson: Taught, heard: Heard, policy: Policy) -> Taught:
    """One more message found nobody; the segments of one message count once."""
    known = lesson or _blank(heard)
    if any(strike.message_id == heard.message_id for strike in known.strikes):
        return lesson
    strike = Strike(heard.at, heard.outcome, heard.code, heard.message_id)
    recent = [earlier for earlier in known.strikes if heard.at - earlier.at <= policy.window]
    struck = replace(known, strikes=(*recent, strike)[-_STRIKES_KEPT:])
    if known.dead_since is not None:
        struck = replace(struck, probe_at=heard.at + policy.probe)
    elif _is_dead(struck.strikes, policy):
        # Whoever gets the number next may be with any operator.
        struck = replace(_without_operator(struck), dead_since=heard.at, probe_at=heard.at + policy.probe)
    return _kept(struck, heard.at, policy)


_STEPS: dict[OutcomeClass, Callable[[Taught, Heard, Policy], Taught]] = {
    OutcomeClass.DELIVERED: _delivered,
    OutcomeClass.PORTED: _ported,
    **dict.fromkeys(DEADLY, _struck),
}


def _is_dead(strikes: tuple[Strike, ...], policy: Policy) -> bool:
    absent = [strike for strike in strikes if strike.outcome is OutcomeClass.INVALID_NUMBER]
    return _proves(absent, policy.receipts, policy.spread) or _proves(strikes, policy.strikes, policy.spread)


def _proves(strikes: list[Strike] | tuple[Strike, ...], count: int, spread: timedelta) -> bool:
    return len(strikes) >= count and strikes[-1].at - strikes[0].at >= spread


def _blank(heard: Heard) -> Lesson:
    return Lesson(number=heard.number, updated_at=heard.at, expires_at=heard.at)


def _served(lesson: Lesson, heard: Heard, operator: Operator, confidence: int, policy: Policy) -> Lesson:
    return replace(
        lesson,
        operator=operator,
        source=Source.LEARNED,
        confidence=confidence,
        evidence=heard.message_id,
        learned_at=heard.at,
        trusted_until=heard.at + policy.trust,
    )


def _without_operator(lesson: Lesson) -> Lesson:
    return replace(
        lesson, operator=None, source=None, confidence=0, evidence=None, learned_at=None, trusted_until=None, moved_from=()
    )  # fmt: skip


def _kept(lesson: Lesson, now: datetime, policy: Policy) -> Taught:
    """Return a lesson with the time until which it is worth keeping; None when nothing is left of it.

    A dead number is kept until some time after its probe: if nobody has written to it until then, the next message is one.
    """
    ends = [lesson.trusted_until] if lesson.trusted_until else []
    ends += [lesson.probe_at + policy.probe] if lesson.probe_at else []
    ends += [lesson.strikes[-1].at + policy.window] if lesson.strikes else []
    return replace(lesson, updated_at=now, expires_at=max(ends)) if ends else None
