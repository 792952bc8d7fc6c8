"""`kill -9` at any moment: nothing accepted is lost, nothing is submitted twice, replays answer the same.

A failure names the seed of its dice: `CRASH_SEED=… pytest tests/e2e/test_crash.py` throws them again (moments within a
process still differ). `CRASH_SECONDS=600` goes on for so long.
"""

import os
import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import Api, Node, Refused, kill_while_starting, until
from tests.e2e.load import Load, accepted_messages, everything, set_up, unfinished
from tests.e2e.tap import Tap, Thread
from yanshu.testing.postgres import PostgresServer
from yanshu.testing.receiver import Reply, WebhookReceiver

SECONDS = float(os.environ.get("CRASH_SECONDS", "12"))
# A long run is about many kills, not about a long queue.
PAUSE_SECONDS = 0.5 if SECONDS < 60 else 2.5
WINDOW = 100
# Deadlines of minutes and days, so short that a test sees their end.
SHORT = {
    "YANSHU_LEASE_SECONDS": "2",
    "YANSHU_UNKNOWN_WAIT_SECONDS": "10",
    "YANSHU_UNKNOWN_RESEND_SECONDS": "3",
    "YANSHU_RECEIPT_WAIT_SECONDS": "15",
    "YANSHU_SWEEP_INTERVAL_MS": "100",
    "YANSHU_LOG_LEVEL": "ERROR",
}
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
# Answers and receipts take a while, so that every stage has something under way whenever a kill comes.
CARRIER = [
    part
    for wish in ("answer_seconds=0.02", "answer_jitter_seconds=0.05", "receipt_seconds=0.05", "receipt_jitter_seconds=0.3")
    for part in ("--behave", wish)
]
# What a kill may interrupt: messages on their way, by status, and webhooks that have not been called yet.
OPEN = "SELECT status, count(*) FROM messages WHERE done_at IS NULL GROUP BY status"
STAGES = ("queued", "submitting", "submitted", "webhooks")
_MORE_TIMES = 4
UNTOLD = "SELECT 'webhooks', count(*) FROM deliveries WHERE status = 'pending'"


def say(text: str) -> None:
    """Tell what a failure shows, and `pytest -s`."""
    sys.stdout.write(f"{text}\n")


@pytest.fixture
def dice() -> random.Random:
    """The dice of a test, and how to throw them again."""
    seed = int(os.environ.get("CRASH_SEED", random.randrange(1_000_000)))
    say(f"CRASH_SEED={seed}")
    return random.Random(seed)


class Ear:
    """Hears webhooks: which event came under which webhook-ids."""

    def __init__(self) -> None:
        self._thread = Thread()
        self._receiver = WebhookReceiver()
        self._receiver.reply = Reply(delay_seconds=0.3)  # so that a kill finds calls under way
        self._thread.run(self._receiver.start())
        self.allow = self._receiver.allow

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._receiver.stop())
        self._thread.stop()

    def listen(self, admin: Api) -> None:
        """Ask for the events that end something."""
        wish = {"url": self._receiver.url, "events": ["message.delivered", "inbound.received"], "batch": {"max": 20, "ms": 100}}
        self._receiver.secret = admin.call("POST", "/v1/webhook_endpoints", wish)["secret"]

    def heard(self) -> dict[str, set[str]]:
        """Event → the webhook-ids it came under."""
        heard: dict[str, set[str]] = {}
        for call in list(self._receiver.calls):
            assert call.problem is None
            for envelope in call.envelopes:
                heard.setdefault(envelope["id"], set()).add(call.headers["webhook-id"])
        return heard


