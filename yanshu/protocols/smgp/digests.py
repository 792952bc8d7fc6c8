"""Digests of an SMGP login (protocols.md §6.3)."""

from datetime import datetime, timedelta, timezone
from hashlib import md5
from hmac import compare_digest

# Gateways keep Beijing time; there has been no summer time since 1991.
_BEIJING = timezone(timedelta(hours=8))
_ZEROS = bytes(7)
_STATUS_SIZE = 4


def timestamp(now: datetime) -> int:
    """Return an aware time as MMDDHHMMSS of Beijing; from January to September it has nine digits."""
    return int(f"{now.astimezone(_BEIJING):%m%d%H%M%S}")


def authenticator_client(client_id: str, secret: str, stamp: int) -> bytes:
    """Return what proves who the client is. Its id enters bare, the timestamp always with ten digits."""
    return _digest(client_id.encode("latin-1") + _ZEROS + secret.encode("latin-1") + f"{stamp:010}".encode("ascii"))


def is_from_client(digest: bytes, client_id: str, secret: str, stamp: int) -> bool:
    """Whether a Login was made with this secret."""
    return compare_digest(digest, authenticator_client(client_id, secret, stamp))


def authenticator_server(status: int, client: bytes, secret: str, width: int = _STATUS_SIZE) -> bytes:
    """Return what proves who the gateway is; `client` is the client's own digest, `width` the octets of the status that enter."""
    return _digest(status.to_bytes(_STATUS_SIZE, "big")[-width:] + client + secret.encode("latin-1"))


def is_from_gateway(digest: bytes, status: int, client: bytes, secret: str) -> bool:
    """Whether a Login_Resp proves to be the gateway's.

    Some digest the status as one octet, and some send no digest at all: log a mismatch, do not leave for it.
    """
    return any(compare_digest(digest, authenticator_server(status, client, secret, width)) for width in (1, _STATUS_SIZE))


def _digest(octets: bytes) -> bytes:
    return md5(octets, usedforsecurity=False).digest()
