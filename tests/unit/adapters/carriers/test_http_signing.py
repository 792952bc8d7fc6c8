"""Signatures against what the carriers publish, and against the carriers' rules worked out here once more."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, quote

import pytest

from yanshu.adapters.carriers.http.request import Credentials, Endpoint, Request
from yanshu.adapters.carriers.http.signing import RECIPES, sign, vonage_signature

NOW = datetime(2026, 11, 22, 12, 57, 1, tzinfo=UTC)
NONCE = "d3a8b2257446f5694b012e9d7a24ccdd"
KEYS = Credentials("AK1", "secret-密")
# Values that the encodings of the carriers treat differently.
QUERY = (("b", "a b*c~/+&=中"), ("a-b", "2"), ("a", "1"), ("A", ""))


def request(host: str = "sms.example.com", **fields: object) -> Request:
    return Request(**{"method": "POST", "endpoint": Endpoint(host, 443), "path": "/", **fields})  # type: ignore[arg-type]


def rfc3986(text: str) -> str:
    return quote(text, safe="-_.~")


def sha(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


# The worked example of "Request syntax and signature method V3" (Alibaba Cloud, common parameters).
ALIBABA = (
    "alibaba_acs3",
    request(
        "ecs.cn-shanghai.aliyuncs.com",
        query=(("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")),
        headers=(("x-acs-action", "RunInstances"), ("x-acs-version", "2014-05-26")),
    ),
    Credentials("YourAccessKeyId", "YourAccessKeySecret"),
    datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
    "3156853299f313e23d1673dc12e1703d",
    "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
    "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
    "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
)
# The worked example of "Signature v3" (Tencent Cloud, API 3.0); the asterisks are part of the published keys.
TENCENT = (
    "tencent_tc3",
    request(
        "cvm.tencentcloudapi.com",
        headers=(("Content-Type", "application/json; charset=utf-8"),),
        body=rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}',
    ),
    Credentials("AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******", "Gu5t9xGARNpq86cd98joQYCN3*******", "cvm"),
    datetime.fromtimestamp(1551113065, timezone(timedelta(hours=8))),  # the 26th in China: the scope has the day of UTC
    "",
    "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/tc3_request, "
    "SignedHeaders=content-type;host, Signature=2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c",
)
# The worked example of the "API Request Signing Guide" (Huawei Cloud, devg-apisign, AK/SK signing algorithm).
HUAWEI = (
    "huawei",
    request(
        "service.region.example.com",
        method="GET",
        path="/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
        query=(("limit", "2"), ("marker", "13551d6b-755d-4757-b956-536f674975c0")),
        headers=(("Content-Type", "application/json"),),
    ),
    Credentials("QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"),
    datetime(2019, 11, 15, 3, 36, 55, tzinfo=UTC),
    "",
    "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, "
    "Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
)
# RFC 7617 §2.
BASIC = ("basic", request(), Credentials("Aladdin", "open sesame"), NOW, "", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
# RFC 6750 §2.1.
BEARER = ("bearer", request(), Credentials("", "mF_9.B5f-4.1JqM"), NOW, "", "Bearer mF_9.B5f-4.1JqM")
PUBLISHED = [ALIBABA, TENCENT, HUAWEI, BASIC, BEARER]


@pytest.mark.parametrize(("recipe", "plain", "keys", "now", "nonce", "expected"), PUBLISHED, ids=[case[0] for case in PUBLISHED])
def test_a_published_example_gets_its_published_signature(
    recipe: str, plain: Request, keys: Credentials, now: datetime, nonce: str, expected: str
) -> None:
    assert sign(recipe, plain, keys, now, nonce).header("authorization") == expected


def test_alibaba_verifies_what_we_sign() -> None:
    signed = sign("alibaba_acs3", request(query=QUERY, headers=(("x-acs-action", "SendSms"), ("Accept", "*/*"))), KEYS, NOW, NONCE)
    assert signed.header("x-acs-date") == "2026-11-22T12:57:01Z"
    assert signed.header("x-acs-content-sha256") == sha(b"")
    pairs = "&".join(f"{rfc3986(name)}={rfc3986(value)}" for name, value in sorted(parse_qsl(signed.url.partition("?")[2], True)))
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce"
    headers = "".join(f"{name}:{signed.header(name)}\n" for name in names.split(";"))
    canonical = f"POST\n/\n{pairs}\n{headers}\n{names}\n{sha(b'')}"
    signature = mac(KEYS.secret.encode(), f"ACS3-HMAC-SHA256\n{sha(canonical.encode())}").hex()
    assert signed.header("authorization") == f"ACS3-HMAC-SHA256 Credential=AK1,SignedHeaders={names},Signature={signature}"


def test_tencent_verifies_what_we_sign() -> None:
    plain = request(endpoint=Endpoint("sms.example.com", 8443), headers=(("Content-Type", "application/json"),), body='{"a":"中"}'.encode())
    signed = sign("tencent_tc3", plain, Credentials("AK1", "k", "sms"), NOW, NONCE)
    stamp = str(int(NOW.timestamp()))
    assert signed.header("x-tc-timestamp") == stamp
    hashed = sha(f"POST\n/\n\ncontent-type:application/json\nhost:sms.example.com:8443\n\ncontent-type;host\n{sha(plain.body)}".encode())
    key = mac(mac(mac(b"TC3k", "2026-11-22"), "sms"), "tc3_request")
    signature = mac(key, f"TC3-HMAC-SHA256\n{stamp}\n2026-11-22/sms/tc3_request\n{hashed}").hex()
    assert signed.header("authorization").endswith(f"Signature={signature}")


def test_huawei_verifies_what_we_sign() -> None:
    plain = request(path="/sms/batchSendSms/v1", headers=(("Content-Type", "application/x-www-form-urlencoded"),), body=b"to=%2B86")
    signed = sign("huawei", plain, KEYS, NOW, NONCE)
    names = "content-type;host;x-sdk-date"
    headers = "content-type:application/x-www-form-urlencoded\nhost:sms.example.com\nx-sdk-date:20261122T125701Z\n"
    hashed = sha(f"POST\n/sms/batchSendSms/v1/\n\n{headers}\n{names}\n{sha(plain.body)}".encode())
    signature = mac(KEYS.secret.encode(), f"SDK-HMAC-SHA256\n20261122T125701Z\n{hashed}").hex()
    assert signed.header("authorization") == f"SDK-HMAC-SHA256 Access=AK1, SignedHeaders={names}, Signature={signature}"
    assert signed.path == "/sms/batchSendSms/v1"


# The test values of the carrier's own client libraries (Vonage Python SDK, test_signature).
VONAGE = [
    ("md5hash", "6af838ef94998832dbfc29020b564830"),
    ("md5", "c15c21ced558c93a226c305f58f902f2"),
    ("sha1", "3e19a4e6880fdc2c1426bfd0587c98b9532f0210"),
    ("sha256", "a321e824b9b816be7c3f28859a31749a098713d39f613c80d455bbaffae1cd24"),
]


@pytest.mark.parametrize(("method", "expected"), VONAGE, ids=[case[0] for case in VONAGE])
def test_vonage_fields_get_the_published_signature(method: str, expected: str) -> None:
    fields = {"b": "2", "a": "1", "timestamp": "1461605396", "sig": "is not signed"}
    assert vonage_signature(fields, "secret", method) == expected


def test_vonage_verifies_what_we_sign() -> None:
    signed = sign("vonage", request(body=b"to=44&text=a%26b%3Dc"), Credentials("key", "s3", "sha256"), NOW, NONCE)
    fields = dict(parse_qsl(signed.body.decode(), strict_parsing=True))
    given = fields.pop("sig")
    assert (fields["text"], fields["api_key"], fields["timestamp"]) == ("a&b=c", "key", str(int(NOW.timestamp())))
    text = f"&api_key=key&text=a_b_c&timestamp={fields['timestamp']}&to=44"
    assert given == hmac.new(b"s3", text.encode(), "sha256").hexdigest()


def test_a_key_goes_into_the_header_that_is_named() -> None:
    signed = sign("header_key", request(headers=(("x-api-key", "old"),)), Credentials("", "s3", "X-Api-Key"), NOW, NONCE)
    assert [value for name, value in signed.headers if name.lower() == "x-api-key"] == ["s3"]


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_signing_is_pure_and_names_the_host(recipe: str) -> None:
    plain, keys = request(headers=(("Content-Type", "text/plain"),), body=b"a=1"), Credentials("AK1", "s3", "sha256")
    assert sign(recipe, plain, keys, NOW, NONCE) == sign(recipe, plain, keys, NOW, NONCE)
    assert sign(recipe, plain, keys, NOW, NONCE).header("host") == "sms.example.com"


HOSTS = [
    ("the port of https", Endpoint("a.example", 443), "a.example"),
    ("the port of http under https", Endpoint("a.example", 80), "a.example:80"),
    ("the port of http", Endpoint("a.example", 80, tls=False), "a.example"),
    ("a port of its own", Endpoint("a.example", 8443), "a.example:8443"),
    ("an IPv6 address", Endpoint("::1", 443), "[::1]"),
]


@pytest.mark.parametrize(("name", "endpoint", "expected"), HOSTS, ids=[case[0] for case in HOSTS])
def test_a_port_that_goes_without_saying_is_not_said(name: str, endpoint: Endpoint, expected: str) -> None:
    assert endpoint.authority == expected


def test_a_secret_does_not_end_in_a_traceback() -> None:
    assert "secret" not in repr(KEYS)
    assert base64.b64encode(b"AK1").decode() not in repr(KEYS)
