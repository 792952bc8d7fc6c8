"""Virtual handsets: they keep what reached them, put long texts together again, and can reply."""

from collections import OrderedDict, deque
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct

from yanshu.simulator.accounts import AccountDesk
from yanshu.simulator.traffic import Encoding, Inbound, Segment
from yanshu.text import gsm7, segments

CODECS: dict[Encoding, str] = {"ucs2": "utf-16-be", "latin1": "latin-1", "gbk": "gbk"}


class Arrived(NamedTuple):
    """One segment and the account it came over."""

    account: str
    segment: Segment


class HandsetMessage(Struct, frozen=True):
    """A text as a person would read it. `missing` numbers the segments that never came; their place is empty."""

    sender: str
    text: str
    at: datetime
    account: str
    segments: int
    missing: tuple[int, ...] = ()


class Handset:
    """One number and the last segments it got."""

    def __init__(self, number: str, limit: int) -> None:
        self.number = number
        self.arrived: deque[Arrived] = deque(maxlen=limit)
        self.desk: AccountDesk | None = None

    def inbox(self) -> list[HandsetMessage]:
        """Return the texts, oldest first; put together only when somebody looks."""
        texts: list[dict[int, Arrived]] = []
        unfinished: dict[tuple[str, str, int, int], dict[int, Arrived]] = {}
        for one in self.arrived:
            segment = one.segment
            key = (one.account, segment.source, segment.reference, segment.parts)
            siblings = unfinished.get(key)
            # A part that is there already belongs to another text: the reference has come round.
            if siblings is None or segment.part in siblings:
                siblings = unfinished[key] = {}
                texts.append(siblings)
            siblings[segment.part] = one
            if len(siblings) == segment.parts:
                del unfinished[key]
        return [_join(siblings) for siblings in texts]


class Handsets:
    """All handsets, the longest unused forgotten first."""

    def __init__(self, limit: int, inbox_limit: int) -> None:
        self._limit = limit
        self._inbox_limit = inbox_limit
        self._by_number: OrderedDict[str, Handset] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_number)

    def receive(self, desk: AccountDesk, segment: Segment) -> None:
        """Keep one segment."""
        handset = self._by_number.get(segment.destination)
        if handset is None:
            handset = self._by_number[segment.destination] = Handset(segment.destination, self._inbox_limit)
            if len(self._by_number) > self._limit:
                self._by_number.popitem(last=False)
        else:
            self._by_number.move_to_end(segment.destination)
        handset.desk = desk
        handset.arrived.append(Arrived(desk.name, segment))

    def find(self, number: str) -> Handset | None:
        """Return the handset of a number (digits, an optional plus), or None when nothing ever reached it."""
        return self._by_number.get(number.removeprefix("+"))

    def numbers(self) -> list[str]:
        """Return the known numbers, the longest unused first."""
        return list(self._by_number)


def write_reply(desk: AccountDesk, number: str, to: str, text: str, reference: int) -> list[Inbound]:
    """Return the parts of a text from handset `number` to access number `to` of an account; long ones share `reference`.

    SMPP carries septets; the Chinese gateways write whatever a phone says in UCS-2.
    """
    encoding = segments.GSM7 if desk.account.protocol == "smpp" and gsm7.is_gsm7(text) else segments.UCS2
    pieces = segments.cut(text, encoding, *segments.LIMITS[encoding])
    octets = gsm7.encode if encoding == segments.GSM7 else _units
    return [Inbound(number, to, encoding, octets(piece), reference, part, len(pieces)) for part, piece in enumerate(pieces, 1)]


def decode_text(encoding: Encoding, payload: bytes) -> str:
    """Return the text of a payload; octets that are no text show as U+FFFD."""
    return gsm7.decode(payload) if encoding == "gsm7" else payload.decode(CODECS[encoding], "replace")


def _units(text: str) -> bytes:
    """Return a text in UTF-16."""
    return text.encode("utf-16-be", "surrogatepass")


def _join(siblings: dict[int, Arrived]) -> HandsetMessage:
    """Return the text of segments that belong together. Pieces are joined before decoding, in case a pair was cut."""
    ordered = [siblings[part] for part in sorted(siblings)]
    first = ordered[0].segment
    return HandsetMessage(
        sender=first.source,
        text=decode_text(first.encoding, b"".join(one.segment.payload for one in ordered)),
        at=datetime.fromtimestamp(min(one.segment.at for one in ordered), UTC),
        account=ordered[0].account,
        segments=first.parts,
        missing=tuple(part for part in range(1, first.parts + 1) if part not in siblings),
    )
