"""Hours are those of the people, over midnight too."""

from datetime import UTC, datetime

import pytest

from yanshu.domain.connectors import Hours
from yanshu.rules.routing.hours import Clock, find_zone

DAYTIME = Hours(start=8 * 60, end=21 * 60)
NIGHT = Hours(start=22 * 60, end=6 * 60)
FRIDAY_NIGHT = Hours(start=22 * 60, end=6 * 60, days=(5,))
SUNDAY_NIGHT = Hours(start=22 * 60, end=6 * 60, days=(7,))
WEEKEND = Hours(start=0, end=24 * 60, days=(6, 7))
BERLIN = Hours(start=8 * 60, end=20 * 60, zone="Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# 25 November 2026 is a Wednesday.
CASES = [
    ("the first minute", DAYTIME, "2026-11-25T08:00:00+08:00", True),
    ("before it", DAYTIME, "2026-11-25T07:59:59+08:00", False),
    ("the last second", DAYTIME, "2026-11-25T20:59:59+08:00", True),
    ("the end", DAYTIME, "2026-11-25T21:00:00+08:00", False),
    ("in the zone of the people", DAYTIME, "2026-11-25T01:00:00+00:00", True),
    ("before midnight", NIGHT, "2026-11-25T23:59:00+08:00", True),
    ("after midnight", NIGHT, "2026-11-26T05:59:00+08:00", True),
    ("by day", NIGHT, "2026-11-25T12:00:00+08:00", False),
    ("Friday night", FRIDAY_NIGHT, "2026-11-27T23:00:00+08:00", True),
    ("which lasts into Saturday", FRIDAY_NIGHT, "2026-11-28T05:00:00+08:00", True),
    ("but is not Friday morning", FRIDAY_NIGHT, "2026-11-27T05:00:00+08:00", False),
    ("nor Saturday night", FRIDAY_NIGHT, "2026-11-28T23:00:00+08:00", False),
    ("Sunday night lasts into Monday", SUNDAY_NIGHT, "2026-11-30T05:00:00+08:00", True),
    ("a whole day", WEEKEND, "2026-11-29T23:59:59+08:00", True),
    ("which begins at midnight", WEEKEND, "2026-11-28T00:00:00+08:00", True),
    ("another day", WEEKEND, "2026-11-30T00:00:00+08:00", False),
    ("summer time", BERLIN, "2026-07-01T06:00:00+00:00", True),
    ("winter time", BERLIN, "2026-12-01T06:00:00+00:00", False),
    ("a zone that is none", Hours(start=0, end=1440, zone="Moon/Base"), "2026-11-25T12:00:00+08:00", False),
]


@pytest.mark.parametrize(("hours", "moment", "within"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_time_lies_within_hours_or_not(hours: Hours, moment: str, within: bool) -> None:
    assert Clock([hours]).is_within(at(moment)) is within


def test_any_of_several_hours_will_do() -> None:
    clock = Clock([DAYTIME, WEEKEND])
    assert [clock.is_within(at(f"2026-11-{day}T23:00:00+08:00")) for day in (27, 28)] == [False, True]


def test_a_time_is_told_as_the_people_see_it() -> None:
    assert Clock([BERLIN]).tell(at("2026-11-25T23:30:00+00:00")) == "2026-11-26 00:30"


@pytest.mark.parametrize("name", ["Moon/Base", "", "../etc/passwd", "Asia", "/etc/localtime", "Asia/Shanghai\x00"])
def test_a_zone_that_is_none_is_not_found(name: str) -> None:
    assert find_zone(name) is None


def test_the_mainland_needs_no_database_of_zones() -> None:
    assert str(find_zone("Asia/Shanghai")) == "Asia/Shanghai"
