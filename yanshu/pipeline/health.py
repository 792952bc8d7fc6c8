"""Health: every process counts, one of them decides. Conditions live in the store, and all processes route by the same ones.

Once a second a process shares what it has counted, reads what the others have, and hands the standings to routing. Workers judge
as well; a move is a guarded update with its event in one transaction, so that it is made and told once however many judge.
"""

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain.connectors import ConnectorState, LinkReport, LinkState
from yanshu.domain.errors import StoreBusy
from yanshu.domain.health import HEALTHY, Admission, Breaker, Bucket, Condition, Move, Standing, Tally
from yanshu.domain.numbers import Operator
from yanshu.pipeline.health_counts import Counting
from yanshu.pipeline.health_events import tell_moves
from yanshu.pipeline.route import Router
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.routing.doubts import is_too_good
from yanshu.rules.routing.health import Links, Moved, Watch, judge, probe
from yanshu.rules.routing.limits import Limits
from yanshu.rules.routing.tallies import second_of
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

_ROUND_SECONDS = 1.0
_PURGE_SECONDS = 60.0
_DOUBT_SECONDS = 900
_WORKING = frozenset({LinkState.UP, LinkState.THROTTLED})
_LOUD = frozenset({Move.DEGRADED, Move.BREAKER_OPENED})
Key = tuple[str, Operator | None]


class Part(Struct, frozen=True):
    """How this process takes part: whether it judges, whether it routes messages and so can send probes, and by which limits.

    A connector without a link for longer than `patience_seconds` is not waited for.
    """

    is_judge: bool
    is_routing: bool
    limits: Limits
    patience_seconds: float


