"""Fairness between workspaces when a queue is claimed: whose turn is next, and whether another pass is worth it."""

from collections import Counter
from collections.abc import Sequence

from yanshu.domain.messages import Message

# How many workspaces one pass serves at most.
WORKSPACES_A_PASS = 256


class Turns:
    """Where the last claim of each queue (connector, lane) stopped. Lives as long as the store; losing it costs nothing."""

    def __init__(self) -> None:
        self._after: dict[tuple[str, str], str] = {}

    def after(self, connector_id: str, lane: str) -> str:
        """The workspace behind which the next pass begins; empty: at the start."""
        return self._after.get((connector_id, lane), "")

    def note(self, connector_id: str, lane: str, budget: int, claimed: Sequence[Message]) -> bool:
        """Remember who was served by a pass over `budget` segments; whether another pass may find more."""
        served = Counter(message.workspace_id for message in claimed)
        room = min(budget, WORKSPACES_A_PASS)
        from_start = not self._after.get((connector_id, lane))
        self._after[connector_id, lane] = max(served) if len(served) >= room else ""
        if not served:
            return not from_start
        share = -(-budget // len(served))
        return not from_start or max(served.values()) >= share or len(served) >= room
