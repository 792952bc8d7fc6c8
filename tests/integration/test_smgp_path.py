"""A message over SMGP through the whole platform: accepted over HTTP, submitted, reported, explained; and its answer comes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.serving import TEXT, Served, until
from tests.integration.test_smgp_carrier import NUMBER, SECRET, Smgw, ident, report
from yanshu.protocols.smgp import pdus


@pytest.fixture
def smgw(served: Served) -> Iterator[Smgw]:
    gateway = Smgw()
    served.run(gateway.start())
    yield gateway
    served.run(gateway.stop())


async def deliver(gateway: Smgw, pdu: pdus.Deliver) -> None:
    gateway.deliver(pdu)


def test_a_message_over_smgp_is_delivered_and_answered(served: Served, smgw: Smgw) -> None:
    body = served.connector_body(
        name="telecom",
        protocol="smgp",
        port=smgw.port,
        password=SECRET,
        settings={"client_id": "10690123"},
        sender="10690000123",
        simulated=False,
    )
    connector = served.admin.call("POST", "/v1/connectors", body)["id"]
    served.admin.call("POST", "/v1/routes", {"name": "smgp", "rank": 1, "connectors": [connector]})
    until("the link", lambda: served.admin.call("GET", f"/v1/connectors/{connector}/health")["state"] == "up")

    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': NUMBER, 'text': TEXT})['id']}"
    until("submitted", lambda: served.admin.call("GET", path)["status"] == "submitted")
    assert smgw.submits[0].msg_content.decode("gb18030") == TEXT
    served.run(deliver(smgw, report("DELIVRD", ident())))
    until("delivered", lambda: served.admin.call("GET", path)["status"] == "delivered")
    (attempt,) = served.admin.call("GET", f"{path}/explain")["attempts"]
    assert (attempt["connector"], attempt["carrier_message_id"], attempt["receipt"]["stat"]) == (connector, ident(), "DELIVRD")

    mo = pdus.Deliver(src_term_id=NUMBER, dest_term_id="10690000123", msg_format=15, msg_content="你好".encode("gb18030"))
    served.run(deliver(smgw, mo))
    (inbound,) = until("the answer", lambda: served.admin.call("GET", "/v1/inbound")["data"])
    assert (inbound["text"], inbound["from"], inbound["in_reply_to"]) == ("你好", f"+86{NUMBER}", path.rpartition("/")[2])
    assert smgw.acknowledged == [0, 0]


def test_what_a_carrier_over_its_daily_volume_does_not_take_moves_on_and_is_no_attempt(tmp_path: Path) -> None:
    served = Served(tmp_path).start(failover_after_seconds=1)
    try:
        _over_its_volume(served)
    finally:
        served.stop()


def _over_its_volume(served: Served) -> None:
    port = served.run(served.simulator.start(protocol="smgp"))
    served.run(misbehave(served, refuse_rate=1.0, refuse_code=75))
    smgp = {"name": "telecom", "protocol": "smgp", "port": port, "settings": {"client_id": "yanshu"}}
    bodies = [served.connector_body(simulated=False, **fields) for fields in (smgp, {"name": "other"})]
    telecom, other = (served.admin.call("POST", "/v1/connectors", body)["id"] for body in bodies)
    served.admin.call("POST", "/v1/routes", {"name": "both", "rank": 1, "connectors": [telecom, other]})
    until("both links", lambda: all(served.admin.call("GET", f"/v1/connectors/{c}/health")["state"] == "up" for c in (telecom, other)))

    numbers = [f"138001380{n:02}" for n in range(30)]
    paths = [f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': to, 'text': TEXT})['id']}" for to in numbers]
    until("all delivered", lambda: {served.admin.call("GET", path)["status"] for path in paths} == {"delivered"})
    for path in paths:
        told = served.admin.call("GET", f"{path}/explain")
        assert [(attempt["attempt"], attempt["connector"]) for attempt in told["attempts"]] == [(1, other)]
        assert any("It moved from telecom to other" in sentence for sentence in told["sentences"])
    (link,) = served.admin.call("GET", f"/v1/connectors/{telecom}/health")["links"]
    assert (link["state"], "takes nothing for now (code 75)" in link["detail"]) == ("blocked", True)
    incidents = until("the incident", lambda: served.admin.call("GET", f"/v1/incidents?connector={telecom}&status=open")["data"])
    assert any("takes nothing for now (code 75)" in incident["sentence"] for incident in incidents)
    accounts = served.simulator.state()["accounts"]
    assert accounts["smgp/yanshu"]["submits"] <= 16
    assert accounts["yanshu"]["accepted"] == len(numbers)


async def misbehave(served: Served, **changes: Any) -> None:
    served.simulator.set_behaviour(changes, "smgp/yanshu")
