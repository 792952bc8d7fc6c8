"""A webhook receiver on 127.0.0.1 for tests and the demo: checks signatures, keeps what came, answers as told."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from yanshu.rules.webhooks.signing import SignatureInvalid, verify
from yanshu.runtime.clock import SystemClock


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived. `problem` says what is wrong with its signature; None when it is right (or was not checked)."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: datetime
    problem: str | None

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        """The events of the call, whether it is a batch or not."""
        content = json.loads(self.body)
        return list(content["data"]) if content.get("object") == "list" else [content]

    @property
    def types(self) -> list[str]:
        """The types of its events."""
        return [envelope["type"] for envelope in self.envelopes]


@dataclass(frozen=True, slots=True)
class Reply:
    """How to answer a call: after `delay_seconds`, with these."""

    status: int = 200
    headers: dict[str, str] | None = None
    body: bytes = b""
    delay_seconds: float = 0.0


class WebhookReceiver:
    """An HTTP server that collects calls. `replies` are used up one a call; then `reply` answers every further one."""

    def __init__(self, secret: str | None = None, now: Callable[[], datetime] | None = None) -> None:
        self.secret = secret
        self.calls: list[Call] = []
        self.replies: list[Reply] = []
        self.reply = Reply()
        self._now = now or SystemClock().now
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/webhook"

    @property
    def allow(self) -> str:
        """What the setting `webhook_allow` must hold for it to be reached."""
        return f"127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes any free one."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> "WebhookReceiver":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait_for(self, wanted: Callable[["WebhookReceiver"], bool], timeout_seconds: float = 10.0) -> None:
        """Wait until `wanted(self)`; raises TimeoutError that says what had come by then."""
        try:
            async with asyncio.timeout(timeout_seconds), self._changed:
                await self._changed.wait_for(lambda: wanted(self))
        except TimeoutError as error:
            types = Counter(kind for call in self.calls for kind in call.types)
            raise TimeoutError(f"only {dict(types)} came") from error

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.path, headers, body, self._now(), self._check(headers, body))
        reply = self.replies.pop(0) if self.replies else self.reply
        async with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        if call.problem is not None:
            return web.Response(status=401, text=call.problem)
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    def _check(self, headers: dict[str, str], body: bytes) -> str | None:
        if self.secret is None:
            return None
        try:
            verify(self.secret, headers, body, self._now())
        except SignatureInvalid as error:
            return str(error)
        return None
