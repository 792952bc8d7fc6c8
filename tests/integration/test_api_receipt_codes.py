"""Receipt codes over HTTP: what they mean, whose they are, and whether to try again."""

import pytest

from tests.integration.serving import Served

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


def test_a_carrier_that_is_no_table_and_no_connector_is_refused_by_name(served: Served) -> None:
    answer = served.admin.ask("GET", "/v1/receipt_codes/1?carrier=netcom", Accept_Language="zh-CN")
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "carrier")
    assert "可选值：any, cmcc" in answer.json()["error"]["message"]
    assert served.admin.refused("GET", "/v1/receipt_codes/1?operator=cmcc") == (422, "unknown_parameter")


def connector(served: Served) -> str:
    """A connector over CMPP that never comes up."""
    wish = {"name": "m", "protocol": "cmpp", "host": "127.0.0.1", "port": 1, "password": "x", "settings": {"sp_id": "901234"}}
    return str(served.admin.call("POST", "/v1/connectors", wish)["id"])


def test_a_code_is_read_otherwise_for_one_connector_and_back(served: Served) -> None:
    ident = connector(served)
    path = f"/v1/receipt_codes/mk:0001?carrier={ident}"
    assert served.admin.call("GET", path)["class"] == "invalid_number"
    made = served.admin.call("PUT", path, {"class": "suspended", "note": "本省停机"})
    assert (made["carrier"], made["code"], made["class"], made["note"]) == (ident, "MK:0001", "suspended", "本省停机")
    found = served.admin.call("GET", path)
    assert (found["class"], found["grounds"]) == ("suspended", "overridden")
    assert served.admin.call("GET", "/v1/receipt_codes/MK:0001?carrier=cmcc")["class"] == "invalid_number"
    assert served.admin.call("GET", f"/v1/receipt_codes?carrier={ident}")["data"] == [made]
    assert served.admin.call("DELETE", path)["deleted"]
    assert served.admin.refused("DELETE", path) == (404, "resource_missing")
    assert served.admin.call("GET", path)["grounds"] == "listed"
    served.admin.call("PUT", path, {"class": "suspended"})
    answer = served.admin.call("GET", f"/v1/receipt_codes/13?carrier={ident}")
    assert (answer["class"], answer["grounds"]) == ("param", "listed"), "an answer of its protocol"
    served.admin.call("DELETE", f"/v1/connectors/{ident}")
    assert served.admin.call("GET", "/v1/receipt_codes")["data"] == [], "a connector takes its codes with it"


def test_a_table_of_overrides_is_tried_before_it_is_put_in_force(served: Served) -> None:
    rows = [{"carrier": "cmcc", "code": "MK:0001", "class": "suspended"}, {"carrier": "smpp_resp", "code": "0x444", "class": "signature"}]
    wish = {"overrides": rows, "dry_run": True}
    tried = served.admin.call("PUT", "/v1/receipt_codes", wish)
    assert tried["differences"] == [
        {"carrier": "cmcc", "code": "MK:0001", "was": "invalid_number", "now": "suspended"},
        {"carrier": "smpp_resp", "code": "0X444", "was": "unknown", "now": "signature"},
    ]
    assert served.admin.call("GET", "/v1/receipt_codes")["data"] == []
    served.admin.call("PUT", "/v1/receipt_codes", {"overrides": rows})
    assert [row["code"] for row in served.admin.call("GET", "/v1/receipt_codes")["data"]] == ["MK:0001", "0X444"]
    assert served.admin.call("GET", "/v1/receipt_codes/MK:0001?carrier=cmcc")["class"] == "suspended"
    assert served.admin.call("PUT", "/v1/receipt_codes", {"overrides": []})["differences"][0]["now"] == "invalid_number"
    assert served.admin.call("GET", "/v1/receipt_codes/MK:0001?carrier=cmcc")["class"] == "invalid_number"


def test_every_row_that_is_wrong_is_told_with_its_fix_and_none_is_taken(served: Served) -> None:
    rows = [
        {"carrier": "cmcc", "code": "A1", "class": "param"},
        {"carrier": "netcom", "code": "A2", "class": "param"},
        {"carrier": "cmcc", "code": " a1 ", "class": "ported"},
        {"carrier": "any", "code": "DELIVRD", "class": "unknown"},
        {"carrier": "any", "code": "  ", "class": "unknown"},
    ]
    answer = served.admin.ask("PUT", "/v1/receipt_codes", {"overrides": rows}, Accept_Language="zh")
    assert answer.status_code == 422
    told = [(row["row"], row["param"], row["fix"].partition("：")[0]) for row in answer.json()["error"]["details"]]
    assert told == [
        (2, "carrier", "可选值"),
        (3, "code", "同一供应商的同一返回码只能出现一次"),
        (4, "code", "ACCEPTD, DELIVRD, ENROUTE 的含义不可更改"),
        (5, "code", "1 至 64 个字符"),
    ]
    assert served.admin.call("GET", "/v1/receipt_codes")["data"] == []
    wrong = served.admin.ask("PUT", "/v1/receipt_codes", {"overrides": [{**rows[0], "class": "lost"}]})
    assert wrong.json()["error"]["param"] == "overrides[0].class"
    assert served.admin.refused("PUT", "/v1/receipt_codes/ACCEPTD?carrier=cmcc", {"class": "delivered"}) == (422, "parameter_invalid")


def test_the_scope_is_asked_for(served: Served) -> None:
    assert served.caller("numbers:read").refused("GET", "/v1/receipt_codes/1") == (403, "scope_missing")
    reader = served.caller("messages:read")
    assert reader.call("GET", "/v1/receipt_codes/DELIVRD")["class"] == "delivered"
    assert reader.refused("PUT", "/v1/receipt_codes/1", {"class": "param"}) == (403, "scope_missing")
    assert reader.refused("PUT", "/v1/receipt_codes", {"overrides": []}) == (403, "scope_missing")
    assert reader.refused("GET", "/v1/receipt_codes") == (403, "scope_missing")
