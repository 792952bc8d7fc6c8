"""Writing: audit entry and answer for replays belong to the transaction of the work, for simple resources and for stages alike."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from yanshu.domain import ids
from yanshu.domain.access import AuditEntry
from yanshu.domain.commands import Saved
from yanshu.edge.api.endpoints import Answer, Call
from yanshu.ports.joining import Also, T
from yanshu.ports.store import UnitOfWork

Work = Callable[[UnitOfWork], Awaitable[tuple[str, Any]]]
"""Does the work and returns the object's id and what to answer."""


class AnsweredBefore(Exception):
    """A request with the same key was answered while this one was under way; `saved` is what it was told."""

    def __init__(self, saved: Saved) -> None:
        super().__init__("answered before")
        self.saved = saved


async def write(call: Call, action: str, status: int, work: Work, *, hidden: tuple[str, ...] = ()) -> Answer:
    """Run `work` in a transaction of its own, with its audit entry and the answer for replays.

    Fields that are `hidden` show a secret once: replays get null in their place, and what they showed is never stored.
    """
    async with call.services.store.write() as uow:
        object_id, content = await work(uow)
        await _record(uow, call, action, object_id)
        await _keep(uow, call, status, {**msgspec.to_builtins(content), **dict.fromkeys(hidden)} if hidden else content)
        await uow.commit()
    return Answer(status, content, kept=True)


async def rehearse(call: Call, work: Work) -> Answer:
    """Run `work` and take everything back; the answer is not kept for replays, so that the key is free for the real thing."""
    async with call.services.store.write() as uow:
        _, content = await work(uow)
    return Answer(200, content, kept=True)


def joining(call: Call, action: str, object_id: str, status: int, show: Callable[[T], Any]) -> Also[T]:
    """Return what joins the transaction of a stage's step: the audit entry, and what `show` makes of the step for replays."""

    async def also(uow: UnitOfWork, made: T) -> None:
        await _record(uow, call, action, object_id)
        await _keep(uow, call, status, show(made))

    return also


async def _keep(uow: UnitOfWork, call: Call, status: int, content: object) -> None:
    """Store the answer if the caller gave a key; `AnsweredBefore` when there is one already."""
    if call.idempotency is None:
        return
    saved = await uow.records.remember(call.idempotency, Saved(status, msgspec.json.encode(content)))
    if saved is not None:
        raise AnsweredBefore(saved)


async def _record(uow: UnitOfWork, call: Call, action: str, object_id: str) -> None:
    """Store the audit entry."""
    clock = call.services.clock
    now = clock.now()
    entry = AuditEntry(
        id=ids.make_id(ids.AUDIT, now, clock.entropy(ids.ENTROPY_BYTES)),
        workspace_id=call.caller.workspace_id,
        actor=call.caller.key_id,
        action=action,
        object_id=object_id,
        address=call.caller.address,
        created_at=now,
        detail={"request": call.request_id},
    )
    await uow.access.add_audit([entry])
