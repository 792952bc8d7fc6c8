"""A message over HTTP carriers through the whole platform, its receipt and answer coming in as callbacks, over several processes too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.clouds import ACCOUNT, SECRET, Cloud, said
from tests.integration.serving import TEXT, Served, until
from yanshu.app.platform import Platform
from yanshu.settings import Settings
from yanshu.testing.postgres import PostgresServer

NUMBER = "13800138000"


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("platform"))
    try:
        yield served.start(callbacks_listen="127.0.0.1:0")
    finally:
        served.stop()


@pytest.fixture
def cloud(listening: Served) -> Iterator[Cloud]:
    cloud = Cloud("generic_json")
    listening.run(cloud.start())
    yield cloud
    listening.run(cloud.stop())


def body(served: Served, port: int, **fields: Any) -> dict[str, Any]:
    settings = {"provider": "generic_json", "account": ACCOUNT, "tls": False}
    given = {"name": "cloud", "protocol": "http", "port": port, "password": SECRET, "settings": settings, "simulated": False, **fields}
    return served.connector_body(**given)


def connect(served: Served, port: int, **fields: Any) -> str:
    """Make the connector and a route before all others, and wait for the link."""
    ident: str = served.admin.call("POST", "/v1/connectors", body(served, port, **fields))["id"]
    served.admin.call("POST", "/v1/routes", {"name": f"over {ident}", "rank": 1, "connectors": [ident]})
    until("the link", lambda: served.admin.call("GET", f"/v1/connectors/{ident}/health")["state"] == "up")
    return ident


def send(served: Served) -> str:
    return f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': NUMBER, 'text': TEXT})['id']}"


def status(served: Served, path: str) -> str:
    found: str = served.admin.call("GET", path)["status"]
    return found


def let_go(served: Served, ident: str) -> None:
    """Take the connector out of the way of the next test."""
    for route in served.admin.call("GET", "/v1/routes")["data"]:
        if ident in [member["connector"] for member in route["connectors"]]:
            served.admin.call("DELETE", f"/v1/routes/{route['id']}")


def test_a_message_over_http_is_delivered_and_answered(listening: Served, cloud: Cloud) -> None:
    ident = connect(listening, cloud.port)
    path = send(listening)
    until("submitted", lambda: status(listening, path) == "submitted")
    sent = cloud.calls[0].document
    assert (sent["text"], sent["to"], sent["reference"]) == (TEXT, f"+86{NUMBER}", path.rpartition("/")[2])

    urls = listening.admin.call("POST", f"/v1/connectors/{ident}/callbacks")
    assert sent["callback_url"] == urls["receipts_url"]
    with httpx.Client() as carrier:
        assert carrier.post(urls["receipts_url"], json={"id": "7", "to": f"+86{NUMBER}", "status": "delivered"}).status_code == 200
        assert status(listening, path) == "delivered"
        assert carrier.post(urls["inbound_url"], json={"from": f"+86{NUMBER}", "to": "10690000", "text": "你好"}).status_code == 200
        wrong = urls["receipts_url"].replace("/receipts", "x/receipts")
        assert carrier.post(wrong, json={"id": "7", "status": "delivered"}).status_code == 404
    (attempt,) = listening.admin.call("GET", f"{path}/explain")["attempts"]
    assert (attempt["connector"], attempt["carrier_message_id"], attempt["receipt"]["stat"]) == (ident, "7", "delivered")
    (inbound,) = listening.admin.call("GET", "/v1/inbound")["data"]
    assert (inbound["text"], inbound["in_reply_to"]) == ("你好", path.rpartition("/")[2])
    metrics = httpx.get(f"{listening.platform.url}/metrics").text
    assert 'yanshu_callbacks_total{result="taken"} 2.0' in metrics
    let_go(listening, ident)


def test_what_the_first_carrier_refuses_goes_over_the_next(listening: Served, cloud: Cloud) -> None:
    second = Cloud("generic_json")
    listening.run(second.start())
    cloud.answer = said(200, {"code": "busy"})
    idents = [listening.admin.call("POST", "/v1/connectors", body(listening, each.port))["id"] for each in (cloud, second)]
    listening.admin.call("POST", "/v1/routes", {"name": "both", "rank": 1, "connectors": idents})
    for ident in idents:
        until("the link", lambda ident=ident: listening.admin.call("GET", f"/v1/connectors/{ident}/health")["state"] == "up")
    path = send(listening)
    until("submitted", lambda: status(listening, path) == "submitted")
    assert (len(cloud.calls), len(second.calls)) == (1, 1)
    assert [attempt["connector"] for attempt in listening.admin.call("GET", f"{path}/explain")["attempts"]] == idents
    let_go(listening, idents[0])
    listening.run(second.stop())


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("a provider nobody ships", {"settings": {"provider": "twillio"}}, "settings.provider"),
    ("an account left out", {"settings": {"provider": "twilio"}}, "settings.account"),
    ("no secret", {"password": ""}, "password"),
    ("a definition with a slip", {"settings": {"definition": {"name": "mine", "send": {"path": "x"}}}}, "settings.definition.send.path"),
]


@pytest.mark.parametrize(("name", "fields", "param"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_a_connector_that_could_not_work_is_refused_with_the_field_and_the_fix(
    listening: Served, name: str, fields: dict[str, Any], param: str
) -> None:
    said = [
        listening.admin.ask("POST", "/v1/connectors", body(listening, 1, **fields), Accept_Language=language).json()["error"]
        for language in ("en", "zh")
    ]
    assert [error["param"] for error in said] == [param, param]
    assert said[0]["message"] != said[1]["message"]


def test_the_urls_for_callbacks_need_more_than_reading(listening: Served, cloud: Cloud) -> None:
    ident = listening.admin.call("POST", "/v1/connectors", body(listening, cloud.port))["id"]
    path = f"/v1/connectors/{ident}/callbacks"
    assert listening.caller("connectors:read").refused("POST", path) == (403, "scope_missing")
    first = listening.admin.call("POST", path)
    settings = {**body(listening, 1)["settings"], "callback_serial": 2}
    listening.admin.call("PATCH", f"/v1/connectors/{ident}", {"settings": settings})
    assert listening.admin.call("POST", path)["receipts_url"] != first["receipts_url"]
    smpp = listening.admin.call("POST", "/v1/connectors", listening.connector_body())["id"]
    assert listening.admin.refused("POST", f"/v1/connectors/{smpp}/callbacks") == (409, "state_conflict")


def test_a_callback_is_taken_by_another_process_than_the_one_that_sent(postgres: PostgresServer, tmp_path: Path) -> None:
    """One process has the API and the listener, the other the links; they share the store and the master key."""
    url = postgres.create_database("test_http_path", "template_yanshu")
    served = Served(tmp_path)
    try:
        served.start(database_url=url, roles="api,worker", callbacks_listen="127.0.0.1:0")
        public_url = served.platform.callbacks.public_url
        dispatcher = Platform(Settings(data_dir=str(tmp_path), database_url=url, roles="dispatcher", callbacks_url=public_url))
        served.run(dispatcher.start())
        cloud = Cloud("generic_json")
        served.run(cloud.start())
        try:
            connect(served, cloud.port)
            path = send(served)
            until("the request", lambda: cloud.calls)
            receipts_url = cloud.calls[0].document["callback_url"]
            assert receipts_url.startswith(public_url)
            report = {"id": "7", "to": f"+86{NUMBER}", "status": "delivered"}
            assert httpx.post(receipts_url, json=report).status_code == 200  # it may be here before the answer is stored
            until("delivered", lambda: status(served, path) == "delivered")
        finally:
            served.run(dispatcher.stop())
            served.run(cloud.stop())
    finally:
        served.stop()
