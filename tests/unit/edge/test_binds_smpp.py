"""What customers are told over SMPP: receipts and texts as their programs read them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from yanshu.domain import reasons
from yanshu.domain.binds import Alphabet, BindDelivery, ReceiptOwed, Wanted
from yanshu.domain.errors import CallerError, Invalid, Overloaded, RateLimited
from yanshu.domain.messages import Encoding, Status
from yanshu.edge.api.catalogue import CATALOGUE
from yanshu.edge.binds import receipts as receipts_of_binds
from yanshu.edge.binds.dialect import Acknowledgement, Refusal
from yanshu.edge.binds.smpp import SmppDialect, read_text
from yanshu.protocols.smpp import codec, pdus, receipts
from yanshu.protocols.smpp.constants import Tag
from yanshu.testing.bind_samples import BindSamples
from yanshu.testing.clocks import FakeClock

SAMPLES = BindSamples(FakeClock())
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bound() -> SmppDialect:
    dialect = SmppDialect()
    dialect.session.connected(0.0)
    dialect.session.receive_data(codec.encode(pdus.BindTransceiver(sequence_number=1)), 0.0)
    dialect.welcome("")
    dialect.session.data_to_send()
    return dialect


def written(delivery: BindDelivery, **fields: Any) -> pdus.DeliverSm:
    dialect = bound()
    dialect.deliver([delivery], SAMPLES.bind(**fields), 0.0)
    pdu = codec.decode(dialect.session.data_to_send())
    assert isinstance(pdu, pdus.DeliverSm)
    return pdu


def owed(**fields: Any) -> ReceiptOwed:
    values: dict[str, Any] = {"source": "5.0.Yanshu", "destination": "1.1.8613800138000", "submitted_at": AT, "done_at": AT}
    return SAMPLES.receipt_owed(**(values | fields))


@pytest.mark.parametrize(
    ("fields", "stat", "err", "state", "network"),
    [
        pytest.param({}, "DELIVRD", "000", 2, None, id="delivered"),
        pytest.param({"code": "000"}, "DELIVRD", "000", 2, None, id="delivered, with the carrier's nought"),
        pytest.param({"status": Status.UNDELIVERED, "code": "1"}, "UNDELIV", "001", 5, b"\3\0\1", id="a carrier's number"),
        pytest.param({"status": Status.UNDELIVERED, "code": "MK:0001"}, "UNDELIV", "000", 5, None, id="a code there is no room for"),
        pytest.param({"status": Status.UNDELIVERED, "reason": "expired"}, "EXPIRED", "000", 3, None, id="the phone was off"),
        pytest.param({"status": Status.UNDELIVERED, "reason": "content_blocked", "code": "27F"}, "REJECTD", "27F", 8, None, id="blocked"),
        pytest.param({"status": Status.UNDELIVERED, "reason": "no_receipt"}, "UNKNOWN", "000", 7, None, id="nobody knows"),
        pytest.param({"status": Status.FAILED, "reason": "param"}, "REJECTD", "000", 8, None, id="the carrier refused"),
        pytest.param({"status": Status.EXPIRED}, "EXPIRED", "000", 3, None, id="too late"),
        pytest.param({"status": Status.REJECTED}, "REJECTD", "000", 8, None, id="our own rules"),
        pytest.param({"status": Status.CANCELED}, "DELETED", "000", 4, None, id="taken back"),
    ],
)
def test_a_receipt_says_how_it_ended(fields: dict[str, Any], stat: str, err: str, state: int, network: bytes | None) -> None:
    pdu = written(SAMPLES.bind_delivery("msg_1", receipt=owed(**fields)))
    read = receipts.parse(str(pdu.short_message, "ascii"))
    assert read is not None
    assert (read.id, read.stat, read.err, read.submit_date, read.done_date) == ("1", stat, err, "2603012000", "2603012000")
    assert (pdu.tlvs[Tag.MESSAGE_STATE], pdu.tlvs.get(Tag.NETWORK_ERROR_CODE)) == (bytes((state,)), network)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, "8613800138000")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (5, 0, "Yanshu")


@pytest.mark.parametrize(
    ("fields", "alphabet", "coding", "octets"),
    [
        pytest.param({"text": "退订"}, Alphabet.GSM, 8, "90008ba2", id="UCS-2"),
        pytest.param({"text": "@ €", "encoding": Encoding.GSM7}, Alphabet.GSM, 0, "00201b65", id="the GSM alphabet"),
        pytest.param({"text": "é", "encoding": Encoding.GSM7}, Alphabet.LATIN1, 0, "e9", id="a bind whose alphabet is Latin-1 now"),
        pytest.param({"text": "é", "encoding": Encoding.GSM7}, Alphabet.ASCII, 0, "3f", id="a bind whose alphabet lacks the letter"),
        pytest.param({"text": "好", "part": 2, "parts": 3, "reference": 9}, Alphabet.GSM, 8, "050003090302597d", id="a piece"),
    ],
)
def test_a_text_travels_in_the_alphabet_of_the_bind(fields: dict[str, Any], alphabet: Alphabet, coding: int, octets: str) -> None:
    text = SAMPLES.text_owed(**fields)
    pdu = written(SAMPLES.bind_delivery("inb_1", text=text), alphabet=alphabet)
    assert (pdu.data_coding, pdu.short_message.hex(), pdu.esm_class) == (coding, octets, 0x40 if "parts" in fields else 0)
    assert (pdu.source_addr, pdu.destination_addr) == ("8613800138000", "1069")
    if "parts" not in fields and alphabet is not Alphabet.ASCII:
        assert read_text(pdu.short_message, pdu.data_coding, alphabet) == text.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("phone_invalid"), 0x0B),
        (Invalid("text_too_long"), 0x01),
        (Overloaded("overloaded"), 0x14),
        (RateLimited("too_many_messages"), 0x58),
        (CallerError("no_route_accepts_content"), 0x45),
    ],
)
def test_refusals_have_a_status_of_their_own(error: CallerError, status: int) -> None:
    dialect = bound()
    dialect.answer(pdus.SubmitSm(0, 7), error)
    assert codec.header(dialect.session.data_to_send())[2:] == (status, 7)


def test_every_refusal_there_is_has_a_status() -> None:
    for code in CATALOGUE:
        dialect = bound()
        dialect.answer(pdus.SubmitSm(0, 7), CallerError(code))
        assert codec.header(dialect.session.data_to_send())[2]


def test_data_sm_is_read_like_submit_sm() -> None:
    tlvs = {int(Tag.MESSAGE_PAYLOAD): "您好".encode("utf-16-be")}
    pdu = pdus.DataSm(source_addr="1069", destination_addr="13800138000", data_coding=8, registered_delivery=1, tlvs=tlvs)
    read = bound().read(pdu, SAMPLES.bind(), AT)
    assert (read.numbers, read.sender, read.content, read.wanted, read.expires_in) == (
        ("13800138000",),
        "1069",
        tlvs[int(Tag.MESSAGE_PAYLOAD)],
        Wanted.ALWAYS,
        None,
    )


@pytest.mark.parametrize(
    ("ton", "address", "number"),
    [
        (1, "8613800138000", "+8613800138000"),
        (1, "+447911123456", "+447911123456"),
        (1, "00447911123456", "00447911123456"),
        (0, "13800138000", "13800138000"),
        (2, "13800138000", "13800138000"),
    ],
)
def test_an_international_number_has_its_country_code(ton: int, address: str, number: str) -> None:
    assert bound().read(pdus.SubmitSm(dest_addr_ton=ton, destination_addr=address), SAMPLES.bind(), AT).numbers == (number,)


@pytest.mark.parametrize("why", list(Refusal))
def test_every_way_of_being_turned_away_ends_the_session(why: Refusal) -> None:
    dialect = SmppDialect()
    dialect.session.connected(0.0)
    dialect.session.receive_data(codec.encode(pdus.BindTransceiver(sequence_number=1)), 0.0)
    dialect.turn_away(why)
    assert dialect.session.is_over
    assert codec.header(dialect.session.data_to_send())[2]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (0, Acknowledgement.TAKEN),
        (0x64, Acknowledgement.LATER),
        (0x08, Acknowledgement.LATER),
        (0x65, Acknowledgement.NEVER),
        (0x66, Acknowledgement.NEVER),
    ],
)
def test_an_acknowledgement_is_for_now_or_for_good(status: int, meaning: Acknowledgement) -> None:
    assert SmppDialect().judge(status) is meaning


def test_every_reason_with_a_state_of_its_own_is_a_reason_there_is() -> None:
    assert set(receipts_of_binds.REASONS) <= set(reasons.REASONS)
