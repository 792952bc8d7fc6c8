"""What a message becomes when answers, receipts and deadlines come."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from msgspec.structs import replace

from yanshu.domain.connectors import Connector
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding, Message, Risk, Status
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Answer, AnswerResult, Receipt, ReceiptState, SubmissionStatus
from yanshu.pipeline.progress import Progress, Waits, carrier_key
from yanshu.pipeline.resend import next_candidate
from yanshu.testing.causes import shipped_causes

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
WAITS = Waits()


class Nobody:
    """A router that knows no connector: codes are read by the recipient's operator."""

    connectors: ClassVar[dict[str, Connector]] = {}

    def serves(self, connector_id: str) -> Operator | None:
        return None


class OneForAll(Nobody):
    """A router that knows a carrier which reports on one segment for all."""

    connectors: ClassVar[dict[str, Connector]] = {
        "con_a": Connector(
            id="con_a",
            name="a",
            protocol="cmpp",
            host="127.0.0.1",
            port=1,
            settings={"one_receipt": True},
            secret="",
            created_at=NOW,
            updated_at=NOW,
        )
    }


CODES = shipped_causes(Nobody())
S = ReceiptState


def message(**fields: object) -> Message:
    values: dict[str, object] = {
        "id": "msg_1",
        "workspace_id": "ws_1",
        "livemode": True,
        "lane": Lane.NOTICE,
        "recipient": "+8613800138000",
        "sender": "10690000",
        "text": "你好",
        "encoding": Encoding.UCS2,
        "units": 2,
        "segments": 1,
        "status": Status.SUBMITTING,
        "created_at": NOW,
        "updated_at": NOW,
        "expires_at": NOW + timedelta(hours=4),
        "due_at": NOW + timedelta(seconds=30),
        "connector_id": "con_a",
        "candidates": ("con_a", "con_b"),
        "attempts": 1,
        "version": 2,
    }
    return Message(**{**values, **fields})  # type: ignore[arg-type]


def answer(result: AnswerResult, *, segment: int = 1, total: int = 1, attempt: int = 1, code: str | None = None) -> Answer:
    ident = f"AB0{segment}" if result is AnswerResult.ACCEPTED else None
    return Answer("msg_1", attempt, segment, total, "con_a", result, NOW, ident, code)


def receipt(state: ReceiptState, stat: str = "DELIVRD") -> Receipt:
    return Receipt(
        id="rcp_1",
        connector_id="con_a",
        keys=("ab01",),
        recipient="+8613800138000",
        state=state,
        stat=stat,
        err="000",
        text="",
        done_at=NOW,
        arrived_at=NOW,
    )


R = AnswerResult
ANSWERS = [
    # name, message fields, results of the segments, status reached, reason, connector afterwards
    ("accepted", {}, [R.ACCEPTED], Status.SUBMITTED, None, "con_a"),
    ("refused goes to the next candidate", {}, [R.REFUSED], Status.QUEUED, None, "con_b"),
    ("refused by the last candidate fails", {"connector_id": "con_b"}, [R.REFUSED], Status.FAILED, "unknown", "con_b"),
    ("busy goes to the next candidate", {}, [R.BUSY], Status.QUEUED, None, "con_b"),
    ("busy at the last candidate waits", {"connector_id": "con_b"}, [R.BUSY], Status.SCHEDULED, "carrier_error", "con_a"),
    ("busy at the last attempt fails", {"attempts": 4}, [R.BUSY], Status.FAILED, "carrier_error", "con_a"),
    ("expired while refused fails", {"expires_at": NOW}, [R.BUSY], Status.FAILED, "carrier_error", "con_a"),
    ("throttled goes back to the queue", {}, [R.THROTTLED], Status.QUEUED, None, "con_a"),
    ("unsent goes back to the queue", {}, [R.UNSENT], Status.QUEUED, None, "con_a"),
    ("unanswered is unknown, not failed", {}, [R.UNANSWERED], Status.UNKNOWN, "submit_unanswered", "con_a"),
    ("one accepted segment makes it submitted", {"segments": 2}, [R.ACCEPTED, R.UNANSWERED], Status.SUBMITTED, None, "con_a"),
    ("one unanswered segment forbids failover", {"segments": 2}, [R.REFUSED, R.UNANSWERED], Status.UNKNOWN, "submit_unanswered", "con_a"),
]


