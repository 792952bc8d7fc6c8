"""Laws of the CMPP codec: what is written is read, and no octets bring anything but RemoteProtocolError."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocols.test_cmpp_codec import CASES, IDS
from yanshu.protocols.cmpp import codec, pdus
from yanshu.protocols.cmpp.constants import RESPONSE_BIT, Command, Version
from yanshu.protocols.errors import RemoteProtocolError

octets = st.integers(0, 255)
words = st.integers(0, 0xFFFFFFFF)
longs = st.integers(0, 0xFFFFFFFFFFFFFFFF)


def texts(size: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=size)


any_pdu: st.SearchStrategy[pdus.Pdu] = st.one_of(
    st.builds(
        pdus.Submit,
        sequence_id=words,
        msg_id=longs,
        pk_total=octets,
        tp_udhi=octets,
        msg_fmt=octets,
        service_id=texts(10),
        msg_src=texts(6),
        src_id=texts(21),
        dest_terminal_ids=st.lists(texts(21), min_size=1, max_size=9).map(tuple),
        msg_content=st.binary(max_size=140),
        link_id=texts(8),
    ),
    st.builds(pdus.Deliver, msg_id=longs, dest_id=texts(21), src_terminal_id=texts(21), msg_content=st.binary(max_size=140)),
    st.builds(pdus.Connect, source_addr=texts(6), authenticator_source=st.binary(min_size=16, max_size=16), timestamp=words),
    st.builds(pdus.SubmitResp, sequence_id=words, msg_id=longs, result=octets),
    st.builds(pdus.QueryResp, time=texts(8), mt_scs=words, mo_fl=words),
    st.builds(pdus.ActiveTest, sequence_id=words),
)
versions = st.sampled_from(list(Version))
commands = st.sampled_from([int(command) for command in Command]) | words


@given(any_pdu, versions)
def test_what_is_written_is_read(pdu: pdus.Pdu, version: Version) -> None:
    assert codec.decode(codec.encode(pdu, version), version) == pdu


def survives(frame: bytes, version: Version) -> None:
    try:
        pdu = codec.decode(frame, version)
    except RemoteProtocolError:
        return
    assert codec.command_of(pdu) & ~RESPONSE_BIT in range(1, 9)


@given(commands, st.binary(max_size=300), versions)
def test_no_octets_bring_anything_but_a_remote_error(command: int, body: bytes, version: Version) -> None:
    survives((12 + len(body)).to_bytes(4, "big") + command.to_bytes(4, "big") + b"\0\0\0\x01" + body, version)


@given(st.binary(max_size=64), versions)
def test_noise_is_survived(noise: bytes, version: Version) -> None:
    survives(noise, version)


@pytest.mark.parametrize(("version", "vector"), CASES, ids=IDS)
def test_every_prefix_and_every_flipped_octet_of_a_vector_is_survived(version: Version, vector: dict[str, Any]) -> None:
    whole = bytes.fromhex(vector["hex"])
    for end in range(len(whole)):
        survives(whole[:end], version)
        survives(len(whole[:end]).to_bytes(4, "big") + whole[4:end], version)
    for place in range(4, len(whole)):
        survives(whole[:place] + bytes((whole[place] ^ 0xFF,)) + whole[place + 1 :], version)
