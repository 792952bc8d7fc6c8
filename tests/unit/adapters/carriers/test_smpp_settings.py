"""Settings of an SMPP connector, good and bad."""

from typing import Any

import pytest

from yanshu.adapters.carriers.smpp.settings import check_password, read_settings
from yanshu.domain.errors import Invalid
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.smpp import pdus

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no system_id", {}, "settings.system_id"),
    ("an unknown key", {"system_id": "a", "windw": 3}, "settings.windw"),
    ("a system_id too long", {"system_id": "a" * 16}, "settings.system_id"),
    ("a text for a number", {"system_id": "a", "source_ton": "1"}, "settings.source_ton"),
    ("a number beyond its octet", {"system_id": "a", "source_ton": 256}, "settings.source_ton"),
    ("an unknown bind", {"system_id": "a", "bind": "both"}, "settings.bind"),
    ("no patience at all", {"system_id": "a", "response_timeout_seconds": 0}, "settings.response_timeout_seconds"),
    ("a system_id in Chinese", {"system_id": "雁书"}, "settings.system_id"),
    ("a system_id with a line end", {"system_id": "a\n"}, "settings.system_id"),
    ("a system_type with a NUL", {"system_id": "a", "system_type": "a\0"}, "settings.system_type"),
    ("a server name that is none", {"system_id": "a", "tls_server_name": "a..b"}, "settings.tls_server_name"),
    ("a service_type in Chinese", {"system_id": "a", "service_type": "服务"}, "settings.service_type"),
    ("a parameter that we write ourselves", {"system_id": "a", "extra_tlvs": {"0x0424": "00"}}, "settings.extra_tlvs.0x0424"),
    ("an endless parameter", {"system_id": "a", "extra_tlvs": {"0x1400": "00" * 70_000}}, "settings.extra_tlvs.0x1400"),
    ("endless parameters", {"system_id": "a", "extra_tlvs": {f"0x14{n:02x}": "00" for n in range(99)}}, "settings.extra_tlvs"),
    ("a tag that is no hex", {"system_id": "a", "extra_tlvs": {"x": "00"}}, "settings.extra_tlvs.x"),
    ("a tag beyond 16 bits", {"system_id": "a", "extra_tlvs": {"0x10000": "00"}}, "settings.extra_tlvs.0x10000"),
    ("a value that is no hex", {"system_id": "a", "extra_tlvs": {"0x1400": "0g"}}, "settings.extra_tlvs.0x1400"),
    ("a status that is no hex", {"system_id": "a", "status_overrides": {"busy": "busy"}}, "settings.status_overrides.busy"),
    ("a meaning nobody knows", {"system_id": "a", "status_overrides": {"0x400": "nice"}}, "settings.status_overrides[...]"),
]


@pytest.mark.parametrize(("name", "values", "param"), BAD, ids=[case[0] for case in BAD])
def test_a_bad_setting_is_named(name: str, values: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_settings(values)
    assert (raised.value.code, raised.value.param) == ("parameter_invalid", param)
    assert raised.value.values["fix"]


def test_tables_are_read() -> None:
    settings = read_settings({"system_id": "a", "extra_tlvs": {"0x1400": "0aff"}, "status_overrides": {"0x00000400": "busy"}})
    assert settings.tlvs == {0x1400: b"\x0a\xff"}
    assert settings.overrides == {0x400: AnswerResult.BUSY}


BINDS = [
    ("transceiver", [pdus.BindTransceiver]),
    ("transmitter", [pdus.BindTransmitter]),
    ("receiver", [pdus.BindReceiver]),
    ("transmitter_receiver", [pdus.BindTransmitter, pdus.BindReceiver]),
]


@pytest.mark.parametrize(("bind", "kinds"), BINDS, ids=[case[0] for case in BINDS])
def test_a_bind_opens_these_sessions(bind: str, kinds: list[type[pdus.Bind]]) -> None:
    binds = read_settings({"system_id": "a", "bind": bind}).binds("pw")
    assert [type(item) for item in binds] == kinds
    assert {(item.system_id, item.password) for item in binds} == {("a", "pw")}


@pytest.mark.parametrize("password", ["ninechars", "密码", "a\0b"], ids=ascii)
def test_a_password_that_no_bind_can_carry_is_refused(password: str) -> None:
    with pytest.raises(Invalid, match="parameter_invalid"):
        check_password(password)


def test_tls_is_off_unless_asked_for() -> None:
    assert read_settings({"system_id": "a"}).tls_context() is None
    context = read_settings({"system_id": "a", "tls": True, "tls_verify": False}).tls_context()
    assert context is not None
    assert not context.check_hostname
