"""A law of deliveries: whatever octets a carrier delivers become arrivals that every store can keep."""

from hypothesis import given
from hypothesis import strategies as st

from yanshu.adapters.carriers.smpp.inbound import Reader
from yanshu.adapters.carriers.smpp.settings import SmppSettings
from yanshu.domain.submissions import Receipt
from yanshu.protocols.smpp import pdus
from yanshu.protocols.smpp.constants import Tag
from yanshu.runtime.clock import SystemClock

_RECEIPT_LIKE = st.binary(max_size=20).map(lambda noise: b"id:" + noise + b" stat:" + noise + b" err:" + noise + b" done date:" + noise)
_UDH_LIKE = st.binary(min_size=3, max_size=3).map(lambda noise: b"\x05\x00\x03" + noise + b"\0\0")
_OCTETS = st.one_of(st.binary(max_size=140), _RECEIPT_LIKE, _UDH_LIKE)
_ADDRESSES = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=100)
deliveries = st.builds(
    pdus.DeliverSm,
    source_addr=_ADDRESSES,
    destination_addr=_ADDRESSES,
    esm_class=st.sampled_from([0, 0x04, 0x20, 0x40, 0x44, 0xFF]),
    data_coding=st.integers(0, 255),
    short_message=_OCTETS,
    tlvs=st.dictionaries(st.sampled_from([int(tag) for tag in Tag]), _OCTETS, max_size=5),
)


@given(deliveries, st.sampled_from(["gsm", "latin1", "ascii"]), st.booleans())
def test_whatever_is_delivered_can_be_kept(pdu: pdus.DeliverSm, alphabet: str, from_text: bool) -> None:
    settings = SmppSettings(system_id="a", gsm_alphabet=alphabet, receipt_from_text=from_text)  # type: ignore[arg-type]
    (arrival,) = Reader("con_1", settings, "10690000", SystemClock()).read([pdu])
    if isinstance(arrival, Receipt):
        words = [*arrival.keys, arrival.recipient or "", arrival.stat, arrival.err]
        assert max(map(len, words)) <= 255
        words.append(arrival.text)
    else:
        words = [arrival.sender, arrival.recipient]
        assert max(map(len, words)) <= 64
        words.append(arrival.text)
        assert 1 <= arrival.part <= arrival.parts <= 255
        assert 0 <= arrival.reference <= 0xFFFF
    for word in words:
        word.encode("utf-8")  # no half of a pair
        assert "\0" not in word
