"""The table of receipt codes: what it says of codes, and what is wrong with a table."""

import re

import pytest

from yanshu.domain.outcomes import OutcomeClass
from yanshu.rules.routing.codes import LONGEST, TABLES, CodeError, Codes, Grounds, read_codes, shipped_codes

O = OutcomeClass  # noqa: E741 - short for the rows below
G = Grounds


@pytest.fixture(scope="module")
def codes() -> Codes:
    return shipped_codes()


# The codes that matter most (china-sms.md §5.3): table, class, codes.
COMMON: list[tuple[str, OutcomeClass, str]] = [
    ("cmcc", O.INVALID_NUMBER, "MK:0000 MK:0001 MK:0012 MN:0001 CB:0001 CB:0053 DB:0100 DB:0101"),
    ("cmcc", O.SUSPENDED, "MK:0005 MI:0013 MN:0013 DB:0102 DB:0103"),
    ("cmcc", O.DEAD_OR_OFF, "MK:0010 MK:0011 MK:0013"),
    ("cmcc", O.OFF_OR_UNREACHABLE, "MI:0024 MK:0024 MK:0008 MK:0009 MK:0029"),
    ("cmcc", O.HANDSET, "MK:0017 MC:0055 MK:0208"),
    ("cmcc", O.BLACKLIST, "DB:0141 DB:0144 MB:1076 MB:1077 ID:0069 HD:19 BWLIST TSBLACK XA:0139"),
    ("cmcc", O.UNSUBSCRIBED, "MX:0012 TUIDING"),
    ("cmcc", O.CONTENT_BLOCKED, "TC:0007 -106 MH:0007 XA:0004 ID:0318 MK:93 MB:1079 MB:1083 NOTITLE INVALID E200020 GB:0016"),
    ("cmcc", O.SIGNATURE, "XA:0003 SIGFAIL GB:0004 TX:2000 TX:2003"),
    ("cmcc", O.FREQUENCY, "IB:0008 ID:0008 MB:1070 MK:0061 MK:0062 DB:0142 DB:0143 MX:0003 TE:0003 LIMIT MILIMIT BEYONDN"),
    ("cmcc", O.TIME_WINDOW, "DB:0139 ID:0044"),
    ("cmcc", O.NOT_ORDERED, "DB:0147"),
    ("cmcc", O.PORTED, "NP:1243 BD:0000 DB:0126 DB:0129 ID:0043 LT:0036"),
    ("cucc", O.INVALID_NUMBER, "SGIP:1 SGIP:12"),
    ("cucc", O.SUSPENDED, "SGIP:5 SGIP:13 SGIP:-74"),
    ("cucc", O.DEAD_OR_OFF, "SGIP:24 SGIP:29"),
    ("cucc", O.OFF_OR_UNREACHABLE, "SGIP:10"),
    ("cucc", O.HANDSET, "LT:0008 43 79"),
    ("cucc", O.BLACKLIST, "34 69"),
    ("cucc", O.FREQUENCY, "SGIP:83"),
    ("cucc", O.PORTED, "LT:11 LT:23"),
    ("ctcc", O.INVALID_NUMBER, "613 640"),
    ("ctcc", O.SUSPENDED, "601 702 705"),
    ("ctcc", O.OFF_OR_UNREACHABLE, "602 615 EXPIREDS702S EXPIREDS660S"),
    ("ctcc", O.CONTENT_BLOCKED, "006 612 713"),
    ("volcengine", O.SIGNATURE, "CR:0215"),
    ("twilio", O.OFF_OR_UNREACHABLE, "30003"),
    ("twilio", O.INVALID_NUMBER, "30005"),
    ("twilio", O.NO_SMS_SERVICE, "30006"),
    ("twilio", O.CONTENT_BLOCKED, "30007"),
    ("vonage", O.INVALID_NUMBER, "3"),
    ("vonage", O.PORTED, "5"),
    ("vonage", O.CONTENT_BLOCKED, "6"),
    ("volcengine", O.TIME_WINDOW, "CR:0203"),
    ("volcengine", O.PORTED, "NE:0106"),
]
ROWS = [(table, outcome, code) for table, outcome, listed in COMMON for code in listed.split()]


@pytest.mark.parametrize(("table", "outcome", "code"), ROWS, ids=[f"{table} {code}" for table, _, code in ROWS])
def test_a_common_code_is_known(codes: Codes, table: str, outcome: OutcomeClass, code: str) -> None:
    assert codes.find(table, "UNDELIV", code).outcome is outcome


