"""Receipt codes over HTTP: what they mean, whose they are, and whether to try again."""

from typing import get_args

import pytest

from tests.integration.serving import Served
from yanshu.edge.api.schemas.receipt_codes import CodeQuery
from yanshu.rules.routing.codes import TABLES

READ = [
    ("a code of China Mobile", "MK:0001?carrier=cmcc", ("invalid_number", "listed", "recipient")),
    ("named without its carrier", "mk%3A0001", ("invalid_number", "shared", "recipient")),
    ("a number of China Telecom", "613?carrier=ctcc", ("invalid_number", "joined", "recipient")),
    ("state and error joined", "UNDELIVS705S?carrier=ctcc", ("suspended", "listed", "recipient")),
    ("SGIP's report", "5?carrier=sgip_report", ("suspended", "listed", "recipient")),
    ("SGIP's response", "5?carrier=sgip_resp", ("param", "listed", "connector")),
    ("a family", "IA:7777?carrier=cmcc", ("carrier_error", "family", "carrier")),
    ("a state", "DELIVRD", ("delivered", "state", None)),
    ("what nobody knows", "%E7%8C%AB%3F", ("unknown", "nothing", "carrier")),
]


@pytest.mark.parametrize(("name", "asked", "told"), READ, ids=[case[0] for case in READ])
def test_a_code_is_told(served: Served, name: str, asked: str, told: tuple[str, str, str | None]) -> None:
    found = served.admin.call("GET", f"/v1/receipt_codes/{asked}")
    assert (found["class"], found["grounds"], found["owner"]) == told


def test_a_code_says_what_to_do_by_lane_and_language(served: Served) -> None:
    found = served.admin.call("GET", "/v1/receipt_codes/MK:0017?carrier=cmcc", Accept_Language="zh-CN")
    assert found["advice"].startswith("手机未能接收")
    assert found["retry"]["notice"] == {"way": "later", "tries": 2, "delays_seconds": [1800, 14400], "too_old_after_seconds": None}
    assert found["retry"]["marketing"]["way"] == "never"
    error = served.admin.call("GET", "/v1/receipt_codes/IA:0054?carrier=cmcc")
    assert error["retry"]["otp"] == {"way": "elsewhere", "tries": 1, "delays_seconds": [], "too_old_after_seconds": 15}


def test_a_carrier_without_a_table_is_refused_by_name(served: Served) -> None:
    answer = served.admin.ask("GET", "/v1/receipt_codes/1?carrier=netcom", Accept_Language="zh-CN")
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "carrier")
    assert "netcom" in answer.json()["error"]["message"]
    assert served.admin.refused("GET", "/v1/receipt_codes/1?operator=cmcc") == (422, "unknown_parameter")


def test_every_table_may_be_asked_for() -> None:
    assert get_args(CodeQuery.__annotations__["carrier"]) == TABLES


def test_the_scope_is_asked_for(served: Served) -> None:
    assert served.caller("numbers:read").refused("GET", "/v1/receipt_codes/1") == (403, "scope_missing")
    assert served.caller("messages:read").call("GET", "/v1/receipt_codes/DELIVRD")["class"] == "delivered"
