"""What an SGIP gateway reports and delivers: receipts and texts from phones, in our words."""

from collections.abc import Sequence
from datetime import datetime

from yanshu.adapters.carriers.arrivals import kept
from yanshu.adapters.carriers.mainland import Spoken, part_of, phone_number
from yanshu.adapters.carriers.sgip.results import STATES, state_of
from yanshu.domain import ids
from yanshu.domain.submissions import Arrival, InboundPart, Receipt
from yanshu.ports.clock import Clock
from yanshu.protocols.sgip.constants import ReportState
from yanshu.protocols.sgip.pdus import Deliver, Report, UserRpt
from yanshu.runtime.logs import get_logger

# A report on a text of a phone that was forwarded to us has another number here.
_ON_SUBMIT = 0

Request = Deliver | Report | UserRpt


class Reader:
    """Translates what the gateway asks us to take, a burst at a time."""

    def __init__(self, connector_id: str, sender: str, clock: Clock) -> None:
        self._connector_id = connector_id
        self._sender = sender
        self._clock = clock
        self._log = get_logger("sgip")

    def read(self, requests: Sequence[Request]) -> list[Arrival]:
        """Return one arrival a report or text, in order. Nothing is refused: what makes no sense is kept raw (protocols.md §8).

        News of a subscription (UserRpt) is no receipt and no text: it goes to the log.
        """
        now, entropy = self._clock.now(), self._clock.entropy(ids.ENTROPY_BYTES)
        receipts = ids.make_ids(ids.RECEIPT, len(requests), now, entropy)
        inbounds = ids.make_ids(ids.INBOUND, len(requests), now, entropy)
        found: list[Arrival] = []
        for receipt, inbound, pdu in zip(receipts, inbounds, requests, strict=True):
            if isinstance(pdu, Report):
                found.append(self._receipt(receipt, pdu, now))
            elif isinstance(pdu, Deliver):
                found.append(self._part(inbound, pdu, now))
            else:
                self._log.info("subscription changed", connector_id=self._connector_id, number=pdu.user_number, state=pdu.user_condition)
        return found

    def _receipt(self, ident: str, pdu: Report, now: datetime) -> Receipt:
        """Match by the sequence of our SUBMIT; "" is nobody's key. A report says no time."""
        is_ours, sequence = pdu.report_type == _ON_SUBMIT, pdu.submit_sequence.message_id
        return Receipt(
            id=ident,
            connector_id=self._connector_id,
            keys=(sequence.lstrip("0") if is_ours else "",),
            recipient=phone_number(kept(pdu.user_number)),
            state=state_of(pdu.state, pdu.error_code),
            stat=STATES.get(pdu.state, str(pdu.state)),
            err=str(pdu.error_code) if pdu.state == ReportState.FAILED else "",
            text=f"SubmitSequence {sequence} ReportType {pdu.report_type} State {pdu.state} ErrorCode {pdu.error_code}",
            done_at=None,
            arrived_at=now,
        )

    def _part(self, ident: str, pdu: Deliver, now: datetime) -> InboundPart:
        spoken = Spoken(pdu.user_number, pdu.sp_number, pdu.message_content, pdu.message_coding, bool(pdu.tp_udhi))
        return part_of(spoken, ident, self._connector_id, self._sender, now)