FOUND: list[tuple[str, tuple[str, str, str], OutcomeClass, Grounds]] = [
    ("the code stands in place of the state, as in CMPP", ("cmcc", "MK:0001", "MK:0001"), O.INVALID_NUMBER, G.LISTED),
    ("the code stands in place of the state, no error beside it", ("cmcc", "MK:0001", ""), O.INVALID_NUMBER, G.LISTED),
    ("an error that says nothing leaves the word to the state's code", ("cmcc", "MK:0001", "000"), O.INVALID_NUMBER, G.LISTED),
    ("a code of the table for all", ("cucc", "REJECTD", "TSBLACK"), O.BLACKLIST, G.SHARED),
    ("a named code passed on by a stranger", ("ctcc", "UNDELIV", "MK:0001"), O.INVALID_NUMBER, G.SHARED),
    ("a named code from nobody knows where", ("any", "MK:0001", ""), O.INVALID_NUMBER, G.SHARED),
    ("a carrier that has no table", ("cbn", "", "MK:0001"), O.INVALID_NUMBER, G.SHARED),
    ("a number from nobody knows where", ("any", "UNDELIV", "69"), O.DEAD_OR_OFF, G.STATE),
    ("another carrier's number", ("cmcc", "UNDELIV", "69"), O.DEAD_OR_OFF, G.STATE),
    ("small letters, spaces and a wide colon", ("cmcc", " undeliv", "mk：0001 "), O.INVALID_NUMBER, G.LISTED),
    ("SGIP: 5 in a report is a suspended line", ("sgip_report", "UNDELIV", "5"), O.SUSPENDED, G.LISTED),
    ("SGIP: 5 in a response is a bad field", ("sgip_resp", "", "5"), O.PARAM, G.LISTED),
    ("SGIP: 1 in a report is a dead number", ("sgip_report", "UNDELIV", "1"), O.INVALID_NUMBER, G.LISTED),
    ("SGIP: 1 in a response is a bad login", ("sgip_resp", "", "1"), O.NOT_ORDERED, G.LISTED),
    ("SGIP: 24 in a report is a phone that is off", ("sgip_report", "UNDELIV", "24"), O.DEAD_OR_OFF, G.LISTED),
    ("SGIP: 33 in a response is too fast", ("sgip_resp", "", "33"), O.FREQUENCY, G.LISTED),
    ("SGIP: what the reports' table lacks is in China Unicom's", ("sgip_report", "UNDELIV", "69"), O.BLACKLIST, G.LISTED),
    ("SGIP: 33 in a report is a full queue", ("sgip_report", "UNDELIV", "33"), O.CARRIER_ERROR, G.LISTED),
    ("SGIP: responses have nothing of it", ("sgip_resp", "", "69"), O.UNKNOWN, G.NOTHING),
    ("Telecom: joined, in the table", ("ctcc", "UNDELIVS705S", ""), O.SUSPENDED, G.LISTED),
    ("Telecom: joined, whoever passes it on", ("cmcc", "EXPIREDS602S", ""), O.OFF_OR_UNREACHABLE, G.SHARED),
    ("Telecom: joined without the letters", ("ctcc", "UNDELIV705", ""), O.SUSPENDED, G.JOINED),
    ("Telecom: joined by a line", ("ctcc", "EXPIRED_602", ""), O.OFF_OR_UNREACHABLE, G.JOINED),
    ("Telecom: joined, known by its error alone", ("ctcc", "REJECTDS613S", ""), O.INVALID_NUMBER, G.JOINED),
    ("Telecom: joined, known by its state alone", ("ctcc", "EXPIREDS444S", ""), O.EXPIRED, G.JOINED),
    ("Telecom: joined good news", ("ctcc", "DELIVRDS000S", ""), O.DELIVERED, G.JOINED),
    ("Telecom: joined in the error", ("ctcc", "UNDELIV", "UNDELIVS705S"), O.SUSPENDED, G.LISTED),
    ("Telecom: side by side, the error known by itself", ("ctcc", "UNDELIV", "613"), O.INVALID_NUMBER, G.JOINED),
    ("Telecom: the error without a state", ("ctcc", "613", ""), O.INVALID_NUMBER, G.JOINED),
    ("Telecom: side by side, known together only", ("ctcc", "EXPIRED", "765"), O.INVALID_NUMBER, G.JOINED),
    ("Mobile: a family, refused by the network", ("cmcc", "MK:7777", ""), O.DEAD_OR_OFF, G.FAMILY),
    ("Mobile: a family, a hop that failed", ("cmcc", "IA:7777", ""), O.CARRIER_ERROR, G.FAMILY),
    ("Mobile: a family beside a state", ("cmcc", "REJECTD", "ID:7777"), O.NOT_ORDERED, G.FAMILY),
    ("the letters of a family without its colon", ("cmcc", "MKX7777", ""), O.UNKNOWN, G.NOTHING),
    ("the state alone", ("cmcc", "EXPIRED", ""), O.EXPIRED, G.STATE),
    ("the state when the error is strange", ("cmcc", "REJECTD", "?!"), O.GATEWAY_BLOCKED, G.STATE),
    ("good news with an error beside it", ("cucc", "DELIVRD", "69"), O.DELIVERED, G.STATE),
    ("not the last word", ("cmcc", "ACCEPTD", "MK:0001"), O.ACCEPTED, G.STATE),
    ("nothing at all", ("cmcc", "", ""), O.UNKNOWN, G.NOTHING),
    ("noise", ("nobody", "\x00" * 400, "號" * 400), O.UNKNOWN, G.NOTHING),
]


