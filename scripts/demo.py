"""The story of one message, for real: a server, a simulated carrier over TCP, a webhook receiver, and a reply.

Starts `yanshu serve` and `yanshu simulate` on free ports of 127.0.0.1 with a throw-away data directory, sends one
verification code through the HTTP API, and prints what happened, step by step, with the time since the request. However it
ends (by itself, by Ctrl-C, by an error), the processes are stopped and the directory is removed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples"))

from webhook_receiver import events_of, is_genuine  # noqa: E402  # what the demo runs is what customers copy

PHONE = "+8610000000015"  # the simulated person who answers 你好 (docs/reference/test-numbers.md)
TEXT = "【雁书】您的验证码是 482913，5 分钟内有效。请勿告诉他人。"
SCOPES = ["messages:send", "messages:read", "inbound:read", "webhooks:write"]
PATIENCE_SECONDS = 60.0
STOP_SECONDS = 20.0
EVENTS = {
    "message.accepted": "accepted: the message and this event are one transaction",
    "message.queued": "queued for the next free place on the link",
    "message.submitted": "the carrier's answer is stored: submitted",
    "message.delivered": "the receipt is matched and stored: delivered",
}


class Failed(Exception):
    """The story broke off; the message says where."""


class Hooks:
    """A webhook receiver that keeps what it got, and whether the signature was right."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, bool, dict[str, Any]]] = []
        self.secret = ""
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                now = time.time()
                hooks.calls += [(now, is_genuine(hooks.secret, headers, body, now), event) for event in events_of(body)]
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Api:
    """The few calls the story needs; a proxy of the environment must not come between us and this machine."""

    _opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the API and return its JSON."""
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {self._key}")
        request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                raise Failed(f"{method} {path} was answered {refused.code}: {refused.read().decode('utf-8', 'replace')}") from None


def main() -> int:
    """Tell the story; 0 when it came to its end."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal that knows no Chinese
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    print("One verification code, from an HTTP request to the reply of a (simulated) phone, on this machine.\n", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="yanshu-demo-") as folder:
            play(Path(folder))
    except KeyboardInterrupt:
        print("\nStopped. What the demo had started is gone.", file=sys.stderr)
        return 130
    except (Failed, OSError) as error:
        print(f"\nThe demo broke off: {error}", file=sys.stderr)
        return 1
    print("\nServer, carrier and data of this demo are gone again.")
    print("Next: `make run` starts a server that stays; docs/tutorial.md (中文: docs/zh/tutorial.md) goes on from there.")
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def play(folder: Path) -> None:
    """Start everything, set up, send, wait, print."""
    hooks = Hooks()
    environment = {"YANSHU_DATA_DIR": str(folder), "YANSHU_WEBHOOK_ALLOW": f"127.0.0.1:{hooks.port}"}
    with (
        running("simulate", "--port", "0", logs=folder / "simulate.log") as simulator,
        running("serve", "--port", "0", logs=folder / "serve.log", **environment) as server,
    ):
        setting("server", f"{server['url']}  (SQLite in {folder})")
        setting("carrier", f"127.0.0.1:{simulator['port']}  (yanshu simulate: SMPP 3.4 over TCP)")
        setting("webhook", f"127.0.0.1:{hooks.port}  (a receiver in this script)")
        api = set_up(Api(server["url"], server["admin_key"]), simulator["port"], hooks)
        setting("link", "up: bound to the carrier")
        tell(api, hooks)


def set_up(admin: Api, smpp_port: int, hooks: Hooks) -> Api:
    """Make a connector to the simulator, the default route, a test key and its webhook endpoint."""
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
    api = Api(admin.url, admin.call("POST", "/v1/api_keys", {"name": "demo", "livemode": False, "scopes": SCOPES})["secret"])
    events = ["message.*", "inbound.*"]
    hooks.secret = api.call("POST", "/v1/webhook_endpoints", {"url": f"http://127.0.0.1:{hooks.port}/hook", "events": events})["secret"]
    wait("the link to the carrier", lambda: admin.call("GET", f"/v1/connectors/{connector['id']}/health")["state"] == "up")
    return api


