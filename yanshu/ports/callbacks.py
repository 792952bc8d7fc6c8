"""The seam to carriers that call us over HTTP: what came in, and what the connector's adapter makes of it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from yanshu.domain.connectors import Connector
from yanshu.domain.submissions import Arrival


class CallbackKind(StrEnum):
    """What a carrier calls about; each has a URL of its own."""

    RECEIPTS = "receipts"
    INBOUND = "inbound"


class CallbackUrls(Struct, frozen=True):
    """Where the carrier of a connector shall call; empty where it does not call, or nobody would hear it."""

    receipts: str = ""
    inbound: str = ""


class Callback(Struct, frozen=True, kw_only=True):
    """What the carrier called us with. `url` is complete, as the carrier wrote it; names of headers are in lower case."""

    kind: CallbackKind
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


class Reading(Struct, frozen=True, kw_only=True):
    """What a callback says, and what its carrier wants to hear once that is safe. `broken` reports of it made no sense."""

    arrivals: Sequence[Arrival]
    status: int
    content_type: str
    body: bytes
    broken: int = 0


class CallbackReader(Protocol):
    """Reads the callbacks of connectors."""

    def token(self, connector: Connector) -> str | None:
        """Return the secret in the connector's callback URLs; None when its carrier does not call."""

    def read(self, connector: Connector, callback: Callback) -> Reading:
        """Return what it says. Raises `CallbackForged` or `CallbackBroken`; their words are for the carrier's engineers."""
