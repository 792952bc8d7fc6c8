"""Bodies built fast are the bodies the codec writes."""

import pytest

from yanshu.protocols.errors import LocalProtocolError
from yanshu.protocols.smpp import codec, pdus
from yanshu.protocols.smpp.submits import Content, SubmitBuilder, relative_time

CONSTANT = pdus.SubmitSm(
    service_type="CMT", source_addr_ton=1, source_addr_npi=2, dest_addr_ton=3, dest_addr_npi=4, registered_delivery=1, tlvs={0x1400: b"ab"}
)


def test_a_body_is_what_the_codec_writes() -> None:
    builder = SubmitBuilder(CONSTANT)
    content = Content(0x40, 8, b"hello", codec.encode_tlvs({0x020C: b"\0\1"}))
    expected = pdus.SubmitSm(
        service_type="CMT",
        source_addr_ton=1,
        source_addr_npi=2,
        source_addr="106",
        dest_addr_ton=3,
        dest_addr_npi=4,
        destination_addr="8613800138000",
        esm_class=0x40,
        validity_period="000000010000000R",
        registered_delivery=1,
        data_coding=8,
        short_message=b"hello",
        tlvs={0x020C: b"\0\1", 0x1400: b"ab"},
    )
    for _ in range(2):
        assert builder.body("106", "8613800138000", "000000010000000R", content) == codec.body(expected)


BAD = [
    ("a sender too long", "1" * 21, "86138", b""),
    ("a recipient too long", "106", "8" * 21, b""),
    ("a sender that is no ASCII", "雁书", "86138", b""),
    ("a content too long", "106", "86138", b"x" * 255),
]


@pytest.mark.parametrize(("name", "source", "destination", "octets"), BAD, ids=[case[0] for case in BAD])
def test_what_does_not_fit_is_our_error(name: str, source: str, destination: str, octets: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        SubmitBuilder(CONSTANT).body(source, destination, "", Content(0, 0, octets))


SPANS = [
    (300, "000000000500000R"),
    (86_400, "000001000000000R"),
    (0, "000000000001000R"),
    (10**9, "000099000000000R"),
    (3661, "000000010101000R"),
]


@pytest.mark.parametrize(("seconds", "text"), SPANS)
def test_a_span_is_written(seconds: int, text: str) -> None:
    assert relative_time(seconds) == text
