"""Credentials and sender rules of binds."""

import pytest

from yanshu.domain.binds import BindProtocol
from yanshu.domain.errors import Invalid
from yanshu.rules.accounts.binds import (
    MINTED_BYTES,
    check_bind_secret,
    check_senders,
    check_system_id,
    is_secret,
    may_send_as,
    mint_bind_secret,
)

SMPP, CMPP = BindProtocol.SMPP, BindProtocol.CMPP


@pytest.mark.parametrize(("protocol", "length"), [(SMPP, 8), (CMPP, 16)])
def test_a_minted_secret_fits_its_protocol(protocol: BindProtocol, length: int) -> None:
    secret = mint_bind_secret(protocol, bytes(range(MINTED_BYTES)))
    assert len(secret) == length
    check_bind_secret(protocol, secret)


@pytest.mark.parametrize(
    ("protocol", "system_id"),
    [
        pytest.param(SMPP, "a" * 16, id="longer than SMPP carries"),
        pytest.param(CMPP, "1234567", id="longer than CMPP carries"),
        pytest.param(SMPP, "", id="empty"),
        pytest.param(SMPP, "a\0b", id="with a NUL"),
        pytest.param(SMPP, "商户", id="not ASCII"),
        pytest.param(SMPP, " ", id="blank"),
    ],
)
def test_a_system_id_that_cannot_travel_is_refused(protocol: BindProtocol, system_id: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_system_id(protocol, system_id)
    assert refused.value.param == "system_id"


@pytest.mark.parametrize(("protocol", "secret"), [(SMPP, "123456789"), (CMPP, "x" * 65), (CMPP, "密")])
def test_a_secret_that_cannot_travel_is_refused(protocol: BindProtocol, secret: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_bind_secret(protocol, secret)
    assert refused.value.param == "secret"


@pytest.mark.parametrize(("given", "right"), [("secret", True), ("Secret", False), ("", False), ("secret1", False), ("sécret", False)])
def test_a_password_is_right_or_not(given: str, right: bool) -> None:
    assert is_secret(given, "secret") is right


@pytest.mark.parametrize("rule", ["10690001", "1069*", "*", "Yanshu", "+8610"])
def test_a_sender_rule_is_an_address_or_a_beginning(rule: str) -> None:
    check_senders((rule,))


@pytest.mark.parametrize("rule", ["", "10 69", "10*69", "1" * 21, "雁书-"])
def test_a_sender_rule_that_never_matches_is_refused(rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_senders((rule,))
    assert refused.value.param == "senders"


@pytest.mark.parametrize(
    ("rules", "source", "may"),
    [
        ((), "anything", True),
        (("1069*",), "", True),
        (("1069*",), "10690001", True),
        (("1069*",), "106", False),
        (("10690001",), "10690001", True),
        (("10690001",), "106900011", False),
        (("a", "*"), "106900011", True),
    ],
)
def test_a_source_address_is_allowed_by_any_rule(rules: tuple[str, ...], source: str, may: bool) -> None:
    assert may_send_as(rules, source) is may
