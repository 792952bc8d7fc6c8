"""Shapes of binds."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from yanshu.domain.binds import Alphabet, Bind, BindProtocol, BindStatus
from yanshu.domain.lanes import Lane
from yanshu.edge.api.schemas.messages import Metadata
from yanshu.edge.api.schemas.platform import Name

SystemId = Annotated[str, Meta(min_length=1, max_length=15, description="Over CMPP the SP id, at most 6 characters.")]
Secret = Annotated[str, Meta(min_length=1, max_length=64, description="Over SMPP the password, at most 8 characters; made when left out.")]
Cidrs = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=50)]
Window = Annotated[int, Meta(ge=1, le=1000, description="What may be unanswered on one session, either way.")]
Throughput = Annotated[int, Meta(ge=0, le=100_000, description="Submits a second; 0: no limit.")]
Sessions = Annotated[int, Meta(ge=1, le=32)]
Senders = Annotated[list[Annotated[str, Meta(min_length=1, max_length=21)]], Meta(max_length=200)]


class BindIn(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new bind; only an admin may name another workspace."""

    name: Name
    protocol: BindProtocol
    system_id: SystemId
    secret: Secret | None = None
    workspace: str | None = None
    cidrs: Cidrs = []
    window: Window = 16
    throughput: Throughput = 100
    sessions: Sessions = 4
    lane: Lane = Lane.NOTICE
    senders: Senders = []
    alphabet: Alphabet = Alphabet.GSM
    inbound: bool = True
    metadata: Metadata | None = None


class BindPatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of a bind to change; sessions of a disabled one, or of one with another secret, are ended."""

    name: Name | UnsetType = UNSET
    secret: Secret | UnsetType = UNSET
    status: BindStatus | UnsetType = UNSET
    cidrs: Cidrs | UnsetType = UNSET
    window: Window | UnsetType = UNSET
    throughput: Throughput | UnsetType = UNSET
    sessions: Sessions | UnsetType = UNSET
    lane: Lane | UnsetType = UNSET
    senders: Senders | UnsetType = UNSET
    alphabet: Alphabet | UnsetType = UNSET
    inbound: bool | UnsetType = UNSET
    metadata: Metadata | UnsetType | None = UNSET


class BindOut(Struct, kw_only=True):
    """A bind; `secret` is shown once, when it is made or rotated."""

    id: str
    object: Literal["bind"] = "bind"
    livemode: bool
    created_at: datetime
    updated_at: datetime
    workspace: str
    name: str
    protocol: str
    system_id: str
    status: str
    cidrs: list[str]
    window: int
    throughput: int
    sessions: int
    lane: str
    senders: list[str]
    alphabet: str
    inbound: bool
    secret: str | None = None
    metadata: dict[str, Any]


class BindHealthOut(Struct, kw_only=True):
    """Sessions of a bind that are open now, in all processes, and the receipts and texts that wait for it (counted up to 100,000)."""

    object: Literal["bind_health"] = "bind_health"
    bind: str
    sessions: int
    owed: int


def show_bind(b: Bind, secret: str | None = None) -> BindOut:
    """Return the wire form of a bind; `secret` only the one time it is shown."""
    return BindOut(
        id=b.id,
        livemode=b.livemode,
        created_at=b.created_at,
        updated_at=b.updated_at,
        workspace=b.workspace_id,
        name=b.name,
        protocol=b.protocol,
        system_id=b.system_id,
        status=b.status,
        cidrs=list(b.cidrs),
        window=b.window,
        throughput=b.throughput,
        sessions=b.sessions,
        lane=b.lane,
        senders=list(b.senders),
        alphabet=b.alphabet,
        inbound=b.inbound,
        secret=secret,
        metadata=b.metadata or {},
    )
