"""Our texts as SMPP content: alphabets, segments, headers."""

from msgspec import Struct

from yanshu.adapters.carriers.smpp.settings import SmppSettings
from yanshu.domain.messages import Encoding, Message
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.constants import ESM_UDHI, Tag
from yanshu.protocols.smpp.submits import Content, SubmitBuilder
from yanshu.text import gsm7, segments, udh

_PYTHON_NAMES = {"latin1": "latin-1", "ascii": "ascii"}


class Cut(Struct, frozen=True):
    """A text as octets, one piece a segment; `coding` is its data_coding, `tlvs` carry it when the only piece is empty."""

    coding: int
    pieces: tuple[bytes, ...]
    tlvs: bytes = b""


class TextWriter:
    """Turns messages into the contents of their submits, in the way the connector asks for."""

    def __init__(self, settings: SmppSettings, first_reference: int) -> None:
        self._settings = settings
        self._reference = first_reference
        self._limits = segments.LIMITS_WIDE if settings.long_text == "udh16" else segments.LIMITS

    def contents(self, message: Message) -> list[Content]:
        """Return one content a segment, or a single one when the connector takes long texts whole."""
        return self.parts(self.cut(message.text, message.encoding))

    def cut(self, text: str, encoding: str) -> Cut:
        """Return the text's octets, in pieces when one segment does not hold them: the same for everybody who gets this text."""
        encoding, coding, octets = self._encode(text, encoding)
        single, each = self._limits[encoding]
        if len(octets) <= (2 * single if encoding == segments.UCS2 else single):
            return Cut(coding, (octets,))
        if self._settings.long_text == "payload":
            return Cut(coding, (b"",), codec.encode_tlvs({int(Tag.MESSAGE_PAYLOAD): octets}))
        return Cut(coding, tuple(self._octets(piece, encoding) for piece in segments.cut(text, encoding, single, each)))

    def parts(self, cut: Cut) -> list[Content]:
        """Return one content a piece; those of one message are joined by a reference of their own."""
        total = len(cut.pieces)
        if total == 1:
            return [Content(0, cut.coding, cut.pieces[0], cut.tlvs)]
        self._reference = (self._reference + 1) & 0xFFFF
        return [self._part(cut.coding, octets, total, part) for part, octets in enumerate(cut.pieces, 1)]

    def _encode(self, text: str, encoding: str) -> tuple[str, int, bytes]:
        """Return encoding, data_coding and octets. What the carrier's default alphabet lacks travels as UCS-2."""
        if encoding == Encoding.GSM7:
            try:
                return segments.GSM7, self._settings.gsm_coding, self._octets(text, segments.GSM7)
            except ValueError:
                pass
        return segments.UCS2, self._settings.ucs2_coding, text.encode("utf-16-be", "surrogatepass")

    def _octets(self, text: str, encoding: str) -> bytes:
        if encoding == segments.UCS2:
            return text.encode("utf-16-be", "surrogatepass")
        alphabet = self._settings.gsm_alphabet
        return gsm7.encode(text) if alphabet == "gsm" else text.encode(_PYTHON_NAMES[alphabet])

    def _part(self, coding: int, octets: bytes, total: int, part: int) -> Content:
        """Join parts by UDH or by SAR parameters, never by both (protocols.md §7)."""
        if self._settings.long_text != "sar":
            wide = self._settings.long_text == "udh16"
            return Content(ESM_UDHI, coding, udh.build(self._reference, total, part, wide=wide) + octets)
        tlvs = {
            int(Tag.SAR_MSG_REF_NUM): self._reference.to_bytes(2, "big"),
            int(Tag.SAR_TOTAL_SEGMENTS): bytes((total,)),
            int(Tag.SAR_SEGMENT_SEQNUM): bytes((part,)),
        }
        return Content(0, coding, octets, codec.encode_tlvs(tlvs))


def builder_of(settings: SmppSettings) -> SubmitBuilder:
    """Encode what all submits of a connector have in common; every segment asks for a receipt."""
    return SubmitBuilder(
        pdus.SubmitSm(
            service_type=settings.service_type,
            source_addr_ton=settings.source_ton,
            source_addr_npi=settings.source_npi,
            dest_addr_ton=settings.dest_ton,
            dest_addr_npi=settings.dest_npi,
            registered_delivery=1,
            tlvs=settings.tlvs,
        )
    )
