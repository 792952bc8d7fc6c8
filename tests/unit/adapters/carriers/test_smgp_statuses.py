"""Statuses of SMGP: what they mean for a message, and how long they stop a link."""

from datetime import UTC, datetime

import pytest

from yanshu.adapters.carriers.smgp.statuses import RESULTS, pause_of, result_of
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.smgp.constants import Status

NIGHT = datetime(2026, 11, 8, 15, 59, 0, tzinfo=UTC)  # 23:59 in Beijing
MORNING = datetime(2026, 11, 8, 1, 0, 0, tzinfo=UTC)

PAUSES = [
    ("busy", Status.BUSY, NIGHT, 1.0),
    ("a status the connector calls throttled", 130, NIGHT, 1.0),
    ("forbidden hours", Status.FORBIDDEN_HOURS, MORNING, 600.0),
    ("an expired account", Status.ACCOUNT_EXPIRED, MORNING, 900.0),
    ("a daily volume in the morning", Status.OVER_DAILY_VOLUME, MORNING, 3600.0),
    ("a daily volume just before midnight in Beijing", Status.OVER_DAILY_VOLUME, NIGHT, 90.0),
]


@pytest.mark.parametrize(("name", "status", "now", "seconds"), PAUSES, ids=[case[0] for case in PAUSES])
def test_a_link_stops_for_as_long_as_the_status_says(name: str, status: int, now: datetime, seconds: float) -> None:
    assert pause_of(status, now) == seconds


def test_every_status_that_a_submit_may_bring_has_its_row() -> None:
    of_logins = {Status.ADDRESS, Status.AUTHENTICATION, Status.VERSION_TOO_HIGH}
    assert set(RESULTS) == set(Status) - of_logins


@pytest.mark.parametrize("status", [38, 56, 72, 77, 128, 255, 4096])
def test_a_status_in_no_table_is_worth_another_try_unless_the_connector_says_otherwise(status: int) -> None:
    assert result_of(status, {}) is AnswerResult.BUSY
    assert result_of(status, {status: AnswerResult.REFUSED}) is AnswerResult.REFUSED
