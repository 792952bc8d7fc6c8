"""API keys: minting them, finding them again, and judging whether one may be used from here and now."""

import base64
import hashlib
import ipaddress
from datetime import datetime
from functools import lru_cache

from yanshu.domain.access import PLATFORM_SCOPES, SCOPES, ApiKey, Caller
from yanshu.domain.errors import Conflict, Forbidden, Invalid, Unauthenticated

LIVE, TEST = "ys_live_", "ys_test_"
SECRET_BYTES = 24  # 192 bits

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def mint_secret(entropy: bytes, *, livemode: bool) -> str:
    """Return a new key's secret, made of at least 20 random bytes; shown once, stored only as a digest."""
    return (LIVE if livemode else TEST) + base64.b32encode(entropy).decode().rstrip("=").lower()


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret: enough for secrets nobody can guess, and a lookup needs no comparison."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hint_of(secret: str) -> str:
    """Return what may be shown later: the prefix and the last four."""
    return f"{secret[:8]}…{secret[-4:]}"


def admit(key: ApiKey | None, address: str, now: datetime) -> Caller:
    """Return the caller a key stands for, or refuse it: unknown, revoked, expired, or from the wrong address."""
    if key is None:
        raise Unauthenticated("key_invalid")
    if key.revoked_at is not None and key.revoked_at <= now:
        raise Unauthenticated("key_revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise Unauthenticated("key_expired")
    if key.cidrs and not is_within(address, key.cidrs):
        raise Forbidden("ip_not_allowed", address=address)
    return Caller(workspace_id=key.workspace_id, key_id=key.id, livemode=key.livemode, scopes=frozenset(key.scopes), address=address)


def check_scopes(wanted: tuple[str, ...], creator: Caller) -> None:
    """Refuse scopes that do not exist, or that the creator does not hold and so cannot pass on."""
    for scope in wanted:
        if scope not in SCOPES:
            raise Invalid("parameter_invalid", param="scopes", fix=f"one of {', '.join(SCOPES)}")
        if not creator.may(scope):
            raise Forbidden("scope_missing", scope=scope)


def check_mode(livemode: bool, creator: Caller) -> None:
    """Refuse a live key to a test key: it would reach what its creator cannot."""
    if livemode and not creator.livemode:
        raise Invalid("parameter_invalid", param="livemode", fix="a test key makes test keys; give false")


def check_rotation(key: ApiKey, caller: Caller, now: datetime) -> None:
    """Refuse to hand out the secret of a successor that may do what the caller may not, or whose time is over."""
    check_scopes(key.scopes, caller)
    check_mode(key.livemode, caller)
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise Conflict("state_conflict", param="id", status="revoked or expired")


def check_revocation(key: ApiKey, caller: Caller) -> None:
    """Refuse to revoke the key that asks, a live key by a test key, and the platform's by others: nobody may lock the operator out."""
    if key.id == caller.key_id:
        raise Conflict("state_conflict", param="id", status="the key of this very request")
    if key.livemode and not caller.livemode:
        raise Forbidden("scope_missing", scope="keys:write (live keys only)")
    for scope in key.scopes:
        if scope in PLATFORM_SCOPES and not caller.may(scope):
            raise Forbidden("scope_missing", scope=scope)


def check_cidrs(cidrs: tuple[str, ...]) -> None:
    """Refuse what is no network."""
    for cidr in cidrs:
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError as error:
            raise Invalid("parameter_invalid", param="cidrs", fix="networks such as 203.0.113.0/24") from error


def believed_address(peer: str, forwarded: str | None, proxies: tuple[str, ...]) -> str:
    """Return the caller's address: the last one in X-Forwarded-For that is no proxy of ours, if the peer is one."""
    if not forwarded or not proxies or not is_within(peer, proxies):
        return peer
    for hop in reversed([part.strip() for part in forwarded.split(",")]):
        if not is_within(hop, proxies):
            return hop
    return peer


def is_within(address: str, cidrs: tuple[str, ...]) -> bool:
    """Whether an address is in one of these networks; what is no address is in none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A socket that listens on IPv6 shows callers over IPv4 as ::ffff:203.0.113.5.
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in _networks(cidrs))


@lru_cache(maxsize=1024)
def _networks(cidrs: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)
