"""The definitions that ship: the request each builds, and what its carrier's answers and callbacks mean in our words."""

import json
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from yanshu.adapters.carriers.http.answers import Outcome, Reply, read_answer
from yanshu.adapters.carriers.http.building import NoTemplateFits, Site, build
from yanshu.adapters.carriers.http.callbacks import Stamp, read_inbounds, read_receipts, rows_of
from yanshu.adapters.carriers.http.definition import Definition, InboundMapping, ReceiptMapping, read_definition
from yanshu.adapters.carriers.http.provided import PROVIDED, definition_of
from yanshu.adapters.carriers.http.request import Credentials, Endpoint, Request
from yanshu.adapters.carriers.http.signing import sign
from yanshu.adapters.carriers.http.templates import Template, Templates
from yanshu.domain.errors import Invalid
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Encoding, Message, Status
from yanshu.domain.submissions import AnswerResult, InboundPart, Receipt, ReceiptState
from yanshu.ports.callbacks import Callback, CallbackKind, CallbackUrls

NOW = datetime(2026, 11, 22, 12, 57, 1, tzinfo=UTC)
MESSAGE = Message(
    id="msg_1",
    workspace_id="ws_1",
    livemode=True,
    lane=Lane.NOTICE,
    recipient="+8613800138000",
    sender="10690000",
    text="【雁书】code 12&3 中\n",
    encoding=Encoding.UCS2,
    units=17,
    segments=1,
    status=Status.SUBMITTING,
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW,
    due_at=None,
)
SETTINGS = {"tencent": {"region": "ap-guangzhou", "sdk_app_id": "1400"}}
TEMPLATES = Templates([Template("T0", "hello"), Template("T1", "code ${code} ${1}")])


def provided(name: str) -> Definition:
    return definition_of(name, {})


def site(name: str, **changes: Any) -> Site:
    fields: dict[str, Any] = {
        "endpoint": Endpoint("sms.example.com", 443),
        "credentials": Credentials("AC1", "s3cret"),
        "settings": SETTINGS.get(name, {}),
        "templates": TEMPLATES if provided(name).uses_templates else None,
        "urls": CallbackUrls("https://we.example/r?token=t", "https://we.example/i"),
    }
    return Site(**(fields | changes))


def form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), strict_parsing=True))


# name, URL, fields of the body
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "twilio",
        "https://sms.example.com/2010-04-01/Accounts/AC1/Messages.json",
        {"To": "+8613800138000", "From": "10690000", "Body": MESSAGE.text, "StatusCallback": "https://we.example/r?token=t"},
    ),
    (
        "alibaba",
        "https://sms.example.com/?OutId=msg_1&PhoneNumbers=8613800138000&SignName=%E9%9B%81%E4%B9%A6&TemplateCode=T1"
        "&TemplateParam=%7B%22code%22%3A%2212%263%22%2C%221%22%3A%22%E4%B8%AD%5Cn%22%7D",
        {},
    ),
    (
        "tencent",
        "https://sms.example.com/",
        {
            "PhoneNumberSet": ["+8613800138000"],
            "SmsSdkAppId": "1400",
            "SignName": "雁书",
            "TemplateId": "T1",
            "TemplateParamSet": ["12&3", "中\n"],
            "SessionContext": "msg_1",
        },
    ),
    (
        "huawei",
        "https://sms.example.com/sms/batchSendDiffSms/v1",
        {
            "from": "10690000",
            "statusCallback": "https://we.example/r?token=t",
            "extend": "msg_1",
            "smsContent": [{"to": ["+8613800138000"], "templateId": "T1", "templateParas": ["12&3", "中\n"], "signature": "雁书"}],
        },
    ),
    (
        "vonage",
        "https://sms.example.com/sms/json",
        {
            "from": "10690000",
            "to": "8613800138000",
            "text": MESSAGE.text,
            "type": "unicode",
            "callback": "https://we.example/r?token=t",
            "client-ref": "msg_1",
        },
    ),
    (
        "vonage_signed",
        "https://sms.example.com/sms/json",
        {
            "from": "10690000",
            "to": "8613800138000",
            "text": MESSAGE.text,
            "type": "unicode",
            "callback": "https://we.example/r?token=t",
            "client-ref": "msg_1",
        },
    ),
    (
        "generic_json",
        "https://sms.example.com/messages",
        {
            "to": "+8613800138000",
            "from": "10690000",
            "text": MESSAGE.text,
            "reference": "msg_1",
            "callback_url": "https://we.example/r?token=t",
            "reply_url": "https://we.example/i",
        },
    ),
    (
        "generic_form",
        "https://sms.example.com/send",
        {
            "account": "AC1",
            "password": "s3cret",
            "mobile": "8613800138000",
            "extension": "10690000",
            "content": MESSAGE.text,
            "reference": "msg_1",
        },
    ),
]


