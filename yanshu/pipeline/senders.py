"""Senders: a message that has moved to another connector comes from that one's access code, not from the first one's."""

from collections.abc import Sequence

from msgspec.structs import replace

from yanshu.domain.messages import Message
from yanshu.pipeline.route import Router


class Senders:
    """Knows the access codes of connectors."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def over(self, messages: Sequence[Message], connector_id: str) -> list[Message]:
        """Return messages as a connector is to submit them (budget: 0.1 µs for one that has not moved)."""
        return [m if not m.candidates or m.candidates[0] == connector_id else self._moved(m, connector_id) for m in messages]

    def _moved(self, message: Message, connector_id: str) -> Message:
        """Put one access code in the place of the other. What does not begin with the first one's is the caller's own, and stays."""
        first, now = (self._router.connectors.get(ident) for ident in (message.candidates[0], connector_id))
        if first is None or now is None or not first.sender or not message.sender.startswith(first.sender):
            return message
        return replace(message, sender=now.sender + message.sender[len(first.sender) :])
