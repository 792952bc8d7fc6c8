"""Requests read headers and bodies as they come; responses are sent whole, or for as long as somebody listens."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from yanshu.domain.errors import InvalidRequest
from yanshu.edge.exchange import Request, Response, respond

Message = MutableMapping[str, Any]


def request(*messages: Message, headers: tuple[tuple[bytes, bytes], ...] = (), query: bytes = b"") -> Request:
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    scope = {"method": "POST", "path": "/", "query_string": query, "headers": list(headers), "client": ("203.0.113.9", 4711)}
    return Request(scope, receive)


def part(octets: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": octets, "more_body": more}


BODIES = [
    ("none", [part(b"")], []),
    ("whole", [part(b"abc")], [b"abc"]),
    ("in pieces", [part(b"ab", more=True), part(b"", more=True), part(b"c")], [b"ab", b"c"]),
]


@pytest.mark.parametrize(("messages", "expected"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
async def test_a_body_is_read_as_it_arrives(messages: list[Message], expected: list[bytes]) -> None:
    assert [octets async for octets in request(*messages).stream()] == expected


async def test_a_body_that_breaks_off_is_no_body() -> None:
    broken = request(part(b"ab", more=True), {"type": "http.disconnect"})
    with pytest.raises(InvalidRequest):
        [octets async for octets in broken.stream()]


def test_headers_of_one_name_are_one_list_and_others_stay_apart() -> None:
    given = request(headers=((b"accept-language", b"zh"), (b"authorization", b"Bearer a"), (b"accept-language", b"en;q=0.5")))
    assert given.headers == {"accept-language": "zh, en;q=0.5", "authorization": "Bearer a"}


def test_a_query_keeps_repetitions_and_empty_values() -> None:
    assert request(query=b"a=1&a=2&b=&c=%E4%BD%A0").query_pairs() == [("a", "1"), ("a", "2"), ("b", ""), ("c", "你")]


async def test_bytes_are_sent_with_their_length_and_the_common_headers() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nobody asks")

    await respond(Response(202, b"{}", headers=((b"x-own", b"1"),)), [(b"request-id", b"req_1")], receive, send)
    assert sent[0]["status"] == 202
    assert sent[0]["headers"] == [
        (b"request-id", b"req_1"),
        (b"x-own", b"1"),
        (b"content-type", b"application/json"),
        (b"content-length", b"2"),
    ]
    assert sent[1:] == [{"type": "http.response.body", "body": b"{}"}]


async def test_a_stream_ends_when_the_caller_hangs_up() -> None:
    left, stopped, first = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick"
                await asyncio.sleep(0)
        finally:
            stopped.set()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            first.set()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(30):
        streaming = asyncio.create_task(respond(Response(200, endless(), b"text/event-stream"), [], receive, send))
        await first.wait()
        left.set()
        await streaming
        await stopped.wait()


async def test_a_stream_that_ends_by_itself_is_ended_for_the_caller() -> None:
    sent: list[Message] = []

    async def two() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("never")

    async with asyncio.timeout(30):
        await respond(Response(200, two()), [], receive, send)
    assert [(message.get("body"), message.get("more_body", False)) for message in sent[1:]] == [(b"a", True), (b"b", True), (b"", False)]