@pytest.mark.parametrize(("name", "url", "body"), REQUESTS, ids=[case[0] for case in REQUESTS])
def test_a_message_becomes_the_carriers_request(name: str, url: str, body: dict[str, Any]) -> None:
    definition = provided(name)
    request = build(definition, site(name), MESSAGE)
    assert (request.method, request.url) == ("POST", url)
    kind = request.header("content-type")
    assert (json.loads(request.body) if kind == "application/json" else form(request) if kind else {}) == body
    signed = sign(definition.send.auth.recipe, request, Credentials("AC1", "s3cret", definition.send.auth.scope), NOW, "n1")
    assert signed.url == request.url
    assert (signed.body == request.body) is (name != "vonage_signed")
    assert bool(signed.header("authorization")) == (name not in {"generic_form", "vonage_signed"})


def test_every_definition_that_ships_has_its_name_and_its_row() -> None:
    files = {item.name for item in (resources.files("yanshu.adapters.carriers.http") / "definitions").iterdir()}
    assert files == {f"{name}.json" for name in PROVIDED}
    assert {provided(name).name for name in PROVIDED} == set(PROVIDED) == {row[0] for row in REQUESTS}
    for name in ("../definition", ""):
        with pytest.raises(Invalid) as raised:
            provided(name)
        assert raised.value.param == "settings.provider"


def test_a_connector_may_change_a_definition_that_ships() -> None:
    changes = {"answer": {"results": {"21211": "busy", "20003": None}}, "callbacks": None}
    plain, changed = provided("twilio"), definition_of("twilio", changes)
    assert changed.answer.results == {**{k: v for k, v in plain.answer.results.items() if k != "20003"}, "21211": "busy"}
    assert (changed.callbacks, changed.send) == (None, plain.send)


def test_a_text_that_no_template_reads_like_is_not_sent() -> None:
    for text in ("code 12", "【雁书】code  中", "hello!", ""):
        with pytest.raises(NoTemplateFits):
            build(provided("tencent"), site("tencent"), msgspec.structs.replace(MESSAGE, text=text))
    bare = build(provided("tencent"), site("tencent"), msgspec.structs.replace(MESSAGE, text="hello"))
    assert json.loads(bare.body)["TemplateParamSet"] == []


def test_a_field_without_a_value_is_left_out() -> None:
    bare = msgspec.structs.replace(MESSAGE, sender="", text="hello", encoding=Encoding.GSM7)
    assert form(build(provided("twilio"), site("twilio", urls=CallbackUrls()), bare)) == {"To": "+8613800138000", "Body": "hello"}
    assert form(build(provided("vonage"), site("vonage", sender="Yanshu"), bare))["from"] == "Yanshu"
    assert form(build(provided("vonage"), site("vonage"), bare))["type"] == "text"
    assert "SignName" not in build(provided("alibaba"), site("alibaba"), bare).url
    assert "TemplateParam=%7B%7D" in build(provided("alibaba"), site("alibaba"), bare).url


