"""Suppress: no notice and no marketing to a dead number, but for one message now and then, to see whether it still is.

An OTP goes out in any case: somebody has just typed the number in, which proves more than last month's receipts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from yanshu.domain.errors import CallerError, RecipientRefused
from yanshu.domain.lanes import Lane
from yanshu.domain.numbers import NumberFacts
from yanshu.rules.compliance.verdicts import Draft
from yanshu.rules.contacts.lessons import is_suppressed

# The receipt of a probe comes within 72 hours or not at all; then it is somebody else's turn.
_PROBE_WAIT = timedelta(days=3)


class Suppressed(Struct, frozen=True):
    """Which recipients of a chunk are refused, by place; and the dead numbers that are tried again, with the time of the next try."""

    refusals: dict[int, CallerError]
    probes: dict[str, datetime]


NOBODY = Suppressed({}, {})


def suppress(drafts: Sequence[Draft], now: datetime) -> Suppressed:
    """Return who of a chunk gets nothing; of a number that is due to be tried again, the first message goes through."""
    dead = [
        (place, draft.facts) for place, draft in enumerate(drafts) if draft.facts and draft.facts.dead_since and draft.lane is not Lane.OTP
    ]
    refusals: dict[int, CallerError] = {}
    probes: dict[str, datetime] = {}
    for place, facts in dead:
        if is_suppressed(facts, now) or facts.number in probes:
            refusals[place] = _refusal(facts)
        else:
            probes[facts.number] = now + _PROBE_WAIT
    return Suppressed(refusals, probes) if dead else NOBODY


def _refusal(facts: NumberFacts) -> CallerError:
    return RecipientRefused("suppressed", param="to", since=_day(facts.dead_since), until=_day(facts.probe_at))


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "-"
