"""Health: how well a connector does of late, for all its traffic and for the numbers of each operator.

What is known is kept in two layers: `Tally` counts what happened, one a process and bucket of time; `Condition` is what was made
of it, and moves rarely. Routing sees neither, but a `Standing`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct, field

from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass

FULL_WEIGHT = 100


class Admission(StrEnum):
    """What may be sent over it now."""

    ALL = "all"
    PROBE = "probe"  # one message, to see whether it works again
    NONE = "none"


class Standing(Struct, frozen=True):
    """What routing needs to know: the share of the resting weight that is left, and what may be sent.

    A `PROBE` is good for one message: after that it counts as `NONE` until the next standings come.
    """

    weight_percent: int = FULL_WEIGHT
    admits: Admission = Admission.ALL


HEALTHY = Standing()

Standings = Mapping[tuple[str, Operator | None], Standing]
"""(connector id, operator; None: the connector as a whole) → standing. What is missing is healthy. Replaced whole, never changed."""


class Breaker(StrEnum):
    """The circuit breaker: open lets nothing through, half open one probe at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Cause(StrEnum):
    """Why something moved."""

    ANSWER_ERRORS = "answer_errors"  # submits refused, failed or unanswered by the carrier's own fault
    RECEIPT_ERRORS = "receipt_errors"  # accepted, and then lost by the carrier's own fault
    SLOW_RECEIPTS = "slow_receipts"
    SLOW_OTP_RECEIPTS = "slow_otp_receipts"
    NO_LINK = "no_link"  # no link has worked for a while
    LINKED = "linked"  # a link works again
    TIME = "time"  # nothing spoke against it for long enough
    PROBES = "probes"  # what became of the probes


class Move(StrEnum):
    """What may happen to a condition; the event is ``connector.`` and this."""

    DEGRADED = "degraded"
    RECOVERING = "recovering"
    RECOVERED = "recovered"
    BREAKER_OPENED = "breaker_opened"
    BREAKER_HALF_OPENED = "breaker_half_opened"
    BREAKER_CLOSED = "breaker_closed"


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Condition(Struct, frozen=True, kw_only=True):
    """What is held of a connector (`operator` None), or of a connector and the numbers of an operator.

    `cause` is why the breaker opened last. `trial_at`: when an open breaker is to be tried, or when the last trial began; only
    what happened since then is counted. `trips` are openings since the weight last rose, `probe_at` the last leave for a probe.
    `reports`: it has been seen to give receipts, so that their absence means something.
    """

    connector_id: str
    operator: Operator | None = None
    weight_percent: int = FULL_WEIGHT
    breaker: Breaker = Breaker.CLOSED
    cause: Cause | None = None
    moved_at: datetime = _LONG_AGO
    trial_at: datetime = _LONG_AGO
    probe_at: datetime = _LONG_AGO
    trips: int = 0
    reports: bool = False
    version: int = 0

    @property
    def key(self) -> tuple[str, Operator | None]:
        """Whose it is."""
        return self.connector_id, self.operator

    @property
    def standing(self) -> Standing:
        """What routing may make of it; leave for a probe is given apart."""
        return Standing(self.weight_percent, Admission.ALL if self.breaker is Breaker.CLOSED else Admission.NONE)


class Counts(Struct):
    """How often what happened in a bucket of time.

    `answers` and `receipts` are those that tell something of the connector, `…_errors` those that speak against it; a number
    that fails again and again tells it once. What is `owed` counts when the submit was accepted, not when the receipt came:
    of the segments accepted in this bucket so many have had their receipt promptly.
    """

    accepted: int = 0
    refused: int = 0
    busy: int = 0
    unanswered: int = 0
    delivered: int = 0
    failed: int = 0
    answers: int = 0
    answer_errors: int = 0
    receipts: int = 0
    receipt_errors: int = 0
    owed: int = 0
    prompt: int = 0
    owed_otp: int = 0
    prompt_otp: int = 0


# Upper ends of the classes into which waits are sorted, in seconds; the last class is everything beyond.
ANSWER_WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
RECEIPT_WAITS = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)


def _empty(ends: tuple[float, ...]) -> list[int]:
    return [0] * (len(ends) + 1)


class Tally(Struct):
    """What happened in one bucket: counts, outcome classes of what was not delivered, and waits by class."""

    counts: Counts = field(default_factory=Counts)
    classes: dict[OutcomeClass, int] = field(default_factory=dict)
    answer_waits: list[int] = field(default_factory=lambda: _empty(ANSWER_WAITS))
    receipt_waits: list[int] = field(default_factory=lambda: _empty(RECEIPT_WAITS))


class Bucket(Struct, frozen=True, kw_only=True):
    """One tally as a process shares it with the others: of a connector, an operator (empty: none, or nobody knows) and a time.

    `starts` is the first second of the bucket since 1970. `seq` grows with whatever the process writes, so that others read only
    what is new to them.
    """

    node_id: str
    connector_id: str
    operator: str
    starts: int
    seq: int
    tally: Tally


def standing_of(standings: Standings, connector_id: str, operator: Operator | None) -> Standing:
    """Return what counts for a number of this operator: the worse of the connector as a whole and of the two together."""
    whole = standings.get((connector_id, None), HEALTHY)
    pair = standings.get((connector_id, operator), HEALTHY)
    admits = max(whole.admits, pair.admits, key=_STRICTNESS.__getitem__)
    return Standing(min(whole.weight_percent, pair.weight_percent), admits)


_STRICTNESS = {Admission.ALL: 0, Admission.PROBE: 1, Admission.NONE: 2}
