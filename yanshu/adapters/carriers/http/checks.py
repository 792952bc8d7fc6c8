"""Whether a callback bears its carrier's signature: a table of pure checks, compared in constant time.

Every callback has shown the secret in its path before it comes here; these are for carriers that sign as well.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from yanshu.adapters.carriers.http.bodies import fields_of, form_of, query_of
from yanshu.adapters.carriers.http.request import Credentials
from yanshu.adapters.carriers.http.signing import vonage_signature
from yanshu.ports.callbacks import Callback

Check = Callable[[Callback, Credentials], bool]

_PORTS = {"http": 80, "https": 443}


def is_genuine(check: str, callback: Callback, credentials: Credentials) -> bool:
    """Whether the callback passes a row of `CHECKS`. Without a secret to compare with, nothing does."""
    return bool(credentials.secret) and CHECKS[check](callback, credentials)


def _token(callback: Callback, credentials: Credentials) -> bool:  # noqa: ARG001 - the shape of a check
    """The carrier signs nothing: the secret in the path is all there is."""
    return True


def _twilio(callback: Callback, credentials: Credentials) -> bool:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted fields, a repeated value once (Twilio, webhooks security).

    Twilio signs the URL with its port or without: either will do.
    """
    given = callback.headers.get("x-twilio-signature", "")
    fields = "".join(name + value for name, value in sorted(set(form_of(callback))))
    return any(_same(given, _twilio_signature(url + fields, credentials.secret)) for url in _urls(callback.url))


def _twilio_signature(text: str, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha1).digest()).decode()


def _urls(url: str) -> tuple[str, ...]:
    """Return the URL as it is, and with its port left out or the port that goes without saying put in."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = "" if parts.port is not None else f":{_PORTS.get(parts.scheme, 0)}"
    except ValueError:
        return (url,)
    return url, parts._replace(netloc=host + port).geturl()


def _vonage(callback: Callback, credentials: Credentials) -> bool:
    """`sig` over all other parameters, in the query, the form or a JSON object (Vonage, signing messages).

    A field that comes twice is nobody's.
    """
    pairs = (*query_of(callback), *fields_of(callback))
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return False
    return _same(fields.get("sig", "").lower(), vonage_signature(fields, credentials.secret, credentials.scope))


def _same(given: str, expected: str) -> bool:
    """Compare in constant time; a text beyond ASCII is compared like any other."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


CHECKS: dict[str, Check] = {"token": _token, "twilio": _twilio, "vonage": _vonage}
