"""Keys: who is let in, and what a caller may pass on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from yanshu.domain.access import ApiKey, Caller
from yanshu.domain.errors import CallerError
from yanshu.rules.accounts.keys import (
    SECRET_BYTES,
    admit,
    believed_address,
    check_cidrs,
    check_mode,
    check_revocation,
    check_rotation,
    check_scopes,
    digest_of,
    hint_of,
    mint_secret,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEY = ApiKey(
    id="key_1",
    workspace_id="ws_1",
    name="k",
    digest="d",
    hint="h",
    livemode=True,
    scopes=("messages:send", "keys:write"),
    created_at=NOW,
    updated_at=NOW,
)


def caller(*scopes: str, livemode: bool = True) -> Caller:
    return Caller(workspace_id="ws_1", key_id="key_0", livemode=livemode, scopes=frozenset(scopes), address="127.0.0.1")


def refusal(work: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(CallerError) as caught:
        work(*arguments, **named)
    return caught.value.code


@given(st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES), st.booleans())
def test_a_secret_says_its_mode_and_its_hint_gives_it_away_no_more_than_four_letters(entropy: bytes, livemode: bool) -> None:
    secret = mint_secret(entropy, livemode=livemode)
    assert secret.startswith("ys_live_" if livemode else "ys_test_")
    assert len(secret) >= 8 + 160 // 5
    assert hint_of(secret) == f"{secret[:8]}…{secret[-4:]}"
    assert secret[8:] not in digest_of(secret)


@pytest.mark.parametrize(
    ("label", "fields", "address", "code"),
    [
        ("revoked", {"revoked_at": NOW}, "127.0.0.1", "key_revoked"),
        ("expired this moment", {"expires_at": NOW}, "127.0.0.1", "key_expired"),
        ("outside its network", {"cidrs": ("10.0.0.0/8",)}, "192.0.2.1", "ip_not_allowed"),
        ("outside its IPv6 network", {"cidrs": ("2001:db8::/32",)}, "127.0.0.1", "ip_not_allowed"),
        ("no address at all", {"cidrs": ("10.0.0.0/8",)}, "unix", "ip_not_allowed"),
    ],
)
def test_a_key_is_refused_when(label: str, fields: dict[str, Any], address: str, code: str) -> None:
    assert refusal(admit, replace(KEY, **fields), address, NOW) == code, label


def test_an_unknown_key_is_refused() -> None:
    assert refusal(admit, None, "127.0.0.1", NOW) == "key_invalid"


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("plain", {}),
        ("expires in a second", {"expires_at": NOW + SECOND}),
        ("within its network", {"cidrs": ("10.0.0.0/8", "192.0.2.0/24")}),
        ("within a network written from the middle", {"cidrs": ("192.0.2.77/24",)}),
    ],
)
def test_a_key_is_let_in_when(label: str, fields: dict[str, Any]) -> None:
    admitted = admit(replace(KEY, **fields), "192.0.2.1", NOW)
    assert (admitted.key_id, admitted.address) == ("key_1", "192.0.2.1"), label


def test_a_caller_passes_on_only_what_it_holds() -> None:
    check_scopes(("messages:send",), caller("messages:send"))
    check_scopes(("admin", "connectors:write"), caller("admin"))
    assert refusal(check_scopes, ("messages:read",), caller("messages:send")) == "scope_missing"
    assert refusal(check_scopes, ("admin",), caller("keys:write")) == "scope_missing"
    assert refusal(check_scopes, ("mesages:send",), caller("admin")) == "parameter_invalid"


def test_a_test_key_makes_no_live_key() -> None:
    check_mode(False, caller("keys:write", livemode=False))
    check_mode(True, caller("keys:write"))
    assert refusal(check_mode, True, caller("keys:write", livemode=False)) == "parameter_invalid"


def test_rotation_hands_out_no_rights_the_caller_lacks() -> None:
    check_rotation(KEY, caller("messages:send", "keys:write"), NOW)
    assert refusal(check_rotation, KEY, caller("keys:write"), NOW) == "scope_missing"
    assert refusal(check_rotation, KEY, caller("admin", livemode=False), NOW) == "parameter_invalid"


@pytest.mark.parametrize("fields", [{"revoked_at": NOW}, {"expires_at": NOW}])
def test_a_key_whose_time_is_over_is_not_rotated(fields: dict[str, Any]) -> None:
    assert refusal(check_rotation, replace(KEY, **fields), caller("admin"), NOW) == "state_conflict"


def test_what_is_no_network_is_refused() -> None:
    check_cidrs(("203.0.113.0/24", "2001:db8::/32", "192.0.2.7"))
    assert refusal(check_cidrs, ("203.0.113.0/33",)) == "parameter_invalid"


@pytest.mark.parametrize(
    ("label", "peer", "forwarded", "believed"),
    [
        ("no proxy, the header is a lie", "198.51.100.7", "10.9.9.9", "198.51.100.7"),
        ("a proxy of ours", "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("two proxies of ours", "10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("a lie in front of the truth", "10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("proxies only", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.1"),
        ("no header", "10.0.0.1", None, "10.0.0.1"),
    ],
)
def test_the_address_that_is_believed(label: str, peer: str, forwarded: str | None, believed: str) -> None:
    assert believed_address(peer, forwarded, ("10.0.0.0/8",)) == believed, label


@pytest.mark.parametrize(("address", "admitted"), [("::ffff:192.0.2.7", True), ("::ffff:198.51.100.7", False), ("2001:db8::1", False)])
def test_a_caller_over_ipv4_is_known_on_a_socket_for_both(address: str, admitted: bool) -> None:
    key = replace(KEY, cidrs=("192.0.2.0/24",))
    if admitted:
        assert admit(key, address, NOW).address == address
    else:
        with pytest.raises(CallerError):
            admit(key, address, NOW)


CUSTOMER = Caller(workspace_id="ws_1", key_id="key_2", livemode=True, scopes=frozenset({"keys:write"}), address="192.0.2.7")
REVOCATIONS = [
    ("another key, whatever it may do", {"scopes": ("messages:send", "audit:read")}, {}, None),
    ("a test key", {"livemode": False}, {}, None),
    ("itself", {"id": "key_2"}, {}, "state_conflict"),
    ("itself, even as the admin", {"id": "key_2", "scopes": ("admin",)}, {"scopes": frozenset({"admin"})}, "state_conflict"),
    ("a live key by a test key", {}, {"livemode": False}, "scope_missing"),
    ("the admin's by a customer", {"scopes": ("admin",)}, {}, "scope_missing"),
    ("the admin's by an admin", {"scopes": ("admin",)}, {"scopes": frozenset({"admin"})}, None),
    ("an operator's by a customer", {"scopes": ("connectors:write",)}, {}, "scope_missing"),
]


@pytest.mark.parametrize(("key", "caller", "code"), [case[1:] for case in REVOCATIONS], ids=[case[0] for case in REVOCATIONS])
def test_who_may_revoke(key: dict[str, Any], caller: dict[str, Any], code: str | None) -> None:
    if code is None:
        check_revocation(replace(KEY, **key), replace(CUSTOMER, **caller))
        return
    with pytest.raises(CallerError) as caught:
        check_revocation(replace(KEY, **key), replace(CUSTOMER, **caller))
    assert caught.value.code == code
