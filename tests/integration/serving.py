"""A platform that serves HTTP from a thread of its own, with a simulated carrier and a webhook receiver beside it."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import httpx
from msgspec.structs import replace

from yanshu.app.platform import Platform
from yanshu.runtime.clock import SystemClock
from yanshu.settings import Settings
from yanshu.simulator import Simulator, SimulatorSettings
from yanshu.simulator.behaviour import USUAL_ACCOUNTS
from yanshu.testing.receiver import WebhookReceiver

T = TypeVar("T")
PATIENCE_SECONDS = 20.0
TEXT = "【雁书】您的验证码是 482913"


def until(what: str, ready: Callable[[], T]) -> T:
    """Poll until `ready` answers with something true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {PATIENCE_SECONDS:.0f} s")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Api:
    """A customer's HTTP client with one key (empty: none)."""

    def __init__(self, url: str, secret: str) -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.secret = secret
        self.http = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send one request; `body` is sent as JSON unless it is bytes already."""
        octets = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, content=octets, headers={"Content-Type": "application/json", **named})

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send one request that must go well and return its JSON."""
        answer = self.ask(method, path, body, **headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def refused(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        """Send one request that must be refused; return its status and code."""
        answer = self.ask(method, path, body, **headers)
        assert not answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.status_code, answer.json()["error"]["code"]


class Served:
    """The running platform. `admin` holds the key of the first start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="platform")
        self._clients: list[Api] = []
        self.platform: Platform
        self.receiver: WebhookReceiver
        self.simulator: Simulator
        self.smpp_port = 0
        self.admin: Api
        self.connector = ""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the platform's loop."""
        found: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return found.result(PATIENCE_SECONDS + 20)

    def start(self, **settings: Any) -> "Served":
        """Start everything; the platform's settings may be changed."""
        self._thread.start()
        self.run(self._start(settings))
        self.admin = self.client(self.platform.admin_key or "")
        return self

    async def _start(self, settings: dict[str, Any]) -> None:
        self.receiver = WebhookReceiver()
        await self.receiver.start()
        accounts = tuple(replace(account, delivers_to=f"127.0.0.1:{free_port()}") for account in USUAL_ACCOUNTS)
        self.simulator = Simulator(SimulatorSettings(accounts=accounts, seed=1, time_factor=100), SystemClock())
        self.smpp_port = await self.simulator.start()
        given = {"roles": "api,dispatcher,worker", "listen_port": 0, "drain_seconds": 2, "webhook_allow": self.receiver.allow, **settings}
        self.platform = Platform(Settings(data_dir=str(self._folder), **given))
        await self.platform.start()

    def stop(self) -> None:
        """Stop everything."""
        for client in self._clients:
            client.http.close()
        try:
            self.run(self._stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _stop(self) -> None:
        await self.platform.stop()
        await self.simulator.stop()
        await self.receiver.stop()

    def client(self, secret: str = "") -> Api:
        """Return a client with this secret, without one by default; it is closed at the end."""
        self._clients.append(Api(self.platform.url, secret))
        return self._clients[-1]

    def key(self, *scopes: str, **fields: Any) -> dict[str, Any]:
        """Make a key and return it with its secret."""
        made: dict[str, Any] = self.admin.call("POST", "/v1/api_keys", {"name": "k", "scopes": list(scopes), **fields})
        return made

    def caller(self, *scopes: str, **fields: Any) -> Api:
        """Make a key and return a client with it."""
        return self.client(self.key(*scopes, **fields)["secret"])

    def workspace(self, name: str = "another") -> str:
        """Make a workspace and return its id."""
        ident: str = self.admin.call("POST", "/v1/workspaces", {"name": name})["id"]
        return ident

    def connector_body(self, **fields: Any) -> dict[str, Any]:
        """Return what makes a connector to the simulated carrier."""
        return {
            "name": "simulator",
            "protocol": "smpp",
            "host": "127.0.0.1",
            "port": self.smpp_port,
            "settings": {"system_id": "yanshu"},
            "password": "simulate",
            "sender": "10690000",
            "simulated": True,
            **fields,
        }

    def connect(self) -> str:
        """Make the connector and the default route, and wait for the link; once is enough."""
        if not self.connector:
            self.connector = self.admin.call("POST", "/v1/connectors", self.connector_body())["id"]
            self.admin.call("POST", "/v1/routes", {"name": "default", "rank": 10, "connectors": [self.connector]})
            path = f"/v1/connectors/{self.connector}/health"
            until("the link", lambda: self.admin.call("GET", path)["state"] == "up")
        return self.connector
