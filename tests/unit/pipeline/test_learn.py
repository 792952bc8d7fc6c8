"""Of which numbers a chunk says that they have moved, and what is asked then: the answers and receipts that say so, and no others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import pytest

from yanshu.domain.lessons import Heard
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Answer, AnswerResult, Receipt, ReceiptState
from yanshu.pipeline.fold import Burst, Work
from yanshu.pipeline.learn import Learner
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.progress import Reading
from yanshu.pipeline.route import Router
from yanshu.ports.store import UnitOfWork
from yanshu.rules.routing.codes import Finding, Grounds
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

NUMBER = "+8613800138000"


class FakeCodes:
    """Every code that begins with P says that the number has moved."""

    def of_answer(self, connector_id: str, result: AnswerResult, code: str | None) -> Finding:
        return Finding(OutcomeClass.PORTED if code and code[0] == "P" else OutcomeClass.UNKNOWN, Grounds.LISTED)

    def of_receipt(self, connector_id: str, recipient: str, stat: str, err: str) -> Finding:
        return Finding(OutcomeClass.PORTED if err[0] == "P" else OutcomeClass.UNKNOWN, Grounds.LISTED)


class FakeNumbers:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Heard] = []

    def owner_of(self, number: str) -> Operator:
        return Operator.CMCC

    async def homes_of(self, uow: UnitOfWork, ported: Sequence[Heard]) -> dict[str, tuple[Operator, ...]]:
        self.asked += ported
        return {heard.number: (Operator.CTCC,) for heard in ported}


class FakeRouter:
    def serves(self, connector_id: str) -> Operator | None:
        return Operator.CMCC if connector_id == "con_one" else None


async def _asked(work: Work, now: datetime) -> list[tuple[str, Operator | None, str]]:
    numbers = FakeNumbers()
    learner = Learner(cast(Numbers, numbers), cast(Router, FakeRouter()))
    moved = await learner.moved(cast(UnitOfWork, None), work, cast(Reading, FakeCodes()), now)
    assert bool(moved) is bool(numbers.asked)
    return [(heard.number, heard.serves, heard.code) for heard in numbers.asked]


ANSWERS: list[tuple[str, AnswerResult, str | None, bool]] = [
    ("refused since it has moved", AnswerResult.REFUSED, "P1", True),
    ("refused for something else", AnswerResult.REFUSED, "X1", False),
    ("refused without a word", AnswerResult.REFUSED, None, False),
    ("taken", AnswerResult.ACCEPTED, "P1", False),
]


@pytest.mark.parametrize(("name", "result", "code", "said"), ANSWERS, ids=[case[0] for case in ANSWERS])
async def test_answers_that_say_that_a_number_has_moved_are_found(name: str, result: AnswerResult, code: str | None, said: bool) -> None:
    clock = FakeClock()
    message = Samples(clock).message(recipient=NUMBER)
    answer = Answer(message.id, 1, 1, 1, "con_one", result, clock.now(), None, code)
    known, gone = {message.id: message}, {}
    assert await _asked(Work({message.id: [answer]}, known, [], 1), clock.now()) == ([(NUMBER, Operator.CMCC, "P1")] if said else [])
    assert await _asked(Work({message.id: [answer]}, gone, [], 1), clock.now()) == []


RECEIPTS: list[tuple[str, dict[str, Any], bool]] = [
    ("that it has moved", {"err": "P1"}, True),
    ("something else", {"err": "X1"}, False),
    ("delivered, whatever stands beside it", {"err": "P1", "state": ReceiptState.DELIVERED}, False),
    ("of nobody knows whom", {"err": "P1", "recipient": None}, False),
]


@pytest.mark.parametrize(("name", "fields", "said"), RECEIPTS, ids=[case[0] for case in RECEIPTS])
async def test_receipts_that_say_so_are_found(name: str, fields: dict[str, Any], said: bool) -> None:
    clock = FakeClock()
    values = {"state": ReceiptState.UNDELIVERABLE, "stat": "UNDELIV", "recipient": NUMBER, "connector_id": "con_two"}
    receipt: Receipt = Samples(clock).receipt("k", **(values | fields))
    work = Work({}, {}, [Burst([receipt], lambda _: None, 0.0)], 1)
    assert await _asked(work, clock.now()) == ([(NUMBER, None, "P1")] if said else [])
