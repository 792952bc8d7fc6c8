"""One HTTP exchange over ASGI: the request as door and handlers see it, and the response on its way out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from yanshu.domain.errors import InvalidRequest

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON = b"application/json"


class Request:
    """A request. Names of headers are in lower case; several headers of one name are one list (RFC 9110 §5.3).

    `peer` is the address it came from, empty when there is none.
    """

    __slots__ = ("_receive", "headers", "method", "path", "peer", "query")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers = _headers(scope["headers"])
        client = scope.get("client")
        self.peer: str = client[0] if client else ""
        self._receive = receive

    def query_pairs(self) -> list[tuple[str, str]]:
        """Return the names and values of the query string, in order."""
        return parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequest("malformed_json", fix="the body ended early")
            more = message.get("more_body", False)
            if octets := message.get("body"):
                yield octets


class Response(Struct, frozen=True):
    """An answer: bytes, or bytes as they come, for as long as the caller listens."""

    status: int
    body: bytes | AsyncIterator[bytes]
    media_type: bytes = JSON
    headers: tuple[Header, ...] = ()


async def respond(response: Response, common: list[Header], receive: Receive, send: Send) -> None:
    """Send a response with the headers that are on every answer."""
    body = response.body
    headers = [*common, *response.headers, (b"content-type", response.media_type)]
    if isinstance(body, bytes):
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
    else:
        await _while_listening(_send_all(body, send), receive)


async def _send_all(body: AsyncIterator[bytes], send: Send) -> None:
    async for octets in body:
        await send({"type": "http.response.body", "body": octets, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _while_listening(sending: Awaitable[None], receive: Receive) -> None:
    """Send until the end, or until the caller hangs up: a server does not say so to those who only send."""
    tasks = (asyncio.ensure_future(sending), asyncio.ensure_future(_hung_up(receive)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(raw: list[Header]) -> dict[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) < len(raw):
        for name in headers:
            octets = name.encode("latin-1")
            headers[name] = ", ".join(value.decode("latin-1") for given, value in raw if given == octets)
    return headers
