"""A message over SGIP through the whole platform: accepted over HTTP, submitted, reported, explained; and its answer comes back."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.serving import TEXT, Served, until
from tests.integration.test_sgip_carrier import LOGIN, NUMBER, PASSWORD, Smg, drop, report, text_of
from yanshu.protocols.sgip import pdus


@pytest.fixture
def smg(served: Served) -> Iterator[Smg]:
    gateway = Smg()
    served.run(gateway.start())
    yield gateway
    served.run(gateway.stop())


def body(served: Served, smg: Smg, **settings: Any) -> dict[str, Any]:
    listening = {"listen_host": "127.0.0.1", "listen_port": smg.listen_port}
    own = {"login_name": LOGIN, "corp_id": "01234", "area_code": "010", **listening, **settings}
    fields = {"name": "unicom", "protocol": "sgip", "port": smg.port, "password": PASSWORD, "settings": own}
    return served.connector_body(**fields, sender="10690000123", window=32, simulated=False)


Connect = Callable[..., str]


@pytest.fixture
def connect(served: Served, smg: Smg) -> Iterator[Connect]:
    """Make the connector, and a route to it alone; wait for the link. Afterwards both go."""
    made: list[str] = []

    def make(**settings: Any) -> str:
        connector: str = served.admin.call("POST", "/v1/connectors", body(served, smg, **settings))["id"]
        route = served.admin.call("POST", "/v1/routes", {"name": "sgip", "rank": 1, "connectors": [connector]})["id"]
        made.extend((f"/v1/routes/{route}", f"/v1/connectors/{connector}"))
        until("the link", lambda: served.admin.call("GET", f"/v1/connectors/{connector}/health")["state"] == "up")
        return connector

    yield make
    for path in made:
        served.admin.ask("DELETE", path)


async def deliver(smg: Smg, pdu: pdus.Deliver | pdus.Report | pdus.UserRpt) -> None:
    await smg.call()
    await smg.deliver(pdu)


def test_a_message_over_sgip_is_delivered_and_answered(served: Served, smg: Smg, connect: Connect) -> None:
    connector = connect()
    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': NUMBER, 'text': TEXT})['id']}"
    until("submitted", lambda: served.admin.call("GET", path)["status"] == "submitted")
    (submit,) = smg.submits
    assert submit.message_content.decode("utf-16-be") == TEXT
    served.run(deliver(smg, report(sequence=submit.sequence)))
    until("delivered", lambda: served.admin.call("GET", path)["status"] == "delivered")
    (attempt,) = served.admin.call("GET", f"{path}/explain")["attempts"]
    known = (attempt["connector"], attempt["carrier_message_id"], attempt["receipt"]["stat"])
    assert known == (connector, submit.sequence.message_id, "DELIVRD")

    served.run(deliver(smg, text_of("你好".encode("utf-16-be"))))
    (inbound,) = until("the answer", lambda: served.admin.call("GET", "/v1/inbound")["data"])
    assert (inbound["text"], inbound["from"], inbound["in_reply_to"]) == ("你好", f"+{NUMBER}", path.rpartition("/")[2])
    served.run(deliver(smg, pdus.UserRpt(user_number=NUMBER)))
    until("all three acknowledged", lambda: smg.acknowledged == [0, 0, 0])


def test_a_failure_is_explained_by_the_table_of_sgip(served: Served, smg: Smg, connect: Connect) -> None:
    connect()
    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': NUMBER, 'text': TEXT})['id']}"
    until("submitted", lambda: served.admin.call("GET", path)["status"] == "submitted")
    served.run(deliver(smg, report(2, 1, smg.submits[0].sequence)))
    until("the failure", lambda: served.admin.call("GET", path)["status"] == "undelivered")
    (attempt,) = served.admin.call("GET", f"{path}/explain")["attempts"]
    assert (attempt["receipt"]["stat"], attempt["receipt"]["err"]) == ("UNDELIV", "1")
    assert attempt["meaning"]["class"] == "invalid_number"


def test_a_report_finds_a_long_text_whose_submits_were_never_answered(served: Served, smg: Smg, connect: Connect) -> None:
    connect()
    smg.answer = lambda gateway, link, pdu: drop(gateway, link, pdu) if len(gateway.submits) == 2 else None
    text = "【雁书】" + "长" * 100
    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': NUMBER, 'text': text})['id']}"
    until("unknown", lambda: served.admin.call("GET", path)["status"] == "unknown")
    for submit in list(smg.submits):
        served.run(deliver(smg, report(sequence=submit.sequence)))
    until("delivered", lambda: served.admin.call("GET", path)["status"] == "delivered")
    assert len(smg.submits) == 2


def test_a_message_for_a_link_at_rest_is_not_lost(served: Served, smg: Smg, connect: Connect) -> None:
    connect(idle_seconds=1)
    until("the rest", lambda: smg.unbinds == 1)
    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': NUMBER, 'text': TEXT})['id']}"
    until("submitted", lambda: served.admin.call("GET", path)["status"] == "submitted")
    assert (len(smg.binds), len(smg.submits)) == (2, 1)


def test_a_listener_whose_port_is_taken_is_an_incident_with_the_fix_and_closed_when_it_is_free(served: Served, smg: Smg) -> None:
    def incident() -> dict[str, Any]:
        found = [one for one in served.admin.call("GET", "/v1/incidents")["data"] if one["connector"] == connector]
        return found[0] if found else {}

    with socket.create_server(("127.0.0.1", smg.listen_port)) as taken:
        connector = served.admin.call("POST", "/v1/connectors", body(served, smg))["id"]
        opened = until("the incident", incident)
        assert (opened["kind"], opened["closed_at"]) == ("link_blocked", None)
        assert f"cannot listen on 127.0.0.1 port {smg.listen_port}: another program" in opened["sentence"]
        assert "change listen_port" in opened["sentence"]
        taken.close()
        until("the end of it", lambda: incident().get("closed_at"))
    served.admin.call("DELETE", f"/v1/connectors/{connector}")


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no node number", {"area_code": ""}, "settings.area_code"),
    ("a listener on a name", {"listen_host": "smg.example"}, "settings.listen_host"),
    ("a password too long", {}, "password"),
]


@pytest.mark.parametrize(("name", "settings", "param"), BAD, ids=[case[0] for case in BAD])
def test_a_connector_that_cannot_work_is_refused_in_both_languages(
    served: Served, smg: Smg, name: str, settings: dict[str, Any], param: str
) -> None:
    asked = body(served, smg, **settings) | ({"password": "x" * 17} if param == "password" else {})
    for language, word in (("en", "write" if settings else "blanks"), ("zh", "请" if settings else "空格")):
        answer = served.admin.ask("POST", "/v1/connectors", asked, Accept_Language=language)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (422, "parameter_invalid", param)
        assert word in error["message"]
