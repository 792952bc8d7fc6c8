"""What the dialects of mainland carriers share: cutting and writing texts, writing and reading numbers and times (protocols.md §7)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from yanshu.adapters.carriers import arrivals
from yanshu.domain.connectors import Connector
from yanshu.domain.messages import Message
from yanshu.domain.submissions import InboundPart
from yanshu.protocols.times import read_stamp
from yanshu.text import segments, udh
from yanshu.text.formats import GBK, UCS2, read_text

TextFormat = Literal["ucs2", "gbk"]
NumberPrefix = Literal["", "86", "+86"]
LongText = Literal["udh8", "udh16"]

_MAINLAND = "+86"
_ALONE = udh.Concatenation(0, 1, 1)
_BEIJING_MINUTES = 480


class Wording(Protocol):
    """The settings that say how texts and numbers are written."""

    @property
    def text_format(self) -> TextFormat:
        """The format of texts that GBK has."""

    @property
    def long_text(self) -> LongText:
        """The header of the segments of a long text."""

    @property
    def number_prefix(self) -> NumberPrefix:
        """What goes before mainland numbers."""


class Cut(Struct, frozen=True):
    """A text as octets, one piece a segment, and the format they are in."""

    form: int
    pieces: tuple[bytes, ...]


# The octets of a submit: what stands before the number, and what behind it.
Around = tuple[bytes, bytes]
# A submit without its number and text: the octets before, between and behind them.
Envelope = tuple[bytes, bytes, bytes]
# One for each sender, format and place in a long text that is in use.
_ENVELOPES = 4096


class Codec(Protocol):
    """What a protocol's codec knows of the two fields that differ from submit to submit."""

    @property
    def number(self) -> Callable[[str], bytes]:
        """Makes a number's octets. Raises LocalProtocolError when they do not fit."""

    @property
    def content(self) -> Callable[[bytes], bytes]:
        """Puts the length of a text before it. Raises LocalProtocolError when it is too long."""


class Submits(ABC):
    """Makes the submits of one connector, where their octets do not depend on the session.

    `first_reference` is where the references of long texts begin. What is the same for all submits of a sender is made once: a
    protocol says how, in `_make`.
    """

    def __init__(self, connector: Connector, wording: Wording, codec: Codec, first_reference: int) -> None:
        self.sender = connector.sender
        self._wording = wording
        self._codec = codec
        self._wide = wording.long_text == "udh16"
        self._reference = first_reference
        self._envelopes: dict[tuple[str, int, int, int], Envelope] = {}

    def cut(self, text: str) -> Cut:
        """Return the text's octets in pieces."""
        return cut(text, self._wording.text_format, wide=self._wide)

    def around(self, text: Cut, source: str) -> list[Around]:
        """Return the octets of one submit a piece, around a number; those of one message are joined by a reference of their own.

        Raises LocalProtocolError when a value does not fit its field.
        """
        total = len(text.pieces)
        if total == 1:
            return [self._filled(self._envelope(source, text.form, 1, 1), text.pieces[0])]
        self._reference = (self._reference + 1) & 0xFFFF
        headers = (udh.build(self._reference, total, part, wide=self._wide) for part in range(1, total + 1))
        return [
            self._filled(self._envelope(source, text.form, total, part), header + octets)
            for part, (header, octets) in enumerate(zip(headers, text.pieces, strict=True), 1)
        ]

    def number(self, recipient: str) -> bytes:
        """Return a recipient's octets. Raises LocalProtocolError when they do not fit."""
        return self._codec.number(number_for(recipient, self._wording.number_prefix))

    @abstractmethod
    def _make(self, source: str, form: int, total: int, part: int) -> Envelope:
        """Return what submits of this sender, format and place in a long text have in common."""

    def _envelope(self, source: str, form: int, total: int, part: int) -> Envelope:
        """Return the envelope of such segments; all of them share it."""
        key = (source, form, total, part)
        found = self._envelopes.get(key)
        if found is None:
            if len(self._envelopes) >= _ENVELOPES:
                self._envelopes.clear()
            found = self._envelopes[key] = self._make(source, form, total, part)
        return found

    def _filled(self, envelope: Envelope, text: bytes) -> Around:
        """Put a text into its envelope."""
        before, between, behind = envelope
        return before, between + self._codec.content(text) + behind


