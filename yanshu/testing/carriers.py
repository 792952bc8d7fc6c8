"""A carrier in memory, for tests of the stages above: answers as told, keeps what it was given."""

import asyncio
from collections.abc import Callable, Sequence

from yanshu.domain import ids
from yanshu.domain.connectors import LinkState
from yanshu.domain.messages import Message
from yanshu.domain.submissions import Answer, AnswerResult, InboundPart, Receipt, ReceiptState
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock

Script = Callable[[Message], AnswerResult]


def always(result: AnswerResult) -> Script:
    """Answer every message alike."""
    return lambda _: result


class ScriptedCarrier:
    """See `ports.carrier.Carrier`. `script` decides every answer; `submitted` keeps every message written, in order."""

    def __init__(self, connector_id: str, intake: Intake, clock: Clock, script: Script | None = None, window: int = 1000) -> None:
        self.connector_id = connector_id
        self.script = script or always(AnswerResult.ACCEPTED)
        self.submitted: list[Message] = []
        self.up = True
        self.stored: list[bool] = []
        self._intake = intake
        self._clock = clock
        self._window = window
        self._stopped = asyncio.Event()

    @property
    def state(self) -> LinkState:
        """Up unless told otherwise."""
        return LinkState.UP if self.up else LinkState.DOWN

    def free(self, reserve: int = 0) -> int:
        """The whole window: answers come at once."""
        return self._window - reserve if self.up else 0

    def submit(self, messages: Sequence[Message]) -> None:
        """Answer each segment of each message as the script says."""
        self.submitted += messages
        now = self._clock.now()
        answers = []
        for message in messages:
            result = self.script(message)
            for segment in range(1, message.segments + 1):
                ident = carrier_id(message, segment) if result is AnswerResult.ACCEPTED else None
                code = None if result is AnswerResult.ACCEPTED else "0x00000008"
                place = (message.id, message.attempts, segment, message.segments, self.connector_id)
                answers.append(Answer(*place, result, now, ident, code))
        self._intake.answered(answers)

    async def run(self) -> None:
        """Be up until stopped."""
        self._intake.link_changed(self.connector_id, self.state, "scripted")
        await self._stopped.wait()

    async def stop(self, budget_seconds: float) -> None:
        """Stop at once; nothing is outstanding."""
        del budget_seconds
        self._stopped.set()

    def report(self, message: Message, state: ReceiptState = ReceiptState.DELIVERED, segment: int = 1, err: str = "000") -> None:
        """Send the receipt of one segment, with this error."""
        now = self._clock.now()
        receipt = Receipt(
            id=ids.make_id(ids.RECEIPT, now, self._clock.entropy(10)),
            connector_id=self.connector_id,
            keys=(carrier_id(message, segment),),
            recipient=message.recipient,
            state=state,
            stat=state.value.upper(),
            err=err,
            text="",
            done_at=now,
            arrived_at=now,
        )
        self._intake.arrived([receipt], self.stored.append)

    def write_to_us(self, sender: str, recipient: str, text: str) -> None:
        """Send an MO of one part."""
        now = self._clock.now()
        ident = ids.make_id(ids.INBOUND, now, self._clock.entropy(10))
        part = InboundPart(
            id=ident,
            connector_id=self.connector_id,
            sender=sender,
            recipient=recipient,
            text=text,
            raw=text.encode(),
            part=1,
            parts=1,
            reference=0,
            arrived_at=now,
        )
        self._intake.arrived([part], self.stored.append)


def carrier_id(message: Message, segment: int) -> str:
    """The id the carrier gives a segment: like a real one, different for every attempt."""
    return f"{message.id.lower()}-{message.attempts}-{segment}"
