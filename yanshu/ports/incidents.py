"""The seam to the store, incidents: what is wrong with connectors, and what was."""

from collections.abc import Sequence
from typing import Protocol

from yanshu.domain.incidents import Incident
from yanshu.ports.filters import Page


class Incidents(Protocol):
    """Incidents of all connectors."""

    async def open(self, incident: Incident) -> bool:
        """Insert it unless one about the same thing is open already; whether it was."""

    async def save(self, incident: Incident) -> bool:
        """Replace it if the stored version is `incident.version - 1`; whether it was."""

    async def current(self) -> Sequence[Incident]:
        """Those that are open, by id."""

    async def get(self, ident: str) -> Incident | None:
        """One, or None."""

    async def page(self, page: Page, *, is_open: bool | None = None, connector_id: str | None = None) -> list[Incident]:
        """A keyset page by id; `is_open` None: open and closed."""
