"""What each status of Submit_Resp means for a message, and how long it stops a link: tables with one comment a row (protocols.md §6.6)."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.smgp.constants import Status

_REFUSED, _BUSY, _THROTTLED = AnswerResult.REFUSED, AnswerResult.BUSY, AnswerResult.THROTTLED

RESULTS: dict[int, AnswerResult] = {
    Status.OK: AnswerResult.ACCEPTED,  # the gateway took it
    Status.BUSY: _THROTTLED,  # the specification has no code for "too fast": this is the nearest
    Status.TOO_MANY_CONNECTIONS: _BUSY,  # another try or another connector may do
    Status.STRUCTURE: _REFUSED,  # it cannot read our PDU; it will not read it next time either
    Status.COMMAND: _REFUSED,  # Submit is not for this account, or not for this login mode
    Status.DUPLICATE_SEQUENCE: _BUSY,  # a number it saw before: the next try has another
    Status.MSG_TYPE: _REFUSED,  # 6 (MT) is not for this account
    Status.PRIORITY: _REFUSED,  # priority against the contract
    Status.FEE_TYPE: _REFUSED,  # fee_type against the contract
    Status.FEE_CODE: _REFUSED,  # fee_code against the contract
    Status.MSG_FORMAT: _REFUSED,  # it does not take this text_format
    Status.TIME: _REFUSED,  # a time it cannot read
    Status.LENGTH: _REFUSED,  # the text is longer than it takes
    Status.EXPIRED: _REFUSED,  # its validity is over
    Status.NO_ROUTE: _BUSY,  # it does not reach the number: another connector may
    Status.FIXED_FEE: _REFUSED,  # fixed_fee against the contract
    Status.SERVICE_ID: _REFUSED,  # service_id against the contract
    Status.VALID_TIME: _REFUSED,  # ValidTime, which we leave empty
    Status.AT_TIME: _REFUSED,  # AtTime, which we leave empty
    Status.SRC_TERM_ID: _REFUSED,  # sender not ours or not allowed
    Status.DEST_TERM_ID: _REFUSED,  # recipient is no number it can reach
    Status.CHARGE_TERM_ID: _REFUSED,  # charged number, which we leave empty
    Status.SP_CODE: _REFUSED,  # msg_src wrong or missing
    Status.M_SERVICE_ID: _REFUSED,  # m_service_id wrong or missing
    Status.FORBIDDEN_HOURS: _THROTTLED,  # not at this hour: the link stops, nothing is lost
    Status.OVER_DAILY_VOLUME: _THROTTLED,  # not today: the link stops, nothing is lost
    Status.ACCOUNT_EXPIRED: _THROTTLED,  # the contract has run out: the link stops until somebody renews it
}

_PAUSE_SECONDS = 1.0
_STOPS: dict[int, timedelta] = {
    Status.FORBIDDEN_HOURS: timedelta(minutes=10),  # which hours these are it does not say: ask again now and then
    Status.OVER_DAILY_VOLUME: timedelta(hours=1),  # until midnight, or until somebody has raised the volume
    Status.ACCOUNT_EXPIRED: timedelta(minutes=15),  # as after a refused login
}
# Gateways keep Beijing time; there has been no summer time since 1991. Their clock need not be ours to the second.
_BEIJING = timezone(timedelta(hours=8))
_AFTER_MIDNIGHT = timedelta(seconds=30)


def result_of(status: int, overrides: Mapping[int, AnswerResult]) -> AnswerResult:
    """Return what a status means; 56 to 72 (routing between gateways), the carrier's own and unknown ones are worth another try."""
    return overrides.get(status) or RESULTS.get(status, _BUSY)


def pause_of(status: int, now: datetime) -> float:
    """Return how many seconds a link pauses after a throttling status; a daily volume begins anew at midnight in Beijing."""
    stop = _STOPS.get(status)
    if stop is None:
        return _PAUSE_SECONDS
    if status == Status.OVER_DAILY_VOLUME:
        local = now.astimezone(_BEIJING)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        stop = min(stop, midnight - local + _AFTER_MIDNIGHT)
    return stop.total_seconds()
