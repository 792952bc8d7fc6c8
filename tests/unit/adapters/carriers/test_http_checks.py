"""Callbacks that come from the carrier, and those that only say so."""

from typing import Any
from urllib.parse import urlencode

import pytest

from yanshu.adapters.carriers.http.checks import CHECKS, is_genuine
from yanshu.adapters.carriers.http.request import Credentials
from yanshu.ports.callbacks import Callback, CallbackKind

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE"
VONAGE = (("a", "1"), ("b", "2"), ("timestamp", "1461605396"), ("sig", "6af838ef94998832dbfc29020b564830"))


def twilio(signature: str, **fields: Any) -> Callback:
    return Callback(**{"kind": CallbackKind.RECEIPTS, "url": URL, "headers": {"x-twilio-signature": signature}, "body": FORM, **fields})


def plain(query: tuple[tuple[str, str], ...] = (), **fields: Any) -> Callback:
    return Callback(**{"kind": CallbackKind.RECEIPTS, "url": f"https://sms.example/c?{urlencode(query)}", "headers": {}, **fields})


SIGNED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="  # the example of Twilio's webhooks security page, with token 12345
WITH_PORT = "kvajT1Ptam85bY51eRf/AJRuM3w="  # the same with :443, computed with the public SDK
REPEATED = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"  # of the validator tests of its SDKs
TOKEN, VONAGE_KEY = Credentials("", "12345"), Credentials("", "secret", "md5hash")

CASES: list[tuple[str, str, Callback, Credentials, bool]] = [
    ("Twilio's example", "twilio", twilio(SIGNED), TOKEN, True),
    ("Twilio's example with fields that repeat", "twilio", twilio("IK+Dwps556ElfBT0I3Rgjkr1wJU=", body=REPEATED), TOKEN, True),
    ("Twilio: a changed field", "twilio", twilio(SIGNED, body=FORM.replace(b"1234&", b"9999&")), TOKEN, False),
    ("Twilio: another URL", "twilio", twilio(SIGNED, url=URL + "3"), TOKEN, False),
    ("Twilio: another token", "twilio", twilio(SIGNED), Credentials("", "12346"), False),
    ("Twilio: no signature", "twilio", twilio(""), TOKEN, False),
    ("Twilio: a signature beyond ASCII", "twilio", twilio("签名"), TOKEN, False),
    ("Twilio: a body that is no text", "twilio", twilio(SIGNED, body=b"\xff=\xfe"), TOKEN, False),
    ("Vonage's example in the query", "vonage", plain(query=VONAGE), VONAGE_KEY, True),
    ("Vonage's example in the form", "vonage", plain(body=b"&".join(f"{k}={v}".encode() for k, v in VONAGE)), VONAGE_KEY, True),
    ("Vonage: a changed field", "vonage", plain(query=(("a", "2"), *VONAGE[1:])), VONAGE_KEY, False),
    ("Vonage: a field twice", "vonage", plain(query=(("a", "1"), *VONAGE)), VONAGE_KEY, False),
    ("Vonage: no signature", "vonage", plain(query=VONAGE[:3]), VONAGE_KEY, False),
    ("Vonage: half a character", "vonage", plain(url="https://sms.example/c?a=\ud800&sig=1"), VONAGE_KEY, False),
    ("Vonage: another method of signing", "vonage", plain(query=VONAGE), Credentials("", "secret", "sha256"), False),
    ("Twilio: half a character", "twilio", twilio(SIGNED, url="https://\ud800"), TOKEN, False),
    ("nothing but the secret in the path", "token", plain(), TOKEN, True),
    ("Twilio: the port said that goes without saying", "twilio", twilio(SIGNED, url=URL.replace(".com", ".com:443")), TOKEN, True),
    ("Twilio: the port not said that was signed", "twilio", twilio(WITH_PORT), TOKEN, True),
    ("Twilio: another port", "twilio", twilio(WITH_PORT, url=URL.replace(".com", ".com:444")), TOKEN, False),
    ("Twilio: a port that is none", "twilio", twilio(SIGNED, url="https://a:b/"), TOKEN, False),
]


@pytest.mark.parametrize(("name", "check", "callback", "keys", "expected"), CASES, ids=[case[0] for case in CASES])
def test_only_the_carrier_is_believed(name: str, check: str, callback: Callback, keys: Credentials, expected: bool) -> None:
    assert is_genuine(check, callback, keys) is expected


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_without_a_secret_nothing_is_believed(check: str) -> None:
    assert not is_genuine(check, plain(headers={"x-twilio-signature": ""}), Credentials("", ""))


def test_a_flood_of_fields_is_no_error() -> None:
    assert not is_genuine("twilio", twilio(SIGNED, body=b"a=1&" * 5000), TOKEN)
