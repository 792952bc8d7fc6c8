"""What counts make of a connector's weight and breaker: a table of days in the life of one, told in buckets."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from yanshu.domain.health import Breaker, Cause, Condition, Counts, Move
from yanshu.domain.numbers import Operator
from yanshu.rules.routing.health import Links, Moved, Watch, judge, probe
from yanshu.rules.routing.limits import Limits, read_limits
from yanshu.rules.routing.tallies import Row

LIMITS = Limits()
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
UP, CUT = Links(is_up=True), Links(is_up=False, is_cut=True)
WELL = Condition(connector_id="a", reports=True)


def ago(seconds: int, **counts: int) -> Row:
    return AT - seconds, Counts(**counts)


def step(kept: Condition, rows: list[Row], links: Links = UP, now: datetime = NOW) -> Moved | None:
    """What a connector with numbers of one operator makes of it; it is held against the whole."""
    return next(iter(judge({None: kept}, Watch({"cmcc": rows}, links, now, LIMITS))), None)


DOWN = [
    ("a fifth of fifty answers is a burst", [ago(20, answers=50, answer_errors=10)], Cause.ANSWER_ERRORS),
    ("so is a fifth of fifty receipts", [ago(20, receipts=50, receipt_errors=10)], Cause.RECEIPT_ERRORS),
    ("fifty errors in a minute are one, if they are one in twenty", [ago(20, answers=1000, answer_errors=50)], Cause.ANSWER_ERRORS),
    (
        "a burst may lie in several buckets",
        [ago(50, answers=25, answer_errors=5), ago(20, answers=25, answer_errors=5)],
        Cause.ANSWER_ERRORS,
    ),
    ("receipts that took too long cost weight", [ago(600, owed=100, prompt=85)], Cause.SLOW_RECEIPTS),
    ("receipts that never came as well", [ago(800, owed=50), ago(700, owed=50, prompt=50)], Cause.SLOW_RECEIPTS),
    ("one-time passwords are not waited for so long", [ago(60, owed=30, owed_otp=30, prompt_otp=27)], Cause.SLOW_OTP_RECEIPTS),
]


@pytest.mark.parametrize(("rows", "cause"), [row[1:] for row in DOWN], ids=[row[0] for row in DOWN])
def test_a_step_down(rows: list[Row], cause: Cause) -> None:
    moved = step(WELL, rows)
    assert moved is not None
    assert (moved.move, moved.cause, moved.after.weight_percent) == (Move.DEGRADED, cause, 90)
    assert moved.figures["sample"] > 0
    assert moved.figures["bad"] > 0


STAYS = [
    ("nothing at all", []),
    ("fewer than a sample", [ago(20, answers=19, answer_errors=9)]),
    ("fifty errors among many", [ago(20, answers=5000, answer_errors=60)]),
    ("a burst of long ago", [ago(120, answers=100, answer_errors=30)]),
    ("receipts that may still come in time", [ago(200, owed=1000)]),
    ("receipts too old to matter", [ago(1000, owed=1000)]),
    ("a tenth of slow receipts", [ago(600, owed=100, prompt=90)]),
    ("a future from before the clock was set back", [ago(-600, answers=100, answer_errors=100)]),
]


@pytest.mark.parametrize("rows", [row[1] for row in STAYS], ids=[row[0] for row in STAYS])
def test_nothing_moves(rows: list[Row]) -> None:
    assert step(WELL, rows) is None


def test_a_connector_that_never_gave_a_receipt_owes_none() -> None:
    assert step(replace(WELL, reports=False), [ago(600, owed=100)]) is None


def test_that_a_connector_gives_receipts_is_remembered_and_told_to_nobody() -> None:
    moved = step(replace(WELL, reports=False), [ago(20, receipts=1)])
    assert moved is not None
    assert (moved.move, moved.after.reports) == (None, True)


BURST = [ago(20, answers=50, answer_errors=10)]


def test_steps_down_are_a_minute_apart() -> None:
    assert step(replace(WELL, weight_percent=90, moved_at=NOW - timedelta(seconds=59)), BURST) is None
    moved = step(replace(WELL, weight_percent=90, moved_at=NOW - timedelta(seconds=60)), BURST)
    assert moved is not None
    assert moved.after.weight_percent == 80


def test_at_the_floor_it_is_only_remembered_that_all_is_not_well() -> None:
    moved = step(replace(WELL, weight_percent=10, moved_at=NOW - timedelta(seconds=60)), BURST)
    assert moved is not None
    assert (moved.move, moved.after.weight_percent, moved.after.moved_at) == (None, 10, NOW)


RETURNS = [(80, 899, None, 80), (80, 900, Move.RECOVERING, 90), (90, 900, Move.RECOVERED, 100), (95, 5000, Move.RECOVERED, 100)]


@pytest.mark.parametrize(("weight", "quiet", "move", "then"), RETURNS)
def test_weight_returns_a_step_at_a_time_when_all_is_quiet(weight: int, quiet: int, move: Move | None, then: int) -> None:
    moved = step(replace(WELL, weight_percent=weight, moved_at=NOW - timedelta(seconds=quiet)), [])
    assert (moved.move, moved.after.weight_percent) == (move, then) if moved else (move, then) == (None, weight)


OPENS = [
    ("half of twenty answers fail", [ago(20, answers=20, answer_errors=10)], UP, Cause.ANSWER_ERRORS, 10),
    ("half of twenty receipts tell of faults", [ago(20, receipts=20, receipt_errors=10)], UP, Cause.RECEIPT_ERRORS, 10),
    (
        "nearly all of little traffic fails",
        [ago(500, answers=5, answer_errors=5), ago(20, answers=5, answer_errors=4)],
        UP,
        Cause.ANSWER_ERRORS,
        10,
    ),
    ("no link works", [], CUT, Cause.NO_LINK, 100),
]


@pytest.mark.parametrize(("rows", "links", "cause", "weight"), [row[1:] for row in OPENS], ids=[row[0] for row in OPENS])
def test_the_breaker_opens_when(rows: list[Row], links: Links, cause: Cause, weight: int) -> None:
    moved = step(WELL, rows, links)
    assert moved is not None
    assert (moved.move, moved.cause) == (Move.BREAKER_OPENED, cause)
    assert (moved.after.breaker, moved.after.cause, moved.after.weight_percent) == (Breaker.OPEN, cause, weight)


OPEN = replace(WELL, breaker=Breaker.OPEN, cause=Cause.ANSWER_ERRORS, weight_percent=10, trial_at=NOW, trips=1)
LOST = replace(WELL, breaker=Breaker.OPEN, cause=Cause.NO_LINK, trial_at=NOW)
TRIED = replace(OPEN, breaker=Breaker.HALF_OPEN)
FOR_RECEIPTS = replace(TRIED, cause=Cause.RECEIPT_ERRORS)
SOON = NOW + timedelta(seconds=8)
STEPS: list[tuple[str, Condition, list[Row], Links, Move | None]] = [
    ("an open one is tried when its time has come", OPEN, [], UP, Move.BREAKER_HALF_OPENED),
    ("but not without a link", OPEN, [], Links(is_up=False, is_cut=True), None),
    ("nor before", replace(OPEN, trial_at=NOW + timedelta(seconds=9)), [], UP, None),
    ("one without a link is tried when there is one", LOST, [], UP, Move.BREAKER_HALF_OPENED),
    ("and not before", LOST, [], CUT, None),
    ("a half-open one waits for its probes", TRIED, [ago(0, answers=2)], UP, None),
    ("and closes when they succeed", TRIED, [ago(0, answers=3)], UP, Move.BREAKER_CLOSED),
    ("and opens again when one fails", TRIED, [ago(0, answers=1, answer_errors=1)], UP, Move.BREAKER_OPENED),
    (
        "what failed before the trial does not count",
        TRIED,
        [ago(10, answers=9, answer_errors=9), ago(0, answers=3)],
        UP,
        Move.BREAKER_CLOSED,
    ),
    ("lost receipts are not cured by accepted submits", FOR_RECEIPTS, [ago(0, answers=9)], UP, None),
    ("but by receipts", FOR_RECEIPTS, [ago(0, answers=9, receipts=3)], UP, Move.BREAKER_CLOSED),
    ("a link that goes opens it again", TRIED, [], CUT, Move.BREAKER_OPENED),
]


@pytest.mark.parametrize(("kept", "rows", "links", "move"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS])
def test_a_breaker(kept: Condition, rows: list[Row], links: Links, move: Move | None) -> None:
    moved = step(kept, rows, links, SOON)
    assert (moved.move if moved else None) == move


def test_it_stays_open_twice_as_long_each_time_up_to_a_limit() -> None:
    waits, condition = [], WELL
    for _ in range(6):
        moved = step(condition, [ago(20, answers=20, answer_errors=20)])
        assert moved is not None
        waits.append(moved.figures["open_seconds"])
        condition = replace(WELL, trips=moved.after.trips)
    assert waits == [30, 60, 120, 240, 300, 300]


def test_a_trial_begins_at_the_edge_of_a_bucket() -> None:
    now = NOW + timedelta(seconds=3)
    moved = step(WELL, [ago(20, answers=20, answer_errors=20)], now=now)
    assert moved is not None
    assert moved.after.trial_at == NOW + timedelta(seconds=40)


CMCC, CUCC = Operator.CMCC, Operator.CUCC
BAD, GOOD = [ago(20, answers=40, answer_errors=40)], [ago(20, answers=40)]
BLAMED = [
    ("one operator's numbers fail, another's do well", {"cmcc": BAD, "cucc": GOOD}, [CMCC]),
    ("both fail", {"cmcc": BAD, "cucc": BAD}, [None]),
    ("one fails, the other is too quiet to tell", {"cmcc": BAD, "cucc": [ago(20, answers=5)]}, [None]),
    ("numbers of no operator fail, those of one do well", {"": BAD, "cucc": GOOD}, [None]),
]


@pytest.mark.parametrize(("rows", "blamed"), [row[1:] for row in BLAMED], ids=[row[0] for row in BLAMED])
def test_a_fault_is_held_against(rows: dict[str, list[Row]], blamed: list[Operator | None]) -> None:
    kept = {None: WELL, CMCC: replace(WELL, operator=CMCC), CUCC: replace(WELL, operator=CUCC)}
    assert [moved.before.operator for moved in judge(kept, Watch(rows, UP, NOW, LIMITS))] == blamed


def test_a_fault_is_not_held_against_both_one_after_the_other() -> None:
    rows = {"cmcc": BAD, "cucc": []}
    kept: dict[Operator | None, Condition] = {None: WELL, CMCC: replace(WELL, operator=CMCC)}
    opened = judge(kept, Watch(rows, UP, NOW, LIMITS))
    kept[None] = opened[0].after
    assert judge(kept, Watch(rows, UP, NOW, LIMITS)) == []
    spared = {"cmcc": BAD, "cucc": GOOD}
    kept = {None: WELL, CMCC: replace(WELL, operator=CMCC), CUCC: replace(WELL, operator=CUCC)}
    kept[CMCC] = judge(kept, Watch(spared, UP, NOW, LIMITS))[0].after
    assert judge(kept, Watch({"cmcc": BAD}, UP, NOW, LIMITS)) == []


def test_a_probe_is_let_through_once_in_its_time() -> None:
    first = probe(TRIED, NOW, LIMITS)
    assert first is not None
    assert first.version == TRIED.version + 1
    assert probe(first, NOW + timedelta(seconds=4.9), LIMITS) is None
    assert probe(first, NOW + timedelta(seconds=5), LIMITS) is not None
    assert probe(OPEN, NOW, LIMITS) is None
    assert probe(WELL, NOW, LIMITS) is None


def test_what_lies_in_the_future_counts_from_now_on() -> None:
    later = NOW + timedelta(hours=1)
    moved = step(replace(WELL, weight_percent=50, moved_at=later, probe_at=later, trial_at=later), [])
    assert moved is not None
    assert moved.move is None
    assert (moved.after.moved_at, moved.after.probe_at, moved.after.trial_at) == (NOW, NOW, NOW)


READ = [
    ("", Limits()),
    ("open_seconds=60, probes=5", Limits(open_seconds=60, probes=5)),
    ("burst_share=0.3,probe_seconds=0.5", Limits(burst_share=0.3, probe_seconds=0.5)),
]


@pytest.mark.parametrize(("text", "limits"), READ)
def test_limits_are_read(text: str, limits: Limits) -> None:
    assert read_limits(text) == limits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("burst=3", "'burst' is no limit; there are bucket_seconds, "),
        ("probes=many", "numbers are expected: "),
        ("probes=0", "probes is more than 0 and at most 86,400, not 0"),
        ("burst_share=20", "burst_share is more than 0 and at most 1, not 20.0"),
        ("probes=1.5", "numbers are expected: "),
        ("step_points=101", "step_points is more than 0 and at most 100, not 101"),
    ],
)
def test_limits_that_make_no_sense_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^" + said.replace("(", r"\(")):
        read_limits(text)
