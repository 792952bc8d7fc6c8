"""From messages to the bodies of their SUBMITs: what the messages of a campaign share is made once."""

from msgspec.structs import replace

from yanshu.adapters.carriers.mainland import Around, Cut, cut, number_for
from yanshu.adapters.carriers.sgip.settings import SgipSettings
from yanshu.domain.connectors import Connector
from yanshu.protocols.sgip import codec, pdus
from yanshu.text import udh


class Submits:
    """Makes the submits of one connector; `first_reference` is where the references of long texts begin.

    Each is to one number: what names several has one id for all of them, and gateways of 1.3 refuse it (protocols.md §2).
    """

    def __init__(self, connector: Connector, settings: SgipSettings, first_reference: int) -> None:
        self.sender = connector.sender
        self._settings = settings
        self._wide = settings.long_text == "udh16"
        self._reference = first_reference
        self._constant = pdus.Submit(
            charge_number=settings.charge_number,
            corp_id=settings.corp_id,
            service_type=settings.service_type,
            fee_type=settings.fee_type,
            fee_value=settings.fee_value,
            given_value=settings.given_value,
            agent_flag=settings.agent_flag,
            more_late_to_mt_flag=settings.more_late_to_mt_flag,
            priority=settings.priority,
            tp_pid=settings.tp_pid,
        )

    def cut(self, text: str) -> Cut:
        """Return the text's octets in pieces."""
        return cut(text, self._settings.text_format, wide=self._wide)

    def around(self, text: Cut, source: str) -> list[Around]:
        """Return the octets of one submit a piece, around a number; those of one message are joined by a reference of their own.

        Raises LocalProtocolError when a value does not fit its field.
        """
        total = len(text.pieces)
        model = replace(self._constant, sp_number=source, message_coding=text.form)
        if total == 1:
            return [codec.around_number(replace(model, message_content=text.pieces[0]))]
        self._reference = (self._reference + 1) & 0xFFFF
        heads = (udh.build(self._reference, total, part, wide=self._wide) for part in range(1, total + 1))
        return [
            codec.around_number(replace(model, tp_udhi=1, message_content=head + octets))
            for head, octets in zip(heads, text.pieces, strict=True)
        ]

    def number(self, recipient: str) -> bytes:
        """Return a recipient's octets. Raises LocalProtocolError when they do not fit."""
        return codec.number(number_for(recipient, self._settings.number_prefix))
