"""`yanshu serve --simulate`: a carrier in the same process, whose handsets test keys read and reply from."""

from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import Api, until

PHONE = "+8610000000001"
TEXT = "【雁书】您的验证码是 482913，5 分钟内有效。"


@pytest.mark.slow
def test_a_text_is_read_on_its_handset_and_answered_from_there(start_node: StartNode, tmp_path: Path) -> None:
    server = start_node("serve", "--port", "0", "--simulate", "0", YANSHU_DATA_DIR=str(tmp_path), YANSHU_LOG_LEVEL="WARNING")
    carrier = server.said["simulator"]
    admin = Api(server.said["url"], server.said["admin_key"])
    connector = admin.call(
        "POST",
        "/v1/connectors",
        {
            "name": "sandbox",
            "protocol": "smpp",
            "host": carrier["host"],
            "port": carrier["port"],
            "settings": {"system_id": carrier["system_id"]},
            "password": carrier["password"],
            "sender": "10690000",
            "simulated": True,
        },
    )
    admin.call("POST", "/v1/routes", {"name": "all", "connectors": [connector["id"]]})
    scopes = ["messages:send", "messages:read", "inbound:read", "sandbox:use"]
    test = Api(server.said["url"], admin.call("POST", "/v1/api_keys", {"name": "t", "livemode": False, "scopes": scopes})["secret"])
    sent = test.call("POST", "/v1/messages", {"to": PHONE, "text": TEXT, "lane": "otp"})
    until("it is delivered", lambda: test.call("GET", f"/v1/messages/{sent['id']}")["status"] == "delivered")
    assert [phone["id"] for phone in test.call("GET", "/v1/sandbox/phones")["data"]] == [PHONE]
    assert [text["text"] for text in test.call("GET", f"/v1/sandbox/phones/{PHONE}/inbox")["data"]] == [TEXT]
    test.call("POST", f"/v1/sandbox/phones/{PHONE}/reply", {"text": "收到"})
    until("the reply is there", lambda: bool(test.call("GET", "/v1/inbound")["data"]))
    (reply,) = test.call("GET", "/v1/inbound")["data"]
    assert (reply["from"], reply["text"], reply["in_reply_to"]) == (PHONE, "收到", sent["id"])
    assert server.stop() == 0
