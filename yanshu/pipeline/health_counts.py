"""Health, counting: what answers and receipts tell of their connectors, taken from each chunk once it is stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from yanshu.domain.health import Bucket, Counts, Tally
from yanshu.domain.lanes import Lane
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import AnswerResult, SubmissionStatus
from yanshu.pipeline.fold import Fold, Work
from yanshu.rules.contacts.prefixes import Prefixes
from yanshu.rules.routing.limits import Limits
from yanshu.rules.routing.tallies import Place, Row, Tallies, Told, merged

_LAST_WORDS = {
    SubmissionStatus.DELIVERED: OutcomeClass.DELIVERED,
    SubmissionStatus.UNDELIVERED: OutcomeClass.UNKNOWN,
    SubmissionStatus.UNCLEAR: OutcomeClass.UNKNOWN,
}
_REMEMBERED = 65_536


class Counting:
    """The counts of this process, and those that others share."""

    def __init__(self, node_id: str, limits: Limits, prefixes: Prefixes) -> None:
        self._node_id = node_id
        self._limits = limits
        self._prefixes = prefixes
        self._operators: dict[str, str] = {}
        self._significant = max(map(len, prefixes.beginnings), default=0)
        self._tallies = Tallies(limits)
        self._others: dict[Place, dict[str, Tally]] = {}
        self._generation = 0
        self._sorted = -1
        self._rows: dict[str, dict[str, list[Row]]] = {}
        self._seq = 0
        self.seen: dict[str, int] = {}

    # --- what happens here ---

    def stored(self, work: Work, fold: Fold) -> None:
        """Count a chunk that is in the store now. Good news, which is most of it, is grouped first (budget: 1 µs a fact)."""
        moments: dict[datetime, float] = {}
        self._answers(work, fold, moments)
        self._receipts(fold, moments)

    def _answers(self, work: Work, fold: Fold, moments: dict[datetime, float]) -> None:
        """Count the ends of submits."""
        taken: dict[tuple[str, str, bool, int, int], int] = defaultdict(int)
        for ident, answers in work.answers.items():
            progress = fold.progress.get(ident)
            if progress is None:
                continue
            message, claimed = progress.message, work.flights.get(ident)
            recipient, is_otp = message.recipient, message.lane is Lane.OTP
            operator = self._operators.get(recipient[: self._significant]) or self._operator(recipient)
            for answer in answers:
                at = moments.get(answer.at) or _second(answer.at, moments)
                since = at if claimed is None else moments.get(claimed.updated_at) or _second(claimed.updated_at, moments)
                if answer.result is AnswerResult.ACCEPTED:
                    # In hundredths of a second: the finest class of waits.
                    taken[answer.connector_id, operator, is_otp, int(at), int(100 * (at - since))] += 1
                else:
                    submission = progress.submissions.get((answer.attempt, answer.segment))
                    told = Told(answer.connector_id, operator, recipient, is_otp)
                    outcome = submission.outcome if submission is not None else None
                    self._tallies.answered(told, answer.result, outcome, at - since, int(at))
        for (connector_id, operator, is_otp, second, waited), count in taken.items():
            told = Told(connector_id, operator, "", is_otp)
            self._tallies.answered(told, AnswerResult.ACCEPTED, None, waited / 100, second, count)

    def _receipts(self, fold: Fold, moments: dict[datetime, float]) -> None:
        """Count last words."""
        arrived: dict[tuple[str, str, bool, int, int], int] = defaultdict(int)
        for message, submission in fold.said():
            outcome = _LAST_WORDS.get(submission.status)
            if outcome is None or submission.receipt_at is None:
                continue
            recipient, is_otp = message.recipient, message.lane is Lane.OTP
            operator = self._operators.get(recipient[: self._significant]) or self._operator(recipient)
            accepted_at = int(moments.get(submission.answered_at) or _second(submission.answered_at, moments))
            at = int(moments.get(submission.receipt_at) or _second(submission.receipt_at, moments))
            if outcome is OutcomeClass.DELIVERED:
                arrived[submission.connector_id, operator, is_otp, accepted_at, at] += 1
            else:
                told = Told(submission.connector_id, operator, recipient, is_otp)
                self._tallies.reported(told, submission.outcome or outcome, accepted_at, at)
        for (connector_id, operator, is_otp, accepted_at, at), count in arrived.items():
            self._tallies.reported(Told(connector_id, operator, "", is_otp), OutcomeClass.DELIVERED, accepted_at, at, count)

    def _operator(self, recipient: str) -> str:
        """Whose range the number is of: numbers that begin alike have the same operator, and there are a few thousand beginnings."""
        beginning = recipient[: self._significant]
        operator = self._operators.get(beginning)
        if operator is None:
            if len(self._operators) >= _REMEMBERED:
                self._operators.clear()
            operator = self._operators[beginning] = self._prefixes.operator_of(recipient) or ""
        return operator

    # --- what is shared ---

    def news(self) -> list[Bucket]:
        """Return what was counted here since the last time, for others to read."""
        changed = self._tallies.changed()
        if changed:
            self._seq += 1
        return [self._bucket(place, tally) for place, tally in changed.items()]

    def put_back(self, news: Iterable[Bucket]) -> None:
        """The store was busy: `news` will return it again."""
        self._tallies.put_back([Place(bucket.connector_id, bucket.operator, bucket.starts) for bucket in news])

    def read(self, buckets: Iterable[Bucket]) -> None:
        """Take in what others have counted; our own from before a restart as well."""
        for bucket in buckets:
            self.seen[bucket.node_id] = max(bucket.seq, self.seen.get(bucket.node_id, 0))
            place = Place(bucket.connector_id, bucket.operator, bucket.starts)
            if bucket.node_id == self._node_id:
                self._seq = max(self._seq, bucket.seq)
                self._tallies.restore(place, bucket.tally)
            else:
                self._take(place, bucket)
        self.seen[self._node_id] = _OWN

    def _take(self, place: Place, bucket: Bucket) -> None:
        """Keep a bucket of another process; one that is known changes where it is, since `rows` has it."""
        by_node = self._others.setdefault(place, {})
        known = by_node.get(bucket.node_id)
        if known is None:
            by_node[bucket.node_id] = bucket.tally
            self._generation += 1
            return
        for name in Counts.__struct_fields__:
            setattr(known.counts, name, getattr(bucket.tally.counts, name))
        known.classes, known.answer_waits, known.receipt_waits = bucket.tally.classes, bucket.tally.answer_waits, bucket.tally.receipt_waits

    def forget(self, now: int) -> None:
        """Drop what nobody looks at any more."""
        self._tallies.forget(now)
        past = [place for place in self._others if self._tallies.is_past(place, now)]
        for place in past:
            del self._others[place]
            self._generation += 1
        if past:  # processes that are long gone need not be named to the store for ever
            living = {node for by_node in self._others.values() for node in by_node} | {self._node_id}
            self.seen = {node: seq for node, seq in self.seen.items() if node in living}

    def rows(self) -> Mapping[str, Mapping[str, list[Row]]]:
        """Return all buckets, by connector and operator; they are sorted anew only when there are others than before."""
        generation = self._generation + self._tallies.generation
        if generation != self._sorted:
            self._sorted, self._rows = generation, defaultdict(lambda: defaultdict(list))
            for place, tally in self._all():
                self._rows[place.connector_id][place.operator].append((place.starts, tally.counts))
        return self._rows

    def figures(self, connector_id: str, since: int) -> dict[str, Tally]:
        """Return what happened on a connector since then, by operator."""
        found: dict[str, list[Tally]] = defaultdict(list)
        for place, tally in self._all():
            if place.connector_id == connector_id and place.starts >= since:
                found[place.operator].append(tally)
        return {operator: merged(tallies) for operator, tallies in found.items()}

    def by_connector(self, since: int) -> dict[str, Tally]:
        """Return what happened on every connector since then, with all numbers."""
        found: dict[str, list[Tally]] = defaultdict(list)
        for place, tally in self._all():
            if place.starts >= since:
                found[place.connector_id].append(tally)
        return {connector_id: merged(tallies) for connector_id, tallies in found.items()}

    def _all(self) -> Iterable[tuple[Place, Tally]]:
        yield from self._tallies.items()
        for place, by_node in self._others.items():
            for tally in by_node.values():
                yield place, tally

    def _bucket(self, place: Place, tally: Tally) -> Bucket:
        return Bucket(
            node_id=self._node_id,
            connector_id=place.connector_id,
            operator=place.operator,
            starts=place.starts,
            seq=self._seq,
            tally=tally,
        )


# A process reads its own counts once, at its start.
_OWN = 2**31 - 1


def _second(moment: datetime, moments: dict[datetime, float]) -> float:
    """Return the seconds since 1970; the facts of a chunk share their moments."""
    second = moments[moment] = moment.timestamp()
    return second
