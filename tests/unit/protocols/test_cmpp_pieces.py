"""Digests, reports and message ids of CMPP: the vectors, and what gateways make of them."""

from datetime import UTC, datetime

import pytest

from tests.unit.protocols.test_cmpp_codec import CASES
from yanshu.protocols.cmpp import digests, reports
from yanshu.protocols.cmpp.constants import Version

CONNECTS = [(version, vector["name"], vector["fields"]) for version, vector in CASES if vector["pdu"] == "connect"]
ANSWERS = [(version, vector["fields"]) for version, vector in CASES if vector["pdu"] == "connect_resp"]
REPORTS = [(version, vector["fields"]) for version, vector in CASES if "report" in vector["fields"]]


@pytest.mark.parametrize(("version", "name", "fields"), CONNECTS, ids=[f"{c[0].name}-{c[1]}" for c in CONNECTS])
def test_the_digest_of_a_connect_is_that_of_the_vector(version: Version, name: str, fields: dict[str, object]) -> None:
    made = digests.authenticator_source(str(fields["source_addr"]), str(fields["_secret"]), int(str(fields["timestamp"])))
    assert made.hex() == fields["auth"]


@pytest.mark.parametrize(("version", "fields"), ANSWERS, ids=[case[0].name for case in ANSWERS])
@pytest.mark.parametrize("width", [1, 4])
def test_a_gateway_may_digest_its_status_as_one_octet_or_as_four(version: Version, fields: dict[str, object], width: int) -> None:
    source = bytes.fromhex(str(fields["_request_authenticator"]))
    assert digests.is_from_gateway(bytes.fromhex(str(fields["auth_ismg"])), 0, source, "s3cr3t!")
    assert digests.is_from_gateway(digests.authenticator_ismg(0, source, "s3cr3t!", width), 0, source, "s3cr3t!")
    assert not digests.is_from_gateway(digests.authenticator_ismg(0, source, "another", width), 0, source, "s3cr3t!")


TIMES = [
    ("a November evening", datetime(2023, 11, 8, 2, 41, 59, tzinfo=UTC), 1108104159),
    ("a January morning has nine digits", datetime(2024, 1, 1, 19, 4, 5, tzinfo=UTC), 102030405),
    ("the day is Beijing's", datetime(2023, 12, 31, 16, 0, 0, tzinfo=UTC), 101000000),
]


@pytest.mark.parametrize(("name", "now", "stamp"), TIMES, ids=[case[0] for case in TIMES])
def test_a_timestamp_is_beijing_time(name: str, now: datetime, stamp: int) -> None:
    assert digests.timestamp(now) == stamp


def test_a_short_id_is_digested_bare_or_padded() -> None:
    bare = digests.authenticator_source("901", "s", 1)
    assert digests.authenticator_source("901", "s", 1, padded=True) != bare
    assert digests.authenticator_source("901234", "s", 1, padded=True) == digests.authenticator_source("901234", "s", 1)


@pytest.mark.parametrize(("version", "fields"), REPORTS, ids=[case[0].name for case in REPORTS])
def test_the_report_of_a_vector_is_read_and_written(version: Version, fields: dict[str, dict[str, object]]) -> None:
    content = bytes.fromhex(str(fields["content"]["hex"]))
    found = reports.parse(content)
    assert found == reports.Report(**fields["report"])  # type: ignore[arg-type]
    assert reports.build(found, long=version is Version.V30) == content


def test_a_report_of_60_octets_in_a_3_0_session_is_read_by_its_length() -> None:
    made = reports.Report(5, "DELIVRD", "2311081041", "2311081043", "13800138000", 9)
    short, long = reports.build(made, long=False), reports.build(made, long=True)
    assert (len(short), len(long)) == (60, 71)
    assert reports.parse(short) == reports.parse(long) == made


CUT = [
    ("nothing at all", b"", None),
    ("an id alone", bytes(8), None),
    ("a state and dates, no number", bytes(7) + b"\x05" + b"MK:0001" + b"2311081041" * 2, "MK:0001"),
]


@pytest.mark.parametrize(("name", "content", "stat"), CUT, ids=[case[0] for case in CUT])
def test_a_report_is_read_as_far_as_it_goes(name: str, content: bytes, stat: str | None) -> None:
    found = reports.parse(content)
    assert (found and found.stat) == stat


def test_a_message_id_tells_its_time_its_gateway_and_its_serial_number() -> None:
    parts = reports.take_apart(0xB42A9EC0303902A6)
    assert parts == reports.MessageId(11, 8, 10, 41, 59, 12345, 678)
    assert reports.put_together(parts) == 0xB42A9EC0303902A6
