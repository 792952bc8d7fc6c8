"""Endpoints as data: what a route needs, takes and answers. The router, the guards and OpenAPI all read this."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from yanshu.domain.access import Caller
from yanshu.domain.commands import Idempotency
from yanshu.edge.api.services import Services
from yanshu.edge.exchange import Request, Response

Json = bytes


class Call(Struct, frozen=True, kw_only=True):
    """One authenticated request, as a handler sees it. `ids` are the path's variables; `query` and `body` are decoded."""

    caller: Caller
    services: Services
    request: Request
    request_id: str
    language: str
    ids: dict[str, str]
    query: Any
    body: Any
    idempotency: Idempotency | None


class Answer(Struct, frozen=True):
    """What a handler answers: a status and an object to be encoded, or bytes that are JSON already (a replay).

    `kept` says that the transaction of the work keeps it for replays already.
    """

    status: int
    content: object
    replayed: bool = False
    kept: bool = False


Handler = Callable[[Call], Awaitable[Answer | Response]]


class Endpoint(Struct, frozen=True, kw_only=True):
    """One route: `scope` it asks of the key, types of query, body and answer, and the statuses it may refuse with.

    `is_keyed` endpoints honour Idempotency-Key; those with `own_replay` store the answer themselves, in the transaction of
    their stage. `other_answers` are what else a success may look like: (status, type). `counted` says how many messages a
    body asks for, for the message rate.
    """

    method: str
    path: str
    handler: Handler
    scope: str
    summary: str
    status: int = 200
    query: type | None = None
    body: type | None = None
    optional_body: bool = False
    answer: Any = None
    other_answers: tuple[tuple[int, Any], ...] = ()
    raw_body: bool = False
    own_replay: bool = False
    refuses: tuple[int, ...] = ()
    counted: Callable[[Any], int] | None = None

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def is_keyed(self) -> bool:
        """Whether it honours Idempotency-Key; a PUT may be repeated without one."""
        return self.method in {"POST", "PATCH", "DELETE"}


def given(**fields: object) -> dict[str, Any]:
    """Return the fields that a PATCH really carries."""
    return {name: value for name, value in fields.items() if not isinstance(value, UnsetType)}


__all__ = ["UNSET", "Answer", "Call", "Endpoint", "Handler", "given"]
