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

    def cut(self, text: str) -> Cut:
        """Return the text's octets in pieces."""
        return cut(text, self.settings.text_format, wide=self._wide)

    def models(self, cut: Cut, source: str) -> list[pdus.Submit]:
        """Return one submit a piece, to nobody yet; those of one message are joined by a reference of their own."""
        total = len(cut.pieces)
        model = replace(self._constant, src_id=source, msg_fmt=cut.form)
        if total == 1:
            return [replace(model, msg_content=cut.pieces[0])]
        self._reference = (self._reference + 1) & 0xFFFF
        return [
            replace(
                model,
                pk_total=total,
                pk_number=part,
                tp_udhi=1,
                msg_content=udh.build(self._reference, total, part, wide=self._wide) + octets,
            )
            for part, octets in enumerate(cut.pieces, 1)
        ]

    def number(self, recipient: str) -> str:
        """Return a recipient as the gateway writes numbers."""
        return number_for(recipient, self.settings.number_prefix)


class Segment:
    """One segment as all who get the text have it in common: its octets around the number, made once a version."""

    __slots__ = ("_model", "_parts")

    def __init__(self, model: pdus.Submit) -> None:
        self._model = model
        self._parts: dict[Version, tuple[bytes, bytes]] = {}

    def around(self, version: Version) -> tuple[bytes, bytes]:
        """Return what stands before the number, and what behind it. Raises LocalProtocolError when a value does not fit its field."""
        parts = self._parts.get(version)
        if parts is None:
            parts = self._parts[version] = codec.around_number(self._model, version)
        return parts


class Body(NamedTuple):
    """A segment to one number. It is turned into octets when it is written: which version a gateway speaks may change until then."""

    segment: Segment
    number: bytes

    def octets(self, version: Version) -> bytes:
        """See `protocols.cmpp.sp.SubmitBody`."""
        head, tail = self.segment.around(version)
        return head + codec.widened(self.number, version) + tail


class Chunk:
    """The messages of one call. A text sent to a thousand people is encoded once; only the number differs."""

    def __init__(self, submits: Submits) -> None:
        self._submits = submits
        self._cuts: dict[str, Cut] = {}
        self._segments: dict[tuple[str, str], Segment] = {}

    def bodies(self, message: Message) -> list[Body]:
        """Return one body a segment (budget: 1 µs for a text seen before).

        Raises LocalProtocolError when a value does not fit its field, in 2.0, whose fields are the shorter ones.
        """
        submits = self._submits
        source, number = message.sender or submits.sender, codec.number(submits.number(message.recipient))
        known = self._segments.get((source, message.text))
        if known is not None:
            return [Body(known, number)]
        cut = self._cuts.get(message.text)
        if cut is None:
            cut = self._cuts[message.text] = submits.cut(message.text)
        segments_made = [Segment(model) for model in submits.models(cut, source)]
        for segment in segments_made:
            segment.around(Version.V20)
        if len(segments_made) == 1:
            self._segments[source, message.text] = segments_made[0]
        return [Body(segment, number) for segment in segments_made]
