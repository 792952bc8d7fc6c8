"""From messages to the bodies of their SUBMITs: what the messages of a campaign share is made once."""

from msgspec.structs import replace

from yanshu.adapters.carriers import mainland
from yanshu.adapters.carriers.sgip.settings import SgipSettings
from yanshu.domain.connectors import Connector
from yanshu.protocols.sgip import codec, pdus


class Submits(mainland.Submits):
    """See `mainland.Submits`.

    Each is to one number: what names several has one id for all of them, and gateways of 1.3 refuse it (protocols.md §2).
    """

    def __init__(self, connector: Connector, settings: SgipSettings, first_reference: int) -> None:
        super().__init__(connector, settings, codec, first_reference)
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

    def _make(self, source: str, form: int, total: int, part: int) -> mainland.Envelope:  # noqa: ARG002 - SGIP does not count segments
        return codec.around(replace(self._constant, sp_number=source, message_coding=form, tp_udhi=int(total > 1)))
