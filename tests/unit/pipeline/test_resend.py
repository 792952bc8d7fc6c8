"""Whether, when and where a message is sent again: class by lane, and the bounds that hold for all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message, Risk, Status
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Submission, SubmissionStatus
from yanshu.pipeline.resend import Again, Enough, Reach, after_receipts, after_refusal, decisive
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

O = OutcomeClass  # noqa: E741 - short for the rows below
S = SubmissionStatus
E = Enough
OTP, NOTICE, MARKETING = Lane.OTP, Lane.NOTICE, Lane.MARKETING
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)  # noon in China
SAMPLES = Samples(FakeClock())
PAUSE = timedelta(seconds=10)
LIVES = {OTP: timedelta(minutes=5), NOTICE: timedelta(days=1), MARKETING: timedelta(days=1)}


def message(lane: Lane, age_seconds: int = 2, **fields: Any) -> Message:
    created_at = NOW - timedelta(seconds=age_seconds)
    values: dict[str, Any] = {
        "lane": lane,
        "status": Status.SUBMITTED,
        "created_at": created_at,
        "expires_at": created_at + LIVES[lane],
        "attempts": 1,
        "connector_id": "a",
        "candidates": ("a", "b", "c", "d", "e"),
    }
    return SAMPLES.message(**(values | fields))


def failed(found: Message, *outcomes: OutcomeClass | None, **fields: Any) -> list[Submission]:
    """One reported submission an outcome, an attempt each, over the candidates in turn."""
    return [
        SAMPLES.submission(
            found,
            **({"attempt": n, "connector_id": "abcde"[n - 1], "status": S.UNDELIVERED, "receipt_status": "UNDELIV", "outcome": o} | fields),
        )
        for n, o in enumerate(outcomes, 1)
    ]


def after(*outcomes: OutcomeClass, lane: Lane, **fields: Any) -> Again | Enough:
    """Decide after attempts that were reported as failed so."""
    connector_id = "abcde"[len(outcomes) - 1]
    found = message(lane, **({"attempts": len(outcomes), "connector_id": connector_id} | fields))
    return after_receipts(found, failed(found, *outcomes), NOW)


def at(connector_id: str, **after_now: float) -> Again:
    return Again(connector_id, NOW + timedelta(**after_now))


MORNING = {"hours": 20}  # the next 8 o'clock in China
# china-sms.md §5.4, row by row: what follows the first failure, by lane.
PLAN: list[tuple[OutcomeClass, Again | Enough, Again | Enough, Again | Enough]] = [
    (O.CARRIER_ERROR, at("b"), at("b"), at("b")),
    (O.GATEWAY_BLOCKED, at("b"), at("b"), at("b")),
    (O.PORTED, at("b"), at("b"), at("b")),
    (O.UNKNOWN, at("b"), at("b"), at("b")),
    (O.NOT_ORDERED, at("b"), at("b"), at("b")),
    (O.PARAM, at("b"), at("b"), at("b")),
    (O.OFF_OR_UNREACHABLE, E.CLASS, at("a", minutes=30), E.CLASS),
    (O.HANDSET, E.CLASS, at("a", minutes=30), E.CLASS),
    (O.EXPIRED, E.CLASS, at("a", minutes=30), E.CLASS),
    (O.SUSPENDED, E.CLASS, at("a", minutes=30), E.CLASS),
    (O.DEAD_OR_OFF, E.CLASS, at("a", minutes=30), E.CLASS),
    (O.FREQUENCY, E.TOO_LATE, at("a", hours=1), at("a", hours=1)),
    (O.TIME_WINDOW, E.TOO_LATE, at("a", **MORNING), at("a", **MORNING)),
    (O.INVALID_NUMBER, E.CLASS, E.CLASS, E.CLASS),
    (O.NO_SMS_SERVICE, E.CLASS, E.CLASS, E.CLASS),
    (O.BLACKLIST, E.CLASS, E.CLASS, E.CLASS),
    (O.UNSUBSCRIBED, E.CLASS, E.CLASS, E.CLASS),
    (O.CONTENT_BLOCKED, E.CLASS, E.CLASS, E.CLASS),
    (O.SIGNATURE, E.CLASS, E.CLASS, E.CLASS),
]


@pytest.mark.parametrize(("outcome", "otp", "notice", "marketing"), PLAN, ids=[case[0] for case in PLAN])
def test_a_reported_failure_is_followed_as_its_lane_says(outcome: OutcomeClass, otp: Any, notice: Any, marketing: Any) -> None:
    assert tuple(after(outcome, lane=lane) for lane in (OTP, NOTICE, MARKETING)) == (otp, notice, marketing)


def test_the_plan_has_every_class_of_failure() -> None:
    assert {case[0] for case in PLAN} == set(OutcomeClass) - {O.DELIVERED, O.ACCEPTED}


BOUNDS: list[tuple[str, Again | Enough, Again | Enough]] = [
    ("an OTP has one try elsewhere", after(O.CARRIER_ERROR, O.CARRIER_ERROR, lane=OTP), E.TRIES),
    ("another class of the same pace is the same plan", after(O.PORTED, O.CARRIER_ERROR, lane=OTP), E.TRIES),
    ("an OTP is fresh for 15 s", after(O.CARRIER_ERROR, lane=OTP, age_seconds=15), at("b")),
    ("an OTP is stale after 15 s", after(O.CARRIER_ERROR, lane=OTP, age_seconds=16), E.TOO_LATE),
    ("its age begins when it was meant to go", after(O.CARRIER_ERROR, lane=OTP, age_seconds=60, send_at=NOW), at("b")),
    ("an OTP beyond its validity", after(O.CARRIER_ERROR, lane=OTP, expires_at=NOW), E.TOO_LATE),
    ("a notice has three tries elsewhere", after(*[O.CARRIER_ERROR] * 3, lane=NOTICE), at("d")),
    ("but never more attempts than its lane", after(*[O.CARRIER_ERROR] * 4, lane=NOTICE), E.ATTEMPTS),
    ("a notice goes to a connector not used yet", after(O.PORTED, O.PORTED, lane=NOTICE, candidates=("b", "a", "d")), at("d")),
    ("no other connector", after(O.CARRIER_ERROR, lane=NOTICE, candidates=("a",)), E.NO_CONNECTOR),
    ("no candidates at all", after(O.CARRIER_ERROR, lane=NOTICE, candidates=()), E.NO_CONNECTOR),
    ("off, the second time: four hours", after(*[O.OFF_OR_UNREACHABLE] * 2, lane=NOTICE), at("b", hours=4)),
    ("off, the third time", after(*[O.OFF_OR_UNREACHABLE] * 3, lane=NOTICE), E.TRIES),
    ("off, too near its end", after(O.HANDSET, lane=NOTICE, expires_at=NOW + timedelta(minutes=30)), E.TOO_LATE),
    ("suspended, the second time", after(*[O.SUSPENDED] * 2, lane=NOTICE), E.TRIES),
    ("each pace has its own tries", after(O.CARRIER_ERROR, O.OFF_OR_UNREACHABLE, lane=NOTICE), at("b", minutes=30)),
    ("too often, the second time", after(O.FREQUENCY, O.FREQUENCY, lane=MARKETING), E.TRIES),
]


@pytest.mark.parametrize(("name", "found", "expected"), BOUNDS, ids=[case[0] for case in BOUNDS])
def test_no_resend_goes_beyond(name: str, found: Again | Enough, expected: Again | Enough) -> None:
    assert found == expected


def test_before_the_hours_it_waits_for_the_same_morning() -> None:
    night = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)  # six in the morning in China
    found = message(NOTICE, expires_at=night + timedelta(hours=4))
    assert after_receipts(found, failed(found, O.TIME_WINDOW), night) == Again("a", night + timedelta(hours=2))


SEGMENTS: list[tuple[str, list[SubmissionStatus], list[OutcomeClass | None], Again | Enough, Again | Enough]] = [
    # statuses and outcomes of the segments, then without and with the risk accepted
    ("all lost", [S.UNDELIVERED, S.UNDELIVERED], [O.CARRIER_ERROR] * 2, at("b"), at("b")),
    ("one of them refused at once", [S.UNDELIVERED, S.REFUSED], [O.CARRIER_ERROR] * 2, at("b"), at("b")),
    ("the least hopeful decides", [S.UNDELIVERED, S.UNDELIVERED], [O.CARRIER_ERROR, O.INVALID_NUMBER], E.CLASS, E.CLASS),
    ("the slower way decides", [S.UNDELIVERED] * 2, [O.OFF_OR_UNREACHABLE, O.PORTED], at("a", minutes=30), at("a", minutes=30)),
    ("one arrived", [S.DELIVERED, S.UNDELIVERED], [None, O.CARRIER_ERROR], E.PARTLY_DELIVERED, Again("b", NOW, is_risky=True)),
    ("one is unclear", [S.UNCLEAR, S.UNDELIVERED], [O.CARRIER_ERROR] * 2, E.UNPROVEN, Again("b", NOW, is_risky=True)),
    ("unclear, and hopeless", [S.UNCLEAR], [O.INVALID_NUMBER], E.UNPROVEN, E.CLASS),
    ("how it failed is not known any more", [S.UNDELIVERED], [None], at("b"), at("b")),
]


@pytest.mark.parametrize(("name", "statuses", "outcomes", "careful", "daring"), SEGMENTS, ids=[case[0] for case in SEGMENTS])
def test_segments_are_sent_again_together(
    name: str, statuses: list[SubmissionStatus], outcomes: list[OutcomeClass | None], careful: Again | Enough, daring: Again | Enough
) -> None:
    found = {risk: message(NOTICE, segments=len(statuses), risk=risk) for risk in Risk}
    rows = [
        SAMPLES.submission(found[Risk.NO_DUPLICATE], segment=n, connector_id="a", status=status, receipt_status="UNDELIV", outcome=outcome)
        for n, (status, outcome) in enumerate(zip(statuses, outcomes, strict=True), 1)
    ]
    assert after_receipts(found[Risk.NO_DUPLICATE], rows, NOW) == careful
    assert after_receipts(found[Risk.BEST_EFFORT], rows, NOW) == daring


def refused(*outcomes: OutcomeClass, lane: Lane = NOTICE, pause: timedelta | None = None, **fields: Any) -> Again | Enough:
    """Decide after attempts that were refused so."""
    connector_id = "abcde"[len(outcomes) - 1]
    found = message(lane, **({"status": Status.SUBMITTING, "attempts": len(outcomes), "connector_id": connector_id} | fields))
    return after_refusal(found, failed(found, *outcomes, status=S.REFUSED, receipt_status=None), NOW, pause)


REFUSALS: list[tuple[str, Again | Enough, Again | Enough]] = [
    ("the next candidate at once", refused(O.PARAM), at("b")),
    ("also for an OTP that is not so fresh", refused(O.CARRIER_ERROR, lane=OTP, age_seconds=60), at("b")),
    ("and the next", refused(O.PARAM, O.NOT_ORDERED), at("c")),
    ("also when it is too much for this one", refused(O.FREQUENCY), at("b")),
    ("never more attempts than its lane", refused(*[O.CARRIER_ERROR] * 4, pause=PAUSE), E.ATTEMPTS),
    ("not beyond its validity", refused(O.CARRIER_ERROR, pause=PAUSE, expires_at=NOW), E.TOO_LATE),
    ("the last candidate refuses", refused(O.PARAM, candidates=("a",)), E.NO_CONNECTOR),
    (
        "the last candidate has a passing fault",
        refused(O.CARRIER_ERROR, O.CARRIER_ERROR, pause=PAUSE, candidates=("a", "b")),
        at("a", seconds=10),
    ),
    ("a number that is dead at every carrier", refused(O.INVALID_NUMBER), E.CLASS),
    ("a text that is blocked everywhere", refused(O.CONTENT_BLOCKED, pause=PAUSE), E.CLASS),
    ("a phone that is off is so at every carrier", refused(O.OFF_OR_UNREACHABLE), at("a", minutes=30)),
    ("an OTP for a phone that is off", refused(O.OFF_OR_UNREACHABLE, lane=OTP), E.CLASS),
]


@pytest.mark.parametrize(("name", "found", "expected"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_a_refusal_is_followed_by(name: str, found: Again | Enough, expected: Again | Enough) -> None:
    assert found == expected


FITNESS: dict[str, int | None] = {"b": None, "c": 1, "d": 0, "e": 1}
FIT: list[tuple[str, tuple[str, ...], str | None]] = [
    ("the first that works", ("a", "b", "c", "d"), "d"),
    ("the first of the last resorts", ("a", "b", "e", "c"), "e"),
    ("none that is drained", ("a", "b"), None),
    ("one that nobody knows anything of", ("a", "f", "d"), "f"),
]


@pytest.mark.parametrize(("name", "candidates", "chosen"), FIT, ids=[case[0] for case in FIT])
def test_it_goes_to(name: str, candidates: tuple[str, ...], chosen: str | None) -> None:
    reach = Reach(fitness=lambda ident: FITNESS.get(ident, 0))
    expected = Enough.NO_CONNECTOR if chosen is None else Again(chosen, NOW)
    found = message(NOTICE, candidates=candidates)
    assert after_receipts(found, failed(found, O.CARRIER_ERROR), NOW, reach) == expected
    refused_rows = failed(found, O.CARRIER_ERROR, status=S.REFUSED, receipt_status=None)
    assert after_refusal(found, refused_rows, NOW, None, reach) == expected


def test_a_passing_fault_of_the_last_begins_anew_where_that_works() -> None:
    reach = Reach(fitness=lambda ident: FITNESS.get(ident, 0))
    found = message(NOTICE, candidates=("b", "d", "a"))
    rows = failed(found, O.CARRIER_ERROR, status=S.REFUSED, receipt_status=None)
    assert after_refusal(found, rows, NOW, PAUSE, reach) == at("d", seconds=10)


def test_a_number_that_moved_goes_to_a_connector_of_its_new_operator_that_works() -> None:
    found = message(NOTICE)
    reach = Reach(("y", "z"), lambda ident: 1 if ident == "y" else 0)
    assert after_receipts(found, failed(found, O.PORTED), NOW, reach) == Again("z", NOW)


def test_refusals_do_not_use_up_the_tries_of_the_plan() -> None:
    found = message(OTP, attempts=2, connector_id="b")
    rows = failed(found, O.CARRIER_ERROR, status=S.REFUSED, receipt_status=None)
    rows += failed(found, O.CARRIER_ERROR, attempt=2, connector_id="b")
    assert after_receipts(found, rows, NOW) == at("c")


def test_without_any_outcome_the_class_is_unknown() -> None:
    assert decisive([], NOTICE) is O.UNKNOWN


MOVED_TO = Reach(("x", "b", "y"))
MOVED: list[tuple[str, OutcomeClass, dict[str, Any], Again | Enough]] = [
    ("to the first that the new operator has", O.PORTED, {}, at("x")),
    ("also when the message has no other candidate", O.PORTED, {"candidates": ("a",)}, at("x")),
    ("only when it has moved", O.CARRIER_ERROR, {}, at("b")),
    ("not when an OTP has grown old", O.PORTED, {"lane": OTP, "age_seconds": 20}, E.TOO_LATE),
]


@pytest.mark.parametrize(("name", "outcome", "fields", "follows"), MOVED, ids=[row[0] for row in MOVED])
def test_a_number_that_has_moved_is_followed(name: str, outcome: OutcomeClass, fields: dict[str, Any], follows: Again | Enough) -> None:
    found = message(**{"lane": NOTICE, **fields})
    assert after_receipts(found, failed(found, outcome), NOW, MOVED_TO) == follows


def test_a_number_that_has_moved_is_followed_past_what_was_tried() -> None:
    found = message(NOTICE, attempts=2, connector_id="x")
    rows = [
        *failed(found, O.PORTED),
        SAMPLES.submission(found, attempt=2, connector_id="x", status=S.UNDELIVERED, receipt_status="UNDELIV", outcome=O.PORTED),
    ]
    assert after_receipts(found, rows, NOW, MOVED_TO) == at("b")


def test_a_refusal_that_says_so_is_followed_too_and_its_connector_stays_when_it_is_busy() -> None:
    found = message(NOTICE)
    refused = [SAMPLES.submission(found, attempt=1, connector_id="a", status=S.REFUSED, outcome=O.PORTED)]
    assert after_refusal(found, refused, NOW, None, MOVED_TO) == at("x")
    moved = message(NOTICE, attempts=2, connector_id="x")
    busy = [*refused, SAMPLES.submission(moved, attempt=2, connector_id="x", status=S.REFUSED, outcome=O.CARRIER_ERROR)]
    assert after_refusal(moved, busy, NOW, PAUSE, MOVED_TO) == at("x", seconds=10)
