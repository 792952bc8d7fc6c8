"""What the simulated carrier decides, without sockets: a fake clock and a line that writes down what it is told."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from yanshu.simulator import Account, Behaviour, BehaviourError, SimulatorSettings, UnknownName
from yanshu.simulator.accounts import AccountDesk, Admission
from yanshu.simulator.smsc import Smsc
from yanshu.simulator.traffic import Delivery, Inbound, Receipt, Segment
from yanshu.testing.clocks import FakeClock

ORDINARY = "8613800138000"


def number(nn: str) -> str:
    return "86100000000" + nn


@dataclass
class FakeLine:
    account: AccountDesk
    receives: bool = True
    busy: int = 1000
    throttled: int = 1001
    room: int = 100
    log: list[tuple[str, Any]] = field(default_factory=list)
    delivered: list[Delivery] = field(default_factory=list)
    is_cut: bool = False
    changes: int = 0

    def has_room(self) -> bool:
        return self.room > 0

    def answer(self, request: object, status: int, carrier_message_id: str) -> None:
        self.log.append(("answer", (request, status, carrier_message_id)))

    def id_text(self, segment: Segment, number: int) -> str:
        return str(number)

    def deliver(self, delivery: Delivery) -> None:
        self.room -= 1
        self.log.append(("deliver", delivery))
        self.delivered.append(delivery)

    def cut(self) -> None:
        self.is_cut = True

    def write_garbage(self, data: bytes) -> None:
        self.log.append(("garbage", len(data)))

    def behaviour_changed(self) -> None:
        self.changes += 1

    @property
    def answers(self) -> list[tuple[object, int, str]]:
        return [what for kind, what in self.log if kind == "answer"]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.log]


class Bench:
    """A carrier, one line, and time that passes when told."""

    def __init__(self, account: Account | None = None, **settings: Any) -> None:
        self.clock = FakeClock()
        self.smsc = Smsc(SimulatorSettings(accounts=(account or Account(),), seed=1, **settings), self.clock)
        self.desk = next(iter(self.smsc.desks.values()))
        self.line = FakeLine(self.desk)
        self.desk.join(self.line)
        self.sequence = 0

    def submit(self, destination: str, payload: bytes = b"hello", **more: Any) -> None:
        self.sequence += 1
        segment = Segment("1069", destination, "latin1", payload, True, self.clock.now().timestamp(), **more)
        self.smsc.submitted(self.line, self.sequence, segment)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.smsc.schedule.run_due(self.clock.monotonic())

    def receipts(self) -> list[tuple[str, str]]:
        return [(one.report.stat, one.report.err) for one in self.line.delivered if isinstance(one, Receipt)]

    def replies(self) -> list[Inbound]:
        return [one for one in self.line.delivered if isinstance(one, Inbound)]


def test_an_ordinary_number_is_answered_and_reported_at_once() -> None:
    bench = Bench()
    bench.submit(ORDINARY)
    assert bench.line.kinds() == ["answer", "deliver"]
    [receipt] = bench.line.delivered
    assert isinstance(receipt, Receipt)
    assert str(receipt.number) == bench.line.answers[0][2]
    assert bench.receipts() == [("DELIVRD", "000")]
    assert (receipt.segment.destination, receipt.segment.source) == (ORDINARY, "1069")


FAILURES = [("02", "UNDELIV", "MK:0001"), ("03", "EXPIRED", "MI:0024"), ("04", "REJECTD", "DB:0141")]


@pytest.mark.parametrize(("nn", "stat", "err"), FAILURES)
def test_numbers_that_fail_say_why_and_reach_no_handset(nn: str, stat: str, err: str) -> None:
    bench = Bench()
    bench.submit(number(nn))
    assert bench.receipts() == []
    bench.pass_time(1)
    assert bench.receipts() == [(stat, err)]
    assert bench.smsc.handsets.find(number(nn)) is None


@pytest.mark.parametrize("nn", ["01", "07", "16", "17", "20"])
def test_numbers_that_deliver_do_so_after_a_second(nn: str) -> None:
    bench = Bench()
    bench.submit(number(nn))
    bench.pass_time(0.9)
    assert bench.line.kinds() == ["answer"]
    bench.pass_time(0.1)
    assert bench.receipts() == [("DELIVRD", "000")]


def test_number_05_is_accepted_and_never_reported() -> None:
    bench = Bench()
    bench.submit(number("05"))
    bench.pass_time(86_400)
    assert bench.line.kinds() == ["answer"]


def test_number_06_is_never_answered_and_reported_after_twenty_seconds() -> None:
    bench = Bench()
    bench.submit(number("06"))
    bench.pass_time(19.9)
    assert bench.line.log == []
    bench.pass_time(0.1)
    assert bench.line.kinds() == ["deliver"]
    assert bench.desk.tally.unanswered == 1


def test_number_07_is_refused_as_busy_by_the_marked_account() -> None:
    bench = Bench(Account(refuses_07=True))
    bench.submit(number("07"))
    bench.pass_time(10)
    assert bench.line.answers == [(1, bench.line.busy, "")]
    assert bench.receipts() == []


def test_number_08_first_fails_and_then_delivers() -> None:
    bench = Bench()
    bench.submit(number("08"))
    bench.pass_time(1)
    bench.pass_time(2)
    assert [stat for stat, _ in bench.receipts()] == ["UNDELIV", "DELIVRD"]


def test_number_09_loses_the_second_segment() -> None:
    bench = Bench()
    for part in (1, 2, 3):
        bench.submit(number("09"), b"abc"[part - 1 : part], reference=7, part=part, parts=3)
    bench.pass_time(5)
    assert len(bench.receipts()) == 2
    handset = bench.smsc.handsets.find(number("09"))
    assert handset is not None
    [message] = handset.inbox()
    assert (message.text, message.missing, message.segments) == ("ac", (2,), 3)


def test_number_10_is_reported_before_it_is_answered() -> None:
    bench = Bench()
    bench.submit(number("10"))
    bench.pass_time(0.5)
    assert bench.line.kinds() == ["deliver", "answer"]


def test_number_11_is_throttled_twice_for_each_text_and_then_accepted() -> None:
    bench = Bench()
    for _ in range(3):
        bench.submit(number("11"), b"one")
    bench.submit(number("11"), b"two")
    assert [status for _, status, _ in bench.line.answers] == [bench.line.throttled, bench.line.throttled, 0, bench.line.throttled]


REPLIES = [
    ("12", "gsm7", b"TD", 1),
    ("13", "gsm7", b"T", 1),
    ("14", "gsm7", b"1", 1),
    ("15", "ucs2", "你好".encode("utf-16-be"), 1),
    ("19", "gsm7", b"OK", 2),
]


@pytest.mark.parametrize(("nn", "encoding", "content", "times"), REPLIES)
def test_numbers_that_reply_do_so_after_two_seconds(nn: str, encoding: str, content: bytes, times: int) -> None:
    bench = Bench()
    bench.submit(number(nn), b"a", reference=3, part=1, parts=2)
    bench.submit(number(nn), b"b", reference=3, part=2, parts=2)
    bench.pass_time(1.9)
    assert bench.replies() == []
    bench.pass_time(0.1)
    assert [(one.source, one.destination, one.encoding, one.octets) for one in bench.replies()] == [
        (number(nn), "1069", encoding, content)
    ] * times


def test_number_18_takes_six_minutes_and_a_time_factor_shortens_them() -> None:
    for factor, seconds in ((1.0, 360), (100.0, 3.6)):
        bench = Bench(time_factor=factor)
        bench.submit(number("18"))
        bench.pass_time(seconds - 0.1)
        assert bench.receipts() == []
        bench.pass_time(0.2)
        assert len(bench.receipts()) == 1


def test_throttling_lets_through_so_many_in_a_second() -> None:
    bench = Bench(behaviour=Behaviour(throttle_per_second=2))
    for _ in range(4):
        bench.submit(ORDINARY)
    bench.pass_time(1)
    bench.submit(ORDINARY)
    assert [status for _, status, _ in bench.line.answers] == [0, 0, bench.line.throttled, bench.line.throttled, 0]
    assert bench.desk.tally.throttled == 2


def test_delays_hold_answers_and_receipts() -> None:
    bench = Bench(behaviour=Behaviour(answer_seconds=1, receipt_seconds=2))
    bench.submit(ORDINARY)
    assert bench.line.log == []
    bench.pass_time(1)
    assert bench.line.kinds() == ["answer"]
    bench.pass_time(2)
    assert bench.line.kinds() == ["answer", "deliver"]


FAULTS = [
    ("refusals", Behaviour(refuse_rate=1, refuse_code=0x45), ["answer"], "refused"),
    ("lost answers", Behaviour(answer_loss_rate=1), ["deliver"], "unanswered"),
    ("lost receipts", Behaviour(receipt_loss_rate=1), ["answer"], "lost_receipts"),
    ("failures", Behaviour(fail_rate=1), ["answer", "deliver"], "receipts"),
    ("duplicate receipts", Behaviour(receipt_duplicate_rate=1), ["answer", "deliver", "deliver"], "receipts"),
    ("stray receipts", Behaviour(stray_receipt_rate=1), ["answer", "deliver", "deliver"], "receipts"),
    ("garbage", Behaviour(garbage_every=1), ["garbage", "answer", "deliver"], "accepted"),
    ("dropped links", Behaviour(drop_every=1), [], "cut"),
]


@pytest.mark.parametrize(("behaviour", "kinds", "counter"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_faults_happen_and_are_counted(behaviour: Behaviour, kinds: list[str], counter: str) -> None:
    bench = Bench(behaviour=behaviour)
    bench.submit(ORDINARY)
    assert bench.line.kinds() == kinds
    assert bench.smsc.state()["totals"][counter] > 0
    assert bench.line.is_cut == (counter == "cut")


def test_receipts_wait_for_a_receiver_and_go_out_when_one_binds() -> None:
    bench = Bench()
    bench.line.receives = False
    bench.submit(ORDINARY)
    assert bench.receipts() == []
    receiver = FakeLine(bench.desk)
    bench.desk.join(receiver)
    assert len(receiver.delivered) == 1


def test_what_a_lost_link_had_not_acknowledged_comes_before_what_is_newer() -> None:
    bench = Bench()
    bench.line.room = 1
    bench.submit(ORDINARY)
    bench.submit(ORDINARY)
    bench.desk.leave(bench.line, bench.line.delivered)
    receiver = FakeLine(bench.desk)
    bench.desk.join(receiver)
    assert [str(one.number) for one in receiver.delivered if isinstance(one, Receipt)] == [ident for _, _, ident in bench.line.answers]


def test_the_ledger_finds_what_was_taken_twice() -> None:
    bench = Bench(keep_ledger=True)
    bench.submit(ORDINARY, b"once")
    bench.submit(ORDINARY, b"twice", reference=1)
    bench.submit(ORDINARY, b"twice", reference=2)
    bench.submit(number("11"), b"throttled is not taken")
    assert list(bench.smsc.ledger.accepted_twice().values()) == [2]
    assert len(bench.smsc.ledger) == 4


def test_behaviour_changes_for_one_account_stay_over_changes_for_all() -> None:
    bench = Bench()
    bench.smsc.set_behaviour({"receipt_seconds": 1}, "yanshu")
    bench.smsc.set_behaviour({"receipt_seconds": 5, "id_form": "decimal"})
    assert (bench.desk.behaviour.receipt_seconds, bench.desk.behaviour.id_form) == (1, "decimal")
    assert bench.line.changes == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"latency": 1}, "latency"), ({"refuse_rate": 2}, "refuse_rate"), ({"id_form": "octal"}, "id_form"), ({"silent": "yes"}, "silent")],
)
def test_wrong_behaviour_is_refused_by_name_and_changes_nothing(changes: dict[str, Any], named: str) -> None:
    bench = Bench()
    for account in (None, "yanshu"):
        with pytest.raises(BehaviourError, match=named):
            bench.smsc.set_behaviour(changes, account)
    assert bench.desk.behaviour == Behaviour()


def test_unknown_accounts_and_handsets_are_named() -> None:
    bench = Bench()
    with pytest.raises(UnknownName, match="nobody"):
        bench.smsc.set_behaviour({}, "nobody")
    with pytest.raises(UnknownName, match="8613900000000"):
        bench.smsc.reply("8613900000000", "hi")


ADMISSIONS = [
    ("right", "yanshu", "simulate", "10.1.2.3", Admission.WELCOME),
    ("wrong password", "yanshu", "guess", "10.1.2.3", Admission.BAD_PASSWORD),
    ("unknown account", "nobody", "simulate", "10.1.2.3", Admission.NOT_ALLOWED),
    ("account of another protocol", "cmpp/yanshu", "simulate", "10.1.2.3", Admission.NOT_ALLOWED),
    ("foreign address", "yanshu", "simulate", "192.0.2.1", Admission.NOT_ALLOWED),
]


@pytest.mark.parametrize(
    ("account", "password", "address", "admission"), [row[1:] for row in ADMISSIONS], ids=[row[0] for row in ADMISSIONS]
)
def test_binds_are_checked(account: str, password: str, address: str, admission: Admission) -> None:
    bench = Bench(Account(addresses=("10.0.0.0/8",)))
    assert bench.smsc.admit(account, password.__eq__, address) is admission
    assert bench.smsc.state()["totals"]["refused_binds"] == (admission is not Admission.WELCOME)


def test_more_binds_than_allowed_are_told_that_they_are_bound_already() -> None:
    bench = Bench(Account(max_binds=1))
    assert bench.smsc.admit("yanshu", "simulate".__eq__, "127.0.0.1") is Admission.ALREADY_BOUND


def test_a_long_reply_goes_in_parts_that_share_a_reference() -> None:
    bench = Bench()
    bench.submit(ORDINARY)
    assert bench.smsc.reply("+" + ORDINARY, "好" * 100) == 2
    first, second = bench.replies()
    assert (first.reference, first.parts, first.part) == (second.reference, 2, 1)
