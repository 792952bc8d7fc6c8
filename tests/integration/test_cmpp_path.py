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


def send_over(served: Served, ismg: Ismg) -> tuple[str, str]:
    """Send a text over a connector to this gateway and no other; return the connector's id and the message's path once it is submitted."""
    body = served.connector_body(
        name="mobile", protocol="cmpp", port=ismg.port, password=SECRET, settings={"sp_id": "901234"}, sender="10690000123", simulated=False
    )
    connector = served.admin.call("POST", "/v1/connectors", body)["id"]
    served.admin.call("POST", "/v1/routes", {"name": "cmpp", "rank": 1, "connectors": [connector]})
    until("the link", lambda: served.admin.call("GET", f"/v1/connectors/{connector}/health")["state"] == "up")

    message = {"to": NUMBER, "text": TEXT, "routing": {"pool": [connector]}}
    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', message)['id']}"
    until("submitted", lambda: served.admin.call("GET", path)["status"] == "submitted")
    return connector, path


def test_a_message_over_cmpp_is_delivered_and_answered(served: Served, ismg: Ismg) -> None:
    connector, path = send_over(served, ismg)
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


TELLINGS = [
    ("en", "Receipt for segment 1: MK:0001. Nobody has this number.", "Who can act: recipient."),
    ("zh-CN", "第 1 条的状态报告：MK:0001。该号码为空号。", "处理方：接收者。"),
]


def test_a_code_in_a_report_is_explained_in_the_language_of_the_caller(served: Served, ismg: Ismg) -> None:
    _, path = send_over(served, ismg)
    served.run(deliver(ismg, report("MK:0001", FIRST_ID)))
    until("the report", lambda: served.admin.call("GET", path)["status"] == "undelivered")
    for language, begins, ends in TELLINGS:
        told = served.admin.call("GET", f"{path}/explain", Accept_Language=language)
        (attempt,) = told["attempts"]
        (sentence,) = [sentence for sentence in told["sentences"] if sentence.startswith(begins)]
        assert sentence.endswith(ends)
        assert attempt["receipt"].pop("at")
        assert attempt["receipt"] == {"stat": "MK:0001", "err": "MK:0001"}
        assert attempt["meaning"].pop("advice") in sentence
        assert attempt["meaning"] == {"class": "invalid_number", "grounds": "listed", "owner": "recipient"}
