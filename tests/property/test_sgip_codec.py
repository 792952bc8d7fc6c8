"""Laws of the SGIP codec: what is written is read, and no octets bring anything but RemoteProtocolError."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocols.test_sgip_codec import VECTORS
from yanshu.protocols.errors import RemoteProtocolError
from yanshu.protocols.sgip import codec, pdus
from yanshu.protocols.sgip.constants import RESPONSE_BIT, Command

octets = st.integers(0, 255)
words = st.integers(0, 0xFFFFFFFF)
sequences = st.builds(pdus.Sequence, words, words, words)


def texts(size: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=size)


answers = [
    st.builds(kind, sequence=sequences, result=octets)
    for kind in (pdus.BindResp, pdus.SubmitResp, pdus.DeliverResp, pdus.ReportResp, pdus.UserRptResp)
]
any_pdu: st.SearchStrategy[pdus.Pdu] = st.one_of(
    st.builds(pdus.Bind, sequence=sequences, login_type=octets, login_name=texts(16), login_password=texts(16)),
    st.builds(
        pdus.Submit,
        sequence=sequences,
        sp_number=texts(21),
        charge_number=texts(21),
        user_numbers=st.lists(texts(21), min_size=1, max_size=9).map(tuple),
        corp_id=texts(5),
        fee_type=octets,
        fee_value=texts(6),
        expire_time=st.sampled_from(["", "231109104159032+"]),
        tp_udhi=octets,
        message_coding=octets,
        message_content=st.binary(max_size=140),
    ),
    st.builds(pdus.Deliver, sequence=sequences, user_number=texts(21), sp_number=texts(21), message_content=st.binary(max_size=140)),
    st.builds(pdus.Report, sequence=sequences, submit_sequence=sequences, user_number=texts(21), state=octets, error_code=octets),
    st.builds(pdus.UserRpt, sequence=sequences, sp_number=texts(21), user_number=texts(21), user_condition=octets),
    st.builds(pdus.Trace, sequence=sequences, submit_sequence=sequences, user_number=texts(21)),
    st.builds(pdus.Unbind, sequence=sequences),
    st.builds(pdus.UnbindResp, sequence=sequences),
    *answers,
)


@given(any_pdu)
def test_what_is_written_is_read(pdu: pdus.Pdu) -> None:
    assert codec.decode(codec.encode(pdu)) == pdu


def survives(frame: bytes) -> None:
    try:
        pdu = codec.decode(frame)
    except RemoteProtocolError:
        return
    assert codec.command_of(pdu) & ~RESPONSE_BIT in {1, 2, 3, 4, 5, 0x11, 0x1000}


@given(st.sampled_from([int(command) for command in Command]) | words, st.binary(max_size=300))
def test_no_octets_bring_anything_but_a_remote_error(command: int, body: bytes) -> None:
    survives((20 + len(body)).to_bytes(4, "big") + command.to_bytes(4, "big") + bytes(12) + body)


@given(st.binary(max_size=64))
def test_noise_is_survived(noise: bytes) -> None:
    survives(noise)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_prefix_and_every_flipped_octet_of_a_vector_is_survived(vector: dict[str, Any]) -> None:
    whole = bytes.fromhex(vector["hex"])
    for end in range(len(whole)):
        with pytest.raises(RemoteProtocolError):
            codec.decode(whole[:end])
        survives(end.to_bytes(4, "big") + whole[4:end])
    for place in range(4, len(whole)):
        survives(whole[:place] + bytes((whole[place] ^ 0xFF,)) + whole[place + 1 :])
