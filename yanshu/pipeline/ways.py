"""Ways: how each message of a send goes out, found once for all messages that routing cannot tell apart."""

from datetime import datetime

from msgspec import Struct

from yanshu.domain.commands import Send
from yanshu.pipeline.route import Router, Traits
from yanshu.rules.compliance.verdicts import Draft
from yanshu.rules.routing.match import Sending
from yanshu.rules.routing.plan import Plan


class Way(Struct, frozen=True):
    """How a message goes out: over which connectors, best first, and the access code the text will come from."""

    candidates: tuple[str, ...]
    connector_id: str | None
    sender: str


class Ways:
    """The ways of one send, by what routes can tell its messages apart by: a chunk asks the same thing again and again."""

    def __init__(self, send: Send, router: Router, now: datetime) -> None:
        self._send = send
        self._router = router
        self._sending = Sending(
            workspace_id=send.workspace_id,
            lane=send.lane,
            livemode=send.livemode,
            at=max(send.send_at or now, now),
            pool=send.pool,
            exclude=send.exclude,
            metadata=send.metadata,
            sender=send.sender,
            extension=send.extension or "",
        )
        self._known: dict[Traits, tuple[Plan, Way | None]] = {}
        self._ways: dict[tuple[str, ...], Way] = {}

    def to(self, draft: Draft, message_id: str) -> Way:
        """Return the way of a message; without candidates when no route takes it."""
        plan, way = self._find(draft)
        if way is not None:
            return way
        candidates = plan.order_of(message_id)
        return self._ways.get(candidates) or self._over(candidates)

    def usual(self, draft: Draft) -> Way:
        """Return the way that most of such messages go."""
        plan, way = self._find(draft)
        return way or self._over(plan.usual)

    def nowhere(self) -> Way:
        """Return what a message has that will not go out."""
        return self._over(())

    def _find(self, draft: Draft) -> tuple[Plan, Way | None]:
        """Return the plan for such a message, and its way where all of them go the same."""
        router, facts = self._router, draft.facts
        traits = router.traits_of(draft.recipient, draft.signature) if facts is None else router.traits_with(facts, draft.signature)
        found = self._known.get(traits)
        if found is None:
            plan = router.plan(traits.ask(self._sending))
            found = self._known[traits] = (plan, None if plan.is_shared else self._over(plan.usual))
        return found

    def _over(self, candidates: tuple[str, ...]) -> Way:
        """The sender is the caller's own or the first connector's, plus the extension."""
        own, first = self._send.sender, candidates[0] if candidates else None
        if own is None:
            own = self._router.connectors[first].sender if first else ""
        way = self._ways[candidates] = Way(candidates, first, own + (self._send.extension or ""))
        return way
