"""A store that is gone, locked or full for a while: clear 503s, recovery without a restart, nothing half done."""

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import Api, Node, Refused, until
from tests.e2e.load import Load, check_promises, read_ledger, set_up, unfinished
from yanshu.testing.postgres import PostgresServer

QUIET = {"YANSHU_LOG_LEVEL": "ERROR"}
ROWS_MEANWHILE = 600
WINDOW = 100


@pytest.fixture
def simulator(start_node: StartNode) -> Node:
    return start_node("simulate", "--port", "0", "--control-port", "0", "--keep-ledger")


@contextmanager
def disturbed(node: Node, simulator: Node, unsure: int = 0) -> Iterator[Load]:
    """Load around a fault; afterwards everything that was accepted is delivered, by the same process.

    But at most `unsure`, whose claim was committed by a store that died before it said so: those never left, and say that
    nobody knows.
    """
    admin = set_up(node, simulator.said["port"], window=WINDOW)
    with Load(admin.url, node.said["admin_key"]) as load:
        until("the load to flow", lambda: load.accepted > ROWS_MEANWHILE)
        yield load
        goal = load.accepted + ROWS_MEANWHILE
        until("the load to flow again", lambda: load.accepted > goal)
    until("an end for every message", lambda: not unfinished(admin))
    messages = check_promises(admin, load, read_ledger(simulator.said["control_port"]))
    reasons = [message["reason"]["code"] for message in messages if message["status"] != "delivered"]
    assert set(reasons) <= {"outcome_unknown"}
    assert len(reasons) <= unsure
    load.check_replays()
    assert node.stop() == 0


def is_ready(node: Node) -> bool:
    """What a load balancer would be told."""
    try:
        Api(node.said["url"]).call("GET", "/readyz")
    except Refused as refused:
        return refused.status != 503
    return True


@pytest.mark.slow
def test_a_postgresql_that_goes_away_under_load_is_waited_for(start_node: StartNode, simulator: Node, durable: PostgresServer) -> None:
    environment = {
        "YANSHU_DATABASE_URL": durable.create_database("yanshu"),
        "YANSHU_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "YANSHU_LEASE_SECONDS": "12",
        "YANSHU_UNKNOWN_WAIT_SECONDS": "10",
    }
    node = start_node("serve", "--port", "0", **environment, **QUIET)
    with disturbed(node, simulator, unsure=2 * WINDOW) as load:
        for end in (durable.stop, durable.kill):
            load.refusals.clear()
            end()
            until("a clear refusal", load.was_asked_for_patience)
            assert not is_ready(node)
            time.sleep(1)
            durable.start()
            until("readiness", lambda: is_ready(node))


@pytest.mark.slow
def test_a_database_that_another_process_locks_is_waited_for(start_node: StartNode, simulator: Node, tmp_path: Path) -> None:
    node = start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path), **QUIET)
    with disturbed(node, simulator) as load:
        other = sqlite3.connect(tmp_path / "yanshu.db", isolation_level=None, timeout=10)
        other.execute("BEGIN IMMEDIATE")
        until("a clear refusal", load.was_asked_for_patience)
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.slow
def test_a_full_disk_is_waited_for(start_node: StartNode, simulator: Node, tmp_path: Path) -> None:
    """No file of the process may grow for a while, which is what a full disk means to SQLite."""
    node = start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path), **QUIET)
    with disturbed(node, simulator) as load:
        _, most = resource.prlimit(node.pid, resource.RLIMIT_FSIZE)
        largest = max(path.stat().st_size for path in tmp_path.iterdir())
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (largest, most))
        until("a clear refusal", load.was_asked_for_patience)
        time.sleep(1)
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (most, most))
        until("readiness", lambda: is_ready(node))
