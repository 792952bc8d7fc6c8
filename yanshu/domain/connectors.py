"""Connectors and routes: accounts at carriers, and the rules that say which messages may use them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import Operator


class ConnectorState(StrEnum):
    """What the operator wants of a connector."""

    ACTIVE = "active"
    DRAINED = "drained"


class Connector(Struct, frozen=True, kw_only=True):
    """One account at one carrier.

    `settings` are the protocol's own (for SMPP see `yanshu.adapters.carriers.smpp.settings`); `secret` is the sealed password.
    `window` is submits outstanding per link, `throughput` segments per second over all links (0: no limit), `links` how
    many sessions may be open at once over all processes. `simulated` connectors carry test traffic only.
    """

    id: str
    name: str
    protocol: str
    host: str
    port: int
    settings: dict[str, Any]
    secret: str
    created_at: datetime
    updated_at: datetime
    window: int = 16
    throughput: int = 0
    links: int = 1
    sender: str = ""
    simulated: bool = False
    state: ConnectorState = ConnectorState.ACTIVE
    metadata: dict[str, Any] | None = None
    version: int = 1


class Match(Struct, frozen=True, kw_only=True):
    """Which messages a route is for; an empty tuple matches everything.

    `prefixes` are beginnings of E.164 numbers (``+86138``). A number whose operator nobody knows meets no list of `operators`,
    and a text without 【…】 no list of `signatures`.
    """

    lanes: tuple[Lane, ...] = ()
    countries: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()
    operators: tuple[Operator, ...] = ()
    prefixes: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()


class Route(Struct, frozen=True, kw_only=True):
    """A rule: such messages may use these connectors, in this order. Lower `rank` is tried first."""

    id: str
    name: str
    rank: int
    connectors: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    match: Match = field(default_factory=Match)
    enabled: bool = True
    metadata: dict[str, Any] | None = None
    version: int = 1


class LinkState(StrEnum):
    """State of one live session (protocols.md §8)."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    THROTTLED = "throttled"
    DRAINING = "draining"
    BLOCKED = "blocked"


# Owners report every second or so. An older report comes from a process that is gone; one from the future, from before the
# clock was set back.
_FRESH = timedelta(seconds=15)


class LinkReport(Struct, frozen=True, kw_only=True):
    """What the owner of a link last said about it; `slot` numbers the links of a connector from 0."""

    connector_id: str
    slot: int
    node_id: str
    state: LinkState
    detail: str
    changed_at: datetime

    def as_of(self, now: datetime) -> "LinkReport":
        """Return what it is worth by now: a link whose owner has fallen silent is down."""
        if abs(now - self.changed_at) < _FRESH:
            return self
        return replace(self, state=LinkState.DOWN, detail="its process reports no more")
