"""Notify, what an attempt means: the delivery's next state, the endpoint's health, and when an endpoint is disabled."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.access import AuditEntry
from yanshu.domain.events import Event
from yanshu.domain.webhooks import Delivery, DeliveryStatus, EndpointStatus, WebhookEndpoint
from yanshu.ports.channel import PostResult
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.webhooks.retries import Ending, judge, must_disable, retry_at
from yanshu.runtime.logs import get_logger

# The error of an attempt that broke on our side.
INTERNAL = "internal"


class Attempt(Struct, frozen=True):
    """One call that was made (or could not be, and then is `hopeless`): what it was and how it ended."""

    delivery: Delivery
    result: PostResult
    at: datetime
    hopeless: bool = False

    @property
    def ending(self) -> Ending:
        """What the answer means."""
        if self.hopeless:
            return Ending.GIVEN_UP
        return judge(self.result.status, self.delivery.attempts + 1)

    @property
    def was_made(self) -> bool:
        """Whether the endpoint was called at all, so that the ending says something about it."""
        return not self.hopeless and self.result.error != INTERNAL


class Settler:
    """Writes down how attempts ended."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._log = get_logger("notify")

    async def settle(self, attempts: Sequence[Attempt]) -> None:
        """Store a chunk of attempts with what they do to their endpoints, in one unit of work."""
        async with self._store.write() as uow:
            await uow.webhooks.save_deliveries([self._after(attempt) for attempt in attempts])
            by_endpoint: dict[str, list[Attempt]] = {}
            for attempt in attempts:
                if attempt.delivery.endpoint_id is not None and attempt.was_made:
                    by_endpoint.setdefault(attempt.delivery.endpoint_id, []).append(attempt)
            disabled = [await self._endpoint(uow, ident, tries) for ident, tries in by_endpoint.items()]
            await uow.commit()
        if any(disabled):
            self._store.wake("events")

    def _after(self, attempt: Attempt) -> Delivery:
        """Return the delivery as it is after the attempt."""
        delivery, result, ending = attempt.delivery, attempt.result, attempt.ending
        tried = replace(
            delivery,
            attempts=delivery.attempts + 1,
            updated_at=attempt.at,
            response_status=result.status,
            error=result.error,
            took_ms=result.took_ms,
            next_at=None,
        )
        if ending is Ending.DELIVERED:
            return replace(tried, status=DeliveryStatus.DELIVERED)
        if ending is not Ending.RETRY:
            return replace(tried, status=DeliveryStatus.FAILED)
        chance = int.from_bytes(self._clock.entropy(4), "big") / 2**32
        return replace(tried, next_at=retry_at(tried.attempts, attempt.at, chance, result.retry_after))

    async def _endpoint(self, uow: UnitOfWork, ident: str, attempts: Sequence[Attempt]) -> bool:
        """Note the endpoint's health where it changed; whether it was disabled."""
        endpoint = await uow.webhooks.endpoint(ident)
        if endpoint is None or endpoint.status is EndpointStatus.DISABLED:
            return False
        now, since = attempts[-1].at, endpoint.failing_since
        for attempt in attempts:
            since = None if attempt.ending is Ending.DELIVERED else since or attempt.at
        gone = any(attempt.ending is Ending.GONE for attempt in attempts)
        if gone or must_disable(since, now):
            await self._disable(uow, replace(endpoint, failing_since=since), "gone" if gone else "failing_for_a_day", now)
            return True
        if since != endpoint.failing_since:
            await uow.webhooks.save_endpoint(replace(endpoint, failing_since=since))
        return False

    async def _disable(self, uow: UnitOfWork, endpoint: WebhookEndpoint, because: str, now: datetime) -> None:
        """Disable an endpoint, tell the workspace's other endpoints, and leave an audit entry."""
        await uow.webhooks.save_endpoint(replace(endpoint, status=EndpointStatus.DISABLED, updated_at=now))
        detail: dict[str, object] = {"because": because, "url": endpoint.url}
        await uow.events.add([await endpoint_event(uow, self._clock, endpoint, "webhook.disabled", detail)])
        entry = AuditEntry(
            id=ids.make_id(ids.AUDIT, now, self._clock.entropy(ids.ENTROPY_BYTES)),
            workspace_id=endpoint.workspace_id,
            actor="system",
            action="webhook.disabled",
            object_id=endpoint.id,
            address="",
            created_at=now,
            detail={"because": because},
        )
        await uow.access.add_audit([entry])
        self._log.warning("webhook endpoint disabled", endpoint_id=endpoint.id, workspace_id=endpoint.workspace_id, because=because)


async def endpoint_event(uow: UnitOfWork, clock: Clock, endpoint: WebhookEndpoint, kind: str, data: dict[str, object]) -> Event:
    """Return an event about an endpoint, next in its history; the caller adds it."""
    now = clock.now()
    history = await uow.events.of_object(endpoint.workspace_id, endpoint.id)
    return Event(
        workspace_id=endpoint.workspace_id,
        livemode=endpoint.livemode,
        type=kind,
        object_id=endpoint.id,
        seq=history[-1].seq + 1 if history else 1,
        created_at=now,
        data=data,
    )
