"""The small parts of the simulator: schedule, ids, receipts, handsets."""

from datetime import UTC, datetime

import pytest

from yanshu.simulator import Account, Behaviour
from yanshu.simulator.accounts import AccountDesk
from yanshu.simulator.handsets import Handsets, decode_text
from yanshu.simulator.identifiers import id_text, receipt_id_text
from yanshu.simulator.schedule import Schedule
from yanshu.simulator.script import SCRIPTS, Report, find_script
from yanshu.simulator.traffic import Encoding, Receipt, Segment
from yanshu.simulator.wires.smpp_receipts import content

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC).timestamp()


def segment(**changes: object) -> Segment:
    values = {"source": "1069", "destination": "8613800138000", "encoding": "ucs2", "payload": b"", "wants_receipt": True, "at": AT}
    return Segment(**{**values, **changes})  # type: ignore[arg-type]


def test_actions_run_when_due_and_in_order() -> None:
    schedule, done = Schedule(), []
    for due, name in ((2.0, "c"), (1.0, "a"), (1.0, "b"), (9.0, "later")):
        schedule.add(due, lambda name=name: done.append(name))
    assert schedule.run_due(2.0) == 3
    assert done == ["a", "b", "c"]
    assert (schedule.next_due(), len(schedule)) == (9.0, 1)


@pytest.mark.parametrize(
    ("destination", "nn"),
    [("8610000000001", "01"), ("8610000000021", None), ("861000000001", None), ("86100000000011", None), ("8613800138001", None)],
)
def test_only_the_test_numbers_have_a_script(destination: str, nn: str | None) -> None:
    assert find_script(destination) is (SCRIPTS[nn] if nn else None)


IDS = [
    ("hex", Behaviour(), "ff"),
    ("decimal", Behaviour(id_form="decimal"), "255"),
    ("hex answered, decimal reported", Behaviour(receipt_id_form="decimal"), "255"),
    ("decimal answered, hex reported and padded", Behaviour(id_form="decimal", receipt_id_form="hex", receipt_id_width=10), "00000000ff"),
]


@pytest.mark.parametrize(("behaviour", "expected"), [row[1:] for row in IDS], ids=[row[0] for row in IDS])
def test_receipts_spell_ids_as_told(behaviour: Behaviour, expected: str) -> None:
    assert receipt_id_text(255, behaviour) == expected


def test_uuids_differ_and_are_reported_as_answered() -> None:
    assert len({id_text(number, "uuid") for number in range(1000)}) == 1000
    assert receipt_id_text(5, Behaviour(id_form="uuid", receipt_id_form="hex")) == id_text(5, "uuid")


def test_a_text_receipt_reads_as_in_appendix_b_with_local_times() -> None:
    text, tlvs = content(Receipt(segment(), 255, Report(1, "DELIVRD", "000"), AT + 60), Behaviour())
    assert text == b"id:ff sub:001 dlvrd:001 submit date:2611231630 done date:2611231631 stat:DELIVRD err:000 text:"
    assert tlvs == {}


def test_a_tlv_receipt_has_id_state_and_error_and_repeats_the_senders_mark() -> None:
    receipt = Receipt(segment(user_reference=258), 255, Report(1, "UNDELIV", "MK:0024"), AT)
    tlvs = {0x001E: b"ff\x00", 0x0427: b"\x05", 0x0423: b"\x03\x00\x18", 0x0204: b"\x01\x02"}
    assert content(receipt, Behaviour(receipt_as="tlv")) == (b"", tlvs)
    assert content(receipt, Behaviour(receipt_as="both"))[0]


@pytest.mark.parametrize(
    ("encoding", "payload", "text"),
    [
        ("ucs2", "雁书😀".encode("utf-16-be"), "雁书😀"),
        ("gsm7", b"\x00\x1b\x65", "@€"),
        ("latin1", b"\xe9", "é"),
        ("gbk", "雁书".encode("gbk"), "雁书"),
        ("ucs2", b"\x00", "\ufffd"),
    ],
)
def test_payloads_are_decoded_by_their_encoding(encoding: Encoding, payload: bytes, text: str) -> None:
    assert decode_text(encoding, payload) == text


def test_a_handset_joins_segments_in_any_order_even_when_a_pair_was_cut() -> None:
    handsets, desk = Handsets(10, 10), AccountDesk(Account(), Behaviour())
    octets = "中😀".encode("utf-16-be")
    for part, payload in ((2, octets[4:]), (1, octets[:4])):
        handsets.receive(desk, segment(payload=payload, reference=9, part=part, parts=2))
    handset = handsets.find("+8613800138000")
    assert handset is not None
    assert [(one.text, one.segments, one.missing, one.sender) for one in handset.inbox()] == [("中😀", 2, (), "1069")]


def test_a_reference_used_again_begins_another_text() -> None:
    handsets, desk = Handsets(10, 10), AccountDesk(Account(), Behaviour())
    for payload, part in ((b"a", 1), (b"b", 2), (b"c", 1), (b"d", 1), (b"e", 2)):
        handsets.receive(desk, segment(encoding="latin1", payload=payload, reference=9, part=part, parts=2))
    handset = handsets.find("8613800138000")
    assert handset is not None
    assert [one.text for one in handset.inbox()] == ["ab", "c", "de"]


def test_handsets_and_inboxes_are_bounded() -> None:
    handsets, desk = Handsets(2, 3), AccountDesk(Account(), Behaviour())
    for destination in ("1", "2", "1", "3"):
        handsets.receive(desk, segment(destination=destination))
    assert handsets.numbers() == ["1", "3"]
    for _ in range(5):
        handsets.receive(desk, segment(destination="1"))
    handset = handsets.find("1")
    assert handset is not None
    assert len(handset.inbox()) == 3