@pytest.mark.parametrize(
    ("fields", "results", "status", "reason", "connector"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_answers_move_the_message_as_the_table_says(
    fields: dict[str, object], results: list[AnswerResult], status: Status, reason: str | None, connector: str
) -> None:
    start = message(**fields)
    progress = Progress(start, (), WAITS)
    attempt = start.attempts
    progress.answered([answer(r, segment=n, total=len(results), attempt=attempt) for n, r in enumerate(results, 1)], NOW, CODES)
    change = progress.change
    assert change is not None
    assert (change.status, change.reason_code, change.connector_id) == (status, reason, connector)


def test_a_throttled_submit_is_no_attempt_and_leaves_no_submission() -> None:
    progress = Progress(message(), (), WAITS)
    progress.answered([answer(R.THROTTLED, code="0x00000058")], NOW, CODES)
    assert progress.message.attempts == 0
    assert progress.submissions == {}


def test_answer_and_receipt_in_one_flush_make_one_change_and_two_events() -> None:
    progress = Progress(message(), (), WAITS)
    progress.answered([answer(R.ACCEPTED)], NOW, CODES)
    assert progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    change = progress.change
    assert change is not None
    assert (change.status, change.previous, change.due_at) == (Status.DELIVERED, Status.SUBMITTING, None)
    assert [step.type for step in progress.steps] == ["message.submitted", "message.delivered"]
    assert [step.seq for step in progress.steps] == [3, 4]


def test_a_repeated_receipt_changes_nothing() -> None:
    progress = Progress(message(), (), WAITS)
    progress.answered([answer(R.ACCEPTED)], NOW, CODES)
    progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    before = progress.change
    assert not progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    assert not progress.reported(receipt(ReceiptState.UNDELIVERABLE, "UNDELIV"), 1, 1, NOW, CODES)
    assert progress.change == before


def test_news_that_is_not_final_undoes_no_last_word_and_an_error_beside_delivered_is_none() -> None:
    progress = Progress(message(), (), WAITS)
    progress.answered([answer(R.ACCEPTED)], NOW, CODES)
    progress.reported(replace(receipt(ReceiptState.DELIVERED), err="069"), 1, 1, NOW, CODES)
    before = progress.change
    assert not progress.reported(receipt(ReceiptState.ACCEPTED, "ACCEPTD"), 1, 1, NOW, CODES)
    assert (progress.message.status, progress.change) == (Status.DELIVERED, before)


def test_a_late_delivery_corrects_an_undelivered_message_once() -> None:
    progress = Progress(message(lane=Lane.MARKETING), (), WAITS)
    progress.answered([answer(R.ACCEPTED)], NOW, CODES)
    progress.reported(receipt(ReceiptState.EXPIRED, "EXPIRED"), 1, 1, NOW, CODES)
    assert progress.message.status is Status.UNDELIVERED
    assert progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW + timedelta(hours=1), CODES)
    assert progress.message.status is Status.DELIVERED
    assert progress.steps[-1].type == "message.corrected"


def test_a_correction_later_than_its_window_is_not_taken() -> None:
    progress = Progress(message(lane=Lane.MARKETING), (), WAITS)
    progress.answered([answer(R.ACCEPTED)], NOW, CODES)
    progress.reported(receipt(ReceiptState.EXPIRED, "EXPIRED"), 1, 1, NOW, CODES)
    progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW + timedelta(hours=73), CODES)
    assert progress.message.status is Status.UNDELIVERED


def test_segments_decide_together() -> None:
    progress = Progress(message(segments=3), (), WAITS)
    progress.answered([answer(R.ACCEPTED, segment=n, total=3) for n in (1, 2, 3)], NOW, CODES)
    progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    assert progress.message.status is Status.PARTIALLY_DELIVERED
    progress.reported(receipt(ReceiptState.DELIVERED), 1, 3, NOW, CODES)
    assert progress.message.status is Status.PARTIALLY_DELIVERED
    progress.reported(receipt(ReceiptState.UNDELIVERABLE, "UNDELIV"), 1, 2, NOW, CODES)
    assert progress.message.status is Status.UNDELIVERED