@pytest.mark.parametrize(("name", "asked", "outcome", "grounds"), FOUND, ids=[case[0] for case in FOUND])
def test_a_receipt_is_read(codes: Codes, name: str, asked: tuple[str, str, str], outcome: OutcomeClass, grounds: Grounds) -> None:
    found = codes.find(*asked)
    assert (found.outcome, found.grounds) == (outcome, grounds)
    assert codes.find(*asked) == found, "from memory it is the same"


# Whether a failure is proven: the hop that did not answer, or heard nothing more, may have passed it on.
UNPROVEN = [
    ("the SMSC did not answer", ("cmcc", "MA:0054", "MA:0054"), False),
    ("the next gateway did not answer", ("cmcc", "IA:0054", ""), False),
    ("no report came from the SMSC", ("cmcc", "MC:0055", ""), False),
    ("no report came from the next gateway", ("smpp", "UNDELIV", "IC:0001"), False),
    ("the SMSC does not know", ("cmcc", "MM:0001", ""), False),
    ("the carrier does not know", ("cmcc", "UNKNOWN", ""), False),
    ("the carrier does not know, and its error says nothing", ("cmcc", "UNKNOWN", "000"), False),
    ("the carrier does not know, but its error does", ("cmcc", "UNKNOWN", "MK:0001"), True),
    ("charging did not answer, before anything was sent", ("cmcc", "CA:0054", ""), True),
    ("the network refused", ("cmcc", "MK:0001", ""), True),
    ("validity ended", ("cmcc", "EXPIRED", ""), True),
    ("rejected", ("cmcc", "REJECTD", "?!"), True),
    ("a code of nobody knows whose in place of a state is a failure all the same", ("cmcc", "ZZ:0001", ""), True),
]


@pytest.mark.parametrize(("name", "asked", "proven"), UNPROVEN, ids=[case[0] for case in UNPROVEN])
def test_a_failure_is_proven_or_not(codes: Codes, name: str, asked: tuple[str, str, str], proven: bool) -> None:
    assert codes.find(*asked).is_proven is proven


def test_the_shipped_table_has_every_carrier_and_is_asked_without_end(codes: Codes) -> None:
    assert len(codes) > 2000
    for number in range(10_000):
        codes.find("cmcc", "UNDELIV", f"ZZ:{number}")
    assert len(codes._answers) <= 4096
    assert codes.find("cmcc", "x" * (LONGEST + 1), "").grounds is G.NOTHING
    assert ("cmcc", "x" * (LONGEST + 1), "") not in codes._answers


def test_the_table_cannot_be_changed_from_outside() -> None:
    classes = {("cmcc", "A"): O.PORTED}
    codes = Codes(classes)
    classes["cmcc", "A"] = O.PARAM
    assert codes.find("cmcc", "A", "").outcome is O.PORTED


def test_tables_that_disagree_on_a_named_code_say_nothing_to_strangers() -> None:
    codes = read_codes(HEAD + "cmcc,X1,ported\ncucc,X1,param\n")
    assert codes.find("cucc", "X1", "")[:2] == (O.PARAM, G.LISTED)
    assert codes.find("ctcc", "X1", "")[:2] == (O.UNKNOWN, G.NOTHING)


