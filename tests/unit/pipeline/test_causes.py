"""Which table a receipt is read by, and what it then means."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import AnswerResult, Submission, SubmissionStatus
from yanshu.pipeline.causes import Causes
from yanshu.rules.contacts.prefixes import shipped_prefixes
from yanshu.rules.routing.codes import Finding, Grounds, read_codes
from yanshu.testing.causes import shipped_causes
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples

NOW = datetime(2026, 11, 23, tzinfo=UTC)
O = OutcomeClass  # noqa: E741 - short for the rows below
# One number, another class at each.
TABLE = (
    "carrier,code,class\nany,7,unknown\ncmcc,7,blacklist\ncucc,7,suspended\nctcc,7,handset\nsgip_report,7,param\nsgip_resp,7,frequency\n"
    "twilio,7,ported\nvonage,7,time_window\n"
)
MOBILE, BROADCAST, UNICOM, TELECOM = "+8613800138000", "+8619212345678", "+8618612345678", "+8619912345678"
SAMPLES = Samples(FakeClock())


class Site:
    """A router with one connector a protocol, named by it."""

    connectors: ClassVar = {
        protocol: SAMPLES.connector(id=protocol, protocol=protocol) for protocol in ("smpp", "cmpp", "sgip", "smgp", "http")
    } | {
        provider: SAMPLES.connector(id=provider, protocol="http", settings={"provider": provider})
        for provider in ("alibaba", "tencent", "twilio", "vonage_signed")
    }
    connectors["telecom"] = SAMPLES.connector(id="telecom", protocol="smpp")

    def serves(self, connector_id: str) -> Operator | None:
        return Operator.CTCC if connector_id in {"telecom", "sgip"} else None


@pytest.fixture(scope="module")
def causes() -> Causes:
    codes = read_codes(TABLE)
    return Causes(lambda: codes, shipped_prefixes(), Site())


def submission(recipient: str, connector_id: str, stat: str | None, err: str | None = None, **fields: Any) -> Submission:
    status = fields.pop("status", SubmissionStatus.UNDELIVERED)
    return Submission(
        message_id="msg_1",
        attempt=1,
        segment=1,
        total=1,
        connector_id=connector_id,
        recipient=recipient,
        status=status,
        answered_at=NOW,
        receipt_status=stat,
        receipt_code=err,
        **fields,
    )


READ = [
    ("the recipient's operator", MOBILE, "smpp", O.BLACKLIST),
    ("Broadcast lives on China Mobile's network", BROADCAST, "smpp", O.BLACKLIST),
    ("an aggregator speaks CMPP for China Unicom, too", UNICOM, "cmpp", O.SUSPENDED),
    ("a connector for one operator: the number has moved there", MOBILE, "telecom", O.HANDSET),
    ("and SMGP for China Mobile", MOBILE, "smgp", O.BLACKLIST),
    ("China Telecom", TELECOM, "smpp", O.HANDSET),
    ("SGIP's reports have a table of their own", UNICOM, "sgip", O.PARAM),
    ("so have Twilio's", UNICOM, "twilio", O.PORTED),
    ("and Vonage's, signed or not", MOBILE, "vonage_signed", O.TIME_WINDOW),
    ("a cloud that passes on what operators say", MOBILE, "alibaba", O.BLACKLIST),
    ("a range of nobody's: the protocol's operator", "+8615412345678", "smgp", O.HANDSET),
    ("a range of nobody's over SMPP", "+8615412345678", "smpp", O.UNKNOWN),
    ("abroad", "+85261234567", "smpp", O.UNKNOWN),
    ("the connector is gone", UNICOM, "", O.SUSPENDED),
    ("a recipient that is no E.164", "10086", "", O.UNKNOWN),
]


@pytest.mark.parametrize(("name", "recipient", "protocol", "outcome"), READ, ids=[case[0] for case in READ])
def test_a_receipt_is_read_by_the_table_of(causes: Causes, name: str, recipient: str, protocol: str, outcome: OutcomeClass) -> None:
    found = causes.find(submission(recipient, protocol, "UNDELIV", "7"))
    assert found is not None
    assert found.outcome is outcome


def test_without_a_last_word_there_is_no_cause(causes: Causes) -> None:
    assert causes.find(submission(MOBILE, "smpp", None, status=SubmissionStatus.ACCEPTED)) is None
    assert causes.find(submission(MOBILE, "smpp", None, status=SubmissionStatus.UNANSWERED)) is None


def test_what_counts_as_delivered_is_delivered_by_whatever_name(causes: Causes) -> None:
    found = causes.find(submission(MOBILE, "cmpp", "ACCEPTD", status=SubmissionStatus.DELIVERED))
    assert found == Finding(O.DELIVERED, Grounds.STATE)


def test_a_state_alone_needs_no_error(causes: Causes) -> None:
    assert causes.find(submission(MOBILE, "cmpp", "EXPIRED")) == Finding(O.EXPIRED, Grounds.STATE)


def test_what_was_decided_by_an_earlier_reading_is_told_so(causes: Causes) -> None:
    read_then = submission(MOBILE, "cmpp", "UNDELIV", "7", outcome=O.PORTED)
    assert causes.find(read_then) == Finding(O.PORTED, Grounds.EARLIER)
    assert causes.find(submission(MOBILE, "cmpp", "UNDELIV", "7", outcome=O.BLACKLIST)) == Finding(O.BLACKLIST, Grounds.LISTED)


R = AnswerResult
ANSWERS = [
    ("SMPP: the recipient's address", "smpp", R.REFUSED, "0x0000000b", O.PARAM, Grounds.LISTED),
    ("SMPP: its service type", "smpp", R.REFUSED, "0x00000015", O.NOT_ORDERED, Grounds.LISTED),
    ("SMPP: its system failed", "smpp", R.BUSY, "0x00000008", O.CARRIER_ERROR, Grounds.LISTED),
    ("SMPP: its application rejects", "smpp", R.REFUSED, "0x00000066", O.GATEWAY_BLOCKED, Grounds.LISTED),
    ("SMPP: the vendor's own, refused", "smpp", R.REFUSED, "0x00000444", O.UNKNOWN, Grounds.ANSWER),
    ("SMPP: the vendor's own, passing", "smpp", R.BUSY, "0x00000444", O.CARRIER_ERROR, Grounds.ANSWER),
    ("Alibaba: too many to this number", "alibaba", R.REFUSED, "isv.BUSINESS_LIMIT_CONTROL", O.FREQUENCY, Grounds.LISTED),
    ("Tencent: the template", "tencent", R.REFUSED, "FailedOperation.TemplateIncorrectOrUnapproved", O.PARAM, Grounds.LISTED),
    ("Twilio: the person has opted out", "twilio", R.REFUSED, "21610", O.UNSUBSCRIBED, Grounds.LISTED),
    ("Vonage: a number that is barred", "vonage_signed", R.REFUSED, "7", O.BLACKLIST, Grounds.LISTED),
    ("HTTP: a template that does not fit", "alibaba", R.REFUSED, "local: no template of this connector", O.PARAM, Grounds.ANSWER),
    ("CMPP: service_id against the contract", "cmpp", R.REFUSED, "7", O.NOT_ORDERED, Grounds.LISTED),
    ("CMPP: the recipient", "cmpp", R.REFUSED, "13", O.PARAM, Grounds.LISTED),
    ("CMPP: other errors, or a number it does not serve", "cmpp", R.BUSY, "9", O.CARRIER_ERROR, Grounds.LISTED),
    ("SGIP: a user unknown, in a response", "sgip", R.REFUSED, "29", O.INVALID_NUMBER, Grounds.LISTED),
    ("SMGP: forbidden hours", "smgp", R.BUSY, "74", O.TIME_WINDOW, Grounds.LISTED),
    ("SMGP: over the day's volume", "smgp", R.REFUSED, "75", O.FREQUENCY, Grounds.LISTED),
    ("a table of receipts is not asked", "cmpp", R.REFUSED, "69", O.UNKNOWN, Grounds.ANSWER),
    ("HTTP: a named code", "http", R.REFUSED, "DB:0141", O.BLACKLIST, Grounds.SHARED),
    ("too fast, beside accepted segments", "http", R.THROTTLED, None, O.FREQUENCY, Grounds.ANSWER),
    ("never written, beside accepted segments", "smpp", R.UNSENT, None, O.CARRIER_ERROR, Grounds.ANSWER),
    ("what fits no field of ours", "smpp", R.REFUSED, "local: service_type is longer than 5", O.PARAM, Grounds.ANSWER),
    ("the connector is gone", "", R.REFUSED, "7", O.UNKNOWN, Grounds.ANSWER),
]


@pytest.mark.parametrize(("name", "protocol", "result", "code", "outcome", "grounds"), ANSWERS, ids=[case[0] for case in ANSWERS])
def test_an_answer_is_read(
    name: str, protocol: str, result: AnswerResult, code: str | None, outcome: OutcomeClass, grounds: Grounds
) -> None:
    causes = shipped_causes(Site())
    assert causes.of_answer(protocol, result, code) == Finding(outcome, grounds)
    refused = submission(MOBILE, protocol, None, status=SubmissionStatus.REFUSED, code=code, outcome=outcome)
    assert causes.find(refused) == Finding(outcome, grounds), "it is told as it was read"
