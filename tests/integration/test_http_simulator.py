"""Over HTTP to the simulated carrier and back through the whole platform: test numbers, handsets, and what a carrier does wrong."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.serving import TEXT, Api, Served, until
from yanshu.runtime.clock import SystemClock
from yanshu.simulator import Account, Simulator, SimulatorSettings
from yanshu.simulator.behaviour import Behaviour

SETTINGS = {"provider": "generic_json", "account": "yanshu", "tls": False, "response_timeout_seconds": 1.0, "connect_timeout_seconds": 1.0}
LONG = "【雁书】" + "长" * 150


class House:
    """A platform with a listener for callbacks and a simulated carrier that speaks HTTP over two accounts."""

    def __init__(self, served: Served) -> None:
        self.served = served
        accounts = (Account(protocol="http"), Account(protocol="http", system_id="second"))
        settings = SimulatorSettings(accounts=accounts, time_factor=20, seed=1, keep_ledger=True, resend_seconds=0.3)
        self.simulator = Simulator(settings, SystemClock())
        self.port = served.run(self.simulator.start(protocol="http"))
        self.sender: Api = served.client(
            served.key("messages:send", "messages:read", "inbound:read", "events:read", livemode=False)["secret"]
        )

    async def _misbehave(self, changes: dict[str, Any], account: str | None) -> None:
        self.simulator.set_behaviour(changes, account)

    def misbehave(self, account: str | None = None, **changes: Any) -> None:
        self.served.run(self._misbehave(changes, account))

    async def _reply(self, number: str, text: str) -> None:
        self.simulator.reply(number, text)

    def reply(self, number: str, text: str) -> None:
        self.served.run(self._reply(number, text))

    def connect(self, *accounts: str, simulated: bool = True) -> list[str]:
        """Make connectors and a route over them, and wait for the links."""
        admin, made = self.served.admin, []
        for account in accounts:
            fields = {"protocol": "http", "port": self.port, "settings": {**SETTINGS, "account": account}, "simulated": simulated}
            made.append(admin.call("POST", "/v1/connectors", self.served.connector_body(**fields))["id"])
        admin.call("POST", "/v1/routes", {"name": "http", "rank": 1, "connectors": made})
        for ident in made:
            until("the link", lambda ident=ident: admin.call("GET", f"/v1/connectors/{ident}/health")["state"] == "up")
        return made

    def send(self, number: str, text: str = TEXT, **fields: Any) -> str:
        ident: str = self.sender.call("POST", "/v1/messages", {"to": number, "text": text, **fields})["id"]
        return ident

    def message(self, ident: str) -> dict[str, Any]:
        found: dict[str, Any] = self.sender.call("GET", f"/v1/messages/{ident}")
        return found

    def ends(self, ident: str, status: str) -> None:
        until(f"{ident} {status}", lambda: self.message(ident)["status"] == status)

    def taken(self) -> Counter[str]:
        """How often the carrier took a text of each number."""
        return Counter(entry.destination for entry in self.simulator.ledger if entry.status == 0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    served = Served(tmp_path_factory.mktemp("platform"))
    try:
        served.start(callbacks_listen="127.0.0.1:0", unknown_wait_seconds=2, receipt_wait_seconds=4, failover_after_seconds=1)
        house = House(served)
        house.connect("yanshu", "second")
        yield house
        served.run(house.simulator.stop())
    finally:
        served.stop()


@pytest.fixture(autouse=True)
def well_behaved(house: House) -> Iterator[None]:
    yield
    for account in ("http/yanshu", "http/second"):
        house.misbehave(account, **{name: getattr(Behaviour(), name) for name in Behaviour.__struct_fields__})


NUMBERS = [
    ("01", "delivered"),
    ("02", "undelivered"),
    ("04", "undelivered"),
    ("06", "delivered"),  # never answered: the receipt that comes late says so
    ("08", "delivered"),  # failed first, then delivered
    ("09", "delivered"),  # one message is one submit: no segment of it can be lost alone
    ("10", "delivered"),  # the receipt is here before the answer
    ("11", "delivered"),  # too fast, twice
]


@pytest.mark.parametrize(("number", "status"), NUMBERS)
def test_a_test_number_does_over_http_what_it_does_over_any_protocol(house: House, number: str, status: str) -> None:
    house.ends(house.send(f"+86100000000{number}"), status)


def test_a_long_text_is_one_submit_and_reaches_the_handset_whole(house: House) -> None:
    before = house.taken()["8610000000018"]
    house.send("+8610000000018", LONG)
    until("taken", lambda: house.taken()["8610000000018"] == before + 1)
    house.ends(house.send("+8610000000001", LONG), "delivered")
    assert LONG in [text.text for text in house.simulator.inbox("8610000000001")]


def test_a_phone_answers_and_its_long_text_comes_in_whole(house: House) -> None:
    ident = house.send("+8610000000001")
    house.ends(ident, "delivered")
    house.reply("8610000000001", "回" * 100)
    found = until("the answer", lambda: house.sender.call("GET", "/v1/inbound")["data"])
    assert (found[0]["text"], found[0]["in_reply_to"], found[0]["parts"]) == ("回" * 100, ident, 2)


def test_what_the_first_account_refuses_goes_over_the_second(house: House) -> None:
    house.misbehave("http/yanshu", refuse_rate=1.0)
    ident = house.send("+8610000000001")
    house.ends(ident, "delivered")
    attempts = house.sender.call("GET", f"/v1/messages/{ident}/explain")["attempts"]
    assert [attempt["code"] for attempt in attempts] == ["busy", "0"]


def test_a_carrier_that_hangs_up_on_every_request_leaves_them_unknown_and_takes_none_twice(house: House) -> None:
    house.misbehave("http/yanshu", drop_every=1)
    before = house.taken()
    ident = house.send("+8610000000005")
    house.ends(ident, "undelivered")
    assert house.message(ident)["reason"]["code"] == "outcome_unknown"
    assert house.taken() == before


def test_a_carrier_that_plays_dead_takes_nothing_twice_and_is_used_again_when_it_is_back(house: House) -> None:
    house.misbehave("http/yanshu", silent=True)
    ident = house.send("+8610000000005")
    until("unknown", lambda: house.message(ident)["status"] == "unknown")
    house.misbehave("http/yanshu", silent=False)
    house.ends(ident, "undelivered")
    house.ends(house.send("+8610000000001"), "delivered")


def test_receipts_that_come_twice_and_are_not_heard_at_first_count_once(house: House) -> None:
    house.misbehave("http/yanshu", receipt_duplicate_rate=1.0)
    ident = house.send("+8610000000001")
    house.ends(ident, "delivered")
    events = house.sender.call("GET", f"/v1/events?object={ident}")["data"]
    assert [event["type"] for event in events].count("message.delivered") == 1


def test_a_carrier_that_acknowledges_and_never_reports_is_told_of(house: House) -> None:
    house.misbehave("http/yanshu", receipt_loss_rate=1.0)
    before = house.taken()["8610000000001"]
    ident = house.send("+8610000000001")
    house.ends(ident, "undelivered")
    told = " ".join(house.sender.call("GET", f"/v1/messages/{ident}/explain")["sentences"])
    assert "sent no receipt in time. Who can act: carrier" in told
    assert house.taken()["8610000000001"] == before + 1


def test_receipts_about_ids_nobody_was_given_change_nothing(house: House) -> None:
    house.misbehave("http/yanshu", stray_receipt_rate=1.0)
    ident = house.send("+8610000000001")
    house.ends(ident, "delivered")
    (attempt,) = house.sender.call("GET", f"/v1/messages/{ident}/explain")["attempts"]
    assert attempt["receipt"]["stat"] == "delivered"


def test_octets_that_are_no_http_leave_the_message_to_its_receipt(house: House) -> None:
    house.misbehave("http/yanshu", garbage_every=1)
    house.ends(house.send("+8610000000001"), "delivered")


BAD: list[tuple[str, dict[str, Any], int]] = [
    ("another password", {"auth": ("yanshu", "x"), "json": {}}, 401),
    ("an account nobody has", {"auth": ("nobody", "simulate"), "json": {}}, 401),
    ("no account", {"json": {}}, 401),
    ("no message", {"auth": ("yanshu", "simulate"), "content": b"{"}, 422),
    ("a number that is none", {"auth": ("yanshu", "simulate"), "json": {"to": "x", "text": "y"}}, 422),
    ("a flood", {"auth": ("yanshu", "simulate"), "content": b"x" * 100_000}, 422),
]


@pytest.mark.parametrize(("name", "request_", "status"), BAD, ids=[case[0] for case in BAD])
def test_the_simulated_carrier_says_what_is_wrong(house: House, name: str, request_: dict[str, Any], status: int) -> None:
    answer = httpx.post(f"http://127.0.0.1:{house.port}/messages", **request_)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


def test_nothing_is_posted_to_another_machine(house: House) -> None:
    lost = house.simulator.state()["accounts"]["http/second"]["lost_receipts"]
    body = {"to": "+8613800138000", "text": "x", "callback_url": "http://203.0.113.1/x"}
    httpx.post(f"http://127.0.0.1:{house.port}/messages", auth=("second", "simulate"), json=body)
    until("given up", lambda: house.simulator.state()["accounts"]["http/second"]["lost_receipts"] > lost)