class Talker:
    """Lets people answer texts they got, a few a second."""

    def __init__(self, load: Load, control_port: int) -> None:
        self._load = load
        self._carrier = Api(f"http://127.0.0.1:{control_port}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        turn = 0
        while not self._stop.wait(0.1):
            numbers = list(self._load.numbers)
            if not numbers:
                continue
            turn += 1
            try:
                self._carrier.call("POST", f"/handsets/{random.choice(numbers).lstrip('+')}/reply", {"text": f"reply {turn}"})
            except (Refused, OSError):
                continue  # nothing has reached it yet, or the carrier is down


class House:
    """The processes of a test by name, and what was found lying about after each kill."""

    def __init__(self, start_node: StartNode, dice: random.Random, count_open: Callable[[], list[tuple[str, int]]]) -> None:
        self.kills: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self._start_node = start_node
        self._dice = dice
        self._count_open = count_open
        self._nodes: dict[str, Node] = {}
        self._commands: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {}

    def start(self, name: str, *arguments: str, **environment: str) -> Node:
        """Start a process; it comes back on the ports it chose now."""
        node = self._start_node(*arguments, **environment)
        chosen = {
            "port": node.said.get("port") or node.said.get("url", "").rpartition(":")[2],
            "control-port": node.said.get("control_port"),
        }
        again = list(arguments)
        for option, port in chosen.items():
            if f"--{option}" in again:
                again[again.index(f"--{option}") + 1] = str(port)
        self._nodes[name], self._commands[name] = node, (tuple(again), environment)
        return node

    def wreck(self, names: list[str], outage: Callable[[str], None] | None = None) -> None:
        """Kill one or two of `names` at random moments, each at least once, until the time is over.

        Dice may miss a stage that is short: then it goes on until a kill has found it, for so long again and again at most.
        `outage` is for those that are no nodes.
        """
        began, turn = time.monotonic(), 0

        def goes_on() -> bool:
            return time.monotonic() < began + SECONDS * (1 if self.has_found_every_stage else _MORE_TIMES)

        while goes_on():
            order = self._dice.sample(names, len(names))
            while order and (turn == 0 or goes_on()):
                time.sleep(self._dice.uniform(0.05, 1.5))
                self._wreck([order.pop() for _ in range(min(len(order), self._dice.choice((1, 1, 2))))], outage)
            turn += 1

    @property
    def has_found_every_stage(self) -> bool:
        """Whether kills have found work under way in each stage that they are to interrupt."""
        return all(self.found[stage] for stage in STAGES)

    def _wreck(self, victims: list[str], outage: Callable[[str], None] | None) -> None:
        """Kill these all at once, look, and start them again."""
        self.kills.update(victims)
        nodes = [name for name in dict.fromkeys(victims) if name in self._nodes]
        for name in nodes:
            self._nodes[name].kill()
        self.found.update(dict(self._count_open()))
        outages = [threading.Thread(target=outage, args=(name,)) for name in set(victims) - self._nodes.keys() if outage is not None]
        for one in outages:
            one.start()
        for name in nodes:
            self._restart(name)
        for one in outages:
            one.join()

    def _restart(self, name: str) -> None:
        """Start again, now and then only at the second try because the first is killed as well."""
        arguments, environment = self._commands[name]
        if self._dice.random() < 0.25:
            kill_while_starting(self._dice.uniform(0.2, 1.5), *arguments, **environment)
        self._nodes[name] = self._start_node(*arguments, **environment)

    def stop(self) -> None:
        """Stop all but the carrier and see that each ends well."""
        assert {name: node.stop() for name, node in self._nodes.items() if name != "carrier"} == {
            name: 0 for name in self._nodes if name != "carrier"
        }


def check(admin: Api, load: Load, tap: Tap, ear: Ear, house: House) -> None:
    """All promises, and that no kill cost more than what was on the wire."""
    say(f"killed {dict(house.kills)}, found {dict(house.found)}, {load.accepted} messages, {len(tap.texts)} replies")
    until("an end for every message", lambda: not unfinished(admin), 120)
    reported = set(tap.reported)
    messages = accepted_messages(admin, load)
    unsure = [message for message in messages if message["status"] != "delivered"]
    say(f"ended {Counter((m['status'], (m['reason'] or {}).get('code')) for m in messages)}")
    assert {message["status"] for message in unsure} <= {"undelivered"}
    assert {message["reason"]["code"] for message in unsure} <= {"outcome_unknown", "no_receipt"}
    check_wire(admin, messages, tap, reported, house)
    check_inbound(admin, tap)
    check_webhooks(admin, ear)
    assert house.has_found_every_stage
    assert load.interrupted
    load.check_replays()
    assert len(everything(admin, "/v1/messages")) == len(messages)


def check_wire(admin: Api, messages: list[dict[str, Any]], tap: Tap, reported: set[str], house: House) -> None:
    """What the wire says: nobody got it twice unawares, no acknowledged receipt was lost, what never left says so."""
    times = Counter({number: count for (number, _), count in tap.submits.items() if count > 0})
    named = {message["to"].lstrip("+"): message for message in messages}
    doubled = {number for number, count in times.items() if count > 1}
    assert doubled <= {number for number, message in named.items() if message["duplicates_possible"]}
    delivered = {number for number, message in named.items() if message["status"] == "delivered"}
    unheard = [admin.call("GET", f"/v1/messages/{named[number]['id']}") for number in sorted(reported - delivered)[:3]]
    assert not unheard
    assert delivered <= times.keys()
    lost = [m for m in messages if m["status"] != "delivered" and m["reason"]["code"] == "outcome_unknown"]
    assert len(lost) <= house.kills.total() * WINDOW
    seen = [message for message in lost if message["to"].lstrip("+") in times]
    say(f"{len(lost)} unknown, of which {len(seen)} were on the wire")
    without = {m["to"].lstrip("+") for m in messages if m["status"] != "delivered" and m["reason"]["code"] == "no_receipt"}
    assert without <= times.keys()
    assert not without or house.kills["carrier"]


def check_inbound(admin: Api, tap: Tap) -> None:
    """Every MO we acknowledged can be read."""
    stored = Counter(row["text"] for row in everything(admin, "/v1/inbound"))
    assert {text.decode("ascii") for text in tap.texts} <= stored.keys()
    assert tap.texts


def check_webhooks(admin: Api, ear: Ear) -> None:
    """Every event is told, each under one webhook-id however often."""
    told = {row["id"] for row in everything(admin, "/v1/events?types=message.delivered,inbound.received")}
    until("every webhook", lambda: told <= ear.heard().keys(), 90)
    assert {event: names for event, names in ear.heard().items() if len(names) > 1} == {}


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear() as ear:
        yield ear


@pytest.mark.slow
def test_killing_the_one_process_or_the_carrier_loses_and_doubles_nothing(
    start_node: StartNode, dice: random.Random, ear: Ear, tmp_path: Path
) -> None:
    def count_open() -> list[tuple[str, int]]:
        """Look into the file as the kill left it, without mending it."""
        with sqlite3.connect(f"file:{tmp_path}/yanshu.db?mode=ro", uri=True) as file:
            rows = file.execute(f"{OPEN} UNION ALL {UNTOLD}").fetchall()
        file.close()
        return rows

    house = House(start_node, dice, count_open)
    carrier = house.start("carrier", "simulate", "--port", "0", "--control-port", "0", *CARRIER)
    node = house.start("node", "serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path), YANSHU_WEBHOOK_ALLOW=ear.allow, **SHORT)
    with Tap(carrier.said["port"]) as tap:
        admin = set_up(node, tap.port, window=WINDOW)
        ear.listen(admin)
        with (
            Load(admin.url, node.said["admin_key"], workers=2, pause_seconds=PAUSE_SECONDS, uploads=True) as load,
            Talker(load, carrier.said["control_port"]),
        ):
            house.wreck(["node"] * 5 + ["carrier"])
        check(admin, load, tap, ear, house)
        assert tap.most_links == 1
        house.stop()


@pytest.mark.slow
def test_killing_any_process_over_one_postgresql_loses_and_doubles_nothing(
    start_node: StartNode, dice: random.Random, ear: Ear, durable: PostgresServer
) -> None:
    def count_open() -> list[tuple[str, int]]:
        rows = durable.execute("crash", f"{OPEN} UNION ALL {UNTOLD}").splitlines()
        return [(name, int(count)) for name, count in (row.split("|") for row in rows)]

    def outage(_: str) -> None:
        durable.kill()
        time.sleep(dice.uniform(0, 1))
        durable.start()

    environment = {**SHORT, "YANSHU_DATABASE_URL": durable.create_database("crash"), "YANSHU_MASTER_KEY": KEY}
    environment["YANSHU_WEBHOOK_ALLOW"] = ear.allow
    house = House(start_node, dice, count_open)
    carrier = house.start("carrier", "simulate", "--port", "0", "--control-port", "0", *CARRIER)
    front = house.start("api", "serve", "--port", "0", "--roles", "api", **environment)
    for name, role in (("worker", "worker"), ("one", "dispatcher"), ("two", "dispatcher")):
        house.start(name, "serve", "--roles", role, **environment)
    with Tap(carrier.said["port"]) as tap:
        admin = set_up(front, tap.port, window=WINDOW, links=2)
        ear.listen(admin)
        with (
            Load(admin.url, front.said["admin_key"], workers=2, pause_seconds=PAUSE_SECONDS, uploads=True) as load,
            Talker(load, carrier.said["control_port"]),
        ):
            house.wreck(["api", "worker", "one", "two", "database", "carrier"], outage)
        check(admin, load, tap, ear, house)
        assert tap.most_links == 2
        house.stop()
