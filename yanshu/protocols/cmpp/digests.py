"""Digests of a CMPP login (protocols.md §4.3)."""

from datetime import datetime, timedelta, timezone
from hashlib import md5
from hmac import compare_digest

# Gateways keep Beijing time; there has been no summer time since 1991.
_BEIJING = timezone(timedelta(hours=8))
_SOURCE_SIZE = 6


def timestamp(now: datetime) -> int:
    """Return an aware time as MMDDHHMMSS of Beijing; from January to September it has nine digits."""
    local = now.astimezone(_BEIJING)
    return (((local.month * 100 + local.day) * 100 + local.hour) * 100 + local.minute) * 100 + local.second


def authenticator_source(source_addr: str, secret: str, stamp: int, *, padded: bool = False) -> bytes:
    """Return what proves who we are. The timestamp always enters with ten digits, the SP id bare or `padded` to six octets."""
    source = source_addr.encode("latin-1")
    if padded:
        source = source.ljust(_SOURCE_SIZE, b"\0")
    return _digest(source + bytes(9) + secret.encode("latin-1") + f"{stamp:010}".encode("ascii"))


def is_from_client(digest: bytes, source_addr: str, secret: str, stamp: int) -> bool:
    """Whether a CONNECT was made with this secret; a short id may have been digested bare or padded."""
    return any(compare_digest(digest, authenticator_source(source_addr, secret, stamp, padded=padded)) for padded in (False, True))


def authenticator_ismg(status: int, source: bytes, secret: str, width: int) -> bytes:
    """Return what proves who the gateway is; `width` is the octets of the status in the digest."""
    return _digest(status.to_bytes(width, "big") + source + secret.encode("latin-1"))


def is_from_gateway(digest: bytes, status: int, source: bytes, secret: str) -> bool:
    """Whether a CONNECT_RESP proves to be the gateway's.

    Gateways digest the status as 1 octet or as 4, whatever the version; some send no digest at all.
    """
    return any(compare_digest(digest, authenticator_ismg(status, source, secret, width)) for width in (1, 4))


def _digest(octets: bytes) -> bytes:
    return md5(octets, usedforsecurity=False).digest()
