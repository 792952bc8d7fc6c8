"""The door for carriers, without a socket: who is let in, what is taken, and what each caller hears."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import Struct
from msgspec.json import encode

from yanshu.adapters.carriers.http.reader import HttpCallbackReader
from yanshu.domain.connectors import Connector
from yanshu.domain.submissions import Arrival, InboundPart, Receipt, ReceiptState
from yanshu.edge.callbacks.door import CallbackDoor, path_of
from yanshu.ports.callbacks import CallbackKind
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.metrics import Metrics

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PUBLIC_URL = "https://sms.example.com"
SECRET = "s3cret"


def connector(provider: str, **settings: Any) -> Connector:
    given = {"provider": provider, "account": "AC1", **settings}
    return Connector(
        id=f"con_{provider}",
        name=provider,
        protocol="http",
        host="a",
        port=1,
        settings=given,
        secret=SECRET,
        sender="10690000",
        created_at=NOW,
        updated_at=NOW,
    )


ONE_WAY = connector("generic_json", definition={"callbacks": {"inbounds": None}})
SILENT = connector("generic_json", definition={"callbacks": None})
OTHER = connector("generic_json")


class Heard(Struct):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


class House:
    """A door with its neighbours: `safe` is what the store says of what came."""

    def __init__(self, *connectors: Connector, safe: bool | None = True) -> None:
        self.arrivals: list[Arrival] = []
        self.waiting: list[Callable[[bool], None]] = []
        self.metrics = Metrics()
        self._safe = safe
        router: Any = SimpleNamespace(connectors={each.id: each for each in connectors})
        reader = HttpCallbackReader(SystemClock(), lambda sealed: sealed, lambda name: f"t0k3n-{name.rpartition(':')[2]}")
        intake: Any = self
        self.door = CallbackDoor(router, reader, intake, self.metrics, lambda: PUBLIC_URL)

    def arrived(self, arrivals: Sequence[Arrival], done: Callable[[bool], None]) -> None:
        self.arrivals += arrivals
        if self._safe is None:
            self.waiting.append(done)
        else:
            done(self._safe)

    async def call(self, path: str, body: bytes = b"", query: str = "", method: str = "POST", **headers: str) -> Heard:
        sent: list[Any] = []
        pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)] or [b""]
        inbox = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        inbox[-1]["more_body"] = False
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }

        async def receive() -> Any:
            return inbox.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await self.door(scope, receive, send)
        return Heard(sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"])

    def counted(self) -> dict[str, float]:
        lines = self.metrics.render().decode().splitlines()
        found = (line.split('"') for line in lines if line.startswith("yanshu_callbacks_total{"))
        return {parts[1]: float(parts[2].lstrip("} ")) for parts in found}


def receipts(ident: str = "con_generic_json", token: str = "t0k3n-1") -> str:
    return path_of(ident, token, CallbackKind.RECEIPTS)


def inbound(ident: str = "con_generic_json") -> str:
    return path_of(ident, "t0k3n-1", CallbackKind.INBOUND)


DELIVERED = encode([{"id": "7", "to": "+8613800138000", "status": "delivered"}])


async def test_a_report_is_answered_once_it_is_safe_and_not_before() -> None:
    house = House(OTHER, safe=None)
    calling = asyncio.create_task(house.call(receipts(), DELIVERED, content_type="application/json"))
    while not house.waiting:
        await asyncio.sleep(0)
    assert not calling.done()
    (receipt,) = house.arrivals
    assert isinstance(receipt, Receipt)
    assert (receipt.connector_id, receipt.keys, receipt.state) == ("con_generic_json", ("7",), ReceiptState.DELIVERED)
    house.waiting[0](True)
    assert (await calling).status == 200
    assert house.counted() == {"taken": 1.0}


async def test_a_report_that_could_not_be_kept_is_to_be_sent_again() -> None:
    house = House(OTHER, safe=False)
    heard = await house.call(receipts(), DELIVERED)
    assert (heard.status, heard.headers[b"retry-after"]) == (503, b"5")
    assert house.counted() == {"busy": 1.0}


async def test_a_carrier_that_hangs_up_meanwhile_harms_nobody() -> None:
    house = House(OTHER, safe=None)
    calling = asyncio.create_task(house.call(receipts(), DELIVERED))
    while not house.waiting:
        await asyncio.sleep(0)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    house.waiting[0](True)


async def test_a_text_of_a_person_comes_in() -> None:
    house = House(OTHER)
    heard = await house.call(inbound(), encode({"from": "+8613800138000", "to": "10690000", "text": "TD"}))
    (part,) = house.arrivals
    assert isinstance(part, InboundPart)
    assert (heard.status, part.sender, part.recipient, part.text) == (200, "+8613800138000", "10690000", "TD")


NOBODY: list[tuple[str, str]] = [
    ("another token", receipts(token="t0k3n-2")),
    ("a token beyond ASCII", receipts(token="密")),
    ("no token", "/callbacks/con_generic_json//receipts"),
    ("a connector nobody has", receipts("con_x")),
    ("another kind", receipts().replace("receipts", "anything")),
    ("more steps", receipts() + "/x"),
    ("fewer steps", "/callbacks"),
    ("the root", "/"),
    ("another prefix", receipts().replace("/callbacks", "/v1")),
]


@pytest.mark.parametrize(("name", "path"), NOBODY, ids=[case[0] for case in NOBODY])
async def test_who_does_not_know_the_whole_url_learns_nothing(name: str, path: str) -> None:
    house = House(OTHER)
    heard = await house.call(path, DELIVERED)
    assert heard.status == 404
    assert heard.body == (await house.call(receipts("con_none"), DELIVERED)).body
    assert house.arrivals == []


async def test_a_connector_without_callbacks_has_no_url() -> None:
    assert (await House(SILENT).call(receipts(), DELIVERED)).status == 404


async def test_raising_the_serial_makes_the_old_url_void() -> None:
    house = House(connector("generic_json", callback_serial=2))
    assert (await house.call(receipts(token="t0k3n-1"), DELIVERED)).status == 404
    assert (await house.call(receipts(token="t0k3n-2"), DELIVERED)).status == 200


BROKEN: list[tuple[str, str, bytes, str]] = [
    ("no JSON", receipts(), b"{", "neither a JSON object"),
    ("an array of nothing", receipts(), b"[1, null]", "neither a JSON object"),
    ("octets", receipts(), b"\xff\xfe\x00", "no report names its message"),
    ("a report about nothing", receipts(), b'{"status": "delivered"}', "no report names its message"),
    ("a text of nobody", inbound(), b'{"text": "TD"}', "no text names who wrote it"),
    ("a flood of fields", receipts(), b"a=1&" * 5000, "neither a JSON object"),
    ("nested without end", receipts(), b"[" * 500_000, "neither a JSON object"),
]


@pytest.mark.parametrize(("name", "path", "body", "words"), BROKEN, ids=[case[0] for case in BROKEN])
async def test_a_body_without_sense_is_answered_with_a_sentence_and_counted(name: str, path: str, body: bytes, words: str) -> None:
    house = House(OTHER)
    heard = await house.call(path, body)
    assert heard.status == 400
    assert words in heard.body.decode()
    assert house.counted() == {"broken": 1.0}


async def test_what_a_definition_does_not_map_is_said() -> None:
    heard = await House(ONE_WAY).call(inbound(), b'{"from": "1", "text": "TD"}')
    assert (heard.status, b"maps no inbound" in heard.body) == (400, True)


async def test_good_reports_are_taken_although_others_are_broken() -> None:
    house = House(OTHER)
    heard = await house.call(receipts(), encode([{"status": "delivered"}, {"id": "8", "status": "expired"}]))
    assert (heard.status, len(house.arrivals)) == (200, 1)
    assert house.counted() == {"broken": 1.0, "taken": 1.0}


async def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    house = House(OTHER)
    heard = await house.call(receipts(), b"x" * 1_100_000)
    assert (heard.status, house.counted()) == (413, {"broken": 1.0})


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("PUT", 405), ("DELETE", 405)])
async def test_a_carrier_that_only_looks_whether_somebody_is_there_hears_yes(method: str, status: int) -> None:
    house = House(OTHER)
    assert (await house.call(receipts(), method=method)).status == status
    assert house.arrivals == []


async def test_a_report_may_stand_in_the_query() -> None:
    house = House(connector("generic_form"))
    heard = await house.call(receipts("con_generic_form"), query="id=5&status=DELIVRD&mobile=13800138000", method="GET")
    assert (heard.status, len(house.arrivals)) == (200, 1)
