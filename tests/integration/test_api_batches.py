"""Batches over HTTP: uploads with good and hostile rows, and steering what is under way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.serving import Served, until

NDJSON, CSV = "application/x-ndjson", "text/csv"
BOM = "\ufeff".encode()


@pytest.fixture(scope="module")
def connected(served: Served) -> Served:
    """A live connector to the simulated carrier."""
    connector = served.admin.call("POST", "/v1/connectors", served.connector_body(simulated=False))["id"]
    served.admin.call("POST", "/v1/routes", {"name": "live", "connectors": [connector]})
    until("the link", lambda: served.admin.call("GET", f"/v1/connectors/{connector}/health")["state"] == "up")
    return served


def draft(served: Served, **fields: Any) -> str:
    """Make a batch without recipients."""
    ident: str = served.admin.call("POST", "/v1/batches", {"text": "【雁书】您好 ${name}", **fields})["id"]
    return ident


def upload(served: Served, ident: str, kind: str, body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = served.admin.call("PUT", f"/v1/batches/{ident}/recipients", body, Content_Type=kind)
    return found


def bad_rows(served: Served, ident: str) -> list[tuple[int, str]]:
    """Line and code of every row that could not be read."""
    rows = served.admin.call("GET", f"/v1/batches/{ident}/recipients?status=invalid")["data"]
    assert all(row["problem"] for row in rows)
    return [(row["line"], row["code"]) for row in rows]


def finished(served: Served, ident: str) -> dict[str, Any]:
    """Start the batch and return it when it is completed."""
    served.admin.call("POST", f"/v1/batches/{ident}/start")
    return completed(served, ident)


def completed(served: Served, ident: str) -> dict[str, Any]:
    def done() -> Any:
        batch = served.admin.call("GET", f"/v1/batches/{ident}")
        return batch if batch["status"] == "completed" else None

    found: dict[str, Any] = until("the end of the batch", done)
    return found


def row(number: int) -> bytes:
    return b'{"to":"1380000%04d","params":{"name":"a"}}' % number


NOT_READABLE = [
    ("a line without end", b'{"to":"' + b"1" * 70_000 + b'"}', "parameter_invalid"),
    ("broken UTF-8", b'{"to":"\xff"}', "malformed_json"),
    ("no JSON", b"13800138000", "parameter_invalid"),
    ("half a JSON", b'{"to":"13800138000"', "malformed_json"),
    ("a number for a phone", b'{"to":13800138000}', "parameter_invalid"),
    ("no number", b'{"params":{}}', "parameter_missing"),
    ("an unknown field", b'{"to":"13800138000","name":"a"}', "unknown_parameter"),
    ("a wrong param", b'{"to":"13800138000","params":{"name":1}}', "parameter_invalid"),
    ("a key twice", b'{"to":"13800138000","to":"13800138001"}', "malformed_json"),
    ("a list", b"[]", "parameter_invalid"),
    ("a NUL", b'{"to":"1\\u0000"}', "parameter_invalid"),
    ("very deep", b"[" * 60_000, "parameter_invalid"),
]


def test_bad_lines_are_told_with_their_number_and_the_good_ones_are_sent(connected: Served) -> None:
    lines, expected = [b""], []
    for number, (_, line, code) in enumerate(NOT_READABLE):
        lines += [row(number), line, b"  "]
        expected.append((3 * number + 3, code))
    ident = draft(connected)
    batch = upload(connected, ident, NDJSON, b"\r\n".join(lines))
    assert (batch["status"], batch["total"], batch["invalid"]) == ("ready", 2 * len(NOT_READABLE), len(NOT_READABLE))
    assert bad_rows(connected, ident) == expected
    preview = connected.admin.call("POST", f"/v1/batches/{ident}/preview")
    assert [(shown["line"], shown["code"]) for shown in preview["errors"]] == expected
    assert [shown["line"] for shown in preview["sample"]] == [3 * number + 2 for number in range(len(NOT_READABLE))]
    done = finished(connected, ident)
    assert (done["expanded"], done["counts"]) == (len(NOT_READABLE), {"delivered": len(NOT_READABLE)})


CSV_FILES = [
    ("plain", b"to,name\n13800000001,a\n13800000002,b\n", [], 2),
    ("a byte order mark, CRLF, no last line end", BOM + b"to,name\r\n13800000001,a\r\n13800000002,b", [], 2),
    ("columns in another order, with a reference", b"name,client_reference,to\na,r1,13800000001\n", [], 1),
    ("quotes and commas", b'to,name\n13800000001,"a, ""b"""\n', [], 1),
    (
        "a field over two lines",
        b'to,name\n13800000001,"a\nb"\n13800000002,c\n',
        [(2, "parameter_invalid"), (3, "parameter_invalid")],
        1,
    ),
    ("empty lines before, between and after", b"\n\nto,name\n\n13800000001,a\n\n\n13800000002,b\n\n", [], 2),
    (
        "too few and too many fields",
        b"to,name\n13800000001\n13800000002,b,c\n13800000003,c\n",
        [(2, "parameter_invalid"), (3, "parameter_invalid")],
        1,
    ),
    ("broken UTF-8", b"to,name\n13800000001,\xff\n13800000002,b\n", [(2, "malformed_json")], 1),
    (
        "a NUL and a carriage return within",
        b"to,name\n1380\0,a\n13800000002,b\rc\n1380000003x,c\n",
        [(2, "parameter_invalid"), (3, "parameter_invalid")],
        1,
    ),
    ("a line without end", b"to,name\n13800000001," + b"a" * 70_000 + b"\n13800000002,b\n", [(2, "parameter_invalid")], 1),
    ("a value without end", b"to,name\n13800000001," + b"a" * 501 + b"\n", [(2, "parameter_invalid")], 0),
    ("a heading alone", b"to,name\n", [], 0),
    ("nothing", b"", [], 0),
]


