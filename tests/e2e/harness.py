"""Real processes for end-to-end tests: starting, killing and talking to them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
# A proxy of the environment must not come between the tests and this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
FINALS = frozenset({"delivered", "undelivered", "failed", "expired", "rejected", "canceled"})


def clean_environment(**environment: str) -> dict[str, str]:
    """Return our environment without settings of somebody's own, plus `environment`."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("YANSHU_")}, **environment}


def command(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a `yanshu` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "yanshu", *arguments],
        cwd=ROOT,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Node:
    """One `yanshu` process; `said` is the JSON line by which it told where it listens; its logs go to `logs`, if that is given."""

    def __init__(self, *arguments: str, logs: Path | None = None, **environment: str) -> None:
        with contextlib.ExitStack() as opened:
            self._process = _started(arguments, environment, opened.enter_context(logs.open("ab")) if logs else None)
        self.said = self._first_json()
        self._drain = threading.Thread(target=self._process.stdout.read, daemon=True)  # type: ignore[union-attr]
        self._drain.start()

    def _first_json(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        alarm = threading.Timer(60, self._process.kill)
        alarm.start()
        try:
            for line in self._process.stdout:
                if line.lstrip().startswith("{") and ("port" in line or "listening" in line):
                    found: dict[str, Any] = json.loads(line)
                    return found
        finally:
            alarm.cancel()
        raise AssertionError(f"{self._process.args} ended before it listened")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def kill(self) -> None:
        """Kill it as the kernel would: no warning, no goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            status = self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._drain.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status


def kill_while_starting(seconds: float, *arguments: str, **environment: str) -> None:
    """Start a process and kill it so many seconds later, whatever it is about just then."""
    process = _started(arguments, environment, None)
    with process:
        time.sleep(seconds)
        process.kill()


def _started(arguments: tuple[str, ...], environment: dict[str, str], logs: IO[bytes] | None) -> "subprocess.Popen[str]":
    """Start a `yanshu` process without waiting for anything."""
    command = [sys.executable, "-m", "yanshu", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=logs, cwd=ROOT, env=clean_environment(**environment), text=True)


class Refused(Exception):
    """An answer that is no success; `retry_after` is the header of that name, in seconds."""

    def __init__(self, status: int, body: Any, retry_after: str | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.retry_after = None if retry_after is None else int(retry_after)


class Api:
    """Calls the HTTP API as a customer's program would."""

    def __init__(self, url: str, key: str = "") -> None:
        self.url = url
        self._key = key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the JSON of the answer; `Refused` for anything but success."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data)
        headers = {"Content_Type": "application/json", **headers}
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with OPENER.open(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                raise Refused(refused.code, json.loads(refused.read() or b"null"), refused.headers["Retry-After"]) from None
        return json.loads(text) if text else None


def until(what: str, ready: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Poll until `ready` answers with something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


def connect(admin: Api, port: int, **fields: Any) -> str:
    """Define a connector to the simulator at `port` and return its id once it is up."""
    body = {
        "name": "simulator",
        "protocol": "smpp",
        "host": "127.0.0.1",
        "port": port,
        "settings": {"system_id": "yanshu"},
        "password": "simulate",
        "sender": "10690000",
        **fields,
    }
    ident: str = admin.call("POST", "/v1/connectors", body)["id"]
    return ident


def link_is_up(admin: Api, connector_id: str) -> bool:
    """Whether the connector's link is up."""
    return bool(admin.call("GET", f"/v1/connectors/{connector_id}/health")["state"] == "up")
