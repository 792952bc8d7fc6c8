"""The seam to the store, binds: customers' access over SMPP and CMPP, what they submitted, and what they are owed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from yanshu.domain.binds import Bind, BindDelivery, BindPart, BindProtocol, Ticket
from yanshu.ports.filters import Page


class Binds(Protocol):
    """Binds of all workspaces."""

    async def save(self, bind: Bind) -> None:
        """Insert, or replace all but the position; `StoreConflict`, here or with a later call, when its system id is another's."""

    async def get(self, ident: str) -> Bind | None:
        """One, or None."""

    async def by_system_id(self, protocol: BindProtocol, system_id: str) -> Bind | None:
        """The bind of that protocol with this system id, or None."""

    async def page(self, workspace_id: str, page: Page, livemode: bool | None = None) -> list[Bind]:
        """A keyset page by id; `livemode` None: live and test."""

    async def remove(self, ident: str) -> bool:
        """Delete with its parts, tickets and deliveries; whether it was there."""

    async def behind(self, position: int, limit: int) -> list[Bind]:
        """Binds that have not been read up to `position`, locked, skipping locked."""

    async def is_any_behind(self, position: int) -> bool:
        """Whether `behind` may find something; locks nothing."""

    async def advance(self, bind_id: str, position: int) -> None:
        """Remember how far has been read for a bind."""

    async def add_parts(self, parts: Sequence[BindPart]) -> None:
        """Keep parts; a repeated (bind, group, part) is ignored."""

    async def parts_of(self, bind_id: str, group: str) -> list[BindPart]:
        """The parts of a group, by number, locked."""

    async def remove_parts(self, bind_id: str, group: str) -> None:
        """Forget the parts of a group."""

    async def ripe_groups(self, complete_since: datetime, arrived_before: datetime, limit: int) -> list[tuple[str, str]]:
        """(bind, group) of those that have been complete since then, or whose first part arrived before `arrived_before`."""

    async def add_tickets(self, tickets: Sequence[Ticket]) -> None:
        """Insert."""

    async def tickets_of(self, message_ids: Sequence[str]) -> list[Ticket]:
        """All tickets of these messages, by message and segment."""

    async def finish_tickets(self, message_ids: Sequence[str], at: datetime) -> None:
        """Note that what is owed for these messages has been noted."""

    async def add_deliveries(self, deliveries: Sequence[BindDelivery]) -> None:
        """Insert."""

    async def with_due(self, bind_ids: Sequence[str], now: datetime) -> set[str]:
        """Those of the binds that `claim_deliveries` may find something for; locks nothing."""

    async def claim_deliveries(self, bind_id: str, now: datetime, lease_until: datetime, limit: int) -> list[BindDelivery]:
        """Deliveries due now and not expired, by id; of more than `limit` those that are due for longest.

        None of them follows one about the same object that is not due. `next_at` becomes `lease_until`, so a dead process's
        deliveries come back.
        """

    async def count_sessions(self, bind: Bind, now: datetime) -> int:
        """How many of a bind's places are held by sessions (`domain.binds.place_lease`), over all processes."""

    async def count_owed(self, bind_id: str) -> int:
        """How many deliveries a bind is owed, counted up to 100,000 at most."""

    async def remove_deliveries(self, ids: Sequence[str]) -> None:
        """Forget what was acknowledged or given up."""

    async def postpone_deliveries(self, deliveries: Sequence[BindDelivery]) -> None:
        """Write back `next_at` and `attempts` of those that are still there."""

    async def expired_deliveries(self, now: datetime, limit: int) -> list[BindDelivery]:
        """Deliveries whose time is over and that nobody is delivering just now, locked, skipping locked."""

    async def purge_tickets(self, finished_before: datetime, limit: int) -> int:
        """Delete tickets that were finished before then; how many."""