def tell(api: Api, hooks: Hooks) -> None:
    """Send, wait for the end, and print the timeline."""
    body = {"to": PHONE, "text": TEXT, "lane": "otp"}
    print(f"\n  POST /v1/messages\n  {json.dumps(body, ensure_ascii=False)}\n", flush=True)
    started = time.time()
    sent = api.call("POST", "/v1/messages", body)
    lines = [(time.time() - started, "HTTP", f"202: {sent['id']}, {sent['segments']} segment ({sent['encoding']}, {sent['units']} units)")]
    message = wait("the receipt", lambda: delivered(api, sent["id"]))
    inbound = wait("the reply", lambda: api.call("GET", "/v1/inbound")["data"])[0]
    wait("the webhooks", lambda: {"message.delivered", "inbound.received"} <= {event["type"] for _, _, event in list(hooks.calls)})
    lines += [(at(event["at"], started), "store", EVENTS.get(event["type"], event["type"])) for event in message["timeline"]]
    for row in api.call("GET", f"/v1/messages/{message['id']}/submissions")["data"]:
        lines.append((at(row["answered_at"], started), "SMPP", f"submit_sm_resp: segment {row['segment']} is {row['carrier_message_id']}"))
        lines.append((at(row["receipt"]["at"], started), "SMPP", f"deliver_sm: receipt {row['receipt']['stat']}"))
    reply = f"{inbound['from']} replied {inbound['text']}, in reply to {inbound['in_reply_to']}"
    lines.append((at(inbound["created_at"], started), "inbound", reply))
    for arrived, genuine, event in hooks.calls:
        lines.append((arrived - started, "webhook", f"{event['type']}, signature {'verified' if genuine else 'WRONG'}"))
    for seconds, where, what in sorted(lines):
        print(f"  {seconds:+7.3f} s  {where:<8} {what}", flush=True)
    print(f"\n  GET /v1/messages/{message['id']}/explain")
    for sentence in api.call("GET", f"/v1/messages/{message['id']}/explain")["sentences"]:
        print(f"  - {sentence}")
    if not all(genuine for _, genuine, _ in hooks.calls):
        raise Failed("a webhook had a wrong signature")


def delivered(api: Api, ident: str) -> Any:
    """Return the message once it is delivered."""
    message = api.call("GET", f"/v1/messages/{ident}")
    return message if message["status"] == "delivered" else None


def at(stamp: str, started: float) -> float:
    """Return seconds from the start to an RFC 3339 time."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() - started


def setting(name: str, what: str) -> None:
    """Print one line of what there is."""
    print(f"  {name:<8} {what}", flush=True)


def wait(what: str, ready: Callable[[], Any]) -> Any:
    """Poll until `ready` answers with something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.05)
    raise Failed(f"gave up waiting for {what} after {PATIENCE_SECONDS:.0f} s")


@contextmanager
def running(*arguments: str, logs: Path, **environment: str) -> Iterator[dict[str, Any]]:
    """Run a yanshu command; yields the JSON line by which it says where it listens.

    Settings of somebody's own do not reach it: the demo must never touch a real database. It is in a session of its own, so
    that Ctrl-C reaches this script alone, which then stops everything in order.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("YANSHU_")}
    with logs.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "yanshu", *arguments],
            stdout=subprocess.PIPE,
            stderr=file,
            env={**clean, **environment},
            start_new_session=True,
            text=True,
        )
    try:
        yield first_json(process, logs)
    except Failed:
        print(f"\nLast lines of yanshu {arguments[0]}:\n" + "".join(logs.read_text("utf-8").splitlines(True)[-5:]), file=sys.stderr)
        raise
    finally:
        stop(process)


def first_json(process: "subprocess.Popen[str]", logs: Path) -> dict[str, Any]:
    """Return the line by which a process says where it listens."""
    assert process.stdout is not None
    alarm = threading.Timer(PATIENCE_SECONDS, process.kill)
    alarm.start()
    try:
        found: dict[str, Any] = json.loads(process.stdout.readline())
    except ValueError:
        raise Failed(f"`{' '.join(process.args[2:])}` ended before it listened: {logs.read_text('utf-8').strip()}") from None  # type: ignore[index]
    finally:
        alarm.cancel()
    return found


def stop(process: "subprocess.Popen[str]") -> None:
    """Stop a process whatever comes: from here on nobody interrupts us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
