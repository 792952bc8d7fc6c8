"""From messages to the bodies of their SUBMITs, a chunk at a time: what the messages of a campaign share is made once."""

from msgspec import Struct
from msgspec.structs import replace

from yanshu.adapters.carriers.cmpp.settings import CmppSettings
from yanshu.domain.connectors import Connector
from yanshu.domain.messages import Message
from yanshu.protocols.cmpp import codec, pdus
from yanshu.protocols.cmpp.constants import Format, Version
from yanshu.text import segments, udh

_MAINLAND = "+86"


class _Cut(Struct, frozen=True):
    """A text as octets, one piece a segment, and their Msg_Fmt."""

    form: int
    pieces: tuple[bytes, ...]


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

    def cut(self, text: str) -> _Cut:
        """Return the text's octets in pieces. Mainland carriers count 70 or 67 characters a segment, whatever the format."""
        single, each = (segments.LIMITS_WIDE if self._wide else segments.LIMITS)[segments.UCS2]
        pieces = segments.cut(text, segments.UCS2, single, each)
        if self.settings.text_format == "gbk":
            try:
                return _Cut(Format.GBK, tuple(piece.encode("gbk") for piece in pieces))
            except UnicodeEncodeError:
                pass
        return _Cut(Format.UCS2, tuple(piece.encode("utf-16-be", "surrogatepass") for piece in pieces))

    def models(self, cut: _Cut, source: str) -> list[pdus.Submit]:
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
        if recipient.startswith(_MAINLAND):
            return self.settings.number_prefix + recipient[len(_MAINLAND) :]
        return recipient.removeprefix("+")


class Chunk:
    """The messages of one call in one version. A text sent to a thousand people is encoded once; only the number differs."""

    def __init__(self, submits: Submits, version: Version) -> None:
        self._submits = submits
        self._version = version
        self._cuts: dict[str, _Cut] = {}
        self._bodies: dict[tuple[str, str], tuple[bytes, bytes]] = {}

    def bodies(self, message: Message) -> list[bytes]:
        """Return one body a segment (budget: 1 µs for a text seen before).

        Raises LocalProtocolError when a value does not fit its field.
        """
        submits, version = self._submits, self._version
        source, number = message.sender or submits.sender, submits.number(message.recipient)
        known = self._bodies.get((source, message.text))
        if known is not None:
            return [known[0] + codec.number(number, version) + known[1]]
        cut = self._cuts.get(message.text)
        if cut is None:
            cut = self._cuts[message.text] = submits.cut(message.text)
        models = submits.models(cut, source)
        parts = [codec.around_number(model, version) for model in models]
        if len(parts) == 1:
            self._bodies[source, message.text] = parts[0]
        octets = codec.number(number, version)
        return [head + octets + tail for head, tail in parts]
