"""Shapes of connectors."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from yanshu.domain.connectors import LinkState
from yanshu.edge.api.schemas.messages import Metadata
from yanshu.edge.api.schemas.money import PriceIO, Prices
from yanshu.edge.api.schemas.platform import Name

Host = Annotated[str, Meta(min_length=1, max_length=253)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Window = Annotated[int, Meta(ge=1, le=10_000)]
Throughput = Annotated[int, Meta(ge=0, le=100_000, description="Segments a second over all links; 0: no limit.")]
Links = Annotated[int, Meta(ge=1, le=32)]
Password = Annotated[str, Meta(max_length=512)]
Sender = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{0,20}$")]


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
    state: str
    metadata: dict[str, Any]


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
