"""Metrics: one table of names with help, in a registry of its own. The pipeline counts chunks, never single messages."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from yanshu.domain.connectors import LinkReport, LinkState
from yanshu.domain.health import FULL_WEIGHT, Condition
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Answer, AnswerResult, Arrival, Receipt, ReceiptState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000)
_PAIR = ("connector", "operator")

# The one table: name → (kind, help, labels). `docs` and the tests read it; nothing else names a metric.
TABLE: dict[str, tuple[type[MetricWrapperBase], str, tuple[str, ...]]] = {
    "yanshu_accepted_messages_total": (Counter, "Messages committed and given an id.", ()),
    "yanshu_claimed_messages_total": (Counter, "Messages claimed and handed to a link for submission.", ()),
    "yanshu_answers_total": (Counter, "Submits ended, by result.", ("result",)),
    "yanshu_receipts_total": (Counter, "Receipts arrived, by state.", ("state",)),
    "yanshu_failed_attempts_total": (
        Counter,
        "Attempts refused or reported undelivered, by class of the code and by what followed: resent, ended.",
        ("class", "then"),
    ),
    "yanshu_inbound_parts_total": (Counter, "Inbound parts (MO) arrived.", ()),
    "yanshu_commit_seconds": (Histogram, "Duration of the stage's transactions.", ("stage",)),
    "yanshu_chunk_size": (Histogram, "Rows or facts in one transaction of the stage.", ("stage",)),
    "yanshu_queue_depth": (Gauge, "Queued messages, counted up to 100,000 each.", ("connector", "lane")),
    "yanshu_links": (Gauge, "Links by connector and state.", ("connector", "state")),
    "yanshu_number_lessons_total": (
        Counter,
        "What was learned about numbers: operator, dead, revived, strike, lookup, forgotten.",
        ("effect",),
    ),
    "yanshu_number_lookups_total": (
        Counter,
        "Questions to the register of numbers: found, unknown, failed, skipped.",
        ("result",),
    ),
    "yanshu_number_lookup_seconds": (Histogram, "Time until the register of numbers answered.", ()),
    "yanshu_suppressed_messages_total": (Counter, "Messages refused because their number is dead.", ()),
    "yanshu_connector_weight_ratio": (Gauge, "Share of its resting weight that a connector has, for all numbers or an operator's.", _PAIR),
    "yanshu_breakers": (Gauge, "Circuit breakers by connector, operator and state.", (*_PAIR, "state")),
    "yanshu_connector_moves_total": (Counter, "Moves of connectors' health made by this process.", ("connector", "move")),
    "yanshu_open_incidents": (Gauge, "Incidents of connectors that are open, by kind.", ("kind",)),
    "yanshu_webhook_attempts_total": (Counter, "Webhook calls, by result: delivered, retry, gone, given_up.", ("result",)),
    "yanshu_webhook_seconds": (Histogram, "Duration of webhook calls.", ()),
    "yanshu_bind_submits_total": (Counter, "Submits of customers' binds answered, by protocol and status.", ("protocol", "status")),
    "yanshu_bind_deliveries_total": (
        Counter,
        "What binds were owed, by what became of it: acknowledged, put_off, refused, expired.",
        ("result",),
    ),
    "yanshu_bind_links": (Gauge, "Sessions of customers' binds that are open now.", ("protocol",)),
    "yanshu_http_requests_total": (Counter, "HTTP requests answered, by method, route and status.", ("method", "route", "status")),
    "yanshu_http_seconds": (Histogram, "Time to answer an HTTP request.", ("route",)),
    "yanshu_callbacks_total": (
        Counter,
        "Calls of HTTP carriers, by result: taken, empty, broken (also single reports in them), forged, unknown, busy.",
        ("result",),
    ),
    "yanshu_loop_lag_seconds": (Gauge, "How late the event loop last woke a timer.", ()),
    "yanshu_task_restarts_total": (Counter, "Background tasks restarted after a crash, by kind of task.", ("task",)),
    "yanshu_build_info": (Gauge, "Always 1; the labels say what is running.", ("version", "node")),
}
_BUCKETS = {"yanshu_chunk_size": _SIZES}

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one process."""

    def __init__(self, version: str = "", node_id: str = "") -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._all: dict[str, Any] = {name: self._make(name) for name in TABLE}
        # Finding a metric by its labels costs as much as counting; endpoints and statuses are few.
        self._http: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        ProcessCollector(registry=self.registry)
        self._all["yanshu_build_info"].labels(version, node_id).set(1)
        # Looked up once: bursts are small when messages come one at a time. They are at 0 until something is counted.
        self._results = {result: self._all["yanshu_answers_total"].labels(result.value) for result in AnswerResult}
        self._states = {state: self._all["yanshu_receipts_total"].labels(state.value) for state in ReceiptState}

    def _make(self, name: str) -> MetricWrapperBase:
        kind, text, labels = TABLE[name]
        if kind is Histogram:
            return Histogram(name, text, labels, registry=self.registry, buckets=_BUCKETS.get(name, _SECONDS))
        return kind(name, text, labels, registry=self.registry)

    def accepted(self, count: int) -> None:
        """Count messages that are committed."""
        self._all["yanshu_accepted_messages_total"].inc(count)

    def claimed(self, count: int) -> None:
        """Count messages handed to a link."""
        self._all["yanshu_claimed_messages_total"].inc(count)

    def answered(self, answers: Sequence[Answer]) -> None:
        """Count ended submits by result."""
        for result, count in Tally([answer.result for answer in answers]).items():
            self._results[result].inc(count)

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Count receipts by state, and inbound parts."""
        states = Tally([arrival.state for arrival in arrivals if isinstance(arrival, Receipt)])
        for state, count in states.items():
            self._states[state].inc(count)
        parts = len(arrivals) - states.total()
        if parts:
            self._all["yanshu_inbound_parts_total"].inc(parts)

    def failed(self, attempts: Sequence[tuple[OutcomeClass, bool]]) -> None:
        """Count failed attempts by class, and by whether another follows."""
        for (outcome, is_resent), count in Tally(attempts).items():
            self._all["yanshu_failed_attempts_total"].labels(outcome.value, "resent" if is_resent else "ended").inc(count)

    def committed(self, stage: str, count: int, seconds: float) -> None:
        """Note one transaction of a stage: how much it carried and how long it took."""
        self._all["yanshu_commit_seconds"].labels(stage).observe(seconds)
        self._all["yanshu_chunk_size"].labels(stage).observe(count)

    def queued(self, depth: Mapping[tuple[str, str], int]) -> None:
        """Replace the queue depths by (connector, lane)."""
        metric = self._all["yanshu_queue_depth"]
        metric.clear()
        for (connector, lane), count in depth.items():
            metric.labels(connector, lane).set(count)

    def linked(self, reports: Iterable[LinkReport]) -> None:
        """Replace the link counts by (connector, state)."""
        metric = self._all["yanshu_links"]
        metric.clear()
        for (connector, state), count in Tally((r.connector_id, LinkState(r.state)) for r in reports).items():
            metric.labels(connector, state.value).set(count)

    def learned(self, effects: Mapping[str, int]) -> None:
        """Count lessons about numbers by effect."""
        for effect, count in effects.items():
            self._all["yanshu_number_lessons_total"].labels(effect).inc(count)

    def looked_up(self, result: str, seconds: float | None = None) -> None:
        """Count one question to the register of numbers, and how long its answer took if it was asked."""
        self._all["yanshu_number_lookups_total"].labels(result).inc()
        if seconds is not None:
            self._all["yanshu_number_lookup_seconds"].observe(seconds)

    def suppressed(self, count: int) -> None:
        """Count messages refused because their number is dead."""
        self._all["yanshu_suppressed_messages_total"].inc(count)

    def standing(self, conditions: Iterable[Condition]) -> None:
        """Replace weights and breakers of connectors; those of which nothing is held are well, and not shown."""
        weights, breakers = self._all["yanshu_connector_weight_ratio"], self._all["yanshu_breakers"]
        weights.clear()
        breakers.clear()
        for condition in conditions:
            labels = condition.connector_id, condition.operator or "all"
            weights.labels(*labels).set(condition.weight_percent / FULL_WEIGHT)
            breakers.labels(*labels, condition.breaker.value).set(1)

    def moved(self, moves: Mapping[tuple[str, str], int]) -> None:
        """Count moves by (connector, move)."""
        for labels, count in moves.items():
            self._all["yanshu_connector_moves_total"].labels(*labels).inc(count)

    def incidents(self, kinds: Mapping[str, int]) -> None:
        """Replace the counts of open incidents by kind."""
        metric = self._all["yanshu_open_incidents"]
        metric.clear()
        for kind, count in kinds.items():
            metric.labels(kind).set(count)

    def webhook(self, result: str, seconds: float) -> None:
        """Note one webhook call."""
        self._all["yanshu_webhook_attempts_total"].labels(result).inc()
        self._all["yanshu_webhook_seconds"].observe(seconds)

    def bind_submits(self, protocol: str, status: str, count: int) -> None:
        """Count answered submits of customers."""
        self._all["yanshu_bind_submits_total"].labels(protocol, status).inc(count)

    def bind_delivery(self, result: str, count: int = 1) -> None:
        """Count what became of something a bind was owed."""
        self._all["yanshu_bind_deliveries_total"].labels(result).inc(count)

    def bind_sessions(self, protocol: str, count: int) -> None:
        """Say how many sessions are open."""
        self._all["yanshu_bind_links"].labels(protocol).set(count)

    def answered_http(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one HTTP request; `route` is the pattern, never the path, so that ids do not become labels."""
        kept = self._http.get((method, route, status))
        if kept is None:
            answers = self._all["yanshu_http_requests_total"].labels(method, route, str(status))
            kept = self._http[method, route, status] = answers, self._all["yanshu_http_seconds"].labels(route)
        kept[0].inc()
        kept[1].observe(seconds)

    def called_back(self, result: str, count: int = 1) -> None:
        """Count a call of an HTTP carrier."""
        self._all["yanshu_callbacks_total"].labels(result).inc(count)

    def lagged(self, seconds: float) -> None:
        """Note how late the event loop woke."""
        self._all["yanshu_loop_lag_seconds"].set(seconds)

    def restarted(self, task: str) -> None:
        """Count a crash of a background task; `task` is its kind (the name up to the first colon)."""
        self._all["yanshu_task_restarts_total"].labels(task.partition(":")[0]).inc()

    def render(self) -> bytes:
        """Return all metrics in the Prometheus text format (`CONTENT_TYPE`)."""
        return generate_latest(self.registry)
