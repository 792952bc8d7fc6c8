"""Reroute: queued messages of a connector that cannot send move to their next candidate."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from yanshu.domain.connectors import ConnectorState, LinkReport, LinkState
from yanshu.domain.messages import Message
from yanshu.pipeline.fold import events_of
from yanshu.pipeline.progress import Progress, Waits
from yanshu.pipeline.resend import candidates_after
from yanshu.pipeline.route import Router
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store

# Why a message moved, as its event says it and `explain` tells it.
CONNECTOR_DOWN = "connector_down"
BREAKER_OPEN = "breaker_open"
MOVES = frozenset({CONNECTOR_DOWN, BREAKER_OPEN})
_ROWS = 1000
_WORKING = frozenset({LinkState.UP, LinkState.THROTTLED})


class Rerouter:
    """Watches which connectors have a working link, and empties the queues of those that have had none for too long.

    `stopped` names those whose breaker is open: what waits for them had better not.
    """

    def __init__(self, store: Store, clock: Clock, router: Router, waits: Waits, patience_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._router = router
        self._waits = waits
        self._patience = timedelta(seconds=patience_seconds)
        self._down_since: dict[str, datetime] = {}
        self.stopped: Callable[[], Collection[str]] = tuple

    async def step(self) -> int:
        """Do one round; how many messages moved."""
        now = self._clock.now()
        async with self._store.read() as uow:
            reports = await uow.records.links()
        stranded = dict.fromkeys(self.stopped(), BREAKER_OPEN)
        stranded |= dict.fromkeys(self._without_link(reports, now), CONNECTOR_DOWN)
        if not stranded:
            return 0
        async with self._store.write() as uow:
            messages = await uow.messages.stranded(list(stranded), _ROWS)
            progresses = [Progress(message, (), self._waits) for message in messages]
            for progress in progresses:
                following = _way_on(progress.message, stranded)
                if following is not None:
                    progress.move_over(following, now, {"because": stranded.get(progress.message.connector_id or "")})
            changes = [change for progress in progresses if (change := progress.change) is not None]
            if not changes:
                return 0
            applied = await uow.messages.move(changes)
            await uow.events.add(events_of([p for p in progresses if p.message.id in applied], now))
            await uow.commit()
        self._store.wake("queue")
        return len(applied)

    def _without_link(self, reports: list[LinkReport], now: datetime) -> list[str]:
        """Connectors that are drained, or have had no working link for longer than we are patient."""
        working = {r.connector_id for r in reports if r.as_of(now).state in _WORKING}
        stranded = []
        for connector in self._router.connectors.values():
            if connector.id in working:
                self._down_since.pop(connector.id, None)
            elif connector.state is not ConnectorState.ACTIVE or now - self._down_since.setdefault(connector.id, now) >= self._patience:
                stranded.append(connector.id)
        return stranded


def _way_on(message: Message, stranded: Collection[str]) -> str | None:
    """Return the next candidate that can send, else the next one: it may be the first to come back."""
    following = candidates_after(message)
    return next((ident for ident in following if ident not in stranded), following[0] if following else None)
