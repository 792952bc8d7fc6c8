"""`kill -9` at any moment: nothing accepted is lost, nothing is submitted twice, replays answer the same."""

import random
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import Api, Node, until
from tests.e2e.load import Load, check_promises, read_ledger, set_up, unfinished
from yanshu.testing.postgres import PostgresServer

ROUNDS = 4
WINDOW = 100
# Deadlines of minutes and days, so short that a test sees their end.
SHORT = {
    "YANSHU_LEASE_SECONDS": "2",
    "YANSHU_UNKNOWN_WAIT_SECONDS": "20",
    "YANSHU_RECEIPT_WAIT_SECONDS": "40",
    "YANSHU_SWEEP_INTERVAL_MS": "100",
    "YANSHU_LOG_LEVEL": "ERROR",
}


def check(admin: Api, load: Load, simulator: Node) -> None:
    """All promises, and that no kill cost more than what was on the wire."""
    until("an end for every message", lambda: not unfinished(admin))
    messages = check_promises(admin, load, read_ledger(simulator.said["control_port"]))
    unsure = [message for message in messages if message["status"] != "delivered"]
    assert {message["reason"]["code"] for message in unsure} <= {"outcome_unknown"}
    assert len(unsure) <= ROUNDS * WINDOW
    load.check_replays()


@pytest.mark.slow
def test_killing_the_one_process_at_random_moments_loses_and_doubles_nothing(start_node: StartNode, tmp_path: Path) -> None:
    simulator = start_node("simulate", "--port", "0", "--control-port", "0", "--keep-ledger")
    environment = {**SHORT, "YANSHU_DATA_DIR": str(tmp_path)}
    node = start_node("serve", "--port", "0", **environment)
    port = node.said["url"].rsplit(":", 1)[1]
    admin = set_up(node, simulator, window=WINDOW)
    with Load(admin.url, node.said["admin_key"]) as load:
        for _ in range(ROUNDS):
            time.sleep(random.uniform(0.3, 2.0))
            node.kill()
            node = start_node("serve", "--port", port, **environment)
    check(admin, load, simulator)
    assert node.stop() == 0


@pytest.mark.slow
def test_killing_dispatchers_over_one_postgresql_loses_and_doubles_nothing(start_node: StartNode, postgres: PostgresServer) -> None:
    simulator = start_node("simulate", "--port", "0", "--control-port", "0", "--keep-ledger")
    environment = {
        **SHORT,
        "YANSHU_DATABASE_URL": postgres.create_database("crash"),
        "YANSHU_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    front = start_node("serve", "--port", "0", "--roles", "api,worker", **environment)
    dispatchers = [start_node("serve", "--roles", "dispatcher", **environment) for _ in range(2)]
    admin = set_up(front, simulator, window=WINDOW, links=2)
    with Load(admin.url, front.said["admin_key"]) as load:
        for turn in range(ROUNDS):
            time.sleep(random.uniform(0.5, 2.0))
            dispatchers[turn % 2].kill()
            dispatchers[turn % 2] = start_node("serve", "--roles", "dispatcher", **environment)
    check(admin, load, simulator)
    assert [node.stop() for node in (*dispatchers, front)] == [0, 0, 0]