OVERRIDES: list[tuple[str, tuple[str, str, str], str, OutcomeClass, Grounds]] = [
    ("of a table", ("cmcc", "MK:0001", ""), "con_2", O.SUSPENDED, G.OVERRIDDEN),
    ("of a connector, before that of a table", ("cmcc", "MK:0001", "MK:0001"), "con_1", O.PORTED, G.OVERRIDDEN),
    ("of all tables", ("ctcc", "UNDELIV", "QQ"), "", O.BLACKLIST, G.OVERRIDDEN),
    ("written otherwise", ("cmcc", "UNDELIV", " mk:0001"), "", O.SUSPENDED, G.OVERRIDDEN),
    ("of an answer", ("smpp_resp", "", "0x00000444"), "con_1", O.SIGNATURE, G.OVERRIDDEN),
    ("of a state, where the error is not known", ("cmcc", "UNDELIV", "?!"), "con_1", O.HANDSET, G.OVERRIDDEN),
    ("the error is the nearer cause", ("cmcc", "UNDELIV", "MK:0017"), "con_1", O.HANDSET, G.LISTED),
    ("not of another table", ("cucc", "MK:0001", ""), "", O.INVALID_NUMBER, G.SHARED),
    ("not of another connector", ("smpp_resp", "", "0x00000444"), "con_2", O.UNKNOWN, G.NOTHING),
    ("never of good news", ("cmcc", "DELIVRD", "MK:0001"), "con_1", O.DELIVERED, G.STATE),
]


@pytest.mark.parametrize(("name", "asked", "connector", "outcome", "grounds"), OVERRIDES, ids=[case[0] for case in OVERRIDES])
def test_an_override_holds(
    codes: Codes, name: str, asked: tuple[str, str, str], connector: str, outcome: OutcomeClass, grounds: Grounds
) -> None:
    ours = {
        ("cmcc", "MK:0001"): O.SUSPENDED,
        ("con_1", "MK:0001"): O.PORTED,
        ("any", "QQ"): O.BLACKLIST,
        ("con_1", "0X00000444"): O.SIGNATURE,
        ("con_1", "UNDELIV"): O.HANDSET,
    }
    found = codes.overridden(ours).find(*asked, connector)
    assert (found.outcome, found.grounds) == (outcome, grounds)
    assert codes.find(*asked, connector) == codes.overridden(ours).overridden({}).find(*asked, connector), "without, all is as before"


def test_who_says_what_a_code_means_has_proven_it_unless_he_does_not_know() -> None:
    codes = shipped_codes().overridden({("cmcc", "MC:0151"): O.GATEWAY_BLOCKED, ("cmcc", "MK:0001"): O.UNKNOWN})
    assert codes.find("cmcc", "MC:0151", "").is_proven
    assert not codes.find("cmcc", "MK:0001", "").is_proven


HEAD = "carrier,code,class\n"
BROKEN = [
    ("no heading", "cmcc,A,ported\n", "line 1: the heading is carrier,code,class"),
    ("nothing", "", "the table has no rows"),
    ("no rows", "# nothing\n" + HEAD, "the table has no rows"),
    ("a field too few", HEAD + "cmcc,A\n", "line 2: 3 fields are expected, not 2"),
    ("a comma in a code", HEAD + "cmcc,A,B,ported\n", "line 2: 3 fields are expected, not 4"),
    ("an unknown carrier", HEAD + "\nnetcom,A,ported\n", f"line 3: carrier is one of {', '.join(TABLES)}, not 'netcom'"),
    ("no code", HEAD + "cmcc,,ported\n", "line 2: a code has 1 to 64 characters, in capitals, not ''"),
    ("small letters", HEAD + "cmcc,mk:1,ported\n", "line 2: a code has 1 to 64 characters, in capitals, not 'mk:1'"),
    ("a code too long", HEAD + f"cmcc,{'A' * 65},ported\n", "line 2: a code has 1 to 64 characters"),
    ("an unknown class", HEAD + "cmcc,A,lost\n", "line 2: class is one of delivered, accepted,"),
    ("a code twice", HEAD + "cmcc,A,ported\ncmcc,A,param\n", "line 3: A of cmcc stands there twice; leave one"),
]


@pytest.mark.parametrize(("name", "text", "told"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_table_that_cannot_be_read_is_told_with_its_line(name: str, text: str, told: str) -> None:
    with pytest.raises(CodeError, match="^" + re.escape(told)):
        read_codes(text)
