"""A platform process with its HTTP door open, for tests of the API."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from yanshu.app.platform import Platform
from yanshu.settings import Settings


class Api:
    """A running platform and callers of it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.admin = platform.admin_key or ""

    def client(self, key: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A caller with this key (the admin's unless given; empty: none)."""
        secret = self.admin if key is None else key
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        return httpx.AsyncClient(base_url=self.platform.url, headers=headers, timeout=20)

    async def call(self, method: str, path: str, *, key: str | None = None, **rest: Any) -> httpx.Response:
        """One request."""
        async with self.client(key) as client:
            return await client.request(method, path, **rest)

    async def made(self, path: str, body: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Make an object; fails the test unless that went well."""
        answer = await self.call("POST", path, key=key, json=body)
        assert answer.status_code in {200, 201, 202}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def key(self, *scopes: str, **fields: Any) -> str:
        """The secret of a new key."""
        made = await self.made("/v1/api_keys", {"name": "test", "scopes": list(scopes), **fields})
        return str(made["secret"])

    async def routed(self, *, simulated: bool = False) -> None:
        """One connector that is never up, and a route to it, so that sends are accepted."""
        body = {
            "name": "c",
            "protocol": "smpp",
            "host": "127.0.0.1",
            "port": 9,
            "sender": "1069",
            "simulated": simulated,
            "settings": {"system_id": "t"},
        }
        connector = await self.made("/v1/connectors", body)
        await self.made("/v1/routes", {"name": "all", "connectors": [connector["id"]]})


@contextlib.asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[Api]:
    """Start a platform that only answers HTTP, and stop it afterwards."""
    platform = Platform(settings)
    try:
        await platform.start()
        yield Api(platform)
    finally:
        await platform.stop()