def test_partly_reported_ends_delivered_when_nothing_failed() -> None:
    progress = Progress(message(segments=2), (), WAITS)
    progress.answered([answer(R.ACCEPTED, segment=n, total=2) for n in (1, 2)], NOW, CODES)
    progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    progress.overdue(NOW + WAITS.partial)
    assert progress.message.status is Status.DELIVERED


ONE_FOR_ALL = [
    ("the first, delivered", [(1, S.DELIVERED, "DELIVRD")], Status.DELIVERED),
    ("the last, delivered", [(3, S.DELIVERED, "DELIVRD")], Status.DELIVERED),
    ("one that failed", [(1, S.UNDELIVERABLE, "MK:0001")], Status.UNDELIVERED),
    ("one that failed and was delivered late", [(2, S.UNDELIVERABLE, "MK:0001"), (2, S.DELIVERED, "DELIVRD")], Status.DELIVERED),
    ("one that is not final", [(1, S.ACCEPTED, "ACCEPTD")], Status.SUBMITTED),
]


@pytest.mark.parametrize(("name", "reports", "status"), ONE_FOR_ALL, ids=[case[0] for case in ONE_FOR_ALL])
def test_one_receipt_counts_for_all_segments_where_the_connector_says_so(
    name: str, reports: list[tuple[int, ReceiptState, str]], status: Status
) -> None:
    progress = Progress(message(segments=3), (), WAITS)
    codes = shipped_causes(OneForAll())
    progress.answered([answer(R.ACCEPTED, segment=part, total=3) for part in (1, 2, 3)], NOW, codes)
    for segment, state, stat in reports:
        assert progress.reported(receipt(state, stat), 1, segment, NOW, codes)
    assert progress.message.status is status
    assert {row.receipt_status for row in progress.submissions.values()} == {None, reports[-1][2]}


DEADLINES = [
    ("scheduled starts", {"status": Status.SCHEDULED}, NOW, Status.QUEUED, None),
    ("scheduled too long expires", {"status": Status.SCHEDULED, "expires_at": NOW}, NOW, Status.EXPIRED, "validity_passed"),
    ("queued too long expires", {"status": Status.QUEUED}, NOW, Status.EXPIRED, "validity_passed"),
    ("a lease that ran out is unknown", {}, NOW, Status.UNKNOWN, "submit_unanswered"),
    ("no receipt came", {"status": Status.SUBMITTED}, NOW, Status.UNDELIVERED, "no_receipt"),
    ("unknown for ever", {"status": Status.UNKNOWN}, NOW, Status.UNDELIVERED, "outcome_unknown"),
]


@pytest.mark.parametrize(("fields", "now", "status", "reason"), [row[1:] for row in DEADLINES], ids=[row[0] for row in DEADLINES])
def test_every_open_status_has_a_deadline_and_a_next_state(
    fields: dict[str, object], now: datetime, status: Status, reason: str | None
) -> None:
    progress = Progress(message(**fields), (), WAITS)
    progress.overdue(now)
    assert (progress.message.status, progress.message.reason_code) == (status, reason)


def test_an_unanswered_otp_is_sent_again_only_where_the_risk_was_accepted() -> None:
    fields = {"lane": Lane.OTP, "expires_at": NOW + timedelta(minutes=5)}
    risky = Progress(message(**fields, risk=Risk.BEST_EFFORT), (), WAITS)
    risky.answered([answer(R.UNANSWERED)], NOW, CODES)
    assert risky.message.due_at == NOW + timedelta(seconds=15)
    risky.overdue(NOW + timedelta(seconds=15))
    assert (risky.message.status, risky.message.duplicates_possible, risky.message.connector_id) == (Status.QUEUED, True, "con_b")
    careful = Progress(message(**fields), (), WAITS)
    careful.answered([answer(R.UNANSWERED)], NOW, CODES)
    assert careful.message.due_at == NOW + timedelta(hours=24)


def test_the_late_answer_of_a_given_up_attempt_does_not_queue_the_message_again() -> None:
    progress = Progress(message(attempts=2), (), WAITS)
    progress.answered([answer(R.REFUSED, attempt=1)], NOW, CODES)
    assert progress.change is None


