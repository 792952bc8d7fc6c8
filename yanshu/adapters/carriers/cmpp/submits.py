"""From messages to the bodies of their SUBMITs, a chunk at a time: what the messages of a campaign share is made once."""

from typing import NamedTuple

from msgspec.structs import replace

from yanshu.adapters.carriers.cmpp.settings import CmppSettings
from yanshu.adapters.carriers.mainland import Cut, cut, number_for
from yanshu.domain.connectors import Connector
from yanshu.domain.messages import Message
from yanshu.protocols.cmpp import codec, pdus
from yanshu.protocols.cmpp.constants import Version
from yanshu.text import udh

# One for each sender, format and place in a long text that is in use.
_ENVELOPES = 4096


class Submits:
    """Makes the submits of one connector; `first_reference` is where the references of long texts begin."""

    def __init__(self, connector: Connector, settings: CmppSettings, first_reference: int) -> None:
        self.sender = connector.sender
        self.settings = settings
        self._wide = settings.long_text == "udh16"
        self._reference = first_reference
        self._constant = pdus.Submit(
            service_id=settings.service_id,
            msg_level=settings.msg_level,
            fee_user_type=settings.fee_user_type,
            tp_pid=settings.tp_pid,
            msg_src=settings.sp_id,
            fee_type=settings.fee_type,
            fee_code=settings.fee_code,
        )

        self._envelopes: dict[tuple[str, int, int, int], Envelope] = {}

    def cut(self, text: str) -> Cut:
        """Return the text's octets in pieces."""
        return cut(text, self.settings.text_format, wide=self._wide)

    def number(self, recipient: str) -> bytes:
        """Return a recipient as the gateway writes numbers."""
        return codec.number(number_for(recipient, self.settings.number_prefix))

    def segments(self, cut: Cut, source: str) -> "list[Segment]":
        """Return a text's segments, to nobody yet; those of one message are joined by a reference of their own."""
        total = len(cut.pieces)
        if total == 1:
            return [Segment(self._envelope(source, cut.form, 1, 1), codec.content(cut.pieces[0], cut.form))]
        self._reference = (self._reference + 1) & 0xFFFF
        headers = (udh.build(self._reference, total, part, wide=self._wide) for part in range(1, total + 1))
        return [
            Segment(self._envelope(source, cut.form, total, part), codec.content(header + octets, cut.form))
            for part, (header, octets) in enumerate(zip(headers, cut.pieces, strict=True), 1)
        ]

    def _envelope(self, source: str, form: int, total: int, part: int) -> "Envelope":
        """Return the envelope of such segments; all of them share it. Raises LocalProtocolError when a value does not fit in 2.0."""
        key = (source, form, total, part)
        found = self._envelopes.get(key)
        if found is None:
            if len(self._envelopes) >= _ENVELOPES:
                self._envelopes.clear()
            joined = total > 1
            found = Envelope(replace(self._constant, src_id=source, msg_fmt=form, pk_total=total, pk_number=part, tp_udhi=int(joined)))
            found.around(Version.V20)
            self._envelopes[key] = found
        return found


class Envelope:
    """A SUBMIT without its number and text: the octets before, between and behind them, made once a version."""

    __slots__ = ("_model", "_parts")

    def __init__(self, model: pdus.Submit) -> None:
        self._model = model
        self._parts: dict[Version, tuple[bytes, bytes, bytes]] = {}

    def around(self, version: Version) -> tuple[bytes, bytes, bytes]:
        """Return the octets. Raises LocalProtocolError when a value does not fit its field."""
        parts = self._parts.get(version)
        if parts is None:
            parts = self._parts[version] = codec.around(self._model, version)
        return parts


class Segment(NamedTuple):
    """A segment as all who get the text have it in common; `content` has its length before it."""

    envelope: Envelope
    content: bytes


class Body(NamedTuple):
    """A segment to one number. It is turned into octets when it is written: which version a gateway speaks may change until then."""

    segment: Segment
    number: bytes

    def octets(self, version: Version) -> bytes:
        """See `protocols.cmpp.sp.SubmitBody`."""
        envelope, content = self.segment
        before, between, behind = envelope.around(version)
        return b"".join((before, codec.widened(self.number, version), between, content, behind))


class Chunk:
    """The messages of one call. A text sent to a thousand people is encoded once; only the number differs."""

    def __init__(self, submits: Submits) -> None:
        self._submits = submits
        self._cuts: dict[str, Cut] = {}
        self._segments: dict[tuple[str, str], Segment] = {}

    def bodies(self, message: Message) -> list[Body]:
        """Return one body a segment (budget: 1 µs for a text seen before, 3 µs for another).

        Raises LocalProtocolError when a value does not fit its field, in 2.0, whose fields are the shorter ones.
        """
        submits = self._submits
        source, number = message.sender or submits.sender, submits.number(message.recipient)
        known = self._segments.get((source, message.text))
        if known is not None:
            return [Body(known, number)]
        cut = self._cuts.get(message.text)
        if cut is None:
            cut = self._cuts[message.text] = submits.cut(message.text)
        segments = submits.segments(cut, source)
        if len(segments) == 1:
            self._segments[source, message.text] = segments[0]
        return [Body(segment, number) for segment in segments]
