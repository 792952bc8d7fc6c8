"""Signing: Standard Webhooks signatures, made by us and checked by whoever receives a call.

The signature is base64 HMAC-SHA256 over ``id.timestamp.body`` under the secret's bytes; a secret is written ``whsec_`` +
base64. While a secret is rotated a call carries a signature for each secret, separated by spaces.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

SECRET_PREFIX = "whsec_"  # noqa: S105  # the published prefix of a secret, not a secret
SECRET_BYTES = 32
TOLERANCE_SECONDS = 300
ROTATION = timedelta(hours=24)
_VERSION = "v1,"


class SignatureInvalid(ValueError):
    """A call is not from whom it says, or too old; the message names what is wrong with it."""


def make_secret(entropy: bytes) -> str:
    """Return the written form of a new secret from `SECRET_BYTES` random bytes."""
    if len(entropy) != SECRET_BYTES:
        raise ValueError(f"a secret is made from {SECRET_BYTES} bytes")
    return SECRET_PREFIX + base64.b64encode(entropy).decode()


def sign(secret: str, ident: str, timestamp: int, body: bytes) -> str:
    """Return one signature, ``v1,<base64>``. Raises `ValueError` when the secret is not written as `make_secret` does."""
    content = f"{ident}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return _VERSION + base64.b64encode(digest).decode()


def signature_headers(secrets: Iterable[str], ident: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a call made at `at`, signed with every one of `secrets`."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": ident,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, ident, timestamp, body) for secret in secrets),
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raise `SignatureInvalid` unless `body` was signed with `secret` at most `TOLERANCE_SECONDS` from `now`.

    Header names are compared without case. Signatures of other versions are passed over; one match is enough.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        ident, timestamp, signatures = given["webhook-id"], given["webhook-timestamp"], given["webhook-signature"]
    except KeyError as error:
        raise SignatureInvalid(f"header {error.args[0]} is missing") from error
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureInvalid("webhook-timestamp is not a number of seconds")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureInvalid("webhook-timestamp is too far from now")
    expected = sign(secret, ident, int(timestamp), body).encode()
    if not any(hmac.compare_digest(expected, signature.encode()) for signature in signatures.split(" ")):
        raise SignatureInvalid("no signature matches")


def live_secrets(secrets: tuple[str, ...], rotated_until: datetime | None, now: datetime) -> tuple[str, ...]:
    """Return which secrets (newest first) still sign: the newest, and the older ones until the rotation is over."""
    if rotated_until is not None and now < rotated_until:
        return secrets
    return secrets[:1]


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError("a webhook secret begins with whsec_")
    try:
        return base64.b64decode(secret[len(SECRET_PREFIX) :], validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and base64") from error
