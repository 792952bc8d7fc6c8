"""From messages to the bodies of their Submits: what the messages of a campaign share is made once."""

from msgspec.structs import replace

from yanshu.adapters.carriers import mainland
from yanshu.adapters.carriers.smgp.settings import SmgpSettings
from yanshu.domain.connectors import Connector
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import Tag


class Submits(mainland.Submits):
    """See `mainland.Submits`."""

    def __init__(self, connector: Connector, settings: SmgpSettings, first_reference: int) -> None:
        super().__init__(connector, settings, codec, first_reference)
        self._constant = pdus.Submit(
            priority=settings.priority,
            service_id=settings.service_id,
            fee_type=settings.fee_type,
            fee_code=settings.fee_code,
            fixed_fee=settings.fixed_fee,
            tlvs=settings.tlvs,
        )

    def _make(self, source: str, form: int, total: int, part: int) -> mainland.Envelope:
        tlvs = self._constant.tlvs if total == 1 else {**self._constant.tlvs, **_place(total, part)}
        return codec.around(replace(self._constant, src_term_id=source, msg_format=form, tlvs=tlvs))


def _place(total: int, part: int) -> dict[int, bytes]:
    """Return what says that a text has a header, and which part it is: the fixed fields have no room for it (protocols.md §6.2)."""
    return {int(Tag.TP_UDHI): b"\x01", int(Tag.PK_TOTAL): bytes((total,)), int(Tag.PK_NUMBER): bytes((part,))}
