"""What a whole run writes to its logs: structured lines a person can use, and no number, text or secret in any of them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import FINALS, Api, connect, link_is_up, until

_NUMBERS = ("13800138000", "10000000015")
_TEXT = "您的验证码是 482913"
_PASSWORD = "wr0ngpw"
_TOKEN = "metrics-t0ken"


class _Gone(BaseHTTPRequestHandler):
    """An endpoint that is no more."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(410)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _gone() -> Iterator[str]:
    """Yield the place of such an endpoint."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Gone) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def _lines(logs: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logs.read_text("utf-8").splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_logs_of_a_whole_run_tell_changes_and_no_number_text_or_secret(start_node: StartNode, tmp_path: Path, level: str) -> None:
    logs = tmp_path / "serve.log"
    with _gone() as place:
        simulator = start_node("simulate", "--port", "0", "--account", "yanshu:simulate", "--account", "live:simulate")
        environment = {
            "YANSHU_DATA_DIR": str(tmp_path / "data"),
            "YANSHU_LOG_LEVEL": level,
            "YANSHU_METRICS_TOKEN": _TOKEN,
            "YANSHU_WEBHOOK_ALLOW": place,
        }
        node = start_node("serve", "--port", "0", logs=logs, **environment)
        admin = Api(node.said["url"], node.said["admin_key"])
        live = connect(admin, simulator.said["port"], settings={"system_id": "live"})
        test = connect(admin, simulator.said["port"], name="test", simulated=True)
        connect(admin, simulator.said["port"], name="refused", password=_PASSWORD)
        admin.call("POST", "/v1/routes", {"name": "all", "rank": 1, "connectors": [live, test]})
        until("the links", lambda: link_is_up(admin, live) and link_is_up(admin, test))
        hook = admin.call("POST", "/v1/webhook_endpoints", {"url": f"http://{place}/hook", "events": ["*"]})
        tester = admin.call(
            "POST", "/v1/api_keys", {"name": "t", "livemode": False, "scopes": ["messages:send", "messages:read", "inbound:read"]}
        )
        caller = Api(admin.url, tester["secret"])
        sent = admin.call("POST", "/v1/messages", {"to": "13800138000", "text": _TEXT, "lane": "otp"})
        caller.call("POST", "/v1/messages", {"to": "+8610000000015", "text": _TEXT, "lane": "otp"})
        until("the end", lambda: admin.call("GET", f"/v1/messages/{sent['id']}")["status"] in FINALS)
        until("the reply", lambda: caller.call("GET", "/v1/inbound")["data"])
        until("the disabled endpoint", lambda: admin.call("GET", f"/v1/webhook_endpoints/{hook['id']}")["status"] == "disabled")
        assert node.stop() == 0

    told = logs.read_text("utf-8")
    secrets = (node.said["admin_key"], tester["secret"], hook["secret"], _PASSWORD, _TOKEN, (tmp_path / "data/master.key").read_text())
    assert [word for word in (*_NUMBERS, _TEXT, "你好", *secrets) if word in told] == []
    lines = _lines(logs)
    assert {"event", "level", "timestamp", "component"} <= set.intersection(*(set(line) for line in lines if line["level"] != "debug"))
    events = {(line["event"], line.get("state")) for line in lines}
    assert {
        ("ready", None),
        ("link changed", "up"),
        ("link changed", "blocked"),
        ("webhook endpoint disabled", None),
        ("stopped", None),
    } <= events
