"""Pages and filters: which rows of a list a caller wants."""

from datetime import datetime

from msgspec import Struct

from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message, Status


class Page(Struct, frozen=True, kw_only=True):
    """A keyset page: rows strictly after `after` (an id) in the given order; filters that are None do not apply."""

    limit: int = 50
    after: str | None = None
    descending: bool = True


class MessageFilter(Struct, frozen=True, kw_only=True):
    """Filters of a message list; all given ones must hold. `recipient` is E.164."""

    status: Status | None = None
    recipient: str | None = None
    batch_id: str | None = None
    connector_id: str | None = None
    lane: Lane | None = None
    client_reference: str | None = None
    livemode: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class MessagePage(Struct, frozen=True):
    """A page of messages. `resume_after`: the search stopped at this id with the page not full; there may be more behind it."""

    messages: list[Message]
    resume_after: str | None = None


class EventFilter(Struct, frozen=True, kw_only=True):
    """Filters of events; all given ones must hold. `types` empty: all. `called_back`: only those with a callback URL."""

    workspace_id: str | None = None
    object_id: str | None = None
    types: tuple[str, ...] = ()
    livemode: bool | None = None
    called_back: bool = False


EVERY_EVENT = EventFilter()
