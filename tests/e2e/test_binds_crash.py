"""`kill -9` under a customer that is bound: what was answered is there, and its receipt comes, to whichever process it binds next."""

import random
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.customer import Customer
from tests.e2e.harness import Api, Node, until
from tests.e2e.load import set_up
from yanshu.testing.postgres import PostgresServer

KILLS = 4
SHORT = {"YANSHU_LEASE_SECONDS": "2", "YANSHU_UNKNOWN_WAIT_SECONDS": "5", "YANSHU_RECEIPT_WAIT_SECONDS": "10", "YANSHU_LOG_LEVEL": "ERROR"}
# Receipts take a while, so that some are owed whenever a kill comes.
SLOW = ("--behave", "receipt_seconds=0.1", "--behave", "receipt_jitter_seconds=0.4")


def port_of(node: Node) -> int:
    return int(node.said["binds"]["smpp"].rpartition(":")[2])


def bind(admin: Api) -> tuple[str, str]:
    """Make a bind; its system id and secret."""
    body = {"name": "shop", "protocol": "smpp", "system_id": "shop", "throughput": 0, "window": 50, "sessions": 8}
    made = admin.call("POST", "/v1/binds", body)
    return "shop", made["secret"]


def kept(customer: Customer, admin: Api) -> None:
    """Wait until every promise is kept: a receipt for each, of a message that the API knows as ended."""
    customer.is_submitting = False
    assert len(customer.promised) > 100
    until("a receipt for every answer", lambda: customer.promised <= set(customer.receipts), 90)
    for ident in random.sample(sorted(customer.promised), 20):
        assert admin.call("GET", f"/v1/messages/msg_{ident}")["status"] in {"delivered", "undelivered"}


def test_what_was_answered_survives_kills_and_its_receipts_come(start_node: StartNode, tmp_path: Path) -> None:
    carrier = start_node("simulate", "--port", "0", "--control-port", "0", *SLOW)
    environment = {**SHORT, "YANSHU_DATA_DIR": str(tmp_path)}
    node = start_node("serve", "--port", "0", YANSHU_BIND_LISTEN="smpp://127.0.0.1:0", **environment)
    admin = set_up(node, carrier.said["port"])
    key = str(node.said["admin_key"])
    port = port_of(node)
    with Customer([port], *bind(admin)) as customer:
        for _ in range(KILLS):
            before = customer.binds
            until("a session at work", lambda before=before: customer.binds > before or customer.binds == 1)
            time.sleep(random.uniform(0.2, 1.2))  # a kill at any moment, not a wait for anything
            node.kill()
            node = start_node("serve", "--port", "0", YANSHU_BIND_LISTEN=f"smpp://127.0.0.1:{port}", **environment)
        until("the last session", lambda: customer.binds > KILLS)
        kept(customer, Api(node.said["url"], key))
        # Only what was under way when a process died may come twice.
        assert sum(count - 1 for count in customer.receipts.values()) <= KILLS * 500
    assert node.stop() == 0


@pytest.mark.slow
def test_with_two_processes_the_other_one_goes_on(start_node: StartNode, postgres: PostgresServer) -> None:
    environment = {
        **SHORT,
        "YANSHU_DATABASE_URL": postgres.create_database("binds"),
        "YANSHU_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "YANSHU_BIND_LISTEN": "smpp://127.0.0.1:0",
    }
    carrier = start_node("simulate", "--port", "0", "--control-port", "0", *SLOW)
    back = start_node("serve", "--port", "0", "--roles", "worker,dispatcher", **environment)
    one, two = (start_node("serve", "--port", "0", "--roles", "api", **environment) for _ in range(2))
    admin = Api(two.said["url"], next(node.said["admin_key"] for node in (back, one, two) if "admin_key" in node.said))
    ident = admin.call("POST", "/v1/connectors", connector(carrier.said["port"]))["id"]
    admin.call("POST", "/v1/routes", {"name": "all", "rank": 1, "connectors": [ident]})
    until("the link", lambda: admin.call("GET", f"/v1/connectors/{ident}/health")["state"] == "up")
    with Customer([port_of(one), port_of(two)], *bind(admin)) as customer:
        until("both sessions", lambda: customer.binds == 2)
        until("many answers", lambda: len(customer.promised) > 500)
        one.kill()
        answered = len(customer.promised)
        until("more answers", lambda: len(customer.promised) > answered + 500)
        kept(customer, admin)
    for node in (two, back):
        assert node.stop() == 0


def connector(port: int) -> dict[str, object]:
    account = {"settings": {"system_id": "yanshu"}, "password": "simulate", "sender": "1069"}
    return {"name": "c", "protocol": "smpp", "host": "127.0.0.1", "port": port, **account}
