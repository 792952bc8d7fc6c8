"""Incidents: what is wrong with connectors so that a person must act, from what links report and what health holds.

Several processes may watch. Of one thing one incident is open, and it changes by guarded updates with its event in the same
transaction: it is told once.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.connectors import Connector, ConnectorState, LinkReport, LinkState
from yanshu.domain.errors import StoreBusy
from yanshu.domain.events import Event
from yanshu.domain.health import Breaker, Cause, Condition
from yanshu.domain.incidents import Incident, IncidentKind
from yanshu.domain.numbers import Operator
from yanshu.pipeline.route import Router
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics

_ROUND_SECONDS = 1.0
# Receipts are looked through less often: doubts grow over a quarter of an hour.
_DOUBT_SECONDS = 60.0
_WORKING = frozenset({LinkState.UP, LinkState.THROTTLED})
# Others see the same beginning a moment later: it is one.
_SAME = timedelta(seconds=3)
Key = tuple[IncidentKind, str, Operator | None]


class Site(NamedTuple):
    """What is known of the connectors that are meant to work."""

    connectors: Mapping[str, Connector]
    links: Mapping[str, Sequence[LinkReport]]
    conditions: Sequence[Condition]
    doubts: Mapping[str, int]

    def wrong(self) -> dict[Key, str]:
        """Return what is wrong now, and the detail."""
        found: dict[Key, str] = {}
        for ident, links in self.links.items():
            blocked = next((link for link in links if link.state is LinkState.BLOCKED), None)
            if blocked is not None:
                found[IncidentKind.LINK_BLOCKED, ident, None] = blocked.detail
        for condition in self.conditions:
            ident = condition.connector_id
            if ident not in self.connectors or condition.breaker is not Breaker.OPEN:
                continue
            if condition.cause is not Cause.NO_LINK:
                found[IncidentKind.BREAKER_OPEN, ident, condition.operator] = str(condition.cause)
            elif not any(self._working(ident)):
                found[IncidentKind.NO_LINK, ident, None] = next((link.detail for link in self.links.get(ident, ())), "nobody holds one")
        for ident, count in self.doubts.items():
            if ident in self.connectors and not self.connectors[ident].simulated:
                found[IncidentKind.TOO_GOOD, ident, None] = str(count)
        return found

    def is_well(self, key: Key) -> bool:
        """Whether what was wrong is over: it works again, or a person took the connector out."""
        kind, ident, operator = key
        if ident not in self.connectors:
            return True
        working = self._working(ident)
        if kind is IncidentKind.LINK_BLOCKED:
            return bool(working) and all(working)
        if kind is IncidentKind.NO_LINK:
            return any(working)
        if kind is IncidentKind.TOO_GOOD:
            return ident not in self.doubts
        return not any(c.connector_id == ident and c.operator == operator and c.breaker is not Breaker.CLOSED for c in self.conditions)

    def _working(self, connector_id: str) -> list[bool]:
        return [link.state in _WORKING for link in self.links.get(connector_id, ())]


class IncidentWatch:
    """Opens and closes incidents. `doubts` names connectors whose receipts are too good to be true, and how many they are."""

    def __init__(
        self, store: Store, clock: Clock, router: Router, metrics: Metrics, doubts: Callable[[], Mapping[str, int]] = dict
    ) -> None:
        self._store = store
        self._clock = clock
        self._router = router
        self._metrics = metrics
        self._log = get_logger("incidents")
        self._before: set[Key] | None = None
        self._find_doubts = doubts
        self._doubts: Mapping[str, int] = {}
        self._doubted_at = float("-inf")

    async def run(self) -> None:
        """Look once a second for ever."""
        while True:
            with contextlib.suppress(StoreBusy):
                await self.step()
            await asyncio.sleep(_ROUND_SECONDS)

    async def step(self) -> None:
        """Look once."""
        now = self._clock.now()
        async with self._store.read() as uow:
            current = await uow.incidents.current()
            site = self._site([report.as_of(now) for report in await uow.records.links()], await uow.health.conditions())
        wrong = site.wrong()
        opened = self._opened(wrong, {incident.key for incident in current}, now)
        changed = [after for incident in current if (after := self._next(incident, site, wrong, now)) is not None]
        if opened or changed:
            await self._write(opened, changed, site.connectors, now)
        self._before = set(wrong)
        self._metrics.incidents(Counter(incident.kind.value for incident in [*current, *opened] if incident.closed_at is None))

    def _site(self, reports: Iterable[LinkReport], conditions: Sequence[Condition]) -> Site:
        connectors = {c.id: c for c in self._router.connectors.values() if c.state is ConnectorState.ACTIVE}
        links: dict[str, list[LinkReport]] = {}
        for report in reports:
            connector = connectors.get(report.connector_id)
            if connector is not None and report.slot < connector.links:
                links.setdefault(connector.id, []).append(report)
        if self._clock.monotonic() - self._doubted_at >= _DOUBT_SECONDS:
            self._doubts, self._doubted_at = self._find_doubts(), self._clock.monotonic()
        return Site(connectors, links, conditions, self._doubts)

    def _opened(self, wrong: Mapping[Key, str], known: set[Key], now: datetime) -> list[Incident]:
        """Return the incidents that begin; where a link is blocked, that no link works is no news."""
        blocked = {ident for kind, ident, _ in {*known, *wrong} if kind is IncidentKind.LINK_BLOCKED}
        return [
            Incident(
                id=ids.make_id(ids.INCIDENT, now, self._clock.entropy(ids.ENTROPY_BYTES)),
                kind=kind,
                connector_id=ident,
                operator=operator,
                detail=detail,
                opened_at=now,
                updated_at=now,
            )
            for (kind, ident, operator), detail in sorted(wrong.items(), key=lambda row: row[0][:2])
            if (kind, ident, operator) not in known and not (kind is IncidentKind.NO_LINK and ident in blocked)
        ]

    def _next(self, incident: Incident, site: Site, wrong: Mapping[Key, str], now: datetime) -> Incident | None:
        """Return what becomes of an open incident: it is over, or it has begun once more."""
        detail = wrong.get(incident.key)
        if detail is None:
            return _changed(incident, now, closed_at=now) if site.is_well(incident.key) else None
        is_again = self._before is not None and incident.key not in self._before and abs(now - incident.updated_at) >= _SAME
        return _changed(incident, now, detail=detail, count=incident.count + 1) if is_again else None

    async def _write(
        self, opened: Sequence[Incident], changed: Sequence[Incident], connectors: Mapping[str, Connector], now: datetime
    ) -> None:
        """Store what nobody else has stored first, and tell."""
        async with self._store.write() as uow:
            told = [incident for incident in opened if await uow.incidents.open(incident)]
            saved = [incident for incident in changed if await uow.incidents.save(incident)]
            told += [incident for incident in saved if incident.closed_at is not None]
            for incident in told:
                await uow.events.add([await _event(uow, incident, connectors.get(incident.connector_id), now)])
            await uow.commit()
        if told:
            self._store.wake("events")
        for incident in told:
            is_open = incident.closed_at is None
            log = self._log.error if is_open else self._log.info
            move = "incident opened" if is_open else "incident closed"
            log(move, incident_id=incident.id, connector_id=incident.connector_id, kind=incident.kind, detail=incident.detail)


def _changed(incident: Incident, now: datetime, **fields: Any) -> Incident:
    return replace(incident, updated_at=now, version=incident.version + 1, **fields)


async def _event(uow: UnitOfWork, incident: Incident, connector: Connector | None, now: datetime) -> Event:
    """Return what people are told; connectors are the platform's, so its own workspace hears of it."""
    name = connector.name if connector else incident.connector_id
    data: dict[str, Any] = {
        "object": "incident",
        "kind": incident.kind,
        "connector": incident.connector_id,
        "name": name,
        "operator": incident.operator,
        "status": "open" if incident.closed_at is None else "closed",
        "detail": incident.detail,
        "count": incident.count,
        "sentence": {language: incident.sentence(name, language) for language in ("en", "zh")},
    }
    return Event(
        workspace_id=str(await uow.records.get_value("default_workspace") or ""),
        livemode=connector is None or not connector.simulated,
        type="incident.opened" if incident.closed_at is None else "incident.closed",
        object_id=incident.id,
        seq=incident.version,
        created_at=now,
        data=data,
    )
