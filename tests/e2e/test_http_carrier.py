"""`kill -9` while messages go over HTTP and receipts come in as callbacks: nothing is lost, nothing is taken twice."""

import json
import socket
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import FINALS, OPENER, Api, Node, link_is_up, until

COUNT = 200
KILLS = 3
WINDOW = 20
SETTINGS = {"provider": "generic_json", "account": "yanshu", "tls": False, "response_timeout_seconds": 2.0}
CARRIER = ("answer_seconds=0.05", "answer_jitter_seconds=0.3", "receipt_seconds=0.2", "receipt_jitter_seconds=0.5")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class House:
    """The platform's process, killed and started again, and the carrier's beside it."""

    def __init__(self, start_node: StartNode, folder: Path) -> None:
        behaviour = [part for wish in CARRIER for part in ("--behave", wish)]
        self.carrier = start_node("simulate", "--port", "0", "--http-port", "0", "--control-port", "0", "--keep-ledger", *behaviour)
        self._start_node = start_node
        self._environment = {
            "YANSHU_DATA_DIR": str(folder),
            # The same after every kill: a carrier calls where it was told to.
            "YANSHU_CALLBACKS_LISTEN": f"127.0.0.1:{free_port()}",
            "YANSHU_LEASE_SECONDS": "4",
            "YANSHU_UNKNOWN_WAIT_SECONDS": "20",
            "YANSHU_SWEEP_INTERVAL_MS": "100",
            "YANSHU_LOG_LEVEL": "ERROR",
        }
        self.node = self._serve()
        self._key = self.node.said["admin_key"]
        body = {"name": "http", "protocol": "http", "host": "127.0.0.1", "port": self.carrier.said["http_port"], "password": "simulate"}
        fields = {"settings": SETTINGS, "window": WINDOW, "sender": "10690000"}
        self._connector = self.admin.call("POST", "/v1/connectors", {**body, **fields})["id"]
        self.admin.call("POST", "/v1/routes", {"name": "all", "rank": 1, "connectors": [self._connector]})

    def _serve(self) -> Node:
        return self._start_node("serve", "--port", "0", **self._environment)

    @property
    def admin(self) -> Api:
        return Api(self.node.said["url"], self._key)

    def send(self, turn: int) -> None:
        """Have a batch accepted, the link being up."""
        until("the link", lambda: link_is_up(self.admin, self._connector))
        recipients = [{"to": f"+86138{turn:03d}{n:05d}"} for n in range(COUNT)]
        self.admin.call("POST", "/v1/batches", {"text": "您好", "recipients": recipients})

    def kill_and_start(self) -> None:
        self.node.kill()
        self.node = self._serve()

    def taken(self) -> Counter[str]:
        """How often the carrier took a text of each number."""
        with OPENER.open(f"http://127.0.0.1:{self.carrier.said['control_port']}/ledger", timeout=30) as answer:
            entries = [json.loads(line) for line in answer.read().splitlines()]
        return Counter(entry["destination"] for entry in entries if entry["status"] == 0)

    def statuses(self) -> Counter[str]:
        """How all messages stand."""
        counted: Counter[str] = Counter()
        page, cursor = {"has_more": True}, ""
        while page["has_more"]:
            page = self.admin.call("GET", f"/v1/messages?limit=200{cursor}")
            counted.update(message["status"] for message in page["data"])
            cursor = f"&cursor={page['next_cursor']}"
        return counted


@pytest.mark.slow
def test_killed_in_the_middle_nothing_is_lost_or_sent_twice_over_http(start_node: StartNode, tmp_path: Path) -> None:
    house = House(start_node, tmp_path)
    for turn in range(KILLS):
        before = house.taken().total()
        house.send(turn)
        until("some of it taken", lambda before=before: house.taken().total() > before + COUNT // 4)
        house.kill_and_start()
    until("every end", lambda: set(house.statuses()) <= FINALS, 120)
    found = house.statuses()
    assert found.total() == KILLS * COUNT
    assert max(house.taken().values()) == 1
    # What was taken has been reported, at last to the process that came after. Nobody knows of what was between claim and answer.
    assert set(found) <= {"delivered", "undelivered"}
    assert found["delivered"] >= KILLS * (COUNT - WINDOW)
    assert house.node.stop() == 0
