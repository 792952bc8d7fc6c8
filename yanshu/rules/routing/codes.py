"""The table of codes: what a carrier's code in a receipt or an answer means, by the table of the carrier that wrote it.

It is a dated data file. Codes that it does not list are read by their form, as far as that tells: how China Telecom joins
state and error (``UNDELIVS705S``), and the family a code of China Mobile belongs to (``MK:…``).
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from typing import NamedTuple

from yanshu.domain.outcomes import OutcomeClass

ANY = "any"
# Those that end in _resp are of answers to a submit, by protocol, or by the provider of an HTTP carrier.
TABLES = (
    "any",
    "cmcc",
    "cucc",
    "ctcc",
    "alibaba_resp",
    "cmpp_resp",
    "sgip_report",
    "sgip_resp",
    "smgp_resp",
    "smpp_resp",
    "tencent_resp",
    "twilio",
    "twilio_resp",
    "volcengine",
    "vonage",
    "vonage_resp",
)
_HEADING = ["carrier", "code", "class"]
_CLASSES = {str(outcome): outcome for outcome in OutcomeClass}
_REMEMBERED = 4096
# Longer than any carrier's code; what is longer is noise, and noise is not remembered.
LONGEST = 64

# A table that is asked when the first has no answer: numbers of China Unicom's reports and of its lists differ where both exist.
_THEN: dict[str, str] = {"sgip_report": "cucc"}

# SMPP 3.4, message_state, in the words of all protocols.
STATES: dict[str, OutcomeClass] = {
    "ENROUTE": OutcomeClass.ACCEPTED,
    "DELIVRD": OutcomeClass.DELIVERED,
    "EXPIRED": OutcomeClass.EXPIRED,
    "DELETED": OutcomeClass.UNKNOWN,
    "UNDELIV": OutcomeClass.DEAD_OR_OFF,
    "ACCEPTD": OutcomeClass.ACCEPTED,
    "UNKNOWN": OutcomeClass.UNKNOWN,
    "REJECTD": OutcomeClass.GATEWAY_BLOCKED,
}
_GOOD_NEWS = frozenset({OutcomeClass.ACCEPTED, OutcomeClass.DELIVERED})
# States that no override reads otherwise.
GOOD_STATES = frozenset(state for state, outcome in STATES.items() if outcome in _GOOD_NEWS)
Classes = Mapping[tuple[str, str], OutcomeClass]
# China Mobile: the first letter is the hop (M: SMSC, C: prepaid, D: services, I: next gateway), the second what happened there
# (A: no link, B: refused, C: no report, I, K, N: the SMSC's EXPIRED, UNDELIV, REJECTD). ID is the gateway itself.
FAMILIES: dict[str, OutcomeClass] = {
    "MI": OutcomeClass.EXPIRED,
    "MK": OutcomeClass.DEAD_OR_OFF,
    "MN": OutcomeClass.DEAD_OR_OFF,
    **dict.fromkeys(("MA", "MC", "IA", "IB", "IC", "CA", "DA"), OutcomeClass.CARRIER_ERROR),
    **dict.fromkeys(("ID", "DB", "CB"), OutcomeClass.NOT_ORDERED),
}
# Hops that did not answer or never reported: what they were given may well have arrived. MM is the SMSC's own "unknown".
SILENT = ("MA:", "IA:", "MC:", "IC:", "MM:")
UNTOLD = "UNKNOWN"
_JOINED = re.compile(r"(UNDELIV|EXPIRED|REJECTD|DELIVRD)[S_]?([0-9]{3})S?")


class Grounds(StrEnum):
    """What an answer rests on, the surest first."""

    OVERRIDDEN = "overridden"  # an override of ours
    LISTED = "listed"  # the carrier's own table has the code
    SHARED = "shared"  # the table for all has it, or all tables that have it agree
    JOINED = "joined"  # China Telecom's state and error in one
    FAMILY = "family"  # China Mobile's family of codes
    STATE = "state"  # the state alone
    ANSWER = "answer"  # no table has the code of an answer: how the connector takes it
    EARLIER = "earlier"  # as it was read when it came; today's table reads it otherwise
    NOTHING = "nothing"


class Finding(NamedTuple):
    """What a code means, and how that is known. `is_proven`: a failure is one, not just news that never came."""

    outcome: OutcomeClass
    grounds: Grounds
    is_proven: bool = True


_UNKNOWN = Finding(OutcomeClass.UNKNOWN, Grounds.NOTHING)


class CodeError(ValueError):
    """A table cannot be read; the message names the line and the fix."""


class Codes:
    """The classes by carrier and code. Equal questions are answered from memory: a busy carrier uses few codes (budget: 1 µs).

    `overrides` come before all of them, and hold for a table or for the connector with that id.
    """

    def __init__(self, classes: Classes, overrides: Classes | None = None) -> None:
        self._classes = dict(classes)
        self._agreed = _agreed(classes)
        self._overrides = dict(overrides or {})
        self._connectors = {carrier for carrier, _ in self._overrides} - set(TABLES)
        self._answers: dict[tuple[str, str, str, str], Finding] = {}

    def overridden(self, overrides: Classes) -> "Codes":
        """Return the same table with these overrides, and with no others."""
        return Codes(self._classes, overrides)

    def __len__(self) -> int:
        return len(self._classes)

    def find(self, carrier: str, stat: str, err: str, connector_id: str = "") -> Finding:
        """Return what a receipt with this state and error means; `carrier` is one of `TABLES`, others are read as ``any``."""
        asked = (carrier, stat, err, connector_id if connector_id in self._connectors else "")
        answer = self._answers.get(asked)
        if answer is None:
            answer = self._find(carrier, tidy(stat), tidy(err), connector_id)
            if len(stat) <= LONGEST and len(err) <= LONGEST:
                if len(self._answers) >= _REMEMBERED:
                    self._answers.clear()
                self._answers[asked] = answer
        return answer

    def _find(self, carrier: str, stat: str, err: str, connector_id: str) -> Finding:
        """Read the error, else the state: the error is the nearer cause."""
        state = STATES.get(stat)
        if state in _GOOD_NEWS:  # an error beside good news is none
            return Finding(state, Grounds.STATE)
        carriers = (connector_id, carrier, ANY)
        if ours := self._overridden(carriers, err):
            return ours
        found, code = self._read(carrier, err, stat) if err and err != stat else None, err
        if found is None and (ours := self._overridden(carriers, stat)):
            return ours
        if found is None:
            found, code = self._read(carrier, stat, "") if state is None else Finding(state, Grounds.STATE), stat
        return (found or _UNKNOWN)._replace(is_proven=not code.startswith(SILENT) and code != UNTOLD)

    def _overridden(self, carriers: tuple[str, ...], code: str) -> Finding | None:
        """Look a code up in our own readings; whoever says what it means has proven it, unless he says that he does not know."""
        for carrier in carriers if self._overrides else ():
            if outcome := self._overrides.get((carrier, code)):
                return Finding(outcome, Grounds.OVERRIDDEN, outcome is not OutcomeClass.UNKNOWN)
        return None

    def _read(self, carrier: str, code: str, stat: str) -> Finding | None:
        """Read one code: the tables, then its form."""
        if carrier == "ctcc" and code.isdecimal():
            return self._listed(carrier, code) or self._telecom(f"ERR:{code}", f"{stat}S{code}S") or _family(code)
        return self._listed(carrier, code) or self._joined(code) or _family(code)

    def _listed(self, carrier: str, code: str) -> Finding | None:
        """Look a code up. A code with a letter in it tells by itself whose it is, so that it is found whoever passes it on."""
        for table in (carrier, _THEN.get(carrier)):
            if table != ANY and (outcome := self._classes.get((table or "", code))):
                return Finding(outcome, Grounds.LISTED)
        outcome = self._classes.get((ANY, code)) or self._agreed.get(code)
        return Finding(outcome, Grounds.SHARED) if outcome else None

    def _joined(self, code: str) -> Finding | None:
        """Read ``UNDELIVS705S`` and its other spellings: as a whole, by its error, by its state."""
        match = _JOINED.fullmatch(code)
        if match is None:
            return None
        stat, err = match.groups()
        return self._telecom(f"{stat}S{err}S", f"ERR:{err}") or Finding(STATES[stat], Grounds.JOINED)

    def _telecom(self, *spellings: str) -> Finding | None:
        """Return what China Telecom's table says of the first spelling that it has."""
        found = (self._classes.get(("ctcc", spelling)) for spelling in spellings)
        return next((Finding(outcome, Grounds.JOINED) for outcome in found if outcome), None)


