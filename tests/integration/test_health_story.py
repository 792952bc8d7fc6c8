"""A connector turns bad in every way it can, over SMPP and through the whole platform: traffic leaves it, and comes back.

The limits are the usual ones with minutes made seconds.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.serving import TEXT, Served, until
from yanshu.runtime.clock import SystemClock
from yanshu.simulator import Simulator, SimulatorSettings

LIMITS = {
    "bucket_seconds": 1,
    "burst_seconds": 5,
    "burst_sample": 20,
    "burst_pause_seconds": 1,
    "slow_seconds": 8,
    "slow_after_seconds": 1,
    "slow_sample": 20,
    "slow_pause_seconds": 2,
    "return_seconds": 1,
    "break_seconds": 5,
    "trickle_seconds": 5,
    "open_seconds": 2,
    "probe_seconds": 0.2,
}
CHUNK = 30


class Story:
    """The platform with two live connectors to carriers of their own, which share the messages evenly, and what was sent."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.carriers: dict[str, Simulator] = {}
        self.ports: dict[str, int] = {}
        self.connectors: dict[str, str] = {}
        self.batches: list[str] = []
        self._heard = 0
        self._numbers = (f"+86138{number:08}" for number in itertools.count(1))

    def open(self) -> None:
        for name in ("a", "b"):
            self.served.run(self.start(name))
            body = self.served.connector_body(name=name, port=self.ports[name], simulated=False)
            self.connectors[name] = self.served.admin.call("POST", "/v1/connectors", body)["id"]
            self.linked(name)
        members = [{"connector": ident, "priority": 1, "weight": 100} for ident in self.connectors.values()]
        self.served.admin.call("POST", "/v1/routes", {"name": "shared", "rank": 1, "connectors": members})

    async def start(self, name: str) -> None:
        """Have the carrier listen, at its old port if it had one."""
        self.carriers[name] = Simulator(SimulatorSettings(seed=1, keep_ledger=True, inbox_limit=4, handset_limit=100_000), SystemClock())
        self.ports[name] = await self.carriers[name].start(port=self.ports.get(name, 0))

    def linked(self, name: str) -> None:
        until("the link", lambda: self.health(name)["state"] == "up")

    def health(self, name: str = "a") -> dict[str, Any]:
        found: dict[str, Any] = self.served.admin.call("GET", f"/v1/connectors/{self.connectors[name]}/health")
        return found

    def behave(self, **changes: Any) -> None:
        """Change how the carrier of connector a behaves."""

        async def change() -> None:
            self.carriers["a"].set_behaviour(changes)

        self.served.run(change())

    def send(self) -> str:
        """Send a text to some people; the batch."""
        people = [{"to": next(self._numbers)} for _ in range(CHUNK)]
        ident: str = self.served.admin.call("POST", "/v1/batches", {"text": TEXT, "lane": "notice", "recipients": people})["id"]
        self.batches.append(ident)
        return ident

    def first(self, batch: str) -> tuple[Counter[str], str]:
        """Over which connectors the messages of a batch were to go first, by name, and what is explained of one of them."""
        rows = self.served.admin.call("GET", f"/v1/messages?batch={batch}&limit=100")["data"]
        told = [self.served.admin.call("GET", f"/v1/messages/{row['id']}/explain") for row in rows]
        firsts = Counter(candidate["name"] for each in told for candidate in each["candidates"] if candidate["place"] == 1)
        return firsts, "\n".join(told[0]["sentences"])

    def ranking(self) -> tuple[list[str], list[float | None]]:
        """In which order connectors would be tried now, by name, and the shares of a and b."""
        asked = {"to": "+8613800138000", "lane": "notice"}
        found = self.served.admin.call("POST", "/v1/routes/simulate", asked)
        names = {ident: name for name, ident in self.connectors.items()}
        shares = {candidate["name"]: candidate["share"] for candidate in found["candidates"]}
        return [names[ident] for ident in found["connectors"]], [shares["a"], shares["b"]]

    def told(self) -> list[dict[str, Any]]:
        """The events of connector a, oldest first."""
        rows = self.served.admin.call("GET", f"/v1/events?object={self.connectors['a']}&limit=100")["data"]
        return sorted(rows, key=lambda row: row["seq"])

    def until_told(self, kind: str, *causes: str) -> dict[str, Any]:
        """Send on until such a move is told, later than the one before; what it says."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            self.send()
            for place, row in enumerate(self.told()):
                told = row["data"]["object"]
                if place >= self._heard and row["type"] == f"connector.{kind}" and (not causes or told["cause"] in causes):
                    self._heard = place + 1
                    found.append(told)
                    return True
            return False

        until(kind, look)
        return found[0]

    def until_delivered(self) -> None:
        """Wait until everything that was sent is delivered."""
        for ident in self.batches:
            path = f"/v1/batches/{ident}"
            until("all delivered", lambda path=path: self.served.admin.call("GET", path)["counts"] == {"delivered": CHUNK})

    def texts(self, *names: str) -> Counter[str]:
        """How many texts each number has from the carriers of these connectors, or of all."""
        carriers = [self.carriers[name] for name in names or self.carriers]
        inboxes = [(number, len(carrier.inbox(number))) for carrier in carriers for number in carrier.handsets()]
        found: Counter[str] = Counter()
        for number, count in inboxes:
            found[number] += count
        return found


@pytest.fixture
def story(tmp_path: Any) -> Iterator[Story]:
    served = Served(tmp_path)
    try:
        limits = ",".join(f"{name}={value}" for name, value in LIMITS.items())
        story = Story(served.start(health_limits=limits, failover_after_seconds=2))
        story.open()
        yield story
        for carrier in story.carriers.values():
            served.run(carrier.stop())
    finally:
        served.stop()


def test_errors_cost_weight_then_the_breaker_opens_and_probes_close_it(story: Story) -> None:
    assert story.health()["whole"]["weight_percent"] == 100
    story.behave(refuse_rate=0.3)
    degraded = story.until_told("degraded", "answer_errors")
    assert (degraded["weight_percent"], degraded["weight_percent_before"]) == (90, 100)
    assert degraded["bad"] >= 0.2 * degraded["sample"]
    until("less for a", lambda: 40 < (story.ranking()[1][0] or 100) < 48)

    story.behave(refuse_rate=1.0)
    opened = story.until_told("breaker_opened", "answer_errors")
    assert (opened["breaker"], opened["weight_percent"]) == ("open", 10)
    until("b first", lambda: story.ranking()[0] == ["b", "a"])
    firsts, told = story.first(story.send())
    assert firsts == {"b": CHUNK}
    assert "Connector a: stands behind the others: too much has failed over it lately, place 2" in told

    story.until_told("breaker_half_opened", "time")
    story.behave(refuse_rate=0.0)
    story.until_told("breaker_closed", "probes")
    until("a little for a", lambda: 5 < (story.ranking()[1][0] or 0) < 30)
    assert 1 <= story.first(story.send())[0]["a"] < CHUNK // 2
    story.until_told("recovered", "time")
    until("as much for a as for b", lambda: story.ranking()[1] == [50, 50])
    assert_all_arrived_once(story)


def test_slow_receipts_cost_weight_and_a_lost_link_opens_the_breaker(story: Story) -> None:
    story.behave(receipt_seconds=3.0)
    story.until_told("degraded", "slow_receipts")
    story.behave(receipt_seconds=0.0)
    story.until_delivered()
    before = story.texts("a")
    story.served.run(story.carriers["a"].stop())
    story.until_told("breaker_opened", "no_link")
    until("b first", lambda: story.ranking()[0] == ["b", "a"])
    story.until_delivered()
    story.served.run(story.start("a"))
    story.until_told("breaker_half_opened", "linked")
    story.until_told("breaker_closed", "probes")
    assert_all_arrived_once(story, before)


def assert_all_arrived_once(story: Story, before: Counter[str] | None = None) -> None:
    """Nothing is lost and nothing doubled, whatever happened on the way. `before`: what a carrier had received that is no longer there."""
    story.until_delivered()
    texts = (before or Counter()) + story.texts()
    assert len(texts) == CHUNK * len(story.batches)
    assert set(texts.values()) == {1}
