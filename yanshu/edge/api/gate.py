"""The gate: who calls, from where, and whether at this rate."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from yanshu.domain import ids
from yanshu.domain.access import ApiKey, AuditEntry, Caller
from yanshu.domain.errors import CallerError, Forbidden, RateLimited, StoreBusy, Unauthenticated
from yanshu.edge.api.endpoints import Endpoint
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.rules.accounts.keys import admit, believed_address, digest_of
from yanshu.rules.accounts.limits import Buckets, Standing
from yanshu.settings import Settings

# A revoked key may live on in another process for as long as this.
_REMEMBERED_SECONDS = 1.0
_REMEMBERED_MOST = 10_000
_FLUSH_SECONDS = 5.0
_AUDIT_MOST = 500


class Gate:
    """Authenticates callers; remembers keys for a second; notes refusals and last use in the background."""

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._proxies = tuple(part.strip() for part in settings.trusted_proxies.split(",") if part.strip())
        self._known: dict[str, tuple[float, ApiKey | None]] = {}
        self._asked: dict[str, asyncio.Task[ApiKey | None]] = {}
        self._buckets = Buckets()
        self._used: dict[str, datetime] = {}
        self._refused: list[AuditEntry] = []

    async def enter(self, headers: Mapping[str, str], peer: str, endpoint: Endpoint) -> tuple[Caller, ApiKey]:
        """Return the caller and its key, or refuse; what it may do is asked afterwards, with `permit`."""
        address = believed_address(peer, headers.get("x-forwarded-for"), self._proxies)
        key: ApiKey | None = None
        try:
            key = await self._find(headers.get("authorization"))
            caller = admit(key, address, self._clock.now())
        except CallerError as error:
            self._note_refusal(error, key, address, endpoint)
            raise
        assert key is not None  # noqa: S101 - `admit` refuses None
        self._used[key.id] = self._clock.now()
        return caller, key

    def permit(self, caller: Caller, key: ApiKey, endpoint: Endpoint) -> None:
        """Refuse what the key has no scope for."""
        if not caller.may(endpoint.scope):
            error = Forbidden("scope_missing", scope=endpoint.scope)
            self._note_refusal(error, key, caller.address, endpoint)
            raise error

    def forget(self) -> None:
        """Look keys up anew: one was changed in this process."""
        self._known.clear()
        self._asked.clear()

    def take_request(self, key: ApiKey) -> Standing:
        """Take one request from the key's rate."""
        rate = key.requests_per_second or self._settings.requests_per_second
        return self._buckets.take(f"r:{key.id}", rate, 1, self._clock.monotonic())

    def standing_of_nobody(self) -> Standing:
        """How a caller without a key stands: what a key has unless it says otherwise."""
        rate = self._settings.requests_per_second
        return Standing(granted=True, limit=rate, remaining=rate, reset_seconds=0.0)

    def take_messages(self, key: ApiKey, count: int) -> None:
        """Take `count` messages from the key's rate, or refuse."""
        rate = key.messages_per_second or self._settings.messages_per_second
        standing = self._buckets.take(f"m:{key.id}", rate, count, self._clock.monotonic())
        if not standing.granted:
            raise RateLimited("too_many_messages", retry_after=standing.reset_seconds)

    async def run(self) -> None:
        """Write last use and refusals every few seconds, for ever."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what was noted; what the store cannot take now is kept for the next time."""
        used, self._used = self._used, {}
        refused, self._refused = self._refused, []
        if not used and not refused:
            return
        try:
            async with self._store.write() as uow:
                if used:
                    await uow.access.touch_keys(used)
                if refused:
                    await uow.access.add_audit(refused)
                await uow.commit()
        except StoreBusy:
            self._used = {**used, **self._used}
            self._refused = (refused + self._refused)[:_AUDIT_MOST]

    async def _find(self, header: str | None) -> ApiKey | None:
        """Find the key of an Authorization header."""
        if not header:
            raise Unauthenticated("key_missing")
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise Unauthenticated("key_missing")
        digest = digest_of(secret.strip())
        now = self._clock.monotonic()
        known = self._known.get(digest)
        if known is not None and now - known[0] < _REMEMBERED_SECONDS:
            return known[1]
        # Of all who come with a key that is no longer remembered, one asks the store.
        asked = self._asked.get(digest)
        if asked is None:
            asked = self._asked[digest] = asyncio.ensure_future(self._look_up(digest, now))
        return await asyncio.shield(asked)

    async def _look_up(self, digest: str, now: float) -> ApiKey | None:
        """Read a key from the store, and remember it as of `now` unless keys were forgotten meanwhile."""
        try:
            async with self._store.read() as uow:
                key = await uow.access.key_by_digest(digest)
        finally:
            is_current = self._asked.get(digest) is asyncio.current_task()
            if is_current:
                del self._asked[digest]
        if is_current:
            if len(self._known) >= _REMEMBERED_MOST:
                self._known.clear()
            self._known[digest] = (now, key)
        return key

    def _note_refusal(self, error: CallerError, key: ApiKey | None, address: str, endpoint: Endpoint) -> None:
        """Keep a refusal for the audit trail; a flood of them is cut."""
        if len(self._refused) >= _AUDIT_MOST:
            return
        now = self._clock.now()
        detail: dict[str, Any] = {"code": error.code, "method": endpoint.method, "path": endpoint.path}
        self._refused.append(
            AuditEntry(
                id=ids.make_id(ids.AUDIT, now, self._clock.entropy(ids.ENTROPY_BYTES)),
                workspace_id=key.workspace_id if key else None,
                actor=key.id if key else "unknown",
                action="request.refused",
                object_id=None,
                address=address,
                created_at=now,
                detail=detail,
            )
        )