def _family(code: str) -> Finding | None:
    """Read a code by its family."""
    outcome = FAMILIES.get(code[:2]) if code[2:3] == ":" else None
    return Finding(outcome, Grounds.FAMILY) if outcome else None


def tidy(code: str) -> str:
    """Return a code as the table writes it, whatever the gateway made of its case and its colon."""
    return code.strip().upper().replace("：", ":")


def _agreed(classes: Classes) -> dict[str, OutcomeClass]:
    """Return the codes with a letter of which all tables that have them say the same; numbers mean nothing without their carrier."""
    found: dict[str, set[OutcomeClass]] = {}
    for (_, code), outcome in classes.items():
        if any(character.isalpha() for character in code):
            found.setdefault(code, set()).add(outcome)
    return {code: outcomes.pop() for code, outcomes in found.items() if len(outcomes) == 1}


def shipped_codes() -> Codes:
    """Return the table that comes with this version."""
    return read_codes((resources.files("yanshu.rules.routing") / "receipt_codes.csv").read_text("utf-8"))


def read_codes(text: str) -> Codes:
    """Read a table: lines of carrier, code, class under a heading; lines that begin with # are remarks. Raises `CodeError`."""
    classes: dict[tuple[str, str], OutcomeClass] = {}
    heading: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if heading is None:
            heading = cells
            if heading != _HEADING:
                raise CodeError(f"line {number}: the heading is {','.join(_HEADING)}")
            continue
        key, outcome = _row(number, cells)
        if key in classes:
            raise CodeError(f"line {number}: {key[1]} of {key[0]} stands there twice; leave one")
        classes[key] = outcome
    if not classes:
        raise CodeError("the table has no rows")
    return Codes(classes)


def _row(number: int, cells: list[str]) -> tuple[tuple[str, str], OutcomeClass]:
    """Read one row."""
    if len(cells) != len(_HEADING):
        raise CodeError(f"line {number}: {len(_HEADING)} fields are expected, not {len(cells)}")
    carrier, code, named = cells
    if carrier not in TABLES:
        raise CodeError(f"line {number}: carrier is one of {', '.join(TABLES)}, not {carrier!r}")
    if not code or len(code) > LONGEST or code != tidy(code):
        raise CodeError(f"line {number}: a code has 1 to {LONGEST} characters, in capitals, not {code!r}")
    if named not in _CLASSES:
        raise CodeError(f"line {number}: class is one of {', '.join(_CLASSES)}, not {named!r}")
    return (carrier, code), _CLASSES[named]