@pytest.mark.parametrize(("body", "bad", "good"), [case[1:] for case in CSV_FILES], ids=[case[0] for case in CSV_FILES])
def test_a_csv_file_is_read_as_people_save_it(served: Served, body: bytes, bad: list[tuple[int, str]], good: int) -> None:
    ident = draft(served)
    batch = upload(served, ident, CSV, body)
    assert (batch["total"], batch["invalid"]) == (good + len(bad), len(bad))
    assert bad_rows(served, ident) == bad


HEADINGS = [
    ("in another encoding", "to,姓名\n13800000001,a\n".encode("gbk")),
    ("no `to`", b"phone,name\n1,a\n"),
    ("`to` twice", b"to,to\n1,2\n"),
    ("no heading", b"13800000001,a\n"),
]


@pytest.mark.parametrize("body", [case[1] for case in HEADINGS], ids=[case[0] for case in HEADINGS])
def test_a_heading_that_cannot_be_used_refuses_the_file_and_another_may_follow(served: Served, body: bytes) -> None:
    ident = draft(served)
    path = f"/v1/batches/{ident}/recipients"
    assert served.admin.refused("PUT", path, body, Content_Type=CSV) == (422, "parameter_invalid")
    assert served.admin.refused("POST", f"/v1/batches/{ident}/start") == (409, "state_conflict")
    assert upload(served, ident, CSV, b"to,name\n13800000001,a\n")["status"] == "ready"


def test_what_is_wrong_with_a_row_is_told_in_the_callers_language(served: Served) -> None:
    ident = draft(served)
    upload(served, ident, CSV, b"to,name\n13800000001\n13800000002," + b"a" * 501)
    path = f"/v1/batches/{ident}/recipients?status=invalid"
    assert [row["problem"] for row in served.admin.call("GET", path, Accept_Language="zh-CN")["data"]] == [
        "有 1 个字段，而表头有 2 个",
        "params[...]：长度应不大于 500",
    ]
    assert served.admin.call("GET", path)["data"][0]["problem"] == "1 fields, the heading has 2"


def test_a_compressed_file_is_refused_as_a_whole(served: Served) -> None:
    path = f"/v1/batches/{draft(served)}/recipients"
    assert served.admin.refused("PUT", path, b"\x1f\x8b", Content_Type=CSV, Content_Encoding="gzip") == (400, "invalid_content_type")


def test_another_kind_of_file_is_refused(served: Served) -> None:
    path = f"/v1/batches/{draft(served)}/recipients"
    assert served.admin.refused("PUT", path, b"[]", Content_Type="application/json") == (400, "invalid_content_type")


