"""Times of SMPP and CMPP."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.smpp.submits import relative_time
from yanshu.protocols.times import read_time

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

READ = [
    ("nothing", "", None),
    ("Beijing time", "260301200000032+", NOW),
    ("west of Greenwich", "260301070000020-", NOW),
    ("tenths", "260301120000500+", NOW + timedelta(milliseconds=500)),
    ("a span", "000001020304000R", NOW + timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ("a span of months", "010200000000000R", NOW + timedelta(days=425)),
]


@pytest.mark.parametrize(("name", "text", "moment"), READ, ids=[case[0] for case in READ])
def test_a_time_is_read(name: str, text: str, moment: datetime | None) -> None:
    assert read_time(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["tomorrow", "2603012000000324", "260332000000000+", "26030120000003+", "260301200000049+", "٢60301200000032+"]
)
def test_what_is_no_time_is_the_peers_fault(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        read_time(text, NOW)


@pytest.mark.parametrize("seconds", [1, 59, 3600, 86_399, 86_400, 30 * 86_400])
def test_a_span_we_write_is_read_as_the_same(seconds: int) -> None:
    assert read_time(relative_time(seconds), NOW) == NOW + timedelta(seconds=seconds)


def test_the_offset_may_be_twelve_hours() -> None:
    assert read_time("260301000000048-", NOW) == datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=-12)))