def test_a_value_stays_in_its_path_and_its_header() -> None:
    values = {
        "name": "mine",
        "takes": ["app"],
        "send": {"path": "/a/${settings.app}/b", "auth": {"recipe": "none"}, "headers": {"X-App": "${settings.app}"}},
        "answer": {"id": [], "code": ["${http.status}"], "accepted": ["204"]},
    }
    request = build(read_definition(values), site("twilio", settings={"app": "../x?y\r\nHost: z"}), MESSAGE)
    assert request.path == "/a/..%2Fx%3Fy%0D%0AHost%3A%20z/b"
    assert request.header("x-app") == "..%2Fx%3Fy%0D%0AHost%3A%20z"


A, B, R, T, U = AnswerResult.ACCEPTED, AnswerResult.BUSY, AnswerResult.REFUSED, AnswerResult.THROTTLED, AnswerResult.UNANSWERED


def tencent(code: str, serial: str = "") -> dict[str, Any]:
    return {"Response": {"SendStatusSet": [{"SerialNo": serial, "Code": code}], "RequestId": "1"}}


def failing(code: str) -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": "no"}, "RequestId": "1"}}


def vonage(**fields: str) -> dict[str, Any]:
    return {"message-count": "1", "messages": [fields]}


# what happened, definition, status, body, result, carrier's id, code
ANSWERS: list[tuple[str, str, int, object, AnswerResult, str | None, str]] = [
    ("accepted", "twilio", 201, {"sid": "SM1", "status": "queued", "error_code": None}, A, "SM1", "queued"),
    ("throttled", "twilio", 429, {"code": 20429, "message": "no", "status": 429}, T, None, "20429"),
    ("refused", "twilio", 400, {"code": 21211, "message": "no", "status": 400}, R, None, "21211"),
    ("refused with a code of its own", "twilio", 400, {"code": 29999, "status": 400}, R, None, "29999"),
    ("wrong key", "twilio", 401, {"code": 20003, "status": 401}, B, None, "20003"),
    ("fell over", "twilio", 500, {"code": 20500, "status": 500}, U, None, "20500"),
    ("accepted", "alibaba", 200, {"Code": "OK", "BizId": "900619746936498440^0"}, A, "900619746936498440^0", "OK"),
    ("throttled", "alibaba", 400, {"Code": "Throttling.User"}, T, None, "Throttling.User"),
    ("refused", "alibaba", 200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, R, None, "isv.MOBILE_NUMBER_ILLEGAL"),
    ("too often for this person", "alibaba", 200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, R, None, "isv.BUSINESS_LIMIT_CONTROL"),
    ("no money", "alibaba", 200, {"Code": "isv.AMOUNT_NOT_ENOUGH"}, B, None, "isv.AMOUNT_NOT_ENOUGH"),
    ("a nonce used", "alibaba", 400, {"Code": "SignatureNonceUsed"}, U, None, "SignatureNonceUsed"),
    ("accepted", "tencent", 200, tencent("Ok", "2028:f825"), A, "2028:f825", "Ok"),
    ("throttled", "tencent", 200, failing("RequestLimitExceeded.UinLimit"), T, None, "RequestLimitExceeded.UinLimit"),
    (
        "refused",
        "tencent",
        200,
        tencent("InvalidParameterValue.IncorrectPhoneNumber"),
        R,
        None,
        "InvalidParameterValue.IncorrectPhoneNumber",
    ),
    ("wrong key", "tencent", 200, failing("AuthFailure.SignatureFailure"), B, None, "AuthFailure.SignatureFailure"),
    ("the day's limit of the account", "tencent", 200, tencent("LimitExceeded.AppDailyLimit"), B, None, "LimitExceeded.AppDailyLimit"),
    ("fell over", "tencent", 200, failing("InternalError.Timeout"), U, None, "InternalError.Timeout"),
    ("accepted", "huawei", 200, {"code": "000000", "result": [{"smsMsgId": "d6e3_1", "status": "000000"}]}, A, "d6e3_1:1", "000000"),
    ("throttled", "huawei", 200, {"code": "E000510", "result": [{"smsMsgId": "d", "status": "E200015"}]}, T, None, "E200015"),
    ("refused", "huawei", 200, {"code": "E000510", "result": [{"smsMsgId": "d", "status": "E200028"}]}, R, None, "E200028"),
    ("no signature", "huawei", 401, {"code": "E000001", "description": "no"}, B, None, "E000001"),
    ("accepted", "vonage", 200, vonage(**{"message-id": "0A00", "status": "0"}), A, "0A00", "0"),
    ("throttled", "vonage", 200, vonage(status="1"), T, None, "1"),
    ("refused", "vonage", 200, vonage(status="6"), R, None, "6"),
    ("no money", "vonage", 200, vonage(status="9"), B, None, "9"),
    ("a status nobody knows", "vonage", 200, vonage(status="99"), B, None, "99"),
    ("accepted", "generic_json", 200, {"id": 7, "code": 0}, A, "7", "0"),
    ("accepted by its status line", "generic_json", 202, {"id": "x"}, A, "x", "202"),
    ("throttled", "generic_json", 429, {}, T, None, "429"),
    ("refused", "generic_json", 422, {"code": "refused"}, R, None, "refused"),
    ("accepted", "generic_form", 200, b"code=0&id=a%2Bb", A, "a+b", "0"),
    ("throttled", "generic_form", 200, b"code=throttled", T, None, "throttled"),
    ("refused", "generic_form", 200, b"code=refused&id=1", R, None, "refused"),
    ("an id without end", "generic_json", 200, {"id": "x" * 300, "code": "0"}, A, None, "0"),
    ("a page of a proxy", "alibaba", 502, b"<html>", U, None, "http_502"),
    ("a page in place of an answer", "alibaba", 200, b"<html>", U, None, "http_200"),
    ("an empty answer", "vonage", 200, b"", U, None, "http_200"),
    ("no answer at all but 503", "vonage", 503, b"", U, None, "http_503"),
    ("a proxy that wants a key", "tencent", 407, b"", B, None, "http_407"),
    ("somewhere else", "tencent", 302, b"", B, None, "http_302"),
    ("nothing there", "twilio", 404, b"", B, None, "http_404"),
    ("a code that means accepted under a status that does not", "generic_json", 500, {"id": "1", "code": 0}, U, None, "0"),
    ("an array", "tencent", 200, b"[]", U, None, "http_200"),
    ("an endless nesting", "tencent", 200, b"[" * 100_000, U, None, "http_200"),
    ("noise", "tencent", 200, b"\xff\xfe{", U, None, "http_200"),
    ("a message in another charset", "alibaba", 200, b'{"Message":"\xb2\xbb","Code":"isv.X"}', R, None, "isv.X"),
    ("a flood of fields", "generic_form", 200, b"a=1&" * 5000, U, None, "http_200"),
]


