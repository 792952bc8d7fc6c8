"""Signatures are those of Standard Webhooks, and nothing else passes for one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.rules.webhooks.signing import (
    SECRET_BYTES,
    SignatureInvalid,
    live_secrets,
    make_secret,
    sign,
    signature_headers,
    verify,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SECRET = make_secret(bytes(range(32)))
OTHER = make_secret(bytes(32))
BODY = '{"text":"您好"}'.encode()


def test_the_published_example_comes_out_as_published() -> None:
    signature = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(ident=st.from_regex(r"evt_[0-9A-Z]{1,26}", fullmatch=True), body=st.binary(max_size=200), age=st.integers(-300, 300))
def test_whatever_we_sign_verifies_within_the_tolerance(ident: str, body: bytes, age: int) -> None:
    headers = signature_headers([OTHER, SECRET], ident, NOW, body)
    verify(SECRET, headers, body, NOW + timedelta(seconds=age))


@pytest.mark.parametrize(
    ("label", "changes", "body", "passed", "problem"),
    [
        ("another body", {}, BODY + b" ", 0, "no signature matches"),
        ("another id", {"webhook-id": "evt_2"}, BODY, 0, "no signature matches"),
        ("another time", {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, BODY, 0, "no signature matches"),
        ("too old", {}, BODY, 301, "too far from now"),
        ("from the future", {}, BODY, -301, "too far from now"),
        ("a time that is no number", {"webhook-timestamp": "now"}, BODY, 0, "not a number"),
        ("a time of other digits", {"webhook-timestamp": "١٢٣"}, BODY, 0, "not a number"),
        ("only another version", {"webhook-signature": "v2,AAAA"}, BODY, 0, "no signature matches"),
        ("not ASCII", {"webhook-signature": "v1,ä"}, BODY, 0, "no signature matches"),
        ("empty", {"webhook-signature": ""}, BODY, 0, "no signature matches"),
    ],
)
def test_a_call_is_refused_for(label: str, changes: dict[str, str], body: bytes, passed: int, problem: str) -> None:
    headers = {**signature_headers([SECRET], "evt_1", NOW, BODY), **changes}
    with pytest.raises(SignatureInvalid, match=problem):
        verify(SECRET, headers, body, NOW + timedelta(seconds=passed))


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_must_be_there(missing: str) -> None:
    headers = signature_headers([SECRET], "evt_1", NOW, BODY)
    del headers[missing]
    with pytest.raises(SignatureInvalid, match=missing):
        verify(SECRET, headers, BODY, NOW)


def test_header_names_have_no_case_and_one_match_among_several_signatures_is_enough() -> None:
    headers = {name.title(): value for name, value in signature_headers([OTHER, SECRET], "evt_1", NOW, BODY).items()}
    verify(SECRET, headers, BODY, NOW)
    verify(OTHER, headers, BODY, NOW)


def test_the_old_secret_signs_until_its_rotation_is_over() -> None:
    until = NOW + timedelta(hours=24)
    assert live_secrets(("new", "old"), until, NOW) == ("new", "old")
    assert live_secrets(("new", "old"), until, until) == ("new",)
    assert live_secrets(("new", "old"), None, NOW) == ("new",)


@pytest.mark.parametrize("secret", ["plain", "whsec_%%%", "WHSEC_AAAA"])
def test_a_secret_not_written_as_one_is_an_error(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        sign(secret, "evt_1", 1, b"")


def test_a_secret_is_made_of_enough_bytes() -> None:
    with pytest.raises(ValueError, match=str(SECRET_BYTES)):
        make_secret(b"short")
