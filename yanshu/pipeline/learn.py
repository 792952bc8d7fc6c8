"""Learn: what became of messages is told to `Numbers`, in the words it understands."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from yanshu.domain.lessons import Heard
from yanshu.domain.messages import Message
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Submission, SubmissionStatus
from yanshu.pipeline.numbers import Effect, Numbers
from yanshu.pipeline.route import Router
from yanshu.ports.store import UnitOfWork

Said = tuple[Message, Submission]
"""A message, and a segment of it on which the carrier has said its last word."""


class Learner:
    """Hears what carriers say of segments."""

    def __init__(self, numbers: Numbers, router: Router) -> None:
        self._numbers = numbers
        self._router = router

    async def take(self, uow: UnitOfWork, said: Sequence[Said], now: datetime) -> Counter[Effect]:
        """Learn from a chunk within the transaction that stores it; `taken` is called once that is committed.

        What arrived is worth hearing only where there is something to confirm: as long as nothing was learned, it costs nothing.
        """
        knows_any = self._numbers.knows_any
        heard = [
            self._heard(message, row, now)
            for message, row in said
            if message.livemode and (knows_any or row.status is not SubmissionStatus.DELIVERED)
        ]
        return await self._numbers.learn(uow, heard) if heard else Counter()

    def taken(self, effects: Counter[Effect]) -> None:
        """What `take` has learned is in the store."""
        self._numbers.learned(effects)

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
