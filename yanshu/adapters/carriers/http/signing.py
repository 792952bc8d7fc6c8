"""How carriers want requests signed: a table of pure functions (request, credentials, now, nonce) → request.

`now` is aware; `nonce` is a text nobody has used before, letters and digits.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from msgspec.structs import replace

from yanshu.adapters.carriers.http.request import Credentials, Request, form_text

Recipe = Callable[[Request, Credentials, datetime, str], Request]

_PLAIN = "md5hash"  # no HMAC, which all others are
VONAGE_METHODS = frozenset({_PLAIN, "md5", "sha1", "sha256", "sha512"})


def sign(recipe: str, request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:
    """Return the request signed by a row of `RECIPES`, ready to be sent as it is: nothing in it may change any more."""
    return RECIPES[recipe](request.with_headers(Host=request.endpoint.authority), credentials, now.astimezone(UTC), nonce)


def _unsigned(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:  # noqa: ARG001 - the shape of a recipe
    """Nothing is added; the definition puts account and secret where the carrier wants them."""
    return request


def _basic(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:  # noqa: ARG001
    """RFC 7617."""
    pair = f"{credentials.account}:{credentials.secret}".encode()
    return request.with_headers(Authorization=f"Basic {base64.b64encode(pair).decode()}")


def _bearer(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:  # noqa: ARG001
    """RFC 6750 §2.1."""
    return request.with_headers(Authorization=f"Bearer {credentials.secret}")


def _header_key(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:  # noqa: ARG001
    """The secret as it is, in the header that `scope` names."""
    return request.with_headers(**{credentials.scope: credentials.secret})


def _alibaba_acs3(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:
    """ACS3-HMAC-SHA256: Alibaba Cloud, request syntax and signature method V3. All x-acs- headers are signed."""
    digest = hashlib.sha256(request.body).hexdigest()
    stamped = request.with_headers(x_acs_date=now.strftime("%Y-%m-%dT%H:%M:%SZ"), x_acs_signature_nonce=nonce, x_acs_content_sha256=digest)
    signed = sorted(name.lower() for name, _ in stamped.headers if name.lower().startswith("x-acs-"))
    signed = sorted([*signed, "host", *(["content-type"] if stamped.header("content-type") else [])])
    text = f"ACS3-HMAC-SHA256\n{_hash(_canonical(stamped, stamped.path, signed))}"
    signature = _hmac(credentials.secret.encode(), text).hex()
    return stamped.with_headers(
        Authorization=f"ACS3-HMAC-SHA256 Credential={credentials.account},SignedHeaders={';'.join(signed)},Signature={signature}"
    )


def _tencent_tc3(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:  # noqa: ARG001
    """TC3-HMAC-SHA256: Tencent Cloud, API 3.0 signature v3. `scope` is the service; there is no nonce."""
    timestamp, signed = str(int(now.timestamp())), ["content-type", "host"]
    day = now.strftime("%Y-%m-%d")
    scope = f"{day}/{credentials.scope}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{_hash(_canonical(request, request.path, signed))}"
    key = f"TC3{credentials.secret}".encode()
    for step in (day, credentials.scope, "tc3_request"):
        key = _hmac(key, step)
    return request.with_headers(
        X_TC_Timestamp=timestamp,
        Authorization=f"TC3-HMAC-SHA256 Credential={credentials.account}/{scope}, "
        f"SignedHeaders={';'.join(signed)}, Signature={_hmac(key, text).hex()}",
    )


def _huawei(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:  # noqa: ARG001
    """SDK-HMAC-SHA256: Huawei Cloud, API request signing guide. The path is signed with a slash at its end."""
    stamp, signed = now.strftime("%Y%m%dT%H%M%SZ"), ["content-type", "host", "x-sdk-date"]
    stamped = request.with_headers(X_Sdk_Date=stamp)
    path = stamped.path if stamped.path.endswith("/") else f"{stamped.path}/"
    text = f"SDK-HMAC-SHA256\n{stamp}\n{_hash(_canonical(stamped, path, signed))}"
    signature = _hmac(credentials.secret.encode(), text).hex()
    return stamped.with_headers(
        Authorization=f"SDK-HMAC-SHA256 Access={credentials.account}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    )


def _vonage(request: Request, credentials: Credentials, now: datetime, nonce: str) -> Request:  # noqa: ARG001
    """Vonage SMS API, signing messages: the form gets account, time and `sig`.

    The secret is the signature secret, not the API's; `scope` is the method that the account is set to.
    """
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    fields |= {"api_key": credentials.account, "timestamp": str(int(now.timestamp()))}
    return replace(request, body=form_text((*fields.items(), ("sig", vonage_signature(fields, credentials.secret, credentials.scope)))))


def vonage_signature(fields: dict[str, str], secret: str, method: str) -> str:
    """Return the signature over all fields but `sig`. `method` is ``md5hash`` or the hash of an HMAC, such as ``sha256``."""
    clean = str.maketrans("&=", "__")
    text = "".join(f"&{name}={value.translate(clean)}" for name, value in sorted(fields.items()) if name != "sig")
    if method == _PLAIN:
        return hashlib.md5(f"{text}{secret}".encode(), usedforsecurity=False).hexdigest()  # the carrier's choice, not ours
    return hmac.new(secret.encode(), text.encode(), method).hexdigest()


def _canonical(request: Request, path: str, signed: list[str]) -> str:
    """Return the form of a request that the three clouds hash: they only differ in the headers they take into it."""
    headers = "".join(f"{name}:{request.header(name).strip()}\n" for name in signed)
    return "\n".join((request.method, path, request.query_text, headers, ";".join(signed), hashlib.sha256(request.body).hexdigest()))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


RECIPES: dict[str, Recipe] = {
    "none": _unsigned,
    "basic": _basic,
    "bearer": _bearer,
    "header_key": _header_key,
    "alibaba_acs3": _alibaba_acs3,
    "tencent_tc3": _tencent_tc3,
    "huawei": _huawei,
    "vonage": _vonage,
}
SCOPED = frozenset({"header_key", "tencent_tc3", "vonage"})
FORM_ONLY = frozenset({"vonage"})
NEED_ACCOUNT = frozenset({"basic", "alibaba_acs3", "tencent_tc3", "huawei", "vonage"})
