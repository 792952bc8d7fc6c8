"""From messages to the bodies of their Submits, a chunk at a time: what the messages of a campaign share is made once."""

from msgspec.structs import replace

from yanshu.adapters.carriers.mainland import Around, Cut, cut, number_for
from yanshu.adapters.carriers.smgp.settings import SmgpSettings
from yanshu.domain.connectors import Connector
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import Tag
from yanshu.text import udh

# A Submit without its number and text: the octets before, between and behind them.
_Envelope = tuple[bytes, bytes, bytes]
# One for each sender, format and place in a long text that is in use.
_ENVELOPES = 4096


class Submits:
    """Makes the submits of one connector; `first_reference` is where the references of long texts begin."""

    def __init__(self, connector: Connector, settings: SmgpSettings, first_reference: int) -> None:
        self.sender = connector.sender
        self.settings = settings
        self._wide = settings.long_text == "udh16"
        self._reference = first_reference
        self._constant = pdus.Submit(
            priority=settings.priority,
            service_id=settings.service_id,
            fee_type=settings.fee_type,
            fee_code=settings.fee_code,
            fixed_fee=settings.fixed_fee,
            tlvs=settings.tlvs,
        )
        self._envelopes: dict[tuple[str, int, int, int], _Envelope] = {}

    def cut(self, text: str) -> Cut:
        """Return the text's octets in pieces."""
        return cut(text, self.settings.text_format, wide=self._wide)

    def around(self, text: Cut, source: str) -> list[Around]:
        """Return the octets of one submit a piece, around a number; those of one message are joined by a reference of their own.

        Raises LocalProtocolError when a value does not fit its field.
        """
        total = len(text.pieces)
        if total == 1:
            return [_around(self._envelope(source, text.form, 1, 1), text.pieces[0])]
        self._reference = (self._reference + 1) & 0xFFFF
        headers = (udh.build(self._reference, total, part, wide=self._wide) for part in range(1, total + 1))
        return [
            _around(self._envelope(source, text.form, total, part), header + octets)
            for part, (header, octets) in enumerate(zip(headers, text.pieces, strict=True), 1)
        ]

    def number(self, recipient: str) -> bytes:
        """Return a recipient's octets. Raises LocalProtocolError when they do not fit."""
        return codec.number(number_for(recipient, self.settings.number_prefix))

    def _envelope(self, source: str, form: int, total: int, part: int) -> _Envelope:
        """Return the envelope of such segments; all of them share it."""
        key = (source, form, total, part)
        found = self._envelopes.get(key)
        if found is None:
            if len(self._envelopes) >= _ENVELOPES:
                self._envelopes.clear()
            tlvs = self._constant.tlvs if total == 1 else {**self._constant.tlvs, **_place(total, part)}
            found = self._envelopes[key] = codec.around(replace(self._constant, src_term_id=source, msg_format=form, tlvs=tlvs))
        return found


def _around(envelope: _Envelope, text: bytes) -> Around:
    """Put a text into its envelope."""
    before, between, behind = envelope
    return before, between + codec.content(text) + behind


def _place(total: int, part: int) -> dict[int, bytes]:
    """Return what says that a text has a header, and which part it is: the fixed fields have no room for it (protocols.md §6.2)."""
    return {int(Tag.TP_UDHI): b"\x01", int(Tag.PK_TOTAL): bytes((total,)), int(Tag.PK_NUMBER): bytes((part,))}
