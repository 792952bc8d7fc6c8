"""The doorkeeper: who may open a session, from where, and how many; those who guess are kept waiting."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from yanshu.domain import ids
from yanshu.domain.access import AuditEntry
from yanshu.domain.binds import Bind, BindProtocol, BindStatus, place_lease
from yanshu.domain.errors import StoreBusy
from yanshu.edge.binds.dialect import Asked, Refusal
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store, UnitOfWork
from yanshu.rules.accounts.keys import is_within
from yanshu.rules.accounts.sealing import Sealer
from yanshu.runtime.logs import get_logger

# How long a session's place is ours without renewing it; others may take it after that.
LEASE = timedelta(seconds=15)
# So many mistakes are forgiven; from then on each answer takes twice as long as the one before, up to the longest.
_FORGIVEN = 3
_LONGEST_SECONDS = 10.0
_DOUBLINGS = 10
# An address that has made no mistake for so long is as good as new.
_MEMORY_SECONDS = 600.0
_ADDRESSES_MOST = 10_000
_AUDIT_MOST = 100


class Admitted(Struct, frozen=True):
    """A bind that is let in, its secret opened, and the place its session has among those it may open."""

    bind: Bind
    secret: str
    slot: int


class Mistakes:
    """How often each address was wrong of late. Of very many, those that were wrong longest ago are forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def add(self, address: str, now: float) -> None:
        """Count one more."""
        self._known[address] = (self._count(address, now) + 1, now)
        self._known.move_to_end(address)
        if len(self._known) > _ADDRESSES_MOST:
            self._known.popitem(last=False)

    def pause(self, address: str, now: float) -> float:
        """Return how many seconds its next answer has to wait."""
        beyond = self._count(address, now) - _FORGIVEN
        return 0.0 if beyond < 0 else min(_LONGEST_SECONDS, 0.5 * 2.0 ** min(beyond, _DOUBLINGS))

    def forget(self, address: str) -> None:
        """It was right."""
        self._known.pop(address, None)

    def _count(self, address: str, now: float) -> int:
        count, at = self._known.get(address, (0, now))
        return count if now - at < _MEMORY_SECONDS else 0


class Doorkeeper:
    """Judges who wants in. The places of a bind's sessions are leases, so that they count over all processes."""

    def __init__(self, store: Store, clock: Clock, sealer: Sealer, owner: str) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._owner = owner
        self._mistakes = Mistakes()
        self._taken: set[tuple[str, int]] = set()
        self._ended: set[tuple[str, int]] = set()
        self._refused: list[AuditEntry] = []
        self._log = get_logger("binds")

    async def admit(self, protocol: BindProtocol, asked: Asked, address: str, proves: Callable[[str], bool]) -> Admitted | Refusal:
        """Let a session in, or say why not; `proves` says whether the request was made with a secret.

        An unknown system id and a wrong secret are told alike, and both make the next answer to that address slower.
        """
        if (pause := self._mistakes.pause(address, self._clock.monotonic())) > 0:
            await asyncio.sleep(pause)
        try:
            found = await self._judge(protocol, asked, address, proves)
        except StoreBusy:
            return Refusal.BUSY
        if isinstance(found, Refusal):
            self._log.warning("a bind was refused", system_id=asked.system_id[:16], address=address, because=found.value)
        return found

    async def _judge(self, protocol: BindProtocol, asked: Asked, address: str, proves: Callable[[str], bool]) -> Admitted | Refusal:
        async with self._store.read() as uow:
            bind = await uow.binds.by_system_id(protocol, asked.system_id)
        secret = self._sealer.open_text(bind.secret) if bind is not None else ""
        if not proves(secret) or bind is None:
            self._mistakes.add(address, self._clock.monotonic())
            self._note(bind, asked, address, Refusal.CREDENTIALS)
            return Refusal.CREDENTIALS
        self._mistakes.forget(address)
        if (why := unwelcome(bind, address)) is not None:
            self._note(bind, asked, address, why)
            return why
        slot = await self._take_slot(bind)
        return Refusal.FULL if slot is None else Admitted(bind, secret, slot)

    async def _take_slot(self, bind: Bind) -> int | None:
        """Take a free place among the bind's sessions, of whichever process; None when there is none."""
        now = self._clock.now()
        mine = [slot for slot in range(bind.sessions) if (bind.id, slot) not in self._taken]
        for slot in mine:
            # Noted before anybody else gets to run: two sessions of this process must not believe in the same place.
            self._taken.add((bind.id, slot))
            self._ended.discard((bind.id, slot))
            try:
                async with self._store.write() as uow:
                    if await uow.records.acquire_lease(place_lease(bind.id, slot), self._owner, now, now + LEASE):
                        await uow.commit()
                        return slot
            except BaseException:
                self._taken.discard((bind.id, slot))
                raise
            self._taken.discard((bind.id, slot))
        return None

    def give_back(self, bind_id: str, slot: int) -> None:
        """A session has ended; its place is free here at once, and elsewhere after the next `renew`."""
        self._taken.discard((bind_id, slot))
        self._ended.add((bind_id, slot))

    @property
    def has_news(self) -> bool:
        """Whether `renew` should not wait for its turn: others may be waiting for a place."""
        return bool(self._ended)

    async def renew(self) -> None:
        """Keep the places of this process's sessions, give up those of sessions that have ended, and write down who was refused."""
        ended, refused = self._ended - self._taken, list(self._refused)
        if not (self._taken or ended or refused):
            return
        now = self._clock.now()
        async with self._store.write() as uow:
            for bind_id, slot in sorted(self._taken | ended):
                until = now if (bind_id, slot) in ended else now + LEASE
                await uow.records.acquire_lease(place_lease(bind_id, slot), self._owner, now, until)
            await self._write_refused(uow, refused)
            await uow.commit()
        self._ended -= ended
        del self._refused[: len(refused)]

    async def leave(self) -> None:
        """Give up every place: the process stops."""
        self._taken.clear()
        refused = list(self._refused)
        async with self._store.write() as uow:
            await uow.records.release_leases(self._owner)
            await self._write_refused(uow, refused)
            await uow.commit()
        self._refused.clear()

    async def _write_refused(self, uow: UnitOfWork, refused: list[AuditEntry]) -> None:
        if refused:
            await uow.access.add_audit(refused)

    def _note(self, bind: Bind | None, asked: Asked, address: str, why: Refusal) -> None:
        """Keep a refusal for the audit trail; a flood of them is cut."""
        if len(self._refused) >= _AUDIT_MOST:
            return
        now = self._clock.now()
        self._refused.append(
            AuditEntry(
                id=ids.make_id(ids.AUDIT, now, self._clock.entropy(ids.ENTROPY_BYTES)),
                workspace_id=bind.workspace_id if bind else None,
                actor=bind.id if bind else "unknown",
                action="bind.refused",
                object_id=bind.id if bind else None,
                address=address,
                created_at=now,
                detail={"because": why.name.lower(), "system_id": asked.system_id[:16]},
            )
        )


def unwelcome(bind: Bind, address: str) -> Refusal | None:
    """Say why a bind that has proven who it is may still not be used from there, or not at all."""
    if bind.status is not BindStatus.ENABLED:
        return Refusal.DISABLED
    return Refusal.ADDRESS if bind.cidrs and not is_within(address, bind.cidrs) else None
