"""The simulated carrier itself: decides what becomes of every submit. No socket, no clock of its own."""

import copy
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from msgspec.structs import asdict

from yanshu.ports.clock import Clock
from yanshu.simulator.accounts import AccountDesk, Admission, Line
from yanshu.simulator.behaviour import Behaviour, SimulatorSettings, changed
from yanshu.simulator.handsets import Handsets, write_reply
from yanshu.simulator.identifiers import MICROSECOND, first_number
from yanshu.simulator.ledger import Ledger
from yanshu.simulator.schedule import Schedule
from yanshu.simulator.script import DELIVERED, Reply, Report, Script, find_script
from yanshu.simulator.traffic import Inbound, Receipt, Segment

SEED_LENGTH = 8
GARBAGE_LENGTH = 64
YESTERDAY = 86_400 * MICROSECOND  # a number of a day ago is nobody's
PLAIN_REPORT = DELIVERED[0]


class UnknownName(LookupError):
    """No such account or handset."""


class Smsc:
    """One carrier with its accounts, handsets and counters."""

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.schedule = Schedule()
        self.behaviour = settings.behaviour
        self.desks = {account.name: AccountDesk(account, settings.behaviour) for account in settings.accounts}
        self.handsets = Handsets(settings.handset_limit, settings.inbox_limit)
        self.ledger = Ledger(settings.ledger_limit)
        self.unknown_binds = 0
        self.note = ""
        self.dice = Random(clock.entropy(SEED_LENGTH) if settings.seed is None else settings.seed)  # noqa: S311 - no secret
        self._next_number = first_number(clock.now())
        self._next_reference = 0

    def admit(self, account: str, proves: Callable[[str], bool], address: str) -> Admission:
        """Judge a bind of the account with this name; see `AccountDesk.admit`."""
        desk = self.desks.get(account)
        if desk is None:
            self.unknown_binds += 1
            return Admission.NOT_ALLOWED
        return desk.admit(proves, address)

    def submitted(self, line: Line, request: object, segment: Segment) -> None:
        """Decide on one submit: answer, receipts, reply, now or later."""
        desk = line.account
        desk.tally.submits += 1
        script = find_script(segment.destination)
        if script is None and desk.is_plain:
            number = self._take(line, segment)
            line.answer(request, 0, line.id_text(segment, number))
            self._report_plain(line, segment, number, 0.0)
            return
        self._consider(line, request, segment, script)

    def _consider(self, line: Line, request: object, segment: Segment, script: Script | None) -> None:
        """The long way: faults, refusals, delays and the script."""
        desk = line.account
        behaviour = desk.behaviour
        if behaviour.drop_every and desk.tally.submits % behaviour.drop_every == 0:
            desk.tally.cut += 1
            line.cut()
            return
        if behaviour.garbage_every and desk.tally.submits % behaviour.garbage_every == 0:
            line.write_garbage(self.dice.randbytes(GARBAGE_LENGTH))
        delay = behaviour.answer_seconds + behaviour.answer_jitter_seconds * self.dice.random()
        if status := self._refusal(line, segment, script):
            self._note(desk, segment, status, None)
            self._later(delay, partial(line.answer, request, status, ""))
            return
        number = self._take(line, segment)
        answer = partial(line.answer, request, 0, line.id_text(segment, number))
        if script is None:
            self._answer(desk, delay, answer)
            self._report_plain(line, segment, number, delay)
        else:
            self._play(line, segment, number, script, (delay, answer))

    def _play(self, line: Line, segment: Segment, number: int, script: Script, answering: tuple[float, Callable[[], None]]) -> None:
        """Follow the script of a test number. Receipts are scheduled first: number 10 reports before it answers."""
        delay, answer = answering
        if segment.part not in script.lost_segments or segment.parts == 1:
            for report in script.reports:
                self._later(delay + self._scaled(report.after), partial(self._report, line, segment, number, report))
        if script.answer_after is None:
            line.account.tally.unanswered += 1
        else:
            self._answer(line.account, delay + self._scaled(script.answer_after), answer)
        if script.reply is not None and segment.part == segment.parts:
            self._later(delay + self._scaled(script.reply.after), partial(self._scripted_reply, line, segment, script.reply))

    def _refusal(self, line: Line, segment: Segment, script: Script | None) -> int:
        """Return the status a submit is refused with, or 0; counts it."""
        desk, status = line.account, 0
        behaviour = desk.behaviour
        if desk.exceeds(self.clock.monotonic()) or (script and script.throttles and desk.throttles_again(segment, script.throttles)):
            status = line.throttled
        elif script and script.refused and desk.account.refuses_07:
            status = line.busy
        elif behaviour.refuse_rate and self.dice.random() < behaviour.refuse_rate:
            status = behaviour.refuse_code or line.busy
        if status == line.throttled:
            desk.tally.throttled += 1
        elif status:
            desk.tally.refused += 1
        return status

    def _take(self, line: Line, segment: Segment) -> int:
        """Take responsibility for a segment; return its number."""
        desk = line.account
        number = self._next_number = self._next_number + 1
        desk.tally.accepted += 1
        if self.settings.keep_ledger:
            self._note(desk, segment, 0, line.id_text(segment, number))
        return number

    def _note(self, desk: AccountDesk, segment: Segment, status: int, carrier_message_id: str | None) -> None:
        """Write the ledger, if one is kept."""
        if self.settings.keep_ledger:
            self.ledger.add(desk.name, segment, status, carrier_message_id)

    def _answer(self, desk: AccountDesk, delay: float, answer: Callable[[], None]) -> None:
        """Answer after `delay`, unless the dice lose the answer."""
        if desk.behaviour.answer_loss_rate and self.dice.random() < desk.behaviour.answer_loss_rate:
            desk.tally.unanswered += 1
            return
        self._later(delay, answer)

    def _report_plain(self, line: Line, segment: Segment, number: int, delay: float) -> None:
        """Report delivery, or that it failed, as the behaviour says, counted from the answer."""
        behaviour, report = line.account.behaviour, PLAIN_REPORT
        if behaviour.fail_rate and self.dice.random() < behaviour.fail_rate:
            report = Report(0, behaviour.fail_stat, behaviour.fail_err)
        if behaviour.receipt_jitter_seconds:
            delay += behaviour.receipt_jitter_seconds * self.dice.random()
        delay += behaviour.receipt_seconds
        if delay:
            self._later(delay, partial(self._report, line, segment, number, report))
        else:
            self._report(line, segment, number, report)

    def _report(self, line: Line, segment: Segment, number: int, report: Report) -> None:
        """Let the handset have the segment and send the receipt."""
        desk = line.account
        if report.is_delivery:
            self.handsets.receive(desk, segment)
        if not segment.wants_receipt:
            return
        behaviour = desk.behaviour
        if behaviour.receipt_loss_rate and self.dice.random() < behaviour.receipt_loss_rate:
            desk.tally.lost_receipts += 1
            return
        numbers = [number]
        if behaviour.receipt_duplicate_rate and self.dice.random() < behaviour.receipt_duplicate_rate:
            numbers.append(number)
        if behaviour.stray_receipt_rate and self.dice.random() < behaviour.stray_receipt_rate:
            numbers.insert(0, number - YESTERDAY)
        for reported in numbers:
            desk.tally.receipts += 1
            desk.hand_over(Receipt(segment, reported, report, self.clock.now().timestamp(), is_stray=reported != number), line)

    def _scripted_reply(self, line: Line, segment: Segment, reply: Reply) -> None:
        """Say what the script says, as often as it says."""
        parts = write_reply(line.account, segment.destination, segment.source, reply.text, self._reference())
        for _ in range(reply.times):
            for part in parts:
                self._hand_in(line.account, copy.copy(part))

    def reply(self, number: str, text: str, to: str | None = None) -> int:
        """Send `text` from a handset to the number that last wrote to it (or `to`); return its segments.

        Raises `UnknownName` for a handset that never got anything, as nobody would know over which account it came.
        """
        handset = self.handsets.find(number)
        if handset is None or handset.desk is None:
            raise UnknownName(f"no text has reached handset {number}")
        parts = write_reply(handset.desk, handset.number, to or handset.arrived[-1].segment.source, text, self._reference())
        for part in parts:
            self._hand_in(handset.desk, part)
        return len(parts)

    def _hand_in(self, desk: AccountDesk, part: Inbound) -> None:
        """Deliver one part of an inbound text."""
        desk.tally.inbounds += 1
        desk.hand_over(part)

    def _reference(self) -> int:
        """Return the next reference of a long inbound text."""
        self._next_reference = (self._next_reference + 1) & 0xFF
        return self._next_reference

    def _scaled(self, seconds: float) -> float:
        """Return a scripted delay at the settings' speed."""
        return seconds / self.settings.time_factor

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        """Do it after `delay`, or now."""
        if delay > 0:
            self.schedule.add(self.clock.monotonic() + delay, action)
        else:
            action()

    def set_behaviour(self, changes: dict[str, Any], account: str | None = None) -> Behaviour:
        """Change the behaviour of one account or, where accounts have no own, of all. Raises `BehaviourError`, `UnknownName`."""
        if account is not None:
            desk = self.desk(account)
            desk.override(self.behaviour, changes)
            return desk.behaviour
        self.behaviour = changed(self.behaviour, changes)
        for desk in self.desks.values():
            desk.follow(self.behaviour)
        return self.behaviour

    def restore(self, account: str | None = None) -> None:
        """Behave as at the start: one account, or all. Raises `UnknownName`."""
        if account is not None:
            self.desk(account).restore(self.behaviour)
            return
        self.behaviour = self.settings.behaviour
        for desk in self.desks.values():
            desk.restore(self.behaviour)

    def desk(self, account: str) -> AccountDesk:
        """Return the desk of the account of this name; raises `UnknownName`."""
        if account not in self.desks:
            raise UnknownName(f"no account {account}")
        return self.desks[account]

    def cut_links(self, account: str | None = None) -> int:
        """Drop all links, or those of one account, without a word; return how many."""
        desks = [self.desk(account)] if account is not None else list(self.desks.values())
        lines = [line for desk in desks for line in desk.lines]
        for line in lines:
            line.account.tally.cut += 1
            line.cut()
        return len(lines)

    def state(self) -> dict[str, Any]:
        """Return counters and behaviour as JSON values: in total and by account."""
        accounts = {
            name: {"links": len(desk.lines), "waiting": len(desk.waiting), **asdict(desk.tally), "behaviour": asdict(desk.behaviour)}
            for name, desk in self.desks.items()
        }
        totals: dict[str, int] = {}
        for values in accounts.values():
            for name, value in values.items():
                if isinstance(value, int):
                    totals[name] = totals.get(name, 0) + value
        totals["refused_binds"] += self.unknown_binds
        return {
            "totals": totals,
            "accounts": accounts,
            "behaviour": asdict(self.behaviour),
            "handsets": len(self.handsets),
            "scheduled": len(self.schedule),
            "ledger": len(self.ledger),
            "note": self.note,
        }
