"""Health, telling: the events of a connector. Connectors are the platform's, so its own workspace hears of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from yanshu.domain.connectors import Connector
from yanshu.domain.events import Event
from yanshu.domain.health import Condition
from yanshu.ports.store import UnitOfWork
from yanshu.rules.routing.health import Moved


async def tell_moves(uow: UnitOfWork, moves: Sequence[tuple[Moved, Connector]], now: datetime) -> None:
    """Append the event of each move, within the transaction that makes them: what it was, what it is, why, and the figures."""
    later: list[str] = []
    events = []
    for moved, connector in reversed(moves):  # the last one has the place that the versions stored now give, others those before
        before, after = moved.before, moved.after
        data: dict[str, Any] = {
            "object": "connector_health",
            "name": connector.name,
            "operator": after.operator,
            "cause": moved.cause,
            "weight_percent": after.weight_percent,
            "weight_percent_before": before.weight_percent,
            "breaker": after.breaker,
            "breaker_before": before.breaker,
            **moved.figures,
        }
        events.append(await _event(uow, connector, f"connector.{moved.move}", data, now, later.count(connector.id)))
        later.append(connector.id)
    for event in reversed(events):  # one by one: that is how the history of an object that is no message is found
        await uow.events.add([event])


async def tell_state(uow: UnitOfWork, connector: Connector, kind: str, now: datetime) -> None:
    """Append the event of a person's draining or resuming a connector, with what waits for it by lane."""
    queued = {lane: count for (ident, lane), count in (await uow.messages.queue_depth()).items() if ident == connector.id}
    data = {"object": "connector", "name": connector.name, "state": connector.state, "queued": queued}
    await uow.events.add([await _event(uow, connector, kind, data, now)])


async def _event(uow: UnitOfWork, connector: Connector, kind: str, data: dict[str, Any], now: datetime, later: int = 0) -> Event:
    """Return an event in the history of a connector; `later` others come after it in the same transaction."""
    return Event(
        workspace_id=str(await uow.records.get_value("default_workspace") or ""),
        livemode=not connector.simulated,
        type=kind,
        object_id=connector.id,
        seq=_place(connector, await uow.health.conditions()) - later,
        created_at=now,
        data=data,
    )


def _place(connector: Connector, conditions: Iterable[Condition]) -> int:
    """Return a number that grows with every change of a connector's definition and of its health."""
    return connector.version + sum(condition.version for condition in conditions if condition.connector_id == connector.id)
