"""Ways: how each message of a send goes out, found once for all messages that routing cannot tell apart."""

from msgspec import Struct

from yanshu.domain.commands import Send
from yanshu.pipeline.route import Router, Traits
from yanshu.rules.compliance.verdicts import Draft


class Way(Struct, frozen=True):
    """How a message goes out: over which connectors, best first, and the access code the text will come from."""

    candidates: tuple[str, ...]
    connector_id: str | None
    sender: str


class Ways:
    """The ways of one send, by what routes can tell its messages apart by: a chunk asks the same thing again and again."""

    def __init__(self, send: Send, router: Router) -> None:
        self._send = send
        self._router = router
        self._known: dict[Traits, Way] = {}

    def to(self, draft: Draft) -> Way:
        """Return the way of a message; without candidates when no route takes it."""
        router, facts = self._router, draft.facts
        traits = router.traits_of(draft.recipient, draft.signature) if facts is None else router.traits_with(facts, draft.signature)
        way = self._known.get(traits)
        if way is None:
            send = self._send
            ask = traits.ask(send.workspace_id, send.lane, send.livemode, send.pool, send.exclude)
            way = self._known[traits] = self._way(self._router.choose(ask))
        return way

    def nowhere(self) -> Way:
        """Return what a message has that will not go out."""
        return self._way(())

    def _way(self, candidates: tuple[str, ...]) -> Way:
        """The sender is the caller's own or the first connector's, plus the extension."""
        own, first = self._send.sender, candidates[0] if candidates else None
        if own is None:
            own = self._router.connectors[first].sender if first else ""
        return Way(candidates, first, own + (self._send.extension or ""))