class Health:
    """Keeps the standings of this process fresh, and moves conditions."""

    def __init__(self, store: Store, clock: Clock, router: Router, counting: Counting, part: Part, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._router = router
        self._counting = counting
        self._part = part
        self._limits = part.limits
        self._metrics = metrics
        self._log = get_logger("health")
        self._down_since: dict[str, float] = {}
        self._purged_at = float("-inf")
        self._handed: Mapping[Key, Standing] = {}
        self.conditions: dict[Key, Condition] = {}

    @property
    def stopped(self) -> frozenset[str]:
        """Connectors whose breaker is open for all numbers: what waits for them is better sent elsewhere."""
        return frozenset(c.connector_id for c in self.conditions.values() if c.operator is None and c.breaker is Breaker.OPEN)

    def figures(self, connector_id: str, seconds: int) -> dict[str, Tally]:
        """Return what happened on a connector in the last seconds, by operator (empty: none, or nobody knows)."""
        return self._counting.figures(connector_id, second_of(self._clock.now()) - seconds)

    def doubts(self) -> dict[str, int]:
        """Return connectors whose receipts are better than they can be, and how many came in a quarter of an hour."""
        counted = self._counting.by_connector(second_of(self._clock.now()) - _DOUBT_SECONDS)
        return {connector_id: tally.counts.delivered for connector_id, tally in counted.items() if is_too_good(tally)}

    async def run(self) -> None:
        """Do a round a second for ever, and one more when another process has moved something."""
        while True:
            with contextlib.suppress(StoreBusy):  # the standings in use serve until the store is back
                await self.step()
            await self._store.wait("health", _ROUND_SECONDS)

    async def step(self) -> None:
        """Do one round."""
        now = self._clock.now()
        async with self._store.read() as uow:
            conditions = {condition.key: condition for condition in await uow.health.conditions()}
            reports = await uow.records.links()
            self._counting.read(await uow.health.buckets(self._counting.seen))
        self._counting.forget(second_of(now))
        moves = await self._judge(conditions, reports, now) if self._part.is_judge else []
        moving = {moved.after.key for moved in moves}
        due = [found for key, c in conditions.items() if key not in moving and (found := probe(c, now, self._limits))]
        probes = due if self._part.is_routing else []
        done = await self._write(self._counting.news(), moves, probes, now)
        conditions.update((condition.key, condition) for condition in done)
        self._hand_over(conditions, {condition.key for condition in probes if condition in done})

    # --- judging ---

    async def _judge(self, conditions: Mapping[Key, Condition], reports: Sequence[LinkReport], now: datetime) -> list[Moved]:
        """Return what moves of all connectors that are meant to work (budget: 1 ms for a busy one; others have their turn between)."""
        kept: dict[str, dict[Operator | None, Condition]] = defaultdict(dict)
        for (connector_id, operator), condition in conditions.items():
            kept[connector_id][operator] = condition
        rows, links = self._counting.rows(), self._links(reports, now)
        moves: list[Moved] = []
        for connector in self._router.connectors.values():
            await asyncio.sleep(0)
            known = kept.get(connector.id, {})
            if connector.state is not ConnectorState.ACTIVE or not (known or connector.id in rows or links[connector.id].is_cut):
                continue
            buckets = rows.get(connector.id, {})
            named = (None, *(Operator(name) for name in buckets if name))
            fresh = {operator: Condition(connector_id=connector.id, operator=operator) for operator in named}
            moves += judge({**fresh, **known}, Watch(buckets, links[connector.id], now, self._limits))
        # All judges move in the same order, so that none waits for a row while another waits for its.
        return sorted(moves, key=lambda moved: (moved.after.connector_id, moved.after.operator or ""))

    def _links(self, reports: Iterable[LinkReport], now: datetime) -> dict[str, Links]:
        """Return which connectors have a working link, and which have had none for longer than we are patient."""
        working = {report.connector_id for report in reports if report.as_of(now).state in _WORKING}
        seen = self._clock.monotonic()
        links = {}
        for ident, connector in self._router.connectors.items():
            if ident in working or connector.state is not ConnectorState.ACTIVE:
                self._down_since.pop(ident, None)
                links[ident] = Links(is_up=ident in working)
            else:
                since = self._down_since.setdefault(ident, seen)
                links[ident] = Links(is_up=False, is_cut=seen - since >= self._part.patience_seconds)
        return links

    # --- writing ---

    async def _write(self, news: list[Bucket], moves: list[Moved], probes: list[Condition], now: datetime) -> list[Condition]:
        """Share what was counted and make the moves that nobody else has made first; the conditions that are stored now."""
        is_purging = self._part.is_judge and self._clock.monotonic() - self._purged_at >= _PURGE_SECONDS
        if not (news or moves or probes or is_purging):
            return []
        connectors = self._router.connectors
        try:
            async with self._store.write() as uow:
                await uow.health.count(news)
                made = [moved for moved in moves if await uow.health.move(moved.after)]
                done = [moved.after for moved in made]
                done += [condition for condition in probes if await uow.health.move(condition)]
                told = [(m, connector) for m in made if m.move and (connector := connectors.get(m.after.connector_id))]
                await tell_moves(uow, told, now)
                if is_purging:
                    await self._purge(uow, second_of(now))
                await uow.commit()
        except StoreBusy:
            self._counting.put_back(news)
            raise
        if is_purging:
            self._purged_at = self._clock.monotonic()
        self._made(made)
        return done

    async def _purge(self, uow: UnitOfWork, now: int) -> None:
        """Delete buckets that are past, and all of connectors that are gone."""
        kept = self._limits.kept_seconds
        await uow.health.purge(now - kept - self._limits.bucket_seconds, now + kept)
        stored = {connector.id for connector in await uow.definitions.connectors()}
        for ident in {condition.connector_id for condition in await uow.health.conditions()} - stored:
            await uow.health.forget(ident)

    def _made(self, made: Sequence[Moved]) -> None:
        """Log and count what was moved here, and wake those who care."""
        moves = [moved for moved in made if moved.move is not None]
        for moved in moves:
            after = moved.after
            self._log.log(
                logging.WARNING if moved.move in _LOUD else logging.INFO,
                "connector moved",
                connector_id=after.connector_id,
                operator=after.operator,
                move=moved.move,
                cause=moved.cause,
                weight_percent=after.weight_percent,
                breaker=after.breaker,
                **moved.figures,
            )
        if moves:
            self._metrics.moved(Counter((moved.after.connector_id, str(moved.move)) for moved in moves))
            self._store.wake("health")
            self._store.wake("events")

    def _hand_over(self, conditions: dict[Key, Condition], probing: set[Key]) -> None:
        """Give routing new standings where something moved; leave for a probe is for this process alone, and given once."""
        if conditions != self.conditions:
            self.conditions = conditions
            self._metrics.standing(conditions.values())
        standings = {key: standing for key, condition in conditions.items() if (standing := condition.standing) != HEALTHY}
        if standings != self._handed or probing:
            self._handed = standings
            self._router.standings = {key: replace(s, admits=Admission.PROBE) if key in probing else s for key, s in standings.items()}
