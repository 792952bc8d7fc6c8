"""CMPP 2.0 and 3.0 as a server: logins, submits and deliveries in the words of the protocol."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from yanshu.domain.binds import Alphabet, Bind, BindDelivery, BindProtocol, BindSubmit, ReceiptOwed, TextOwed, Wanted
from yanshu.domain.errors import CallerError
from yanshu.domain.messages import Status
from yanshu.edge.binds.dialect import LARGEST_WINDOW, TIMERS, Acknowledgement, Asked, NotTaken, Refusal
from yanshu.edge.binds.receipts import state_of
from yanshu.edge.binds.stamps import BEIJING, Stamps, stamp_of
from yanshu.pipeline.bind_accept import Told
from yanshu.protocols.cmpp import pdus, reports
from yanshu.protocols.cmpp.constants import ConnectStatus, Format, Result, Version
from yanshu.protocols.cmpp.ismg import IsmgSession
from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.times import read_time
from yanshu.rules.accounts.binds import may_send_as
from yanshu.text import formats, udh

_SENDER = re.compile(r"[0-9A-Za-z]{1,20}")
_MAINLAND = "+86"
_ADDRESS_LIMIT = 21
# What CONNECT_RESP has no number for.
_OTHER = 5
_REFUSALS: dict[Refusal, int] = {
    Refusal.CREDENTIALS: ConnectStatus.AUTHENTICATION,
    Refusal.ADDRESS: ConnectStatus.SOURCE_ADDRESS,
}
_RESULTS: dict[str, Result] = {
    "phone_invalid": Result.DEST_TERMINAL_ID,
    "phone_not_mobile": Result.DEST_TERMINAL_ID,
    "test_key_live_recipient": Result.DEST_TERMINAL_ID,
    "text_empty": Result.LENGTH,
    "text_too_long": Result.TOO_LONG,
    "send_at_past": Result.STRUCTURE,
    "send_at_too_far": Result.STRUCTURE,
    "too_many_messages": Result.FLOW_CONTROL,
    "overloaded": Result.FLOW_CONTROL,
}
_TEXTS = frozenset({Format.ASCII, Format.UCS2, Format.GBK})
# A carrier's own word for a failure, as mainland customers know them: they are passed on where there is room.
_STAT = re.compile(r"[0-9A-Za-z:]{1,7}")
_NO_FAILURE = frozenset({"DELIVRD", "ACCEPTD"})
_ALONE = udh.Concatenation(0, 1, 1)
_DONE, _NOT_DONE = 0, 1


def read_text(content: bytes, coding: int, alphabet: Alphabet) -> str:  # noqa: ARG001 - CMPP knows no alphabet of a connection
    """Return the text that octets of a Msg_Fmt stand for."""
    return formats.read_text(content, coding)


class CmppDialect:
    """See `dialect.Dialect`. `stamps` are the process's message numbers."""

    protocol = BindProtocol.CMPP

    def __init__(self, stamps: Stamps) -> None:
        self.session: IsmgSession[BindDelivery] = IsmgSession(LARGEST_WINDOW, TIMERS)
        self._stamps = stamps

    def asked(self, pdu: pdus.Connect) -> Asked:
        """See `Dialect.asked`: every session goes both ways."""
        return Asked(pdu.source_addr, receives=True)

    def proves(self, pdu: pdus.Connect, secret: str) -> bool:
        """See `Dialect.proves`."""
        return self.session.proves(pdu, secret)

    def welcome(self, secret: str) -> None:
        """See `Dialect.welcome`."""
        self.session.accept(secret)

    def turn_away(self, why: Refusal) -> None:
        """See `Dialect.turn_away`."""
        self.session.refuse(_REFUSALS.get(why, _OTHER))

    def read(self, pdu: Any, bind: Bind, now: datetime) -> BindSubmit:
        """See `Dialect.read`. A submit to several numbers is one text to each, numbered in their order."""
        if not isinstance(pdu, pdus.Submit):
            raise NotTaken(_NOT_DONE)
        if not pdu.dest_terminal_ids or not all(pdu.dest_terminal_ids):
            raise NotTaken(Result.DEST_TERMINAL_ID)
        if pdu.msg_fmt not in _TEXTS:
            raise NotTaken(Result.STRUCTURE)
        joined, content = _content(pdu)
        send_at, expires_in = _times(pdu, now)
        return BindSubmit(
            numbers=pdu.dest_terminal_ids,
            sender=_sender(pdu.src_id, bind),
            source=f"{pdu.service_id}:{pdu.src_id}",
            destinations=pdu.dest_terminal_ids,
            content=content,
            coding=pdu.msg_fmt,
            wanted=Wanted.ALWAYS if pdu.registered_delivery == 1 else Wanted.NEVER,
            idents=tuple(str(stamp) for stamp in self._stamps.take(len(pdu.dest_terminal_ids))),
            part=joined.part,
            parts=joined.total,
            reference=joined.reference,
            send_at=send_at,
            expires_in=expires_in,
        )

    def answer(self, pdu: Any, told: Told) -> str:
        """See `Dialect.answer`."""
        if isinstance(told, CallerError):
            return self.refuse(pdu, _RESULTS.get(told.code, Result.NOT_SERVED_HERE))
        self.session.answer(pdu, msg_id=int(told[0]), result=Result.OK)
        return Result.OK.name

    def refuse(self, pdu: Any, status: int) -> str:
        """See `Dialect.refuse`."""
        if isinstance(pdu, pdus.Query):
            # There is no answer that refuses; counters of nought say that nothing is counted here.
            self.session.answer(pdu, time=pdu.time, query_type=pdu.query_type, query_code=pdu.query_code)
            return Result.OK.name
        if isinstance(pdu, pdus.Cancel):
            self.session.answer(pdu, success_id=_NOT_DONE)
            return "NOT_CANCELED"
        self.session.answer(pdu, result=status)
        return Result(status).name

    def throttle(self, pdu: Any) -> str:
        """See `Dialect.throttle`."""
        return self.refuse(pdu, Result.FLOW_CONTROL)

    def deliver(self, deliveries: Sequence[BindDelivery], bind: Bind, now: float) -> None:  # noqa: ARG002 - UCS-2 for everybody
        """See `Dialect.deliver`."""
        long = self.session.version is Version.V30
        self.session.deliver([(_deliver(delivery, long=long), delivery) for delivery in deliveries], now)

    def judge(self, status: int) -> Acknowledgement:
        """See `Dialect.judge`: no result of DELIVER_RESP says that it is for good."""
        return Acknowledgement.TAKEN if status == _DONE else Acknowledgement.LATER


