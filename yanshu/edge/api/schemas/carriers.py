"""Shapes of connectors."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from yanshu.domain.connectors import LONGEST_SENDER, Filing, FilingState, LinkState
from yanshu.domain.errors import Invalid
from yanshu.edge.api.schemas.messages import Metadata
from yanshu.edge.api.schemas.money import PriceIO, Prices
from yanshu.edge.api.schemas.platform import Name
from yanshu.edge.api.trials import WarningOut

Host = Annotated[str, Meta(min_length=1, max_length=253)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Window = Annotated[int, Meta(ge=1, le=10_000)]
Throughput = Annotated[int, Meta(ge=0, le=100_000, description="Segments a second over all links; 0: no limit.")]
Links = Annotated[int, Meta(ge=1, le=32)]
Password = Annotated[str, Meta(max_length=512)]
Sender = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{0,20}$")]
Signature = Annotated[str, Meta(min_length=2, max_length=12, pattern="^[^【】]*$", examples=["雁书"])]


SenderLength = Annotated[int, Meta(ge=1, le=LONGEST_SENDER, description="Characters of access code and extension together.")]


class FilingIO(Struct, forbid_unknown_fields=True):
    """A signature, without 【】, and where its filing with the carrier stands."""

    signature: Signature
    state: FilingState


Filings = Annotated[list[FilingIO], Meta(max_length=5000)]


class ConnectorIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new connector; `settings` are the protocol's own."""

    name: Name
    protocol: Literal["smpp", "cmpp", "sgip", "smgp", "http"]
    host: Host
    port: Port
    settings: dict[str, Any] = {}
    password: Password = ""
    window: Window = 16
    throughput: Throughput = 0
    links: Links = 1
    sender: Sender = ""
    simulated: bool = False
    prices: Prices = []
    filings: Filings = []
    requires_filing: bool = False
    sender_length: SenderLength = LONGEST_SENDER
    own_senders: bool = True
    metadata: Metadata | None = None


class ConnectorPatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of a connector to change."""

    name: Name | UnsetType = UNSET
    host: Host | UnsetType = UNSET
    port: Port | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    window: Window | UnsetType = UNSET
    throughput: Throughput | UnsetType = UNSET
    links: Links | UnsetType = UNSET
    sender: Sender | UnsetType = UNSET
    prices: Prices | UnsetType = UNSET
    filings: Filings | UnsetType = UNSET
    requires_filing: bool | UnsetType = UNSET
    sender_length: SenderLength | UnsetType = UNSET
    own_senders: bool | UnsetType = UNSET
    metadata: Metadata | UnsetType | None = UNSET


class ConnectorOut(Struct, kw_only=True):
    """A connector; the password is never shown."""

    id: str
    object: Literal["connector"] = "connector"
    created_at: datetime
    updated_at: datetime
    name: str
    protocol: str
    host: str
    port: int
    settings: dict[str, Any]
    window: int
    throughput: int
    links: int
    sender: str
    simulated: bool
    prices: list[PriceIO]
    filings: list[FilingIO]
    requires_filing: bool
    sender_length: int
    own_senders: bool
    state: str
    metadata: dict[str, Any]


class TurnedOut(ConnectorOut, kw_only=True):
    """A connector that was drained or resumed, or would be."""

    dry_run: bool
    warnings: list[WarningOut]


class LinkOut(Struct):
    """One link as its owner last reported it."""

    slot: int
    node: str
    state: LinkState
    detail: str
    at: datetime


class CallbacksOut(Struct, kw_only=True):
    """What the carrier of a connector shall call. The URLs are secret: who knows them can report receipts. A replay does not show them."""

    object: Literal["connector_callbacks"] = "connector_callbacks"
    connector: str
    receipts_url: str | None
    inbound_url: str | None


def read_filings(given: list[FilingIO]) -> tuple[Filing, ...]:
    """Return the filings of a connector; a signature that stands there twice is refused."""
    seen: set[str] = set()
    for place, filing in enumerate(given):
        if filing.signature in seen:
            raise Invalid("parameter_invalid", param=f"filings[{place}].signature", fix="name a signature once")
        seen.add(filing.signature)
    return tuple(Filing(filing.signature, filing.state) for filing in given)
