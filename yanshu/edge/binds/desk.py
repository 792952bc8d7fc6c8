"""A desk: one bind in this process, its open sessions, and the feeding of what it is owed to them."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from yanshu.domain.binds import Bind, BindDelivery
from yanshu.domain.errors import StoreBusy
from yanshu.pipeline.bind_outbox import Outbox

_MOST_A_CLAIM = 500
# While less than this share of the windows is free, wait a moment for more acknowledgements rather than claim a handful.
_SHARE = 4
_GATHER_SECONDS = 0.01
_BUSY_PAUSE_SECONDS = 0.5


class Window(Protocol):
    """A session as the desk sees it."""

    @property
    def room(self) -> int:
        """How many deliveries may be written now."""

    def deliver(self, deliveries: Sequence[BindDelivery]) -> None:
        """Write deliveries; there must be room."""


class Desk:
    """What this process knows of a bind while sessions of it are open here."""

    def __init__(self, bind: Bind, outbox: Outbox) -> None:
        self.bind = bind
        self.windows: list[Window] = []
        self._outbox = outbox
        self._bell = asyncio.Event()
        self._may_be_due = False

    def ring(self, *, due: bool = False) -> None:
        """Something is due, or a window has room again."""
        self._may_be_due = self._may_be_due or due
        self._bell.set()

    async def run(self) -> None:
        """Feed the sessions until cancelled."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            try:
                while self._may_be_due and self._room() > 0:
                    if self._room() < self.bind.window * len(self.windows) // _SHARE:
                        await asyncio.sleep(_GATHER_SECONDS)
                    await self._feed(min(self._room(), _MOST_A_CLAIM))
            except StoreBusy:
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)

    def _room(self) -> int:
        return sum(window.room for window in self.windows)

    async def _feed(self, limit: int) -> None:
        """Claim once and write what was claimed."""
        if limit <= 0:
            return
        self._may_be_due = False  # whoever says so from now on is heard
        claimed = await self._outbox.claim(self.bind.id, limit)
        if len(claimed) == limit:
            self._may_be_due = True
        for window, deliveries in self._shared_out(claimed):
            window.deliver(deliveries)

    def _shared_out(self, claimed: Sequence[BindDelivery]) -> list[tuple[Window, list[BindDelivery]]]:
        """Give each window what it has room for; what is about one object goes over one session, in order."""
        rooms = [(window, window.room) for window in self.windows]
        shares: list[tuple[Window, list[BindDelivery]]] = [(window, []) for window, _ in rooms]
        places: dict[str, int] = {}
        left: list[BindDelivery] = []
        for delivery in claimed:
            free = [room - len(share) for (_, room), (_, share) in zip(rooms, shares, strict=True)]
            place = places.get(delivery.object_id)
            if place is None and free:
                place = places[delivery.object_id] = free.index(max(free))
            if place is None or free[place] <= 0:
                left.append(delivery)
            else:
                shares[place][1].append(delivery)
        self._outbox.put_back(left)
        return [share for share in shares if share[1]]
