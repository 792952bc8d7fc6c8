"""Fold: one flush of facts. Answers and receipts meet their messages, and each message ends in one guarded update."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain.batches import BatchStatus
from yanshu.domain.events import Event
from yanshu.domain.messages import CORRECTION_WINDOW, Message, Status
from yanshu.domain.submissions import Answer, AnswerResult, Arrival, InboundPart, Receipt, Submission, SubmissionStatus
from yanshu.pipeline.moved import NOBODY_MOVED, Moved
from yanshu.pipeline.progress import Failed, Progress, Reading, Waits, carrier_key
from yanshu.pipeline.resend import ANYWHERE
from yanshu.ports.clock import Clock
from yanshu.ports.store import UnitOfWork

_FOLLOW: dict[BatchStatus, Callable[[Progress, datetime], None]] = {
    BatchStatus.CANCELED: Progress.take_back,
    BatchStatus.PAUSED: Progress.hold,
}
_LAST_WORDS = frozenset({SubmissionStatus.DELIVERED, SubmissionStatus.UNDELIVERED, SubmissionStatus.REFUSED})


class Burst(Struct):
    """Arrivals of one burst and the call that acknowledges them."""

    arrivals: Sequence[Arrival]
    done: Callable[[bool], None]
    since: float


class Work(Struct):
    """What one flush is about: `count` facts. `flights` are the messages as they were claimed; `afresh`: they have changed since."""

    answers: dict[str, list[Answer]]
    flights: dict[str, Message]
    bursts: list[Burst]
    count: int
    afresh: bool = False


class Fold:
    """One transaction's worth of facts.

    `before` is a fold that is being stored just now: what it has made of its messages is read from it. Should it not arrive in
    the store, the guards of this one fail, and it is folded anew from what is stored. `moved` says where numbers may have moved to,
    `reach` what is known of connectors.
    """

    def __init__(self, work: Work, clock: Clock, waits: Waits, codes: Reading, before: "Fold | None" = None) -> None:
        self._work = work
        self._before = before
        self._waits = waits
        self._codes = codes
        self.now = clock.now()
        arrivals = [arrival for burst in work.bursts for arrival in burst.arrivals]
        self.parts = [arrival for arrival in arrivals if isinstance(arrival, InboundPart)]
        self._receipts = [arrival for arrival in arrivals if isinstance(arrival, Receipt)]
        self._unmatched: list[Receipt] = []
        self._progress: dict[str, Progress] = {}
        self._keys: dict[tuple[str, str], tuple[str, int, int]] = {}
        self.requeued = False
        self.failed: list[Failed] = []
        self.moved: Moved = NOBODY_MOVED
        self.reach = ANYWHERE

    @property
    def progress(self) -> Mapping[str, Progress]:
        """What was folded, by message."""
        return self._progress

    async def read(self, uow: UnitOfWork) -> None:
        """Fold all facts, reading what they touch."""
        await self._load(uow, self._work.answers)
        self._fold_answers()
        self._receipts += await self._parked_siblings(uow)
        self._unmatched = await self._fold_receipts(uow, self._receipts)
        await self._heed_batches(uow)
        self._before = None

    def said(self) -> list[tuple[Message, Submission]]:
        """The segments on which a carrier's last word has come with these facts."""
        rows = ((p.message, p.submissions[key]) for p in self._progress.values() for key in p.changed)
        return [(message, row) for message, row in rows if row.status in _LAST_WORDS]

    async def store(self, uow: UnitOfWork) -> None:
        """Write what came of it. `StoreStale`, here or with the commit: the facts are to be folded anew."""
        await self._write(uow)
        await self._park(uow)

    async def _load(self, uow: UnitOfWork, wanted: Iterable[str]) -> None:
        """Have a `Progress` for every message: from memory if we claimed it, else from the store with its submissions."""
        missing = []
        for ident in wanted:
            if ident in self._progress:
                continue
            message = self._work.flights.get(ident)
            if message is not None and message.attempts == 1 and not self._work.afresh:
                self._begin(message, ())
            elif self._known(ident) is None:
                missing.append(ident)
        if not missing:
            return
        by_message = defaultdict(list)
        for submission in await uow.submissions.of_messages(missing):
            by_message[submission.message_id].append(submission)
        for message in await uow.messages.get(missing):
            self._begin(message, by_message[message.id])

    def _begin(self, message: Message, submissions: Sequence[Submission]) -> Progress:
        """Have a `Progress` for a message."""
        progress = self._progress[message.id] = Progress(message, submissions, self._waits)
        if self.moved:
            progress.reach = self.reach._replace(moved_to=self.moved.connectors_for(message))
        elif self.reach is not ANYWHERE:
            progress.reach = self.reach
        return progress

    def _known(self, ident: str) -> Progress | None:
        """The message as far as this fold has come with it, or as the fold before has left it."""
        progress = self._progress.get(ident)
        if progress is None and self._before is not None and (earlier := self._before._progress.get(ident)) is not None:
            progress = self._begin(earlier.message, tuple(earlier.submissions.values()))
        return progress

    async def _heed_batches(self, uow: UnitOfWork) -> None:
        """Send nothing again of a batch that was canceled or paused meanwhile: a dispatcher is faster than the batch runner."""
        waiting = defaultdict(list)
        for progress in self._progress.values():
            if progress.failed is not None and progress.failed.is_resent and progress.message.batch_id is not None:
                waiting[progress.message.batch_id].append(progress)
        for ident, progresses in waiting.items():
            batch = await uow.batches.get(ident)
            if batch is not None and (follow := _FOLLOW.get(batch.status)) is not None:
                for progress in progresses:
                    follow(progress, self.now)

    def _fold_answers(self) -> None:
        """Fold every message's answers and remember the carrier ids, for receipts in the same flush."""
        for ident, answers in self._work.answers.items():
            progress = self._progress.get(ident)
            if progress is None:
                continue
            claimed = self._work.flights.get(ident)
            progress.answered(answers, self.now, self._codes, decides=claimed is None or _is_still(claimed, progress.message))
            for answer in answers:
                if answer.result is AnswerResult.ACCEPTED and (key := carrier_key(answer.carrier_message_id)):
                    self._keys[answer.connector_id, key] = (ident, answer.attempt, answer.segment)

    async def _parked_siblings(self, uow: UnitOfWork) -> list[Receipt]:
        """Receipts that came before these answers and wait for them."""
        found: list[Receipt] = []
        by_connector = defaultdict(list)
        for connector_id, key in self._keys:
            by_connector[connector_id].append(key)
        for connector_id, keys in by_connector.items():
            found += await uow.receipts.parked_for(connector_id, keys)
        if self._before is not None:
            # What the fold before is about to park; it is there when this one is stored.
            known = {receipt.id for receipt in found}
            waiting = (receipt for receipt in self._before._unmatched if receipt.id not in known)
            found += [replace(r, tries=r.tries + 1) for r in waiting if any((r.connector_id, key) in self._keys for key in r.keys)]
        return found

    async def _fold_receipts(self, uow: UnitOfWork, receipts: Sequence[Receipt]) -> list[Receipt]:
        """Match and fold receipts; return those that belong to nothing known."""
        if not receipts:
            return []
        await self._find_stored(uow, receipts)
        unmatched = []
        for receipt in receipts:
            place = self._place_of(receipt)
            if place is None:
                unmatched.append(receipt)
            else:
                ident, attempt, segment = place
                self._progress[ident].reported(receipt, attempt, segment, self.now, self._codes)
        return await self._match_by_number(uow, unmatched) if unmatched else []

    def _place_of(self, receipt: Receipt) -> tuple[str, int, int] | None:
        """Find the segment a receipt is about: same connector, one of its id forms, and the same number."""
        for key in receipt.keys:
            place = self._keys.get((receipt.connector_id, key))
            if place is None and self._before is not None:
                place = self._before._keys.get((receipt.connector_id, key))
            if place is None:
                continue
            progress = self._known(place[0])
            if progress is not None and receipt.recipient in (None, progress.message.recipient):
                return place
        return None

    async def _find_stored(self, uow: UnitOfWork, receipts: Sequence[Receipt]) -> None:
        """Look up in the store the keys that this flush's own answers do not explain."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for receipt in receipts:
            if self._place_of(receipt) is None:
                wanted[receipt.connector_id].update(receipt.keys)
        found = []
        for connector_id, keys in wanted.items():
            found += await uow.submissions.by_carrier_keys(connector_id, sorted(keys))
        await self._load(uow, dict.fromkeys(s.message_id for s in found))
        for submission in found:
            if submission.carrier_key is not None:
                place = (submission.message_id, submission.attempt, submission.segment)
                self._keys[submission.connector_id, submission.carrier_key] = place

    async def _match_by_number(self, uow: UnitOfWork, unmatched: Sequence[Receipt]) -> list[Receipt]:
        """Match receipts to submits whose answer, and with it the id, was lost.

        Only when exactly one unanswered segment of that connector went to the number: then it can be no other. One that has
        been given up meanwhile may still be corrected.
        """
        since = self.now - CORRECTION_WINDOW
        by_connector = defaultdict(set)
        for receipt in unmatched:
            if receipt.recipient is not None:
                by_connector[receipt.connector_id].add(receipt.recipient)
        waiting: dict[tuple[str, str], list[Message]] = defaultdict(list)
        for connector_id, numbers in by_connector.items():
            for message in await uow.messages.unanswered_to(connector_id, sorted(numbers), since):
                waiting[connector_id, message.recipient].append(message)
        rest = []
        for receipt in unmatched:
            found = waiting.get((receipt.connector_id, receipt.recipient or ""), [])
            if not (len(found) == 1 and await self._adopt(uow, found[0], receipt)):
                rest.append(receipt)
        return rest

    async def _adopt(self, uow: UnitOfWork, message: Message, receipt: Receipt) -> bool:
        """Take the receipt as the answer and report of a one-segment message that is `unknown`, or was to its end."""
        if message.segments != 1 or message.status is Status.SUBMITTING:
            return False
        await self._load(uow, [message.id])
        progress = self._progress[message.id]
        if progress.message.status is not message.status:
            return False  # it has been answered in this chunk or the one before: its id is known, and is another
        answer = Answer(
            message.id, message.attempts, 1, 1, receipt.connector_id, AnswerResult.ACCEPTED, receipt.arrived_at, receipt.keys[0]
        )
        progress.answered([answer], self.now, self._codes)
        return progress.reported(receipt, message.attempts, 1, self.now, self._codes)

    async def _write(self, uow: UnitOfWork) -> None:
        """Write submissions, changes and events."""
        changed = [p for p in self._progress.values() if p.changed or p.steps]
        submissions = [p.submissions[key] for p in changed for key in sorted(p.changed)]
        changes = [change for p in changed if (change := p.change) is not None]
        if submissions:
            await uow.submissions.add(submissions)
        if changes:
            await uow.messages.move_all(changes)
            await uow.events.add(events_of(changed, self.now))
        self.failed = [failed for p in changed if (failed := p.failed) is not None]
        self.requeued = any(change.status is Status.QUEUED for change in changes)

    async def _park(self, uow: UnitOfWork) -> None:
        """Keep what matched nothing; forget parked receipts that have found their place."""
        lost = {receipt.id for receipt in self._unmatched}
        matched_again = [receipt.id for receipt in self._receipts if receipt.id not in lost and receipt.tries]
        if matched_again:
            await uow.receipts.remove(matched_again)
        by_try: dict[int, list[Receipt]] = defaultdict(list)
        for receipt in self._unmatched:
            by_try[receipt.tries].append(receipt)
        for tries, rows in by_try.items():
            await uow.receipts.park([replace(row, tries=row.tries + 1) for row in rows], self.now + retry_wait(tries))


def _is_still(claimed: Message, message: Message) -> bool:
    """Whether the message is where its claim left it, or where its lease did when it ran out.

    Attempts alone do not tell: one that was put back is not counted, and the next claim has its number.
    """
    return message.version == claimed.version or (message.status is Status.UNKNOWN and message.version == claimed.version + 1)


# protocols.md §9.1: a parked receipt is tried again after 1 s, 5 s, 30 s, 5 min, 1 h, then hourly.
_RETRY_WAITS = tuple(timedelta(seconds=s) for s in (1, 5, 30, 300, 3600))


def retry_wait(tries: int) -> timedelta:
    """Return how long a receipt parked for the `tries`-th time waits."""
    return _RETRY_WAITS[min(tries, len(_RETRY_WAITS) - 1)]


def events_of(progresses: Sequence[Progress], now: datetime) -> list[Event]:
    """Return the events of all steps taken, in order."""
    return [
        Event(
            workspace_id=progress.message.workspace_id,
            livemode=progress.message.livemode,
            type=step.type,
            object_id=progress.message.id,
            seq=step.seq,
            created_at=now,
            data=step.data,
            callback_url=progress.message.callback_url,
        )
        for progress in progresses
        for step in progress.steps
    ]
