"""Credentials of binds: what each protocol can carry, minting, and proving."""

import base64
from hmac import compare_digest

from msgspec import Struct

from yanshu.domain.binds import BindProtocol
from yanshu.domain.errors import Invalid

MINTED_BYTES = 10


class _Room(Struct, frozen=True):
    """What a protocol has room for: characters of the system id and of the secret."""

    system_id: int
    secret: int


# SMPP 3.4 §5.2.1 and §5.2.2, without the NUL; CMPP has six octets for the SP id and digests secrets of any length.
_ROOMS: dict[BindProtocol, _Room] = {BindProtocol.SMPP: _Room(15, 8), BindProtocol.CMPP: _Room(6, 64)}


def mint_bind_secret(protocol: BindProtocol, entropy: bytes) -> str:
    """Return a secret made of `MINTED_BYTES` random bytes, as far as the protocol has room for it: 40 bits over SMPP, 80 over CMPP.

    Forty bits are few, but they are guessed over the network only, and there slower with every mistake.
    """
    return base64.b32encode(entropy).decode().lower()[: _ROOMS[protocol].secret]


def check_system_id(protocol: BindProtocol, system_id: str) -> None:
    """Refuse a system id that the protocol cannot carry."""
    _check("system_id", system_id, _ROOMS[protocol].system_id)


def check_bind_secret(protocol: BindProtocol, secret: str) -> None:
    """Refuse a password or shared secret that the protocol cannot carry."""
    _check("secret", secret, _ROOMS[protocol].secret)


def is_secret(given: str, secret: str) -> bool:
    """Whether a password is the right one; how long it takes says nothing about where they differ."""
    return compare_digest(given.encode("utf-8"), secret.encode("utf-8"))


def _check(param: str, text: str, limit: int) -> None:
    if not (0 < len(text) <= limit and text.isascii() and text.isprintable() and not text.isspace()):
        raise Invalid("parameter_invalid", param=param, fix=f"1 to {limit} ASCII characters")


def check_senders(senders: tuple[str, ...]) -> None:
    """Refuse a sender rule that could never match."""
    for sender in senders:
        bare = sender.removesuffix("*")
        if not (len(bare) <= 20 and bare.isascii() and bare.replace("+", "", 1).isalnum()) and sender != "*":
            raise Invalid("parameter_invalid", param="senders", fix="source addresses such as 10690001, or 1069* for all that begin so")


def may_send_as(senders: tuple[str, ...], source: str) -> bool:
    """Whether a bind may use this source address; one that gives none is always right."""
    if not senders or not source:
        return True
    return any(source.startswith(rule[:-1]) if rule.endswith("*") else source == rule for rule in senders)


def reach_of(senders: tuple[str, ...], number: str) -> int:
    """Return how well sender rules name one of our numbers: how much of it a rule spells out, 0 without rules, -1 if none fits."""
    if not senders:
        return 0
    return max((len(rule.removesuffix("*")) + (not rule.endswith("*")) for rule in senders if may_send_as((rule,), number)), default=-1)