@pytest.mark.parametrize(
    ("name", "definition", "status", "body", "result", "ident", "code"), ANSWERS, ids=[f"{case[1]}: {case[0]}" for case in ANSWERS]
)
def test_an_answer_means_this(
    name: str, definition: str, status: int, body: object, result: AnswerResult, ident: str | None, code: str
) -> None:
    octets = body if isinstance(body, bytes) else msgspec.json.encode(body)
    (outcome,) = read_answer(provided(definition).answer, Reply(status, octets))
    assert (outcome.result, outcome.carrier_message_id, outcome.code) == (result, ident, code)
    assert outcome.is_blocked is (name in {"wrong key", "no money", "no signature", "a proxy that wants a key"})


def test_a_503_that_names_a_time_was_not_taken() -> None:
    assert read_answer(provided("vonage").answer, Reply(503, b"", 3.0)) == [Outcome(T, None, "http_503")]


def huawei(total: object) -> bytes:
    return msgspec.json.encode({"code": "000000", "result": [{"smsMsgId": "d", "status": "000000", "total": total}]})


def test_a_carrier_that_reports_on_segments_gets_one_outcome_each() -> None:
    rows = [{"message-id": "A1", "status": "0"}, {"message-id": "A2", "status": "0"}, {"status": "5"}, None]
    said = msgspec.json.encode({"message-count": "3", "messages": rows})
    expected = [Outcome(A, "A1", "0"), Outcome(A, "A2", "0"), Outcome(U, None, "5")]
    assert read_answer(provided("vonage").answer, Reply(200, said)) == expected
    mapping = provided("huawei").answer
    assert [outcome.carrier_message_id for outcome in read_answer(mapping, Reply(200, huawei(3)))] == ["d:1", "d:2", "d:3"]
    for odd in (None, 0, -1, "x", [], "9" * 5000):
        assert len(read_answer(mapping, Reply(200, huawei(odd)))) == 1
    assert len(read_answer(mapping, Reply(200, huawei(9999)))) == 255


