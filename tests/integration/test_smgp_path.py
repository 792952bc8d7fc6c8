"""A message over SMGP through the whole platform: accepted over HTTP, submitted, reported, explained; and its answer comes back."""

from collections.abc import Iterator

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