def test_candidates_are_tried_in_order() -> None:
    assert next_candidate(message()) == "con_b"
    assert next_candidate(message(connector_id="con_b")) is None
    assert next_candidate(message(connector_id="con_x")) is None


def failing(stat: str, err: str = "") -> Receipt:
    return replace(receipt(ReceiptState.UNDELIVERABLE, stat), err=err)


def submitted(**fields: object) -> Progress:
    """A message whose first attempt over con_a has been accepted."""
    progress = Progress(message(**fields), (), WAITS)
    total = progress.message.segments
    progress.answered([answer(R.ACCEPTED, segment=n, total=total) for n in range(1, total + 1)], NOW, CODES)
    return progress


def resubmitted(progress: Progress) -> Progress:
    """The same when its next attempt has been claimed, and accepted."""
    claimed = replace(progress.message, status=Status.SUBMITTING, attempts=2, version=progress.message.version + 1)
    again = Progress(claimed, tuple(progress.submissions.values()), WAITS)
    again.answered([replace(answer(R.ACCEPTED, attempt=2), connector_id="con_b")], NOW, CODES)
    return again


def test_a_fault_of_the_carrier_queues_it_for_another_connector() -> None:
    progress = submitted()
    progress.reported(failing("UNDELIV", "CB:0018"), 1, 1, NOW, CODES)
    change, step = progress.change, progress.steps[-1]
    assert change is not None
    assert (change.status, change.connector_id, change.due_at, change.reason_code) == (Status.QUEUED, "con_b", change.expires_at, None)
    assert step.type == "message.queued"
    told = {"because": "undelivered", "class": "carrier_error", "attempt": 1, "from_connector": "con_a", "code": "CB:0018"}
    assert told.items() <= step.data.items()
    assert progress.failed == (OutcomeClass.CARRIER_ERROR, True)


def test_a_phone_that_is_off_is_tried_again_later_over_the_same_connector() -> None:
    progress = submitted()
    progress.reported(failing("UNDELIV", "MK:0024"), 1, 1, NOW, CODES)
    found = progress.message
    assert (found.status, found.connector_id, found.due_at) == (Status.SCHEDULED, "con_a", NOW + timedelta(minutes=30))
    assert (found.reason_code, found.reason_raw) == ("off_or_unreachable", "UNDELIV MK:0024")
    progress.overdue(NOW + timedelta(minutes=30))
    assert (progress.message.status, progress.message.reason_code) == (Status.QUEUED, None)


def test_a_dead_number_ends_it_with_the_class_as_its_reason() -> None:
    progress = submitted()
    progress.reported(failing("MK:0001", "MK:0001"), 1, 1, NOW, CODES)
    assert (progress.message.status, progress.message.reason_code, progress.message.reason_raw) == (
        Status.UNDELIVERED,
        "invalid_number",
        "MK:0001",
    )
    assert progress.steps[-1].data["resend"] == "class"
    assert progress.submissions[1, 1].outcome is OutcomeClass.INVALID_NUMBER


def test_news_that_never_came_is_no_failure_to_act_on() -> None:
    progress = submitted()
    progress.reported(failing("MC:0151"), 1, 1, NOW, CODES)
    assert progress.message.status is Status.UNDELIVERED
    assert progress.submissions[1, 1].status is SubmissionStatus.UNCLEAR
    assert progress.steps[-1].data["resend"] == "unproven"
    risky = submitted(risk=Risk.BEST_EFFORT)
    risky.reported(failing("IA:0054"), 1, 1, NOW, CODES)
    assert (risky.message.status, risky.message.connector_id, risky.message.duplicates_possible) == (Status.QUEUED, "con_b", True)


def test_a_late_delivery_calls_a_waiting_resend_off() -> None:
    progress = submitted()
    progress.reported(failing("UNDELIV", "CB:0018"), 1, 1, NOW, CODES)
    progress.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    found = progress.message
    assert (found.status, found.duplicates_possible, found.due_at) == (Status.DELIVERED, False, None)


