"""`kill -9` while messages are sent again: what one connector loses gets one attempt at the other, never two at either."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import Api, connect, link_is_up, until
from tests.e2e.load import Load, accepted_messages, read_ledger, unfinished

KILLS = 8
SHORT = {
    "YANSHU_LEASE_SECONDS": "2",
    "YANSHU_UNKNOWN_WAIT_SECONDS": "10",
    "YANSHU_UNKNOWN_RESEND_SECONDS": "3",
    "YANSHU_RECEIPT_WAIT_SECONDS": "15",
    "YANSHU_SWEEP_INTERVAL_MS": "100",
    "YANSHU_LOG_LEVEL": "ERROR",
}
# Answers and receipts take a while, so that a kill finds messages on their way to either connector.
SLOW = ("answer_seconds=0.02", "receipt_seconds=0.05", "receipt_jitter_seconds=0.3")


@pytest.mark.slow
def test_killing_the_process_while_it_sends_again_doubles_nothing(start_node: StartNode, tmp_path: Path) -> None:
    behave = [part for wish in SLOW for part in ("--behave", wish)]
    accounts = ["--account", "first:simulate", "--account", "second:simulate"]
    carrier = start_node("simulate", "--port", "0", "--control-port", "0", "--keep-ledger", *accounts, *behave)
    control = Api(f"http://127.0.0.1:{carrier.said['control_port']}")
    control.call("PUT", "/behaviour?account=first", {"fail_rate": 0.5})
    environment = {**SHORT, "YANSHU_DATA_DIR": str(tmp_path)}
    node = start_node("serve", "--port", "0", **environment)
    port = node.said["url"].rpartition(":")[2]
    admin = Api(node.said["url"], node.said["admin_key"])
    connectors = [connect(admin, carrier.said["port"], name=name, settings={"system_id": name}) for name in ("first", "second")]
    admin.call("POST", "/v1/routes", {"name": "all", "rank": 1, "connectors": connectors})
    until("the links", lambda: all(link_is_up(admin, connector) for connector in connectors))
    with Load(admin.url, node.said["admin_key"], workers=2, pause_seconds=0.3) as load:
        for _ in range(KILLS):
            time.sleep(random.uniform(0.2, 1.5))
            node.kill()
            node = start_node("serve", "--port", port, **environment)
    until("an end for every message", lambda: not unfinished(admin), 120)
    messages = {message["to"].lstrip("+"): message for message in accepted_messages(admin, load)}
    taken = Counter((row["account"], row["destination"]) for row in read_ledger(carrier.said["control_port"]))
    doubled = {number for (_, number), count in taken.items() if count > 1}
    assert doubled <= {number for number, message in messages.items() if message["duplicates_possible"]}
    again = {number for account, number in taken if account == "second"}
    assert len([number for number in again if messages[number]["status"] == "delivered"]) > 10
    ends = Counter((message["status"], (message["reason"] or {}).get("code")) for message in messages.values())
    # A code may be too old for another attempt by the time the process is back.
    assert {end for end in ends if end[0] != "delivered"} <= {
        ("undelivered", "outcome_unknown"),
        ("undelivered", "no_receipt"),
        ("undelivered", "carrier_error"),
    }
    told = admin.call("GET", f"/v1/messages/{messages[min(again)]['id']}/explain")
    assert [attempt["connector"] for attempt in told["attempts"]][:2] == connectors
    assert node.stop() == 0
