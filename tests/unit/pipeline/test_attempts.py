"""What is told of attempts: the carrier's words, what they mean, what followed, and what arrived after all."""

from typing import Any, ClassVar

import pytest

from yanshu.domain.events import Event
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Submission, SubmissionStatus
from yanshu.pipeline.attempts import Attempts
from yanshu.pipeline.resend import Enough
from yanshu.testing.causes import shipped_causes
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

S = SubmissionStatus
SAMPLES = Samples(FakeClock())
MESSAGE = SAMPLES.message(attempts=2)


class Site:
    """A router that knows two connectors."""

    connectors: ClassVar = {
        "con_one": SAMPLES.connector(id="con_one", name="Mobile", protocol="cmpp"),
        "con_two": SAMPLES.connector(id="con_two", name="Unicom", protocol="sgip"),
    }

    def serves(self, connector_id: str) -> Operator | None:
        return None


ATTEMPTS = Attempts(Site(), shipped_causes(Site()))


def row(attempt: int, status: SubmissionStatus, stat: str | None = None, **fields: Any) -> Submission:
    connector_id = ("con_one", "con_two")[attempt - 1]
    return SAMPLES.submission(MESSAGE, attempt=attempt, connector_id=connector_id, status=status, receipt_status=stat, **fields)


def followed(kind: str, **data: Any) -> Event:
    return SAMPLES.event(MESSAGE, type=kind, data=data)


FAILED = row(1, S.UNDELIVERED, "MK:0001", receipt_code="MK:0001", outcome=OutcomeClass.INVALID_NUMBER)
LATE, SECOND = row(1, S.DELIVERED, "DELIVRD"), row(2, S.ACCEPTED)
AGAIN = followed("message.queued", attempt=1, connector="con_two")

TOLD: list[tuple[str, list[Submission], list[Event], list[str]]] = [
    (
        "a refusal means something as well",
        [row(1, S.REFUSED, code="7", outcome=OutcomeClass.NOT_ORDERED)],
        [],
        [
            "Attempt 1, segment 1 of 1 over Mobile: refused (7). The contract does not cover it: service code, billing or login. "
            "Compare the connector's settings with the carrier. Who can act: connector."
        ],
    ),
    (
        "a receipt keeps its words, once",
        [FAILED],
        [followed("message.undelivered", attempt=1, resend=Enough.CLASS)],
        [
            "Attempt 1, segment 1 of 1 over Mobile: undelivered.",
            "Receipt for segment 1: MK:0001. Nobody has this number. Take it off your lists and ask for a new one. Who can act: recipient.",
            "It is not sent again: after such an outcome another attempt would end alike.",
        ],
    ),
    (
        "what followed stands between the attempts",
        [row(1, S.ACCEPTED), SECOND],
        [AGAIN],
        [
            "Attempt 1, segment 1 of 1 over Mobile: accepted.",
            "After that it is sent again over Unicom.",
            "Attempt 2, segment 1 of 1 over Unicom: accepted.",
        ],
    ),
    (
        "an attempt that arrived late",
        [LATE, SECOND],
        [],
        [
            "Attempt 1, segment 1 of 1 over Mobile: delivered.",
            "Receipt for segment 1: DELIVRD. It is on the phone.",
            "Attempt 2, segment 1 of 1 over Unicom: accepted.",
            "Attempt 1 was reported delivered after another had begun.",
        ],
    ),
]


@pytest.mark.parametrize(("name", "rows", "events", "told"), TOLD, ids=[case[0] for case in TOLD])
def test_it_is_told(name: str, rows: list[Submission], events: list[Event], told: list[str]) -> None:
    assert ATTEMPTS.tell(rows, events, "en") == told
    assert len(ATTEMPTS.tell(rows, events, "zh")) == len(told)


def test_who_has_it_twice_is_told_so_in_either_language() -> None:
    rows = [LATE, row(2, S.DELIVERED, "DELIVRD")]
    assert ATTEMPTS.tell(rows, [], "en")[-1] == "More than one attempt was delivered: the person has it more than once."
    assert ATTEMPTS.tell(rows, [], "zh-CN")[-1] == "不止一次提交已送达：对方收到了不止一份。"


@pytest.mark.parametrize("why", Enough)
@pytest.mark.parametrize(("language", "begins"), [("en", "It is not sent again: "), ("zh", "不再重发：")])
def test_every_reason_for_an_end_has_a_sentence(why: Enough, language: str, begins: str) -> None:
    assert ATTEMPTS.tell([FAILED], [followed("message.undelivered", attempt=1, resend=str(why))], language)[-1].startswith(begins)


@pytest.mark.parametrize("status", SubmissionStatus)
def test_every_status_has_a_word_in_chinese(status: SubmissionStatus) -> None:
    assert status not in ATTEMPTS.tell([row(1, status)], [], "zh")[0]


def test_the_data_has_both_codes_and_who_must_act() -> None:
    (shown,) = ATTEMPTS.show([FAILED], "zh")
    assert (shown["receipt"]["stat"], shown["meaning"]["class"], shown["meaning"]["owner"]) == ("MK:0001", "invalid_number", "recipient")
    assert shown["meaning"]["advice"] == "该号码为空号。请从名单中移除，并向对方索取新号码。"
