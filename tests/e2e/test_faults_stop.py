"""SIGTERM under load: what is under way ends, and nothing is left that nobody knows of."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import until
from tests.e2e.load import Load, check_promises, read_ledger, set_up, unfinished

ROUNDS = 3
BUDGET_SECONDS = 25


@pytest.mark.slow
def test_stopping_under_load_drains_and_leaves_nothing_unknown(start_node: StartNode, tmp_path: Path) -> None:
    simulator = start_node(
        "simulate",
        "--port",
        "0",
        "--control-port",
        "0",
        "--keep-ledger",
        "--behave",
        "answer_seconds=0.2",
        "--behave",
        "receipt_seconds=0.2",
    )
    environment = {"YANSHU_DATA_DIR": str(tmp_path), "YANSHU_LOG_LEVEL": "WARNING"}
    node = start_node("serve", "--port", "0", **environment)
    port = node.said["url"].rsplit(":", 1)[1]
    admin = set_up(node, simulator.said["port"], window=500)
    with Load(admin.url, node.said["admin_key"]) as load:
        for _ in range(ROUNDS):
            before = load.accepted
            until("messages on the wire", lambda goal=before: load.accepted > goal + 400)
            began = time.monotonic()
            assert node.stop() == 0
            assert time.monotonic() - began < BUDGET_SECONDS
            node = start_node("serve", "--port", port, **environment)
    until("an end for every message", lambda: not unfinished(admin))
    messages = check_promises(admin, load, read_ledger(simulator.said["control_port"]))
    assert {message["status"] for message in messages} == {"delivered"}
    assert admin.call("GET", "/v1/events?types=message.unknown&limit=1")["data"] == []
    load.check_replays()
    assert node.stop() == 0


@pytest.mark.slow
def test_who_asks_twice_to_stop_does_not_wait_for_the_carrier(start_node: StartNode, tmp_path: Path) -> None:
    simulator = start_node("simulate", "--port", "0", "--behave", "answer_seconds=120")
    logs = tmp_path / "serve.log"
    node = start_node("serve", "--port", "0", logs=logs, YANSHU_DATA_DIR=str(tmp_path / "data"), YANSHU_DRAIN_SECONDS="50")
    admin = set_up(node, simulator.said["port"])
    sent = admin.call("POST", "/v1/messages", {"to": "13800138000", "text": "hi", "lane": "otp"})
    until("a message on the wire", lambda: admin.call("GET", f"/v1/messages/{sent['id']}")["status"] == "submitting")
    os.kill(node.pid, signal.SIGTERM)
    until("the stop", lambda: '"stopping"' in logs.read_text("utf-8"))
    began = time.monotonic()
    assert node.stop() == 1
    assert time.monotonic() - began < BUDGET_SECONDS
    assert "ended at once" in logs.read_text("utf-8")