def test_rows_behind_a_heading_and_empty_lines_are_all_sent(connected: Served) -> None:
    rows = [f"138{number:08d},a" for number in range(2100)]
    body = "to,name\n\n\n" + "\n".join(f"{line}\n" if number % 3 else line for number, line in enumerate(rows))
    ident = draft(connected)
    assert upload(connected, ident, CSV, body.encode())["total"] == 2100
    done = finished(connected, ident)
    assert (done["expanded"], done["counts"]) == (2100, {"delivered": 2100})


def test_a_second_upload_replaces_the_first(connected: Served) -> None:
    ident = draft(connected)
    upload(connected, ident, NDJSON, b"\n".join(row(number) for number in range(9)) + b"\nbad")
    batch = upload(connected, ident, NDJSON, row(1))
    assert (batch["total"], batch["invalid"], bad_rows(connected, ident)) == (1, 0, [])
    assert finished(connected, ident)["counts"] == {"delivered": 1}
    assert connected.admin.refused("PUT", f"/v1/batches/{ident}/recipients", row(1), Content_Type=NDJSON) == (409, "state_conflict")


def test_a_row_that_cannot_be_sent_is_a_rejected_message_with_its_reason(connected: Served) -> None:
    ident = draft(connected)
    upload(connected, ident, NDJSON, row(1) + b'\n{"to":"12","params":{"name":"a"}}\n{"to":"13800000002"}')
    assert finished(connected, ident)["counts"] == {"delivered": 1, "rejected": 2}
    rejected = connected.admin.call("GET", f"/v1/batches/{ident}/recipients?status=rejected&order=asc")["data"]
    assert [message["reason"]["code"] for message in rejected] == ["phone_invalid", "template_param_missing"]


def test_ten_thousand_recipients_in_one_request_are_all_accepted(served: Served) -> None:
    recipients = [{"to": f"138{number:08d}", "params": {"name": "a"}, "client_reference": f"r{number}"} for number in range(10_000)]
    body = {"text": "【雁书】您好 ${name}", "recipients": recipients, "start": False}
    batch = served.admin.call("POST", "/v1/batches", body)
    assert (batch["status"], batch["total"]) == ("ready", 10_000)


def counted(served: Served, ident: str, counts: dict[str, int]) -> dict[str, Any]:
    """Return the batch when its messages have these statuses."""

    def there() -> Any:
        batch = served.admin.call("GET", f"/v1/batches/{ident}")
        return batch if batch["counts"] == counts else None

    found: dict[str, Any] = until(f"{counts}", there)
    return found


def test_a_batch_is_paused_resumed_and_canceled(connected: Served) -> None:
    ident = draft(connected, send_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    upload(connected, ident, NDJSON, b"\n".join(row(number) for number in range(5)))

    def steer(step: str) -> str:
        status: str = connected.admin.call("POST", f"/v1/batches/{ident}/{step}")["status"]
        return status

    assert steer("start") == "scheduled"
    counted(connected, ident, {"scheduled": 5})
    assert steer("pause") == "paused"
    counted(connected, ident, {"held": 5})
    assert steer("resume") == "scheduled"
    counted(connected, ident, {"scheduled": 5})
    assert steer("cancel") == "canceled"
    assert counted(connected, ident, {"canceled": 5})["status"] == "canceled"
    events = connected.admin.call("GET", f"/v1/events?object={ident}&order=asc")["data"]
    assert [event["type"] for event in events] == [
        "batch.ready",
        "batch.scheduled",
        "batch.paused",
        "batch.scheduled",
        "batch.canceled",
    ]


IMPOSSIBLE = [
    ("pause before the start", [], "pause"),
    ("start without recipients", None, "start"),
    ("resume before the start", [], "resume"),
    ("start twice", ["start"], "start"),
    ("resume what runs", ["start"], "resume"),
    ("start what was canceled", ["cancel"], "start"),
    ("cancel twice", ["cancel"], "cancel"),
]


@pytest.mark.parametrize(("before", "step"), [case[1:] for case in IMPOSSIBLE], ids=[case[0] for case in IMPOSSIBLE])
def test_a_step_the_state_does_not_allow_is_a_conflict(served: Served, before: list[str] | None, step: str) -> None:
    ident = draft(served, send_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    if before is not None:
        upload(served, ident, NDJSON, row(1))
    for earlier in before or []:
        served.admin.call("POST", f"/v1/batches/{ident}/{earlier}")
    assert served.admin.refused("POST", f"/v1/batches/{ident}/{step}") == (409, "state_conflict")
