"""Progress: what a message becomes when answers, receipts or deadlines come. Pure; stages store what it says.

A `Progress` holds one message while a stage folds facts into it. However many facts it takes, it ends in at most one
guarded `Change`, the submissions that changed, and one event per step a person may ask about.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain.lanes import MAX_ATTEMPTS, RECEIPT_WAIT, Lane
from yanshu.domain.messages import CORRECTION_WINDOW, FINALS, OUTCOME_UNKNOWN, Change, Message, Risk, Status, may_move
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Answer, AnswerResult, Receipt, ReceiptState, Submission, SubmissionStatus
from yanshu.pipeline.resend import ANYWHERE, Again, Enough, after_receipts, after_refusal, decisive, next_candidate
from yanshu.rules.routing.codes import Finding


class Waits(Struct, frozen=True):
    """How long each open state may last."""

    receipt: timedelta = timedelta(hours=72)
    unknown: timedelta = timedelta(hours=24)
    unknown_resend: timedelta = timedelta(seconds=15)
    partial: timedelta = timedelta(minutes=10)
    retry: timedelta = timedelta(seconds=10)


class Step(Struct, frozen=True):
    """One thing worth an event: its type and what it tells."""

    type: str
    seq: int
    data: dict[str, Any]


class Failed(NamedTuple):
    """That the present attempt failed: as what, and whether another follows."""

    outcome: OutcomeClass
    is_resent: bool


class Reading(Protocol):
    """Who reads the codes of carriers: `pipeline.causes`."""

    def of_answer(self, connector_id: str, result: AnswerResult, code: str | None) -> Finding:
        """Return why a submit was not taken."""

    def of_receipt(self, connector_id: str, recipient: str, stat: str, err: str) -> Finding:
        """Return what a receipt means."""

    def one_receipt(self, connector_id: str) -> bool:
        """Whether the carrier reports on one segment of a long text for all of them."""


_ANSWER_STATUS: dict[AnswerResult, SubmissionStatus] = {
    AnswerResult.ACCEPTED: SubmissionStatus.ACCEPTED,
    AnswerResult.REFUSED: SubmissionStatus.REFUSED,
    AnswerResult.BUSY: SubmissionStatus.REFUSED,
    AnswerResult.UNANSWERED: SubmissionStatus.UNANSWERED,
    # Only beside accepted siblings: this segment will never arrive, and the message must not pass for complete.
    AnswerResult.THROTTLED: SubmissionStatus.REFUSED,
    AnswerResult.UNSENT: SubmissionStatus.REFUSED,
}

_NOT_TAKEN = frozenset({AnswerResult.THROTTLED, AnswerResult.UNSENT})
_OPEN = frozenset({SubmissionStatus.ACCEPTED, SubmissionStatus.UNANSWERED})
_REPORTED_LOST = frozenset({SubmissionStatus.UNDELIVERED, SubmissionStatus.UNCLEAR})
_LOST = _REPORTED_LOST | {SubmissionStatus.REFUSED}
# Statuses in which a receipt may fold into the row of a segment without moving the message.
_AWAITING = frozenset({Status.SUBMITTED, Status.PARTIALLY_DELIVERED})


class Progress:
    """One message and its submissions while facts are folded in.

    `reach` is what is known of where it can go, should this attempt fail.
    """

    __slots__ = ("_start", "_waits", "changed", "failed", "message", "reach", "steps", "submissions")

    def __init__(self, message: Message, submissions: Sequence[Submission], waits: Waits) -> None:
        self._start = message
        self._waits = waits
        self.message = message
        self.submissions = {(s.attempt, s.segment): s for s in submissions}
        self.changed: set[tuple[int, int]] = set()
        self.steps: list[Step] = []
        self.failed: Failed | None = None
        self.reach = ANYWHERE

    @property
    def change(self) -> Change | None:
        """The guarded update that all facts together make, or None when they changed nothing."""
        message, start = self.message, self._start
        if message is start:
            return None
        return Change(
            message_id=message.id,
            expected=start.version,
            version=message.version,
            batch_id=message.batch_id,
            previous=start.status,
            status=message.status,
            updated_at=message.updated_at,
            due_at=message.due_at,
            expires_at=message.expires_at,
            send_at=message.send_at,
            submitted_at=message.submitted_at,
            done_at=message.done_at,
            connector_id=message.connector_id,
            attempts=message.attempts,
            reason_code=message.reason_code,
            reason_raw=message.reason_raw,
            duplicates_possible=message.duplicates_possible,
        )

    def move(self, status: Status, now: datetime, *, note: dict[str, Any] | None = None, **fields: Any) -> bool:
        """Take one step of the transition table; False (and nothing done) when the table has no such step."""
        previous = self.message.status
        if not may_move(previous, status):
            return False
        if status in FINALS:
            fields.setdefault("due_at", None)
            fields.setdefault("done_at", now)
        corrected = previous in FINALS
        self.message = replace(self.message, status=status, updated_at=now, version=self.message.version + 1, **fields)
        data: dict[str, Any] = {"status": status, "previous": previous, "connector": self.message.connector_id}
        if self.message.reason_code:
            data["reason"] = self.message.reason_code
        data.update(note or {})
        self.steps.append(Step("message.corrected" if corrected else f"message.{status}", self.message.version, data))
        return True

    def answered(self, answers: Sequence[Answer], now: datetime, codes: Reading, *, decides: bool = True) -> None:
        """Fold in all answers of one attempt (one a PDU); unless it `decides`, only that it was accepted changes the message."""
        results = {answer.result for answer in answers}
        for answer in answers:
            if answer.result not in _NOT_TAKEN or AnswerResult.ACCEPTED in results:
                self._keep_answer(answer, codes)
        code = next((a.code for a in answers if a.result is not AnswerResult.ACCEPTED and a.code), None)
        if AnswerResult.ACCEPTED in results:
            self._submitted(now)
        elif not decides or answers[0].attempt != self.message.attempts:
            return  # the end of an attempt that has been given up already decides nothing
        elif AnswerResult.UNANSWERED in results:
            self.unanswered(now)
        elif results <= _NOT_TAKEN:
            self._put_back(now, code)
        else:
            self._not_accepted(now, code, permanent=AnswerResult.REFUSED in results)

    def _keep_answer(self, answer: Answer, codes: Reading) -> None:
        """Make or update the submission of one segment. A message of which nothing was taken was no attempt and leaves no row."""
        key = (answer.attempt, answer.segment)
        known = self.submissions.get(key)
        if known is not None and known.status not in (SubmissionStatus.UNANSWERED,):
            return
        status, outcome = _ANSWER_STATUS[answer.result], None
        if status is SubmissionStatus.REFUSED:
            outcome = codes.of_answer(answer.connector_id, answer.result, answer.code).outcome
        self.submissions[key] = Submission(
            message_id=answer.message_id,
            attempt=answer.attempt,
            segment=answer.segment,
            total=answer.total,
            connector_id=answer.connector_id,
            recipient=self.message.recipient,
            status=status,
            answered_at=answer.at,
            carrier_message_id=answer.carrier_message_id,
            carrier_key=carrier_key(answer.carrier_message_id),
            code=answer.code,
            outcome=outcome,
        )
        self.changed.add(key)

    def _submitted(self, now: datetime) -> None:
        wait = min(self._waits.receipt, RECEIPT_WAIT[self.message.lane])
        self.move(Status.SUBMITTED, now, due_at=now + wait, submitted_at=now, reason_code=None, reason_raw=None)

    def unanswered(self, now: datetime) -> None:
        """Nobody knows whether the carrier took it: wait for a receipt, or for the time when a duplicate is the lesser evil."""
        wait = self._waits.unknown_resend if self._may_resend(now) else self._waits.unknown
        self.move(Status.UNKNOWN, now, due_at=now + wait, reason_code="submit_unanswered")

    def _may_resend(self, now: datetime) -> bool:
        message = self.message
        return (
            message.lane is Lane.OTP
            and message.risk is Risk.BEST_EFFORT
            and message.attempts < MAX_ATTEMPTS[message.lane]
            and now + self._waits.unknown_resend < message.expires_at
        )

    def _put_back(self, now: datetime, code: str | None) -> None:
        """Back to the queue's head as if never claimed: the carrier said "too fast", or the wire was gone."""
        fields = {"attempts": self.message.attempts - 1, "due_at": self.message.expires_at}
        reason = "throttled" if code else "link_lost"
        self.move(Status.QUEUED, now, note={"because": reason, "code": code}, **fields)

    def _not_accepted(self, now: datetime, code: str | None, *, permanent: bool) -> None:
        """Proven not accepted: the next candidate, the same one later, or the end."""
        rows = tuple(self.submissions.values())
        pause = None if permanent else self._waits.retry * 2 ** (self.message.attempts - 1)
        step = after_refusal(self.message, rows, now, pause, self.reach)
        # An attempt before may have been taken, as far as anybody knows: a late receipt of it may still correct the end.
        was_taken = any(row.status is not SubmissionStatus.REFUSED for row in rows)
        note = {"because": "refused", "class": self._decisive(), "code": code}
        self._follow(step, Status.UNDELIVERED if was_taken else Status.FAILED, now, note, code)

    def _follow(self, step: Again | Enough, end: Status, now: datetime, note: dict[str, Any], raw: str | None) -> None:
        """Begin another attempt, at once or later, or end with the class of the failure as the reason."""
        outcome: OutcomeClass = note["class"]
        note = {**note, "attempt": self.message.attempts}
        self.failed = Failed(outcome, is_resent=isinstance(step, Again))
        if isinstance(step, Enough):
            self.move(end, now, note={**note, "resend": step}, reason_code=outcome, reason_raw=raw)
            return
        risk = {"duplicates_possible": True} if step.is_risky else {}
        if step.at <= now:
            self.move_over(step.connector_id, now, note, reason_code=None, reason_raw=None, **risk)
        else:
            waits = {"due_at": step.at, "reason_code": outcome, "reason_raw": raw}
            self.move(Status.SCHEDULED, now, note=note, connector_id=step.connector_id, **waits, **risk)

    def _decisive(self) -> OutcomeClass:
        """The class of the present attempt."""
        return decisive((row for row in self.submissions.values() if row.attempt == self.message.attempts), self.message.lane)

    def move_over(self, connector_id: str | None, now: datetime, note: dict[str, Any], **fields: Any) -> None:
        """Queue it for another connector."""
        note = {**note, "from_connector": self.message.connector_id}
        self.move(Status.QUEUED, now, note=note, connector_id=connector_id, due_at=self.message.expires_at, **fields)

    def take_back(self, now: datetime) -> None:
        """Cancel it with its batch."""
        self.move(Status.CANCELED, now, reason_code="batch_canceled")

    def hold(self, now: datetime) -> None:
        """Let it wait with its batch."""
        self.move(Status.HELD, now, reason_code="paused", due_at=self.message.expires_at)

    def reported(self, receipt: Receipt, attempt: int, segment: int, now: datetime, codes: Reading) -> bool:
        """Fold in a receipt of one segment; False when it tells nothing new (a repetition, or later than its window)."""
        key = (attempt, segment)
        known, before = self.submissions[key], self.message
        status, outcome = self._read(receipt, known, codes)
        late = known.status in _REPORTED_LOST and status is SubmissionStatus.DELIVERED
        if known.status not in _OPEN and not late:
            return False
        self.submissions[key] = replace(
            known,
            status=status,
            receipt_status=receipt.stat,
            receipt_code=receipt.err,
            receipt_text=receipt.text,
            receipt_at=receipt.arrived_at,
            outcome=outcome,
        )
        self.changed.add(key)
        if status not in _OPEN:
            if known.total > 1 and codes.one_receipt(receipt.connector_id):
                self._speak_for_all(self.submissions[key])
            self._settle(receipt, attempt, now)
            if self.message is before:
                self._touch(now)
        return True

    def _speak_for_all(self, said: Submission) -> None:
        """Let the last word on one segment count for those of its attempt that have none of their own."""
        for key, row in self.submissions.items():
            if row.attempt == said.attempt and row.receipt_status is None and row.status in _OPEN | _REPORTED_LOST:
                self.submissions[key] = replace(row, status=said.status, outcome=said.outcome, receipt_at=said.receipt_at)
                self.changed.add(key)

    def _touch(self, now: datetime) -> None:
        """Count a last word on one segment as a change, although it decides nothing yet.

        Segments decide together, and their receipts may come to several processes at once: of two that fold at the same time
        one has to see what the other has found, or both would wait for ever.
        """
        message = self.message
        if message.segments > 1 and message.status in _AWAITING:
            self.message = replace(message, version=message.version + 1, updated_at=now)

    def _read(self, receipt: Receipt, known: Submission, codes: Reading) -> tuple[SubmissionStatus, OutcomeClass | None]:
        """Return what a receipt makes of a segment, and why; one that is not the last word leaves it as it is."""
        if not receipt.state.is_final:
            return known.status, known.outcome
        if receipt.state is ReceiptState.DELIVERED:
            return SubmissionStatus.DELIVERED, None
        found = codes.of_receipt(receipt.connector_id, self.message.recipient, receipt.stat, receipt.err)
        if found.outcome is OutcomeClass.DELIVERED:
            return SubmissionStatus.DELIVERED, None
        if found.outcome is OutcomeClass.ACCEPTED:
            return known.status, known.outcome
        return SubmissionStatus.UNDELIVERED if found.is_proven else SubmissionStatus.UNCLEAR, found.outcome

    def _settle(self, receipt: Receipt, attempt: int, now: datetime) -> None:
        """Decide the message from the segments of the attempt the receipt belongs to; an attempt before can only have arrived after all."""
        rows = [s for (number, _), s in self.submissions.items() if number == attempt]
        complete = len(rows) == rows[0].total
        delivered = sum(row.status is SubmissionStatus.DELIVERED for row in rows)
        note: dict[str, Any] = {"code": receipt.err, "stat": receipt.stat}
        if complete and delivered == len(rows):
            self._deliver(now, attempt, note)
        elif attempt != self.message.attempts:
            return
        elif complete and not any(row.status in _OPEN for row in rows):
            self._undelivered(receipt, now, note)
        elif delivered and self.message.status is not Status.PARTIALLY_DELIVERED:
            note = {**note, "delivered_segments": delivered, "segments": rows[0].total}
            self.move(Status.PARTIALLY_DELIVERED, now, note=note, due_at=now + self._waits.partial, submitted_at=self._since(now))

    def _undelivered(self, receipt: Receipt, now: datetime, note: dict[str, Any]) -> None:
        """Every segment has its last word, and it is not that all are there: another attempt, or the end."""
        if not may_move(self.message.status, Status.UNDELIVERED):
            return  # an end that was reached otherwise, or another attempt that is waiting already
        step = after_receipts(self.message, tuple(self.submissions.values()), now, self.reach)
        raw = " ".join(dict.fromkeys(filter(None, (receipt.stat, receipt.err))))
        self._follow(step, Status.UNDELIVERED, now, {"because": "undelivered", "class": self._decisive(), **note}, raw)

    def _deliver(self, now: datetime, attempt: int, note: dict[str, Any]) -> None:
        """Delivered; as a correction only within its window. A later attempt that was not refused may arrive as well."""
        done = self.message.done_at
        if done is not None and now - done > CORRECTION_WINDOW:
            return
        risk = {"duplicates_possible": True} if any(map(self._may_arrive, range(attempt + 1, self.message.attempts + 1))) else {}
        self.move(Status.DELIVERED, now, note=note, submitted_at=self._since(now), reason_code=None, reason_raw=None, **risk)

    def _may_arrive(self, attempt: int) -> bool:
        """Whether an attempt is on its way, as far as anybody knows, or has arrived."""
        rows = [row for row in self.submissions.values() if row.attempt == attempt]
        return not rows or any(row.status is not SubmissionStatus.REFUSED for row in rows)

    def _since(self, now: datetime) -> datetime:
        return self.message.submitted_at or now

    def overdue(self, now: datetime) -> None:
        """The deadline of the present status has passed: take the step it names (API.md §3)."""
        _OVERDUE[self.message.status](self, now)

    def _start_now(self, now: datetime) -> None:
        if self.message.expires_at <= now:
            self._expire(now)
        else:
            self.move(Status.QUEUED, now, due_at=self.message.expires_at, reason_code=None, reason_raw=None)

    def _expire(self, now: datetime) -> None:
        self.move(Status.EXPIRED, now, reason_code="validity_passed")

    def _give_up_unknown(self, now: datetime) -> None:
        """Resend once where the caller accepted the risk of a duplicate; otherwise say that nobody knows."""
        if self._may_resend(now) and not self._waited(now):
            due = self.message.expires_at
            target = next_candidate(self.message) or self.message.connector_id
            self.move(Status.QUEUED, now, note={"because": "risk_best_effort"}, due_at=due, duplicates_possible=True, connector_id=target)
        else:
            self.move(Status.UNDELIVERED, now, reason_code=OUTCOME_UNKNOWN)

    def _waited(self, now: datetime) -> bool:
        return now - self.message.updated_at >= self._waits.unknown

    def _no_receipt(self, now: datetime) -> None:
        self.move(Status.UNDELIVERED, now, reason_code="no_receipt")

    def _end_partial(self, now: datetime) -> None:
        """Some segments arrived, none failed, no more is coming: delivered as far as anybody can tell (protocols.md §9.2)."""
        rows = [s for (number, _), s in self.submissions.items() if number == self.message.attempts]
        if any(row.status in _LOST for row in rows):
            self.move(Status.UNDELIVERED, now, reason_code="segments_lost")
        else:
            self.move(Status.DELIVERED, now, reason_code="partial_receipts")


_OVERDUE = {
    Status.ACCEPTED: Progress._start_now,
    Status.HELD: Progress._start_now,
    Status.SCHEDULED: Progress._start_now,
    Status.QUEUED: Progress._expire,
    Status.SUBMITTING: Progress.unanswered,
    Status.UNKNOWN: Progress._give_up_unknown,
    Status.SUBMITTED: Progress._no_receipt,
    Status.PARTIALLY_DELIVERED: Progress._end_partial,
}


def carrier_key(carrier_message_id: str | None) -> str | None:
    """Return the normal form under which a carrier's id is stored and searched: lower case, leading zeros stripped."""
    if not carrier_message_id:
        return None
    return carrier_message_id.lower().lstrip("0") or "0"
