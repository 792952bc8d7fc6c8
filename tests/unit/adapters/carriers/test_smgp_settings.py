"""Settings of an SMGP connector, good and bad."""

from typing import Any

import pytest

from yanshu.adapters.carriers.smgp.settings import read_settings
from yanshu.domain.errors import Invalid
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.smgp.constants import LoginMode

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no client_id", {}, "client_id"),
    ("a client_id too long", {"client_id": "123456789"}, "client_id"),
    ("a client_id in Chinese", {"client_id": "电信"}, "client_id"),
    ("a setting of another protocol", {"client_id": "1", "sp_id": "901234"}, "sp_id"),
    ("a login of no kind", {"client_id": "1", "login": "receive"}, "login"),
    ("a priority beyond 3", {"client_id": "1", "priority": 4}, "priority"),
    ("a fee type that is no number", {"client_id": "1", "fee_type": "0x"}, "fee_type"),
    ("a fee type of one digit", {"client_id": "1", "fee_type": "0"}, "fee_type"),
    ("a fee of seven digits", {"client_id": "1", "fee_code": "1234567"}, "fee_code"),
    ("a source of nine characters", {"client_id": "1", "msg_src": "123456789"}, "msg_src"),
    ("a service of 22 characters", {"client_id": "1", "m_service_id": "1" * 22}, "m_service_id"),
    ("a format that is none", {"client_id": "1", "text_format": "utf8"}, "text_format"),
    ("no patience at all", {"client_id": "1", "response_timeout_seconds": 0}, "response_timeout_seconds"),
    ("a status in hex", {"client_id": "1", "status_overrides": {"0x80": "busy"}}, "status_overrides.0x80"),
    ("a status of five octets", {"client_id": "1", "status_overrides": {"4294967296": "busy"}}, "status_overrides.4294967296"),
    ("a meaning nobody knows", {"client_id": "1", "status_overrides": {"130": "nice"}}, "status_overrides[...]"),
]


@pytest.mark.parametrize(("name", "values", "field"), BAD, ids=[case[0] for case in BAD])
def test_a_bad_setting_is_named(name: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_settings(values)
    assert (raised.value.code, raised.value.param) == ("parameter_invalid", f"settings.{field}")
    assert raised.value.values["fix"]


def test_what_is_left_out_is_not_sent() -> None:
    settings = read_settings({"client_id": "10690123"})
    assert (settings.tlvs, settings.modes, settings.overrides) == ({}, (LoginMode.BOTH,), {})


def test_tables_and_parameters_are_read() -> None:
    values = {"client_id": "1", "login": "send_receive", "msg_src": "901234", "m_service_id": "7", "status_overrides": {"130": "throttled"}}
    settings = read_settings(values)
    assert settings.tlvs == {16: b"901234", 18: b"7"}
    assert settings.modes == (LoginMode.SEND, LoginMode.RECEIVE)
    assert settings.overrides == {130: AnswerResult.THROTTLED}
