"""Laws of health: weights keep their bounds, quiet heals, breakers meter probes, and recipients' faults are nobody else's."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from yanshu.domain.health import FULL_WEIGHT, Breaker, Cause, Condition, Counts, Move
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import TOLD, OutcomeClass, Owner
from yanshu.domain.submissions import AnswerResult
from yanshu.rules.routing.health import Links, Moved, Watch, judge, probe
from yanshu.rules.routing.limits import Limits
from yanshu.rules.routing.tallies import Row, Tallies, Told

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
LIMITS = Limits()
WELL = Condition(connector_id="a", reports=True)
STEPPED = {Move.DEGRADED, Move.RECOVERING, Move.RECOVERED}

counts = st.builds(Counts, **{name: st.integers(0, 200) for name in Counts.__struct_fields__})
links = st.sampled_from([Links(), Links(is_up=False), Links(is_up=False, is_cut=True)])
# Seconds that pass from one look to the next: mostly a few, now and then an hour, or an hour back.
passing = st.one_of(st.integers(0, 120), st.sampled_from([3600, -3600]))
days = st.lists(st.tuples(passing, counts, links), max_size=30)


def live(days: list[tuple[int, Counts, Links]], kept: dict[Operator | None, Condition]) -> list[tuple[datetime, Moved]]:
    """Look again and again, each time with new counts in the bucket of the moment; what moved, and when."""
    rows: dict[str, list[Row]] = {"cmcc": [], "": []}
    now, moved = NOW, []
    for seconds, counts, link in days:
        now += timedelta(seconds=seconds)
        rows["cmcc" if counts.accepted % 2 else ""].append((int(now.timestamp()) - 1, counts))
        for one in judge(kept, Watch(rows, link, now, LIMITS)):
            kept[one.after.operator] = one.after
            moved.append((now, one))
    return moved


def conditions() -> dict[Operator | None, Condition]:
    return {None: WELL, Operator.CMCC: replace(WELL, operator=Operator.CMCC)}


@given(days)
def test_weights_stay_between_floor_and_rest_and_move_in_steps(days: list[tuple[int, Counts, Links]]) -> None:
    for _, one in live(days, conditions()):
        assert LIMITS.floor_points <= one.after.weight_percent <= FULL_WEIGHT
        assert one.after.version == one.before.version + 1
        if one.move in STEPPED:
            assert abs(one.after.weight_percent - one.before.weight_percent) == LIMITS.step_points
        if one.move is None:
            assert one.after.weight_percent == one.before.weight_percent
            assert one.after.breaker is one.before.breaker


@given(days)
def test_whatever_happened_a_connector_that_is_left_in_peace_returns_to_rest(days: list[tuple[int, Counts, Links]]) -> None:
    kept = conditions()
    live(days, kept)
    quiet = [(300, Counts(), Links())] * 3 * 12
    live(quiet, kept)
    probes = [(30, Counts(answers=5, receipts=5), Links())] * 30
    live(probes, kept)
    live(quiet, kept)
    whole = kept[None]
    assert (whole.weight_percent, whole.breaker) == (FULL_WEIGHT, Breaker.CLOSED)


@given(days)
def test_a_breaker_goes_round_its_circle(days: list[tuple[int, Counts, Links]]) -> None:
    steps = {
        Move.BREAKER_OPENED: ({Breaker.CLOSED, Breaker.HALF_OPEN}, Breaker.OPEN),
        Move.BREAKER_HALF_OPENED: ({Breaker.OPEN}, Breaker.HALF_OPEN),
        Move.BREAKER_CLOSED: ({Breaker.HALF_OPEN}, Breaker.CLOSED),
    }
    for _, one in live(days, conditions()):
        if one.move in steps:
            before, after = steps[one.move]
            assert one.before.breaker in before
            assert one.after.breaker is after
        else:
            assert one.after.breaker is one.before.breaker


@given(st.lists(st.floats(0, 30), min_size=1, max_size=50), st.integers(1, 4))
def test_a_half_open_breaker_lets_one_probe_through_at_a_time_however_many_ask(pauses: list[float], askers: int) -> None:
    stored = replace(WELL, breaker=Breaker.HALF_OPEN, cause=Cause.ANSWER_ERRORS)
    now, leaves = NOW, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        read = stored  # all have read the same, and one write against its version succeeds
        for _ in range(askers):
            asked = probe(read, now, LIMITS)
            if asked is not None and stored.version == read.version:
                stored = asked
                leaves.append(now)
    assert all((b - a).total_seconds() >= LIMITS.probe_seconds for a, b in pairwise(leaves))


@given(days, st.integers(1, 100_000))
def test_a_clock_set_back_stops_nothing_for_longer_than_usual(days: list[tuple[int, Counts, Links]], back: int) -> None:
    kept = conditions()
    live(days, kept)
    now = NOW - timedelta(seconds=back + 4000 * len(days))
    for seconds in range(0, LIMITS.return_seconds * 11, 300):
        for one in judge(kept, Watch({}, Links(), now + timedelta(seconds=seconds), LIMITS)):
            kept[one.after.operator] = one.after
    for condition in kept.values():
        assert condition.breaker is not Breaker.OPEN
        assert condition.breaker is Breaker.HALF_OPEN or condition.weight_percent == FULL_WEIGHT


OTHERS = sorted(outcome for outcome, told in TOLD.items() if told.owner not in {Owner.CARRIER, Owner.CONNECTOR})
facts = st.lists(st.tuples(st.integers(0, 59), st.sampled_from(OTHERS), st.booleans(), st.booleans(), st.integers(0, 800)), max_size=300)


@given(facts)
def test_what_lies_with_recipients_texts_or_senders_never_counts_against_a_connector(
    facts: list[tuple[int, OutcomeClass, bool, bool, int]],
) -> None:
    tallies, at = Tallies(LIMITS), int(NOW.timestamp())
    for number, (second, outcome, is_answer, is_otp, waited) in enumerate(facts):
        told = Told("a", "cmcc", f"+86138{number:08}", is_otp=is_otp)
        if is_answer:
            tallies.answered(told, AnswerResult.REFUSED, outcome, 0.1, at + second)
        else:
            tallies.answered(told, AnswerResult.ACCEPTED, None, 0.1, at + second - waited)
            tallies.reported(told, outcome, at + second - waited, at + second)
    rows = {"cmcc": [(place.starts, tally.counts) for place, tally in tallies.items()]}
    for later in (60, 400, 700):
        assert judge({None: WELL}, Watch(rows, Links(), NOW + timedelta(seconds=later), LIMITS)) == []


@given(st.lists(st.tuples(st.integers(0, 599), st.sampled_from([AnswerResult.BUSY, AnswerResult.UNANSWERED])), max_size=300))
def test_one_bad_handset_moves_nothing(tries: list[tuple[int, AnswerResult]]) -> None:
    tallies, at = Tallies(LIMITS), int(NOW.timestamp())
    told = Told("a", "cmcc", "+8613800138000", is_otp=True)
    for second, result in sorted(tries):
        tallies.answered(told, result, None, 0.1, at + second)
        tallies.reported(told, OutcomeClass.CARRIER_ERROR, at + second, at + second)
    rows = {"cmcc": [(place.starts, tally.counts) for place, tally in tallies.items()]}
    assert judge({None: WELL}, Watch(rows, Links(), NOW + timedelta(seconds=600), LIMITS)) == []


@given(st.lists(counts, max_size=20))
def test_counts_of_several_processes_add_up(parts: list[Counts]) -> None:
    whole = Counts(*(sum(values) for values in zip(*map(structs.astuple, parts), strict=True))) if parts else Counts()
    at = int(NOW.timestamp())
    split: list[Row] = [(at - 20, part) for part in parts]
    one = judge({None: WELL}, Watch({"cmcc": split}, Links(), NOW, LIMITS))
    assert one == judge({None: WELL}, Watch({"cmcc": [(at - 20, whole)]}, Links(), NOW, LIMITS))