S = ReceiptState
STAMP = Stamp("con_1", "10690000", NOW, bytes(10))


def posted(body: object) -> Callback:
    octets = body if isinstance(body, bytes) else msgspec.json.encode(body)
    kind = "application/x-www-form-urlencoded" if isinstance(body, bytes) else "application/json"
    return Callback(kind=CallbackKind.RECEIPTS, url="https://we.example/r", headers={"content-type": kind}, body=octets)


def receipts_of(name: str, callback: Callback) -> list[Receipt]:
    callbacks = provided(name).callbacks
    assert callbacks is not None
    assert isinstance(callbacks.receipts, ReceiptMapping)
    return read_receipts(callbacks.receipts, rows_of(callbacks.rows, callback), STAMP)


def texts_of(name: str, callback: Callback) -> list[InboundPart]:
    callbacks = provided(name).callbacks
    assert callbacks is not None
    assert isinstance(callbacks.inbounds, InboundMapping)
    return read_inbounds(callbacks.inbounds, rows_of(callbacks.rows, callback), STAMP)


def alibaba(**fields: Any) -> dict[str, Any]:
    return {"phone_number": "13800138000", "biz_id": "0093^0", "report_time": "2026-11-22 20:57:01", "sms_size": "1", **fields}


def pushed(**fields: Any) -> dict[str, Any]:
    return {"nationcode": "86", "mobile": "13800138000", "sid": "2028:F8", "user_receive_time": "2026-11-22 20:57:01", **fields}


