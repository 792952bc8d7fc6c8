"""The seam to the store, binds: customers' access over SMPP and CMPP."""

from typing import Protocol

from yanshu.domain.binds import Bind, BindProtocol
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
        """Delete; whether it was there."""
