"""Tallies: what answers and receipts tell of a connector, counted in buckets of time, by operator of the number.

What lies with the recipient, the text or the sender tells nothing against a connector. What lies with the carrier or with our
contract does, but a number that fails again and again tells it once: one broken handset is no outage.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from msgspec import structs

from yanshu.domain.health import ANSWER_WAITS, RECEIPT_WAITS, Counts, Tally
from yanshu.domain.outcomes import TOLD, OutcomeClass, Owner
from yanshu.domain.submissions import AnswerResult
from yanshu.rules.routing.limits import Limits

# Classes that speak against the connector: whoever else is to act, it is not to blame.
FAULTS = frozenset(outcome for outcome, told in TOLD.items() if told.owner in {Owner.CARRIER, Owner.CONNECTOR})
# Answers that are no judgement of the message: the pace was ours, or nothing was written to the wire.
_NO_JUDGEMENT = frozenset({AnswerResult.THROTTLED, AnswerResult.UNSENT})
_COUNTED = {
    AnswerResult.ACCEPTED: "accepted",
    AnswerResult.REFUSED: "refused",
    AnswerResult.BUSY: "busy",
    AnswerResult.UNANSWERED: "unanswered",
}
# Numbers whose failure is remembered; with more of them it is no single handset any more.
_REMEMBERED = 20_000


class Place(NamedTuple):
    """Where something is counted: a connector, an operator (empty: none, or nobody knows), a bucket by its first second."""

    connector_id: str
    operator: str
    starts: int


class Told(NamedTuple):
    """What all that is counted has in common: over which connector, to which number, of which operator, whether it was an OTP."""

    connector_id: str
    operator: str
    recipient: str
    is_otp: bool


class Tallies:
    """The tallies of one process. Counting costs about two microseconds, however many are counted at once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tallies: dict[Place, Tally] = {}
        self._changed: set[Place] = set()
        self._failed: dict[tuple[str, str], int] = {}
        self.generation = 0  # grows when there are other buckets than before

    def answered(self, told: Told, result: AnswerResult, outcome: OutcomeClass | None, waited: float, at: int, count: int = 1) -> None:
        """Count the end of a submit at second `at`, which `waited` so many seconds; `outcome` is what its code means, if that is known.

        More than one at once may be counted of what was accepted.
        """
        if result in _NO_JUDGEMENT:
            return
        tally = self._at(told, at)
        counts, field = tally.counts, _COUNTED[result]
        setattr(counts, field, getattr(counts, field) + count)
        if result is AnswerResult.ACCEPTED:
            counts.answers += count
            counts.owed += count
            counts.owed_otp += count * told.is_otp
        else:
            _class(tally, outcome)
            is_fault = outcome is None or outcome in FAULTS
            counts.answers += (is_new := not is_fault or self._is_new(told, at))
            counts.answer_errors += is_fault and is_new
        if result is not AnswerResult.UNANSWERED:
            tally.answer_waits[bisect_left(ANSWER_WAITS, waited)] += count

    def reported(self, told: Told, outcome: OutcomeClass, accepted_at: int, at: int, count: int = 1) -> None:
        """Count the last word on a segment that was accepted at second `accepted_at`; more than one at once of what was delivered."""
        waited = max(0, at - accepted_at)
        tally = self._at(told, at)
        counts, is_fault = tally.counts, outcome in FAULTS
        if outcome is OutcomeClass.DELIVERED:
            counts.delivered += count
        else:
            counts.failed += 1
            _class(tally, outcome)
        counts.receipts += count * (is_new := not is_fault or self._is_new(told, at))
        counts.receipt_errors += is_fault and is_new
        tally.receipt_waits[bisect_left(RECEIPT_WAITS, waited)] += count
        self._pay(told, outcome, accepted_at, waited, count)

    def _pay(self, told: Told, outcome: OutcomeClass, accepted_at: int, waited: float, count: int) -> None:
        """The receipt is no longer owed: it was prompt, or late, or nobody can be blamed that it was late."""
        counts = self._at(told, accepted_at).counts
        is_excused = outcome is not OutcomeClass.DELIVERED and outcome not in FAULTS
        for owed, prompt, limit in (
            ("owed", "prompt", self._limits.slow_after_seconds),
            *((("owed_otp", "prompt_otp", self._limits.otp_after_seconds),) if told.is_otp else ()),
        ):
            if waited <= limit:
                setattr(counts, prompt, getattr(counts, prompt) + count)
            elif is_excused:
                setattr(counts, owed, getattr(counts, owed) - count)

    def changed(self) -> dict[Place, Tally]:
        """Return the tallies that changed since the last time this was asked."""
        places, self._changed = self._changed, set()
        return {place: self._tallies[place] for place in places}

    def put_back(self, places: Iterable[Place]) -> None:
        """What `changed` returned could not be kept: return it again next time."""
        self._changed.update(place for place in places if place in self._tallies)

    def restore(self, place: Place, tally: Tally) -> None:
        """Go on from what was counted before a restart."""
        known = self._tallies.get(place)
        self._tallies[place] = merged([known, tally]) if known else tally
        self.generation += 1

    def forget(self, now: int) -> None:
        """Drop what is past."""
        for place in [place for place in self._tallies if self.is_past(place, now)]:
            del self._tallies[place]
            self._changed.discard(place)
            self.generation += 1

    def is_past(self, place: Place, now: int) -> bool:
        """Whether it is older than anybody looks, or from before the clock was set back."""
        kept = self._limits.kept_seconds
        return not now - kept - self._limits.bucket_seconds <= place.starts <= now + kept

    def items(self) -> Iterable[tuple[Place, Tally]]:
        """Return all that is counted."""
        return self._tallies.items()

    def _at(self, told: Told, at: int) -> Tally:
        place = Place(told.connector_id, told.operator, at - at % self._limits.bucket_seconds)
        self._changed.add(place)
        tally = self._tallies.get(place)
        if tally is None:
            tally = self._tallies[place] = Tally()
            self.generation += 1
        return tally

    def _is_new(self, told: Told, at: int) -> bool:
        """Whether the number has not failed over this connector within the memory of the breaker."""
        key = (told.connector_id, told.recipient)
        before = self._failed.get(key)
        if before is not None and abs(at - before) < self._limits.trickle_seconds:
            return False
        if len(self._failed) >= _REMEMBERED:
            self._failed.clear()
        self._failed[key] = at
        return True


