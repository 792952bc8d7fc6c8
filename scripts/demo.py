"""The story of one message, for real: a server, a simulated carrier over TCP, a webhook receiver, and a reply.

Starts `yanshu serve` and `yanshu simulate` on free ports of 127.0.0.1 with a throw-away data directory, sends one
verification code through the HTTP API, and prints what happened, step by step, with the time since the request.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PHONE = "+8610000000015"  # the simulated person who answers 你好 (docs/reference/test-numbers.md)
TEXT = "【雁书】您的验证码是 482913，5 分钟内有效。请勿告诉他人。"
PATIENCE_SECONDS = 30.0


class Hooks:
    """A webhook receiver that keeps what it got."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, dict[str, Any]]] = []
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                calls.append((time.time(), json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Api:
    """The few calls the story needs."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the API and return its JSON."""
        request = urllib.request.Request(self._url + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {self._key}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def main() -> None:
    """Tell the story."""
    with tempfile.TemporaryDirectory(prefix="yanshu-demo-") as folder:
        hooks = Hooks()
        with running("simulate", "--port", "0", "--control-port", "0") as simulator, serving(Path(folder), hooks.port) as (url, admin_key):
            tell(url, admin_key, simulator, hooks)
    print("\nNext: `make run` starts a server that stays, then follow docs/tutorial.md.")


def tell(url: str, admin_key: str, simulator: dict[str, Any], hooks: Hooks) -> None:
    """Set up, send, wait, print."""
    admin = Api(url, admin_key)
    set_up(admin, simulator["port"])
    key = admin.call(
        "POST",
        "/v1/api_keys",
        {"name": "demo", "livemode": False, "scopes": ["messages:send", "messages:read", "inbound:read", "webhooks:write"]},
    )
    api = Api(url, key["secret"])
    api.call("POST", "/v1/webhook_endpoints", {"url": f"http://127.0.0.1:{hooks.port}/hook", "events": ["message.*", "inbound.*"]})
    wait("the link to the carrier", lambda: admin.call("GET", f"/v1/connectors/{connector_of(admin)}/health")["state"] == "up")
    started = time.time()
    sent = api.call("POST", "/v1/messages", {"to": PHONE, "text": TEXT, "lane": "otp"})
    say(0, "HTTP", f"202 accepted and committed: {sent['id']}, {sent['segments']} segment ({sent['encoding']}, {sent['units']} units)")
    message = wait("the receipt", lambda: delivered(api, sent["id"]))
    inbound = wait("the reply", lambda: api.call("GET", "/v1/inbound")["data"])[0]
    wait("the webhooks", lambda: {"message.delivered", "inbound.received"} <= {call["type"] for _, call in hooks.calls})
    show(api, message, inbound, hooks, started)


def set_up(admin: Api, smpp_port: int) -> None:
    """Make a connector to the simulator and the default route."""
    connector = admin.call(
        "POST",
        "/v1/connectors",
        {
            "name": "simulator",
            "protocol": "smpp",
            "host": "127.0.0.1",
            "port": smpp_port,
            "settings": {"system_id": "yanshu"},
            "password": "simulate",
            "simulated": True,
            "sender": "10690000",
        },
    )
    admin.call("POST", "/v1/routes", {"name": "default", "rank": 10, "connectors": [connector["id"]]})


def connector_of(admin: Api) -> str:
    """Return the id of the only connector."""
    ident: str = admin.call("GET", "/v1/connectors")["data"][0]["id"]
    return ident


def delivered(api: Api, ident: str) -> Any:
    """Return the message once it is delivered."""
    message = api.call("GET", f"/v1/messages/{ident}")
    return message if message["status"] == "delivered" else None


def show(api: Api, message: dict[str, Any], inbound: dict[str, Any], hooks: Hooks, started: float) -> None:
    """Print the timeline from the store, the submissions, the reply, the webhooks and the explanation."""
    for event in message["timeline"]:
        say(at(event["at"], started), "store", f"{event['type']}")
    for row in api.call("GET", f"/v1/messages/{message['id']}/submissions")["data"]:
        say(at(row["answered_at"], started), "SMPP", f"segment {row['segment']} accepted as {row['carrier_message_id']}")
        say(at(row["receipt"]["at"], started), "SMPP", f"receipt {row['receipt']['stat']}")
    say(at(inbound["created_at"], started), "inbound", f"{inbound['from']} replied: {inbound['text']} (to {inbound['in_reply_to']})")
    for arrived, call in hooks.calls:
        say(arrived - started, "webhook", f"{call['type']} {call['id']}")
    print("\nexplain:")
    for sentence in api.call("GET", f"/v1/messages/{message['id']}/explain")["sentences"]:
        print(f"  {sentence}")


def at(stamp: str, started: float) -> float:
    """Return seconds from the start to an RFC 3339 time."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() - started


def say(seconds: float, where: str, what: str) -> None:
    """Print one line of the story."""
    print(f"  {seconds:+7.3f} s  {where:<8} {what}", flush=True)


def wait(what: str, ready: Callable[[], Any]) -> Any:
    """Poll until `ready` answers with something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.05)
    sys.exit(f"gave up waiting for {what} after {PATIENCE_SECONDS:.0f} s")


@contextmanager
def running(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Run a yanshu command; yields the JSON line by which it says where it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "yanshu", *arguments], stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}, text=True
    )
    try:
        yield first_json(process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def serving(folder: Path, hook_port: int) -> Iterator[tuple[str, str]]:
    """Run `yanshu serve` in `folder`; yields its URL and the admin key it printed."""
    environment = {"YANSHU_DATA_DIR": str(folder), "YANSHU_WEBHOOK_ALLOW": f"127.0.0.1:{hook_port}", "YANSHU_LOG_LEVEL": "WARNING"}
    with running("serve", "--port", "0", environment=environment) as said:
        yield said["url"], said["admin_key"]


def first_json(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the first line of the process's output that is a JSON object; the rest is read and thrown away."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.match(r"\s*\{", line):
            found: dict[str, Any] = json.loads(line)
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return found
        print(line, end="", file=sys.stderr)
    sys.exit(f"{process.args} ended before it listened")


if __name__ == "__main__":
    main()