class Chunk:
    """The messages of one call. A text sent to a thousand people is encoded once; only the number differs."""

    def __init__(self, submits: Submits) -> None:
        self._submits = submits
        self._cuts: dict[str, Cut] = {}
        self._whole: dict[tuple[str, str], Around] = {}

    def bodies(self, message: Message) -> list[bytes]:
        """Return one body a segment (budget: 1 µs for a text seen before).

        Raises LocalProtocolError when a value does not fit its field.
        """
        submits = self._submits
        source, number = message.sender or submits.sender, submits.number(message.recipient)
        known = self._whole.get((source, message.text))
        if known is not None:
            return [known[0] + number + known[1]]
        pieces = self._cuts.get(message.text)
        if pieces is None:
            pieces = self._cuts[message.text] = submits.cut(message.text)
        made = submits.around(pieces, source)
        if len(made) == 1:
            self._whole[source, message.text] = made[0]
        return [head + number + tail for head, tail in made]


def cut(text: str, text_format: TextFormat, *, wide: bool) -> Cut:
    """Return the text's octets in pieces, of at most 70 or 67 characters in either format: so the carriers count.

    ``gbk`` writes what GBK has in GBK, and all other texts in UCS-2. `wide`: room for a header with a 16-bit reference.
    """
    single, each = (segments.LIMITS_WIDE if wide else segments.LIMITS)[segments.UCS2]
    pieces = segments.cut(text, segments.UCS2, single, each)
    if text_format == "gbk":
        try:
            return Cut(GBK, tuple(piece.encode("gbk") for piece in pieces))
        except UnicodeEncodeError:
            pass
    return Cut(UCS2, tuple(piece.encode("utf-16-be", "surrogatepass") for piece in pieces))


def number_for(recipient: str, prefix: NumberPrefix) -> str:
    """Return a recipient as the gateway writes numbers: `prefix` goes in front of those of the mainland."""
    if recipient.startswith(_MAINLAND):
        return prefix + recipient[len(_MAINLAND) :]
    return recipient.removeprefix("+")


def phone_number(address: str) -> str | None:
    """Return a person's number in E.164 as far as it is one; None when the carrier left it out.

    At these gateways a number that begins with 1 is of the mainland: phones have 11 digits, things 13 (china-sms.md §1).
    """
    if address.startswith("1") and address.isascii() and address.isdecimal():
        return f"{_MAINLAND}{address[: arrivals.LONGEST_ADDRESS]}"
    return arrivals.phone_number(address)


class Spoken(NamedTuple):
    """A phone's text as a gateway delivers it, addresses as written; it `has_header` when the content begins with one."""

    sender: str
    recipient: str
    content: bytes
    form: int
    has_header: bool


def part_of(spoken: Spoken, ident: str, connector_id: str, own: str, now: datetime) -> InboundPart:
    """Return a phone's text, or its part of a long one, as a store keeps it; `own` is our number. It is never an error."""
    joined, octets = udh.parse(spoken.content) if spoken.has_header else (None, spoken.content)
    joined = joined or _ALONE
    return InboundPart(
        id=ident,
        connector_id=connector_id,
        sender=phone_number(arrivals.kept(spoken.sender)) or "",
        recipient=arrivals.access_number(arrivals.kept(spoken.recipient), own),
        text=arrivals.kept(read_text(octets, spoken.form)),
        raw=spoken.content,
        part=joined.part,
        parts=joined.total,
        reference=joined.reference,
        arrived_at=now,
    )


def beijing_time(text: str) -> datetime | None:
    """Read YYMMDDHHMM of Beijing; None when it is no time, or one cut short, of which other times could be made."""
    return read_stamp(text, _BEIJING_MINUTES)
