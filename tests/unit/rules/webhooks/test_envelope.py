"""What a customer's URL gets, and which events it gets."""

import json
from datetime import UTC, datetime

import pytest

from yanshu.domain.errors import Invalid
from yanshu.domain.events import PUBLIC_TYPES, Event
from yanshu.rules.webhooks.envelope import body_of, check_patterns, envelope, wants

EVENT = Event(
    id="evt_1",
    workspace_id="ws_1",
    livemode=False,
    type="message.delivered",
    object_id="msg_1",
    seq=4,
    created_at=datetime(2026, 11, 2, 9, 0, tzinfo=UTC),
    data={"status": "delivered", "previous": "submitted"},
)


def test_an_envelope_has_the_fields_of_the_api() -> None:
    content = json.loads(body_of([envelope(EVENT, {"id": "msg_1"})], batched=False))
    assert content == {
        "id": "evt_1",
        "type": "message.delivered",
        "created_at": "2026-11-02T09:00:00Z",
        "livemode": False,
        "workspace": "ws_1",
        "seq": 4,
        "data": {"object": {"id": "msg_1"}, "previous": {"status": "submitted"}},
    }


def test_a_batch_is_a_list_object_even_of_one() -> None:
    content = json.loads(body_of([envelope(EVENT, {})], batched=True))
    assert (content["object"], [item["id"] for item in content["data"]]) == ("list", ["evt_1"])


@pytest.mark.parametrize(
    ("label", "patterns", "kind", "wanted"),
    [
        ("no pattern means all", (), "message.accepted", True),
        ("the star means all", ("*",), "batch.ready", True),
        ("by name", ("message.accepted",), "message.accepted", True),
        ("another name", ("message.accepted",), "message.delivered", False),
        ("a family", ("message.*",), "message.delivered", True),
        ("another family", ("message.*",), "inbound.received", False),
        ("what is not public is nobody's", ("*",), "submission.answered", False),
        ("not even by name", ("receipt.orphan",), "receipt.orphan", False),
    ],
)
def test_an_endpoint_wants(label: str, patterns: tuple[str, ...], kind: str, wanted: bool) -> None:
    assert wants(patterns, kind) is wanted, label


def test_mistyped_patterns_are_refused_by_name_and_right_ones_are_not() -> None:
    check_patterns([*PUBLIC_TYPES, "message.*", "*"], "events")
    for wrong in ("message.deliverd", "messages.*", "", "message"):
        with pytest.raises(Invalid) as caught:
            check_patterns(["message.*", wrong], "events")
        assert (caught.value.param, str(caught.value.values["fix"]).split(" ")[0]) == ("events", wrong)