CN, US = "+8613800138000", "+14158675309"
HUAWEI = b"sequence=1&total=1&updateTime=2026-11-22T12%3A57%3A01Z&source=2&smsMsgId=2ea2_1&to=%2B8613800138000&status="
GENERIC = b"id=5&mobile=8613800138000&time=20261122205701&status="
# definition, body, key, recipient, state, stat, err, whether its time is NOW
RECEIPTS: list[tuple[str, object, str, str | None, ReceiptState, str, str, bool]] = [
    ("twilio", b"MessageSid=SM1&MessageStatus=delivered&To=%2B14158675309", "sm1", US, S.DELIVERED, "delivered", "", False),
    ("twilio", b"MessageSid=SM1&MessageStatus=sent&To=%2B14158675309", "sm1", US, S.ACCEPTED, "sent", "", False),
    (
        "twilio",
        b"MessageSid=SM1&MessageStatus=undelivered&To=%2B14158675309&ErrorCode=30003",
        "sm1", US, S.UNDELIVERABLE, "undelivered", "30003", False,
    ),
    ("alibaba", [alibaba(success=True, err_code="DELIVERED")], "93^0", CN, S.DELIVERED, "DELIVERED", "DELIVERED", True),
    ("alibaba", [alibaba(success=False, err_code="MK:0001")], "93^0", CN, S.UNDELIVERABLE, "MK:0001", "MK:0001", True),
    ("alibaba", [alibaba(success=False, err_code="MOBILE_IN_BLACK")], "93^0", CN, S.REJECTED, "MOBILE_IN_BLACK", "MOBILE_IN_BLACK", True),
    ("tencent", [pushed(report_status="SUCCESS", errmsg="DELIVRD")], "2028:f8", CN, S.DELIVERED, "DELIVRD", "DELIVRD", True),
    ("tencent", [pushed(report_status="FAIL", errmsg="EXPIRED")], "2028:f8", CN, S.EXPIRED, "EXPIRED", "EXPIRED", True),
    ("tencent", [pushed(report_status="FAIL", errmsg="MK:1")], "2028:f8", CN, S.UNDELIVERABLE, "MK:1", "MK:1", True),
    ("huawei", HUAWEI + b"DELIVRD", "2ea2_1:1", CN, S.DELIVERED, "DELIVRD", "", True),
    ("huawei", HUAWEI + b"RTE_ERR&orgCode=E200027", "2ea2_1:1", CN, S.UNDELIVERABLE, "RTE_ERR", "E200027", True),
    (
        "vonage",
        {"msisdn": "14158675309", "messageId": "0A00", "status": "delivered", "err-code": "0", "scts": "2611221257"},
        "a00", US, S.DELIVERED, "delivered", "0", False,
    ),
    ("vonage", b"msisdn=14158675309&messageId=0A00&status=expired&err-code=1", "a00", US, S.EXPIRED, "expired", "1", False),
    ("generic_json", {"id": 12, "to": CN, "status": "undelivered", "code": 9}, "12", CN, S.UNDELIVERABLE, "undelivered", "9", False),
    ("generic_json", {"id": "x", "status": "what?", "at": "2026-11-22T20:57:01+08:00"}, "x", None, S.UNKNOWN, "what?", "", True),
    ("generic_form", GENERIC + b"DELIVRD", "5", CN, S.DELIVERED, "DELIVRD", "", True),
    ("generic_form", GENERIC + b"REJECTD&code=DB%3A0119", "5", CN, S.REJECTED, "REJECTD", "DB:0119", True),
    ("generic_form", b"id=5&mobile=8613800138000", "5", CN, S.ACCEPTED, "", "", False),
    ("huawei", b"smsMsgId=2ea2_1&status=DELIVRD", "2ea2_1:1", None, S.DELIVERED, "DELIVRD", "", False),
    ("huawei", b"smsMsgId=2ea2_1&sequence=2&total=3&status=EXPIRED", "2ea2_1:2", None, S.EXPIRED, "EXPIRED", "", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "body", "key", "recipient", "state", "stat", "err", "is_timed"), RECEIPTS, ids=[f"{case[0]}: {case[4]}" for case in RECEIPTS]
)
def test_a_report_becomes_a_receipt(
    name: str, body: object, key: str, recipient: str | None, state: ReceiptState, stat: str, err: str, is_timed: bool
) -> None:
    (receipt,) = receipts_of(name, posted(body))
    assert (receipt.keys, receipt.recipient, receipt.state) == ((key,), recipient, state)
    assert (receipt.stat, receipt.err) == (stat, err)
    assert (receipt.done_at == NOW) is is_timed
    assert (receipt.connector_id, receipt.arrived_at) == ("con_1", NOW)


# definition, body, sender, recipient, text
INBOUNDS: list[tuple[str, object, str, str, str]] = [
    ("twilio", b"From=%2B14158675309&To=%2B18005551212&Body=yes+%E4%B8%AD", US, "18005551212", "yes 中"),
    ("alibaba", [{"phone_number": "13800138000", "content": "TD", "dest_code": "8610690000"}], CN, "10690000", "TD"),
    ("tencent", {"nationcode": "86", "mobile": "13800138000", "extend": "", "text": "T", "time": 1}, CN, "10690000", "T"),
    ("huawei", b"from=%2B8613800138000&to=1069000001&body=R&smsMsgId=1", CN, "1069000001", "R"),
    ("vonage", {"msisdn": "14158675309", "to": "18005551212", "text": "stop"}, US, "18005551212", "stop"),
    ("generic_json", {"from": CN, "to": "10690000", "text": "a\x00b"}, CN, "10690000", "a\ufffdb"),
    ("generic_form", b"mobile=13800138000&extension=10690000&content=%ff", CN, "10690000", "\ufffd"),
]


