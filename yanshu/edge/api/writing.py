"""Writing: the one way a simple resource is changed: work, audit and the answer for replays in one transaction."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from yanshu.domain import ids
from yanshu.domain.access import AuditEntry
from yanshu.domain.commands import Saved
from yanshu.edge.api.endpoints import Answer, Call
from yanshu.ports.store import UnitOfWork

Work = Callable[[UnitOfWork], Awaitable[tuple[str, Any]]]
"""Does the work and returns the object's id and what to answer."""


async def write(call: Call, action: str, status: int, work: Work, *, secret: bool = False) -> Answer:
    """Run `work` in a transaction with its audit entry and, if the caller gave a key, the answer for replays.

    With `secret` the answer shows a secret once: replays get it without the secret, which is never stored.
    """
    async with call.services.store.write() as uow:
        object_id, content = await work(uow)
        await uow.access.add_audit([_entry(call, action, object_id)])
        if call.idempotency is not None:
            kept = {**msgspec.to_builtins(content), "secret": None} if secret else content
            saved = await uow.records.remember(call.idempotency, Saved(status, msgspec.json.encode(kept)))
            if saved is not None:
                return Answer(saved.status, saved.body, replayed=True)
        await uow.commit()
    return Answer(status, content, kept=True)


def _entry(call: Call, action: str, object_id: str) -> AuditEntry:
    clock = call.services.clock
    now = clock.now()
    return AuditEntry(
        id=ids.make_id(ids.AUDIT, now, clock.entropy(ids.ENTROPY_BYTES)),
        workspace_id=call.caller.workspace_id,
        actor=call.caller.key_id,
        action=action,
        object_id=object_id,
        address=call.caller.address,
        created_at=now,
        detail={"request": call.request_id},
    )
