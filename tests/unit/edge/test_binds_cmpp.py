"""What customers are told over CMPP, and the numbers under which."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from yanshu.domain.errors import CallerError
from yanshu.domain.messages import Status
from yanshu.edge.api.catalogue import CATALOGUE
from yanshu.edge.binds.cmpp import CmppDialect, _stat
from yanshu.edge.binds.dialect import Refusal
from yanshu.edge.binds.stamps import Stamps, stamp_of
from yanshu.protocols.cmpp import codec, pdus, reports
from yanshu.protocols.cmpp.constants import Version
from yanshu.testing.bind_samples import BindSamples
from yanshu.testing.clocks import FakeClock

SAMPLES = BindSamples(FakeClock())


def test_message_numbers_follow_each_other_and_never_repeat() -> None:
    stamps = Stamps(FakeClock(datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)))
    taken = [stamp for count in (1, 3, 99, 1) for stamp in stamps.take(count)]
    assert Counter(taken).most_common(1)[0][1] == 1
    assert taken == list(range(taken[0], taken[0] + 104))
    parts = reports.take_apart(taken[0])
    assert (parts.month, parts.day, parts.hour, parts.minute, parts.second) == (3, 1, 12, 5, 6)


def test_the_numbers_of_one_submit_do_not_run_over_into_another_gateways() -> None:
    stamps = Stamps(FakeClock())
    for _ in range(65_530 // 10):
        stamps.take(10)
    taken = stamps.take(20)
    assert {reports.take_apart(stamp).gateway for stamp in taken} == {reports.take_apart(taken[0]).gateway}


def test_a_delivery_keeps_its_number() -> None:
    one, other = SAMPLES.bind_delivery("msg_1"), SAMPLES.bind_delivery("msg_1")
    assert stamp_of(one) == stamp_of(one) != stamp_of(other)
    assert stamp_of(one) < 1 << 64


@pytest.mark.parametrize(
    ("status", "stat", "reason", "said"),
    [
        (Status.DELIVERED, "DELIVRD", None, "DELIVRD"),
        (Status.DELIVERED, "X", None, "DELIVRD"),
        (Status.UNDELIVERED, "MK:0012", None, "MK:0012"),
        (Status.UNDELIVERED, "DELIVRD", "invalid_number", "UNDELIV"),
        (Status.UNDELIVERED, "FAR TOO LONG", "expired", "EXPIRED"),
        (Status.UNDELIVERED, None, "no_receipt", "UNKNOWN"),
        (Status.REJECTED, None, "text_empty", "REJECTD"),
        (Status.FAILED, None, "carrier_error", "UNDELIV"),
        (Status.CANCELED, None, None, "DELETED"),
    ],
)
def test_a_failure_is_told_in_the_carriers_own_word_if_it_has_one(status: Status, stat: str | None, reason: str | None, said: str) -> None:
    assert _stat(SAMPLES.receipt_owed(status=status, stat=stat, reason=reason)) == said


def bound(version: Version) -> CmppDialect:
    clock = FakeClock()
    dialect = CmppDialect(Stamps(clock))
    dialect.session.connected(0.0)
    dialect.session.receive_data(codec.encode(pdus.Connect(sequence_id=1, version=int(version)), version), 0.0)
    return dialect


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.name)
def test_every_refusal_there_is_has_a_result(version: Version) -> None:
    dialect = bound(version)
    dialect.welcome("")
    dialect.session.data_to_send()
    for code in CATALOGUE:
        dialect.answer(pdus.Submit(sequence_id=7), CallerError(code))
        answer = codec.decode(dialect.session.data_to_send(), version)
        assert isinstance(answer, pdus.SubmitResp)
        assert (answer.sequence_id, answer.result > 0, answer.msg_id) == (7, True, 0)


@pytest.mark.parametrize("why", list(Refusal))
def test_every_way_of_being_turned_away_ends_the_session(why: Refusal) -> None:
    dialect = bound(Version.V30)
    dialect.turn_away(why)
    answer = codec.decode(dialect.session.data_to_send(), Version.V30)
    assert isinstance(answer, pdus.ConnectResp)
    assert (answer.status > 0, dialect.session.is_over) == (True, True)


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.name)
def test_a_delivery_is_written_as_the_version_lays_it_out(version: Version) -> None:
    dialect = bound(version)
    dialect.welcome("")
    dialect.session.data_to_send()
    receipt = SAMPLES.receipt_owed(ident="12345", source="SHOP:1069", done_at=SAMPLES.now + timedelta(minutes=1))
    dialect.deliver([SAMPLES.bind_delivery("msg_1", receipt=receipt)], SAMPLES.bind(), 0.0)
    pdu = codec.decode(dialect.session.data_to_send(), version)
    assert isinstance(pdu, pdus.Deliver)
    report = reports.parse(pdu.msg_content)
    assert report is not None
    assert (report.msg_id, report.stat, report.dest_terminal_id, pdu.dest_id, pdu.service_id) == (
        12345,
        "DELIVRD",
        "13800138000",
        "1069",
        "SHOP",
    )
