"""From messages to the bodies of their Submits, a chunk at a time: what the messages of a campaign share is made once."""

from msgspec.structs import replace

from yanshu.adapters.carriers.mainland import Around, Cut, cut, number_for
from yanshu.adapters.carriers.smgp.settings import SmgpSettings
from yanshu.domain.connectors import Connector
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import Tag
from yanshu.text import udh


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

    def cut(self, text: str) -> Cut:
        """Return the text's octets in pieces."""
        return cut(text, self.settings.text_format, wide=self._wide)

    def around(self, text: Cut, source: str) -> list[Around]:
        """Return the octets of one submit a piece, around a number; those of one message are joined by a reference of their own.

        Raises LocalProtocolError when a value does not fit its field.
        """
        total = len(text.pieces)
        model = replace(self._constant, src_term_id=source, msg_format=text.form)
        if total == 1:
            return [codec.around_number(replace(model, msg_content=text.pieces[0]))]
        self._reference = (self._reference + 1) & 0xFFFF
        return [
            codec.around_number(
                replace(
                    model,
                    msg_content=udh.build(self._reference, total, part, wide=self._wide) + octets,
                    tlvs={**model.tlvs, **_place(total, part)},
                )
            )
            for part, octets in enumerate(text.pieces, 1)
        ]

    def number(self, recipient: str) -> bytes:
        """Return a recipient's octets. Raises LocalProtocolError when they do not fit."""
        return codec.number(number_for(recipient, self.settings.number_prefix))


def _place(total: int, part: int) -> dict[int, bytes]:
    """Return what says that a text has a header, and which part it is: the fixed fields have no room for it (protocols.md §6.2)."""
    return {int(Tag.TP_UDHI): b"\x01", int(Tag.PK_TOTAL): bytes((total,)), int(Tag.PK_NUMBER): bytes((part,))}