def _class(tally: Tally, outcome: OutcomeClass | None) -> None:
    outcome = outcome or OutcomeClass.UNKNOWN
    tally.classes[outcome] = tally.classes.get(outcome, 0) + 1


Row = tuple[int, Counts]
"""A bucket's first second, and what was counted in it."""


def sums(rows: Iterable[Row], begins: float, ends: float, first: str, second: str) -> tuple[int, int]:
    """Return the sums of two counts over the buckets that begin from `begins` on and before `ends`."""
    read = attrgetter(first, second)
    found = [read(counts) for starts, counts in rows if begins <= starts < ends]
    return sum([one for one, _ in found]), sum([other for _, other in found])


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies."""
    whole, rows = Tally(), list(tallies)
    if rows:
        whole.counts = Counts(*map(sum, zip(*(structs.astuple(tally.counts) for tally in rows), strict=True)))
        whole.answer_waits = list(map(sum, zip(*(tally.answer_waits for tally in rows), strict=True)))
        whole.receipt_waits = list(map(sum, zip(*(tally.receipt_waits for tally in rows), strict=True)))
    for tally in rows:
        for outcome, count in tally.classes.items():
            whole.classes[outcome] = whole.classes.get(outcome, 0) + count
    return whole


def quantile(waits: Sequence[int], ends: Sequence[float], share: float) -> float | None:
    """Return within how many seconds such a share of the waits was over: the end of the class it lies in, the last end if beyond."""
    wanted, passed = share * sum(waits), 0
    for end, count in zip((*ends, ends[-1]), waits, strict=True):
        passed += count
        if count and passed >= wanted:
            return end
    return None


def second_of(moment: datetime) -> int:
    """Return the second since 1970 that a moment lies in."""
    return int(moment.timestamp())
