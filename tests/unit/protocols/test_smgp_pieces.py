"""Digests and reports of SMGP: the vectors, and what gateways make of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.protocols.test_smgp_codec import VECTORS
from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.smgp import digests, reports

FIELDS: dict[str, dict[str, Any]] = {vector["name"]: vector["fields"] for vector in VECTORS}
LOGIN, LOGIN_RESP, REPORT = FIELDS["login"], FIELDS["login_resp_ok"], FIELDS["deliver_report"]
CLIENT = bytes.fromhex(LOGIN["auth"])
SECRET: str = LOGIN["_secret"]


# --- digests ---


def test_the_digest_of_a_login_is_that_of_the_vector() -> None:
    assert digests.authenticator_client(LOGIN["client_id"], SECRET, LOGIN["timestamp"]) == CLIENT


def test_the_digest_of_a_login_resp_is_that_of_the_vector() -> None:
    assert digests.authenticator_server(0, CLIENT, SECRET).hex() == LOGIN_RESP["auth_server"]


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("status", [0, 21, 0xFFFFFFFF])
def test_a_gateway_may_digest_its_status_as_one_octet_or_as_four(status: int, width: int) -> None:
    digest = digests.authenticator_server(status, CLIENT, SECRET, width)
    assert digests.is_from_gateway(digest, status, CLIENT, SECRET)
    assert not digests.is_from_gateway(digest, status, CLIENT, "another")


STRANGE = [("none at all", bytes(16)), ("a constant text", b"0123456789abcdef")]


@pytest.mark.parametrize(("name", "digest"), STRANGE, ids=[case[0] for case in STRANGE])
def test_a_digest_that_is_none_proves_nothing(name: str, digest: bytes) -> None:
    assert not digests.is_from_gateway(digest, 0, CLIENT, SECRET)


TIMES = [
    ("a November morning", datetime(2023, 11, 8, 2, 41, 59, tzinfo=UTC), 1108104159),
    ("the example of the specification", datetime(2008, 2, 29, 16, 0, 0, tzinfo=UTC), 0x11F0E540),
    ("the day and the year are Beijing's", datetime(2023, 12, 31, 16, 0, 0, tzinfo=UTC), 101000000),
]


@pytest.mark.parametrize(("name", "now", "stamp"), TIMES, ids=[case[0] for case in TIMES])
def test_a_timestamp_is_beijing_time(name: str, now: datetime, stamp: int) -> None:
    assert digests.timestamp(now) == stamp


def test_a_timestamp_of_nine_digits_enters_a_digest_with_ten() -> None:
    # MD5 of "901234", seven zeros, "s" and "0301000000".
    assert digests.authenticator_client("901234", "s", 301000000).hex() == "35adcd7c097c069532e1451f6b997d1e"


# --- reports ---


def test_the_report_of_the_vector_is_read_and_written() -> None:
    content = bytes.fromhex(REPORT["content"]["hex"])
    fields = dict(REPORT["report"])
    found = reports.parse(content)
    assert found == reports.Report(msg_id=fields.pop("id"), **fields)
    assert reports.build(found) == content
    assert len(content) == 122


ID = bytes.fromhex("01006111081041000678")
WHOLE = reports.Report("01006111081041000678", "001", "001", "2311081041", "2311081043", "UNDELIV", "006", "005hello")
_SHORT = reports.Report(msg_id=WHOLE.msg_id, stat="UNDELIV")

FORMS = [
    (
        "the regular form",
        b"id:%b sub:001 dlvrd:001 submit date:2311081041 done date:2311081043 stat:UNDELIV err:006 text:005hello" % ID,
        WHOLE,
    ),
    (
        "capitalised labels",
        b"Id:%b Sub:001 Dlvrd:001 Submit date:2311081041 Done date:2311081043 Stat:UNDELIV Err:006 Text:005hello" % ID,
        WHOLE,
    ),
    (
        "underscores and txt",
        b"id:%b sub:001 dlvrd:001 submit_date:2311081041 done_date:2311081043 stat:UNDELIV err:006 txt:005hello" % ID,
        WHOLE,
    ),
    (
        "no blank between the id and sub",
        b"id:%bsub:001 dlvrd:001 submit date:2311081041 done date:2311081043 stat:UNDELIV err:006 text:005hello" % ID,
        WHOLE,
    ),
    (
        "the letter s between the fields",
        b"id:%bsSub:001sDlvrd:001sSubmit_Date:2311081041sDone_Date:2311081043sStat:UNDELIVsErr:006sText:005hello" % ID,
        WHOLE,
    ),
    (
        "an id of twenty digits",
        b"id:01006111081041000678 sub:001 dlvrd:001 submit date:2311081041 done date:2311081043 stat:UNDELIV err:006 text:005hello",
        WHOLE,
    ),
    ("an id of twenty hex digits", b"id:6495C36AC4EA6B00000B stat:DELIVRD", reports.Report("6495c36ac4ea6b00000b", stat="DELIVRD")),
    ("ten octets that are digits", b"id:0123456789 sub:001", reports.Report("30313233343536373839", "001")),
    ("NULs around values", b"id:%b sub:\0\0\0 stat:UNDELIV err:\0\0\0 text:" % ID + bytes(20), _SHORT),
    ("nothing but a state behind the id", b"id:%b stat:UNDELIV" % ID, _SHORT),
    (
        "a blank behind each label",
        b"id:%b sub: 001 stat: UNDELIV err: 006" % ID,
        reports.Report(WHOLE.msg_id, "001", stat="UNDELIV", err="006"),
    ),
    ("labels without values", b"id:%b sub: dlvrd:stat:UNDELIV err: text:" % ID, _SHORT),
    ("a state shorter than seven", b"id:%b stat:MK1 err:001" % ID, reports.Report(WHOLE.msg_id, stat="MK1", err="001")),
    (
        "a text that looks like a report",
        b"id:%b stat:UNDELIV text:009stat:DELIVRD" % ID,
        reports.Report(WHOLE.msg_id, stat="UNDELIV", text="009stat:DELIVRD"),
    ),
    ("a label twice", b"id:%b stat:UNDELIV stat:DELIVRD" % ID, _SHORT),
    ("a state without an id", b"stat:UNDELIV text:paid:1234567890", reports.Report(stat="UNDELIV", text="paid:1234567890")),
    ("an id alone", b"id:%b" % ID, reports.Report(WHOLE.msg_id)),
]


@pytest.mark.parametrize(("name", "content", "report"), FORMS, ids=[case[0] for case in FORMS])
def test_a_report_is_read_in_any_form(name: str, content: bytes, report: reports.Report) -> None:
    assert reports.parse(content) == report


IDS = [
    ("with NULs", bytes(9) + b"\x01"),
    ("NULs only", bytes(10)),
    ("no BCD", bytes.fromhex("6495c36ac4ea6b00000b")),
    ("a label", b"stat:DELIV"),
    ("the label of the text", b"text:1sub:"),
    ("its own label", b"id:id:id:i"),
    ("blanks and line ends", b" \r\n\t\x85\xa0    "),
    ("digits", b"0123456789"),
]


@pytest.mark.parametrize(("name", "ident"), IDS, ids=[case[0] for case in IDS])
def test_an_id_may_hold_any_octets(name: str, ident: bytes) -> None:
    report = reports.Report(ident.hex(), "001", "001", "2311081041", "2311081043", "DELIVRD", "000", "005hello")
    assert reports.parse(reports.build(report)) == report


NONE = [
    ("nothing", b""),
    ("a text", "您好".encode("gb18030")),
    ("an id cut short", b"id:123456789"),
    ("fields without an id or a state", b"sub:001 dlvrd:001 err:000 text:hello"),
    ("a state without a value", b"stat: err:000"),
]


@pytest.mark.parametrize(("name", "content"), NONE, ids=[case[0] for case in NONE])
def test_what_has_neither_an_id_nor_a_state_is_no_report(name: str, content: bytes) -> None:
    assert reports.parse(content) is None


UNFIT = [
    ("an id of nine octets", reports.Report("00" * 9)),
    ("a state of eight characters", reports.Report("00" * 10, stat="DELIVERD")),
    ("a text of 21 characters", reports.Report("00" * 10, text="x" * 21)),
    ("a text that is not plain", reports.Report("00" * 10, text="您好")),
]


@pytest.mark.parametrize(("name", "report"), UNFIT, ids=[case[0] for case in UNFIT])
def test_a_report_that_does_not_fit_is_our_error(name: str, report: reports.Report) -> None:
    with pytest.raises(LocalProtocolError):
        reports.build(report)
