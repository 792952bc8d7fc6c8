"""The stage of the demo: processes that start and stop cleanly, calls of the API, a webhook receiver, and waiting."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples"))

from webhook_receiver import events_of, is_genuine  # noqa: E402  # what the demo runs is what customers copy

PATIENCE_SECONDS = 60.0
STOP_SECONDS = 20.0


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


def at(stamp: str, started: float) -> float:
    """Return seconds from the start to an RFC 3339 time."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() - started


def wait(what: str, ready: Callable[[], Any]) -> Any:
    """Poll until `ready` answers with something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.05)
    raise Failed(f"gave up waiting for {what} after {PATIENCE_SECONDS:.0f} s")


def free_port() -> int:
    """Return a port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
