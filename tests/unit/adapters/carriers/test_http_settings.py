"""Settings of HTTP connectors: what is missing, unknown or does not fit its provider is named with the fix."""

from typing import Any

import pytest

from yanshu.adapters.carriers.http.settings import check_password, read_settings
from yanshu.domain.errors import Invalid
from yanshu.edge.api.chinese import in_chinese

TENCENT: dict[str, Any] = {
    "provider": "tencent",
    "account": "AKID1",
    "region": "ap-guangzhou",
    "sdk_app_id": "1400000000",
    "templates": [{"id": "1", "text": "${content}"}],
}
OWN: dict[str, Any] = {
    "name": "mine",
    "send": {"path": "/send", "auth": {"recipe": "none"}, "query": {"user": "${account}"}},
    "answer": {"id": ["${id}"], "code": ["${code}"], "accepted": ["0"]},
}

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("all that it needs", TENCENT),
    ("a provider that takes texts", {"provider": "twilio", "account": "AC1", "messaging_service_sid": "MG1", "tls": False}),
    ("one that needs no account", {"provider": "generic_json", "definition": {"send": {"auth": {"recipe": "bearer"}}}}),
    ("a change of what ships", {"provider": "twilio", "account": "AC1", "definition": {"send": {"path": "/v2/sms"}}}),
    ("a definition of its own", {"definition": OWN, "account": "me"}),
]


@pytest.mark.parametrize(("name", "values"), GOOD, ids=[case[0] for case in GOOD])
def test_settings_that_can_be_used_are_read(name: str, values: dict[str, Any]) -> None:
    provider = read_settings(values)
    assert provider.definition.name in {values.get("provider"), "mine"}
    assert provider.own == {key: values[key] for key in ("region", "sdk_app_id", "messaging_service_sid") if key in values}


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "provider"),
    ("a provider nobody ships", {"provider": "../tencent"}, "provider"),
    ("no account", {**TENCENT, "account": ""}, "account"),
    ("no account, which its own definition names", {"definition": OWN}, "account"),
    ("a setting it cannot do without", {key: value for key, value in TENCENT.items() if key != "region"}, "region"),
    ("a setting nobody knows", {**TENCENT, "regoin": "x"}, "regoin"),
    ("a setting of its own that is no text", {**TENCENT, "region": 1}, "region"),
    ("no template", {**TENCENT, "templates": []}, "templates"),
    ("templates for one that takes texts", {"provider": "generic_json", "templates": [{"id": "1", "text": "x"}]}, "templates"),
    ("a template without number", {**TENCENT, "templates": [{"text": "x"}]}, "templates[0].id"),
    ("a template with two places in a row", {**TENCENT, "templates": [{"id": "1", "text": "${a}${b}"}]}, "templates.0.text"),
    ("a change that makes no sense", {"provider": "twilio", "account": "A", "definition": {"send": 1}}, "definition.send"),
    ("a name that every connector has", {"account": "a", "definition": {**OWN, "takes": ["tls"]}}, "definition.takes"),
    ("a host that is none", {**TENCENT, "tls_server_name": "a..b"}, "tls_server_name"),
    ("an endless wait", {**TENCENT, "response_timeout_seconds": 9999}, "response_timeout_seconds"),
]


@pytest.mark.parametrize(("name", "values", "param"), BAD, ids=[case[0] for case in BAD])
def test_settings_that_cannot_be_used_are_named(name: str, values: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_settings(values)
    fix = str(raised.value.values["fix"])
    assert raised.value.param == f"settings.{param}"
    assert in_chinese(fix) != fix


SECRETS = [("a token", "x" * 512, True), ("nothing", "", False), ("too long", "x" * 513, False), ("a line end", "a\r\nb", False)]


@pytest.mark.parametrize(("name", "secret", "is_good"), SECRETS, ids=[case[0] for case in SECRETS])
def test_a_secret_can_travel_in_a_header(name: str, secret: str, is_good: bool) -> None:
    if is_good:
        check_password(secret)
        return
    with pytest.raises(Invalid) as raised:
        check_password(secret)
    assert in_chinese(str(raised.value.values["fix"])) != raised.value.values["fix"]
