"""Prefixed, time-sortable ids: ``msg_`` + ULID, made from a given time and given entropy.

A ULID is 48 bits of milliseconds and 80 bits of entropy in Crockford base 32 (26 characters), so ids sort by time as text.
"""

import re
from datetime import datetime

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(a + b for a in ALPHABET for b in ALPHABET)
_PAIR_VALUE = {pair: value for value, pair in enumerate(_PAIRS)}
_ULID = re.compile(f"[{ALPHABET}]{{26}}")
_SERIAL_LIMIT = 1 << 20
_ULID_LENGTH = 26
_TIME_LENGTH = 10
ENTROPY_BYTES = 10

MESSAGE = "msg"
BATCH = "bat"
EVENT = "evt"
INBOUND = "inb"
CONNECTOR = "con"
INCIDENT = "inc"
ROUTE = "rte"
WORKSPACE = "ws"
API_KEY = "key"
WEBHOOK_ENDPOINT = "whe"
DELIVERY = "dlv"
AUDIT = "aud"
BIND = "bnd"
BIND_DELIVERY = "bdl"
SEGMENT = "seg"
RECEIPT = "rcp"
REQUEST = "req"
NODE = "node"


def make_ids(prefix: str, count: int, at: datetime, entropy: bytes) -> list[str]:
    """Return `count` (1 to 1,048,576) distinct ids of one moment, ascending.

    `entropy` is 10 random bytes; the last 20 bits only choose where the serial part starts, so a chunk costs one
    draw of randomness and sorts in the order it was made.
    """
    if not 1 <= count <= _SERIAL_LIMIT:
        raise ValueError(f"count must be 1 to {_SERIAL_LIMIT}")
    value = int.from_bytes(entropy, "big")
    pairs = _PAIRS
    head = f"{prefix}_{_time(at)}{_number(value >> 20)}"
    start = (value & (_SERIAL_LIMIT - 1)) % (_SERIAL_LIMIT - count + 1)
    return [head + pairs[n >> 10] + pairs[n & 1023] for n in range(start, start + count)]


def make_id(prefix: str, at: datetime, entropy: bytes) -> str:
    """Return one id."""
    return make_ids(prefix, 1, at, entropy)[0]


def place_head(prefix: str, at: datetime, number: int) -> str:
    """Return what the ids of one moment have before the places 0 to 1,048,575 of `number` (see `place_id`)."""
    return f"{prefix}_{_time(at)}{_number(number)}"


def place_id(head: str, place: int) -> str:
    """Return the id that says where its object is stored: a time, a number and a place below 2**20, in the form of a ULID."""
    return head + _PAIRS[place >> 10] + _PAIRS[place & 1023]


def place_of(ident: str) -> int | None:
    """Return ``(number << 20) + place`` of an id made by `place_id`; None for any other text."""
    serial = ident.rpartition("_")[2]
    if len(serial) != _ULID_LENGTH:
        return None
    value = 0
    for start in range(_TIME_LENGTH, _ULID_LENGTH, 2):
        pair = _PAIR_VALUE.get(serial[start : start + 2])
        if pair is None:
            return None
        value = value << 10 | pair
    return value


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` is written as an id with this prefix."""
    return text.startswith(f"{prefix}_") and _ULID.fullmatch(text, len(prefix) + 1) is not None


def lowest_id(prefix: str, at: datetime) -> str:
    """Return the smallest id any object made at or after `at` can have: turns a time filter into a key range."""
    return f"{prefix}_{_time(at)}{'0' * 16}"


def _time(at: datetime) -> str:
    """Return the 50 low bits of a time's milliseconds as ten characters."""
    n, pairs = int(at.timestamp() * 1000), _PAIRS
    return f"{pairs[n >> 40 & 1023]}{pairs[n >> 30 & 1023]}{pairs[n >> 20 & 1023]}{pairs[n >> 10 & 1023]}{pairs[n & 1023]}"


def _number(n: int) -> str:
    """Return the 60 low bits of `n` as twelve characters. Written out, as is `_time`: every request needs ids."""
    pairs = _PAIRS
    high = f"{pairs[n >> 50 & 1023]}{pairs[n >> 40 & 1023]}{pairs[n >> 30 & 1023]}"
    return f"{high}{pairs[n >> 20 & 1023]}{pairs[n >> 10 & 1023]}{pairs[n & 1023]}"