@pytest.mark.parametrize(("name", "body", "sender", "recipient", "text"), INBOUNDS, ids=[case[0] for case in INBOUNDS])
def test_a_text_of_a_person_becomes_an_inbound_part(name: str, body: object, sender: str, recipient: str, text: str) -> None:
    (part,) = texts_of(name, posted(body))
    assert (part.sender, part.recipient, part.text, part.part, part.parts) == (sender, recipient, text, 1, 1)


LONG = [
    ("a part", {"concat-ref": "65537", "concat-part": "2", "concat-total": "3"}, (1, 2, 3)),
    ("a part beyond the whole", {"concat-ref": "1", "concat-part": "4", "concat-total": "3"}, (0, 1, 1)),
    ("a part that is none", {"concat-ref": "1", "concat-part": "two", "concat-total": "3"}, (0, 1, 1)),
    ("more parts than can be", {"concat-ref": "1", "concat-part": "1", "concat-total": "9" * 5000}, (0, 1, 1)),
]


@pytest.mark.parametrize(("name", "fields", "expected"), LONG, ids=[case[0] for case in LONG])
def test_a_long_text_comes_in_parts(name: str, fields: dict[str, str], expected: tuple[int, int, int]) -> None:
    (part,) = texts_of("vonage", posted({"msisdn": "1415", "to": "1", "text": "x", **fields}))
    assert (part.reference, part.part, part.parts) == expected


def test_many_reports_come_in_one_call_in_order() -> None:
    rows = [alibaba(biz_id=f"{n}^0", success=True, err_code="DELIVERED") for n in (3, 1, 2)]
    receipts = receipts_of("alibaba", posted([*rows, None, 7, []]))
    assert [receipt.keys[0] for receipt in receipts] == ["3^0", "1^0", "2^0"]
    assert len({receipt.id for receipt in receipts}) == 3


def test_a_report_in_another_charset_is_not_lost() -> None:
    body = b'[{"biz_id":"7^0","phone_number":"13800138000","success":false,"err_code":"X","err_msg":"\xbf\xd5\xba\xc5"}]'
    callback = Callback(kind=CallbackKind.RECEIPTS, url="https://we.example/r", headers={"content-type": "application/json"}, body=body)
    (receipt,) = receipts_of("alibaba", callback)
    assert (receipt.keys, receipt.state) == (("7^0",), S.UNDELIVERABLE)


def test_a_report_that_names_no_message_and_a_text_of_nobody_are_left_out() -> None:
    assert receipts_of("generic_form", posted(b"mobile=8613800138000&status=DELIVRD")) == []
    assert [part.text for part in texts_of("generic_json", posted([{"text": "?"}, {"from": CN, "text": "!"}]))] == ["!"]


NOISE = [b"", b"[", b"{}", b"[[]]", b"{" * 9999, b"\xff", b"[1]", b"null", b'{"a":"\\ud800"}', b'{"time":1e999}']


@pytest.mark.parametrize("name", PROVIDED)
@pytest.mark.parametrize("body", NOISE, ids=ascii)
def test_noise_is_no_error(name: str, body: bytes) -> None:
    for kind in ("application/json", "text/plain"):
        callback = Callback(kind=CallbackKind.RECEIPTS, url="https://we.example/r", headers={"content-type": kind}, body=body)
        assert receipts_of(name, callback) == []
        assert texts_of(name, callback) == []
