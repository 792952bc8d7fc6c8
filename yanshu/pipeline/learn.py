"""Learn: what became of messages is told to `Numbers`, in the words it understands."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from yanshu.domain.lessons import Heard
from yanshu.domain.messages import Message
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import AnswerResult, Receipt, ReceiptState, Submission, SubmissionStatus
from yanshu.pipeline.fold import Work
from yanshu.pipeline.moved import NOBODY_MOVED, Moved
from yanshu.pipeline.numbers import NOTHING_GAINED, Gained, Numbers
from yanshu.pipeline.progress import Reading
from yanshu.pipeline.route import Router
from yanshu.ports.store import UnitOfWork

Said = tuple[Message, Submission]
"""A message, and a segment of it on which the carrier has said its last word."""


Ported = tuple[str, str, str]
"""A number that has moved, the connector over which that was said, and the code."""


class Learner:
    """Hears what carriers say of segments."""

    def __init__(self, numbers: Numbers, router: Router) -> None:
        self._numbers = numbers
        self._router = router

    async def take(self, uow: UnitOfWork, said: Sequence[Said], now: datetime) -> Gained:
        """Learn from a chunk within the transaction that stores it; `taken` is called once that is committed.

        What arrived is worth hearing only where there is something to confirm.
        """
        may_know = self._numbers.may_know
        heard = [
            self._heard(message, row, now)
            for message, row in said
            if message.livemode and (row.status is not SubmissionStatus.DELIVERED or may_know(row.recipient))
        ]
        return await self._numbers.learn(uow, heard) if heard else NOTHING_GAINED

    async def moved(self, uow: UnitOfWork, work: Work, codes: Reading, now: datetime) -> Moved:
        """Return where the numbers may be whose operators have said, in this chunk, that they have moved."""
        said = [*_refusals(work, codes), *_receipts(work, codes)]
        if not said:
            return NOBODY_MOVED
        ported = [
            Heard(
                number=number,
                owner=self._numbers.owner_of(number),
                serves=self._router.serves(connector_id),
                outcome=OutcomeClass.PORTED,
                code=code,
                message_id="",
                at=now,
            )
            for number, connector_id, code in said
        ]
        return Moved(self._router, await self._numbers.homes_of(uow, ported))

    def taken(self, gained: Gained) -> None:
        """What `take` has learned is in the store."""
        self._numbers.learned(gained)

    def _heard(self, message: Message, row: Submission, now: datetime) -> Heard:
        return Heard(
            number=row.recipient,
            owner=self._numbers.owner_of(row.recipient),
            serves=self._router.serves(row.connector_id),
            outcome=OutcomeClass.DELIVERED if row.status is SubmissionStatus.DELIVERED else row.outcome or OutcomeClass.UNKNOWN,
            code=row.receipt_code or row.receipt_status or row.code or "",
            message_id=message.id,
            at=now,
        )


def _refusals(work: Work, codes: Reading) -> Iterator[Ported]:
    """Yield the numbers of submits that were refused since the number has moved."""
    for ident, answers in work.answers.items():
        for answer in answers:
            if answer.result is AnswerResult.ACCEPTED or answer.code is None or (message := work.flights.get(ident)) is None:
                continue
            if codes.of_answer(answer.connector_id, answer.result, answer.code).outcome is OutcomeClass.PORTED:
                yield message.recipient, answer.connector_id, answer.code


def _receipts(work: Work, codes: Reading) -> Iterator[Ported]:
    """Yield the numbers of receipts that say so."""
    for burst in work.bursts:
        for receipt in burst.arrivals:
            if not isinstance(receipt, Receipt) or receipt.state is ReceiptState.DELIVERED or receipt.recipient is None:
                continue
            found = codes.of_receipt(receipt.connector_id, receipt.recipient, receipt.stat, receipt.err)
            if found.outcome is OutcomeClass.PORTED:
                yield receipt.recipient, receipt.connector_id, receipt.err or receipt.stat
