"""Which table a receipt is read by, and what it then means."""

from datetime import UTC, datetime

import pytest

from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Submission, SubmissionStatus
from yanshu.pipeline.causes import Causes
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.rules.routing.codes import Finding, Grounds, read_codes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
O = OutcomeClass  # noqa: E741 - short for the rows below
# One number, another class at each.
TABLE = (
    "carrier,code,class\nany,7,unknown\ncmcc,7,blacklist\ncucc,7,suspended\nctcc,7,handset\nsgip_report,7,param\nsgip_resp,7,frequency\n"
)
MOBILE, BROADCAST, UNICOM, TELECOM = "+8613800138000", "+8619212345678", "+8618612345678", "+8619912345678"


@pytest.fixture(scope="module")
def causes() -> Causes:
    return Causes(read_codes(TABLE), shipped_prefixes())


def submission(recipient: str, stat: str | None, err: str | None, status: SubmissionStatus = SubmissionStatus.UNDELIVERED) -> Submission:
    return Submission(
        message_id="msg_1",
        attempt=1,
        segment=1,
        total=1,
        connector_id="con_1",
        recipient=recipient,
        status=status,
        answered_at=NOW,
        receipt_status=stat,
        receipt_code=err,
    )


READ = [
    ("the recipient's operator", MOBILE, "smpp", O.BLACKLIST),
    ("Broadcast lives on China Mobile's network", BROADCAST, "smpp", O.BLACKLIST),
    ("an aggregator speaks CMPP for China Unicom, too", UNICOM, "cmpp", O.SUSPENDED),
    ("and SMGP for China Mobile", MOBILE, "smgp", O.BLACKLIST),
    ("China Telecom", TELECOM, "smpp", O.HANDSET),
    ("SGIP's reports have a table of their own", UNICOM, "sgip", O.PARAM),
    ("a range of nobody's: the protocol's operator", "+8615412345678", "smgp", O.HANDSET),
    ("a range of nobody's over SMPP", "+8615412345678", "smpp", O.UNKNOWN),
    ("abroad", "+85261234567", "smpp", O.UNKNOWN),
    ("the connector is gone", UNICOM, "", O.SUSPENDED),
    ("a recipient that is no E.164", "10086", "", O.UNKNOWN),
]


@pytest.mark.parametrize(("name", "recipient", "protocol", "outcome"), READ, ids=[case[0] for case in READ])
def test_a_receipt_is_read_by_the_table_of(causes: Causes, name: str, recipient: str, protocol: str, outcome: OutcomeClass) -> None:
    found = causes.find(submission(recipient, "UNDELIV", "7"), protocol)
    assert found is not None
    assert found.outcome is outcome


def test_without_a_receipt_there_is_no_cause(causes: Causes) -> None:
    assert causes.find(submission(MOBILE, None, None), "smpp") is None


def test_what_counts_as_delivered_is_delivered_by_whatever_name(causes: Causes) -> None:
    found = causes.find(submission(MOBILE, "ACCEPTD", None, SubmissionStatus.DELIVERED), "cmpp")
    assert found == Finding(O.DELIVERED, Grounds.STATE)


def test_a_state_alone_needs_no_error(causes: Causes) -> None:
    assert causes.find(submission(MOBILE, "EXPIRED", None), "cmpp") == Finding(O.EXPIRED, Grounds.STATE)
