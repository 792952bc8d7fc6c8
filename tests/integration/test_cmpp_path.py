"""A message over CMPP through the whole platform: accepted over HTTP, submitted, reported, explained; and its answer comes back."""

from collections.abc import Iterator

import pytest

from tests.integration.serving import TEXT, Served, until
from tests.integration.test_cmpp_carrier import FIRST_ID, NUMBER, SECRET, Ismg, report
from yanshu.protocols.cmpp import pdus


@pytest.fixture
def ismg(served: Served) -> Iterator[Ismg]:
    gateway = Ismg()
    served.run(gateway.start())
    yield gateway
    served.run(gateway.stop())


async def deliver(gateway: Ismg, pdu: pdus.Deliver) -> None:
    gateway.deliver(pdu)


def test_a_message_over_cmpp_is_delivered_and_answered(served: Served, ismg: Ismg) -> None:
    body = served.connector_body(
        name="mobile", protocol="cmpp", port=ismg.port, password=SECRET, settings={"sp_id": "901234"}, sender="10690000123", simulated=False
    )
    connector = served.admin.call("POST", "/v1/connectors", body)["id"]
    served.admin.call("POST", "/v1/routes", {"name": "cmpp", "rank": 1, "connectors": [connector]})
    until("the link", lambda: served.admin.call("GET", f"/v1/connectors/{connector}/health")["state"] == "up")

    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': NUMBER, 'text': TEXT})['id']}"
    until("submitted", lambda: served.admin.call("GET", path)["status"] == "submitted")
    assert ismg.submits[0].msg_content.decode("utf-16-be") == TEXT
    served.run(deliver(ismg, report("DELIVRD", FIRST_ID)))
    until("delivered", lambda: served.admin.call("GET", path)["status"] == "delivered")
    (attempt,) = served.admin.call("GET", f"{path}/explain")["attempts"]
    assert (attempt["connector"], attempt["carrier_message_id"], attempt["receipt"]["stat"]) == (connector, f"{FIRST_ID:x}", "DELIVRD")

    mo = pdus.Deliver(dest_id="10690000123", src_terminal_id=NUMBER, msg_fmt=8, msg_content="你好".encode("utf-16-be"))
    served.run(deliver(ismg, mo))
    (inbound,) = until("the answer", lambda: served.admin.call("GET", "/v1/inbound")["data"])
    assert (inbound["text"], inbound["from"], inbound["in_reply_to"]) == ("你好", f"+86{NUMBER}", path.rpartition("/")[2])
    assert ismg.acknowledged == [0, 0]
