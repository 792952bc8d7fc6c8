"""What is counted of answers and receipts, and what of it speaks against a connector."""

import pytest
from msgspec import structs

from yanshu.domain.health import Counts
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import AnswerResult
from yanshu.rules.routing.limits import Limits
from yanshu.rules.routing.tallies import Place, Tallies, Told, merged, sums

AT = 1_764_064_800
TOLD = Told("a", "cmcc", "+8613800138000", is_otp=False)
HERE = Place("a", "cmcc", AT)


def told(**fields: int) -> dict[str, int]:
    return {name: fields.get(name, 0) for name in Counts.__struct_fields__}


def counted(tallies: Tallies) -> dict[str, int]:
    return structs.asdict(merged(tally for _, tally in tallies.items()).counts)


ANSWERS = [
    (AnswerResult.ACCEPTED, None, told(accepted=1, answers=1, owed=1)),
    (AnswerResult.BUSY, None, told(busy=1, answers=1, answer_errors=1)),
    (AnswerResult.UNANSWERED, None, told(unanswered=1, answers=1, answer_errors=1)),
    (AnswerResult.REFUSED, None, told(refused=1, answers=1, answer_errors=1)),
    (AnswerResult.REFUSED, OutcomeClass.NOT_ORDERED, told(refused=1, answers=1, answer_errors=1)),
    (AnswerResult.REFUSED, OutcomeClass.INVALID_NUMBER, told(refused=1, answers=1)),
    (AnswerResult.REFUSED, OutcomeClass.CONTENT_BLOCKED, told(refused=1, answers=1)),
    (AnswerResult.BUSY, OutcomeClass.FREQUENCY, told(busy=1, answers=1)),
    (AnswerResult.THROTTLED, None, told()),
    (AnswerResult.UNSENT, None, told()),
]


@pytest.mark.parametrize(("result", "outcome", "counts"), ANSWERS)
def test_an_answer_is_counted(result: AnswerResult, outcome: OutcomeClass | None, counts: dict[str, int]) -> None:
    tallies = Tallies(Limits())
    tallies.answered(TOLD, result, outcome, 0.03, AT + 9)
    assert counted(tallies) == counts


RECEIPTS = [
    (OutcomeClass.DELIVERED, told(delivered=1, receipts=1)),
    (OutcomeClass.INVALID_NUMBER, told(failed=1, receipts=1)),
    (OutcomeClass.BLACKLIST, told(failed=1, receipts=1)),
    (OutcomeClass.OFF_OR_UNREACHABLE, told(failed=1, receipts=1)),
    (OutcomeClass.EXPIRED, told(failed=1, receipts=1)),
    (OutcomeClass.PORTED, told(failed=1, receipts=1)),
    (OutcomeClass.CARRIER_ERROR, told(failed=1, receipts=1, receipt_errors=1)),
    (OutcomeClass.UNKNOWN, told(failed=1, receipts=1, receipt_errors=1)),
]


@pytest.mark.parametrize(("outcome", "counts"), RECEIPTS)
def test_a_receipt_is_counted(outcome: OutcomeClass, counts: dict[str, int]) -> None:
    tallies = Tallies(Limits())
    tallies.reported(TOLD, outcome, AT, AT + 2)
    assert counted(tallies) == {**counts, "prompt": 1}


PAID = [
    ("in time", OutcomeClass.DELIVERED, False, 300, told(owed=1, prompt=1)),
    ("late", OutcomeClass.DELIVERED, False, 301, told(owed=1)),
    ("late by the carrier's fault", OutcomeClass.CARRIER_ERROR, False, 301, told(owed=1)),
    ("late since the phone was off", OutcomeClass.OFF_OR_UNREACHABLE, False, 301, told()),
    ("in time for a one-time password", OutcomeClass.DELIVERED, True, 20, told(owed=1, prompt=1, owed_otp=1, prompt_otp=1)),
    ("late for a one-time password", OutcomeClass.DELIVERED, True, 21, told(owed=1, prompt=1, owed_otp=1)),
    ("late for one since the phone was off", OutcomeClass.OFF_OR_UNREACHABLE, True, 21, told(owed=1, prompt=1)),
]


@pytest.mark.parametrize(("outcome", "is_otp", "waited", "owed"), [row[1:] for row in PAID], ids=[row[0] for row in PAID])
def test_a_receipt_is_owed_since_the_submit_was_accepted(outcome: OutcomeClass, is_otp: bool, waited: int, owed: dict[str, int]) -> None:
    tallies = Tallies(Limits())
    which = TOLD._replace(is_otp=is_otp)
    tallies.answered(which, AnswerResult.ACCEPTED, None, 0.03, AT)
    tallies.reported(which, outcome, AT, AT + waited)
    found = structs.asdict(dict(tallies.items())[HERE].counts)
    assert {name: found[name] for name in ("owed", "prompt", "owed_otp", "prompt_otp")} == {
        name: owed[name] for name in ("owed", "prompt", "owed_otp", "prompt_otp")
    }


def test_a_number_that_fails_again_and_again_tells_it_once() -> None:
    tallies = Tallies(Limits())
    for second in range(0, 500, 5):
        tallies.answered(TOLD, AnswerResult.BUSY, None, 0.03, AT + second)
        tallies.reported(TOLD, OutcomeClass.CARRIER_ERROR, AT, AT + second)
    found = counted(tallies)
    assert (found["busy"], found["answers"] + found["receipts"], found["answer_errors"] + found["receipt_errors"]) == (100, 1, 1)
    tallies.answered(TOLD._replace(recipient="+8613800138001"), AnswerResult.BUSY, None, 0.03, AT)
    tallies.answered(TOLD, AnswerResult.BUSY, None, 0.03, AT + 600)
    assert counted(tallies)["answer_errors"] == 3


def test_classes_and_waits_are_kept_for_people() -> None:
    tallies = Tallies(Limits())
    tallies.answered(TOLD, AnswerResult.BUSY, None, 0.03, AT)
    tallies.answered(TOLD, AnswerResult.ACCEPTED, None, 99.0, AT)
    tallies.reported(TOLD, OutcomeClass.BLACKLIST, AT, AT + 1)
    tally = dict(tallies.items())[HERE]
    assert tally.classes == {OutcomeClass.UNKNOWN: 1, OutcomeClass.BLACKLIST: 1}
    assert tally.answer_waits == [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert tally.receipt_waits[0] == sum(tally.receipt_waits) == 1


def test_counts_are_added_up_over_a_time() -> None:
    rows = [(second, Counts(answers=1, answer_errors=2)) for second in range(0, 100, 10)]
    assert sums(rows, 20, 50, "answers", "answer_errors") == (3, 6)
    assert sums(rows, 91, 200, "answers", "answer_errors") == (0, 0)


def test_what_changed_is_returned_once() -> None:
    tallies = Tallies(Limits())
    tallies.answered(TOLD, AnswerResult.ACCEPTED, None, 0.03, AT)
    assert list(tallies.changed()) == [HERE]
    assert tallies.changed() == {}
    tallies.put_back([HERE])
    assert list(tallies.changed()) == [HERE]


def test_old_buckets_are_forgotten_and_those_of_a_clock_that_ran_ahead() -> None:
    tallies = Tallies(Limits())
    for second in (AT, AT + 2000, AT + 5000):
        tallies.answered(TOLD, AnswerResult.ACCEPTED, None, 0.03, second)
    tallies.forget(AT + 2500)
    assert [place.starts for place, _ in tallies.items()] == [AT + 2000]
    tallies.put_back([HERE])
    assert [place.starts for place in tallies.changed()] == [AT + 2000]