def test_a_late_delivery_after_another_attempt_began_says_that_it_may_arrive_twice() -> None:
    progress = submitted()
    progress.reported(failing("UNDELIV", "CB:0018"), 1, 1, NOW, CODES)
    again = resubmitted(progress)
    again.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    assert (again.message.status, again.message.duplicates_possible) == (Status.DELIVERED, True)
    assert again.reported(receipt(ReceiptState.DELIVERED), 2, 1, NOW, CODES), "kept, so that it can be explained"
    assert {row.status for row in again.submissions.values()} == {SubmissionStatus.DELIVERED}
    assert [step.type for step in again.steps] == ["message.submitted", "message.delivered"]


def test_a_second_bad_report_on_an_earlier_attempt_changes_nothing() -> None:
    progress = submitted()
    progress.reported(failing("UNDELIV", "CB:0018"), 1, 1, NOW, CODES)
    again = resubmitted(progress)
    before = again.message
    assert not again.reported(failing("UNDELIV", "MK:0001"), 1, 1, NOW, CODES)
    assert again.message is before


def test_a_resend_that_nobody_takes_ends_undelivered_and_may_still_be_corrected() -> None:
    progress = submitted()
    progress.reported(failing("UNDELIV", "CB:0018"), 1, 1, NOW, CODES)
    claimed = replace(progress.message, status=Status.SUBMITTING, attempts=2)
    again = Progress(claimed, tuple(progress.submissions.values()), WAITS)
    again.answered([replace(answer(R.REFUSED, attempt=2, code="0x0000000b"), connector_id="con_b")], NOW, CODES)
    assert (again.message.status, again.message.reason_code) == (Status.UNDELIVERED, "param")
    again.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    assert (again.message.status, again.message.duplicates_possible) == (Status.DELIVERED, False)
    assert again.steps[-1].type == "message.corrected"


def test_a_refusal_after_an_unanswered_attempt_leaves_the_end_open_to_a_late_receipt() -> None:
    fields = {"lane": Lane.OTP, "risk": Risk.BEST_EFFORT, "expires_at": NOW + timedelta(minutes=5)}
    first = Progress(message(**fields), (), WAITS)
    first.answered([answer(R.UNANSWERED)], NOW, CODES)
    first.overdue(NOW + WAITS.unknown_resend)
    claimed = replace(first.message, status=Status.SUBMITTING, attempts=2)
    again = Progress(claimed, tuple(first.submissions.values()), WAITS)
    again.answered([replace(answer(R.REFUSED, attempt=2), connector_id="con_b")], NOW, CODES)
    assert again.message.status is Status.UNDELIVERED
    again.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    assert (again.message.status, again.message.duplicates_possible) == (Status.DELIVERED, True)


def test_a_long_text_is_sent_again_only_when_no_segment_arrived() -> None:
    lost = submitted(segments=2)
    lost.reported(failing("UNDELIV", "CB:0018"), 1, 1, NOW, CODES)
    assert lost.message.status is Status.SUBMITTED
    lost.reported(failing("UNDELIV", "CB:0018"), 1, 2, NOW, CODES)
    assert lost.message.status is Status.QUEUED
    torn = submitted(segments=2)
    torn.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    torn.reported(failing("UNDELIV", "CB:0018"), 1, 2, NOW, CODES)
    assert (torn.message.status, torn.steps[-1].data["resend"]) == (Status.UNDELIVERED, "partly_delivered")
    risky = submitted(segments=2, risk=Risk.BEST_EFFORT)
    risky.reported(receipt(ReceiptState.DELIVERED), 1, 1, NOW, CODES)
    risky.reported(failing("UNDELIV", "CB:0018"), 1, 2, NOW, CODES)
    assert (risky.message.status, risky.message.duplicates_possible) == (Status.QUEUED, True)


def test_a_last_word_on_one_of_two_segments_guards_the_message() -> None:
    progress = submitted(segments=2)
    stored = Progress(progress.message, tuple(progress.submissions.values()), WAITS)
    stored.reported(failing("UNDELIV", "CB:0018"), 1, 1, NOW, CODES)
    change = stored.change
    assert change is not None
    assert (change.status, change.previous, change.version) == (Status.SUBMITTED, Status.SUBMITTED, change.expected + 1)
    assert stored.steps == []


@pytest.mark.parametrize(("raw", "key"), [("00AB", "ab"), ("1001", "1001"), ("000", "0"), ("", None), (None, None)])
def test_carrier_ids_have_one_normal_form(raw: str | None, key: str | None) -> None:
    assert carrier_key(raw) == key