def _content(pdu: pdus.Submit) -> tuple[udh.Concatenation, bytes]:
    """Return which segment this is, and its octets without header.

    Pk_total and Pk_number alone join nothing: they name no reference, and gateways show such texts apart.
    """
    content = pdu.msg_content
    if not pdu.tp_udhi:
        return _ALONE, content
    if not content or content[0] + 1 > len(content):
        raise NotTaken(Result.STRUCTURE)
    found, octets = udh.parse(content)
    return found or _ALONE, octets


def _sender(src_id: str, bind: Bind) -> str | None:
    """Return what the text is to come from; None leaves that to the connector."""
    if not src_id:
        return None
    if _SENDER.fullmatch(src_id) is None or not may_send_as(bind.senders, src_id):
        raise NotTaken(Result.SRC_ID)
    return src_id


def _times(pdu: pdus.Submit, now: datetime) -> tuple[datetime | None, int | None]:
    """Return when to send, and for how many seconds after that it may be sent."""
    try:
        send_at, until = read_time(pdu.at_time, now), read_time(pdu.valid_time, now)
    except RemoteProtocolError as error:
        raise NotTaken(Result.STRUCTURE) from error
    if until is None:
        return send_at, None
    seconds = int((until - max(send_at or now, now)).total_seconds())
    if seconds <= 0:
        raise NotTaken(Result.STRUCTURE)
    return send_at, seconds


def _deliver(delivery: BindDelivery, *, long: bool) -> pdus.Deliver:
    if delivery.receipt is not None:
        return _report(stamp_of(delivery), delivery.receipt, long=long)
    if delivery.text is not None:
        return _text(stamp_of(delivery), delivery.text)
    raise ValueError(f"{delivery.id} is empty")


def _report(msg_id: int, owed: ReceiptOwed, *, long: bool) -> pdus.Deliver:
    """Return a report of 71 octets in 3.0, of 60 in 2.0; its DELIVER has a Msg_Id of its own."""
    service_id, _, src_id = owed.source.rpartition(":")
    submitted, done = (at.astimezone(BEIJING).strftime("%y%m%d%H%M") for at in (owed.submitted_at, owed.done_at))
    report = reports.Report(int(owed.ident), _stat(owed), submitted, done, owed.destination, 0)
    return pdus.Deliver(
        msg_id=msg_id,
        dest_id=src_id,
        service_id=service_id,
        src_terminal_id=owed.destination,
        registered_delivery=1,
        msg_content=reports.build(report, long=long),
    )


def _stat(owed: ReceiptOwed) -> str:
    """Return the carrier's own word for a failure if it has one, else ours."""
    raw = owed.stat or ""
    if owed.status is Status.UNDELIVERED and _STAT.fullmatch(raw) is not None and raw not in _NO_FAILURE:
        return raw
    return state_of(owed)


def _text(msg_id: int, owed: TextOwed) -> pdus.Deliver:
    """Return a piece of an inbound; long ones are joined by a header."""
    header = udh.build(owed.reference, owed.parts, owed.part) if owed.parts > 1 else b""
    return pdus.Deliver(
        msg_id=msg_id,
        dest_id=owed.recipient.removeprefix("+")[:_ADDRESS_LIMIT],
        tp_udhi=1 if header else 0,
        msg_fmt=Format.UCS2,
        src_terminal_id=owed.sender.removeprefix(_MAINLAND).removeprefix("+")[:_ADDRESS_LIMIT],
        msg_content=header + owed.text.encode("utf-16-be", "surrogatepass"),
    )
