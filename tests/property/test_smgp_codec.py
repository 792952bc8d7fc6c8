"""Laws of the SMGP codec: what is written is read, and no octets bring anything but RemoteProtocolError."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocols.test_smgp_codec import survives
from yanshu.protocols.smgp import codec, pdus
from yanshu.protocols.smgp.constants import TAG_SIZES, Command

octets = st.integers(0, 255)
words = st.integers(0, 0xFFFFFFFF)
idents = st.binary(min_size=10, max_size=10).map(bytes.hex)
digests = st.binary(min_size=16, max_size=16)
# Parameters that are padded when written come back longer; a unit test has them.
tlvs = st.dictionaries(st.integers(0, 0xFFFF).filter(lambda tag: tag not in TAG_SIZES), st.binary(max_size=30), max_size=5)


def texts(size: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=size)


any_pdu: st.SearchStrategy[pdus.Pdu] = st.one_of(
    st.builds(pdus.Login, sequence_id=words, client_id=texts(8), authenticator_client=digests, login_mode=octets, timestamp=words),
    st.builds(pdus.LoginResp, sequence_id=words, status=words, authenticator_server=digests, server_version=octets),
    st.builds(
        pdus.Submit,
        sequence_id=words,
        priority=octets,
        service_id=texts(10),
        msg_format=octets,
        valid_time=texts(17),
        src_term_id=texts(21),
        dest_term_ids=st.lists(texts(21), min_size=1, max_size=100).map(tuple),
        msg_content=st.binary(max_size=140),
        reserve=texts(8),
        tlvs=tlvs,
    ),
    st.builds(
        pdus.Deliver,
        sequence_id=words,
        msg_id=idents,
        is_report=octets,
        recv_time=texts(14),
        src_term_id=texts(21),
        msg_content=st.binary(max_size=255),
        tlvs=tlvs,
    ),
    st.builds(pdus.SubmitResp, sequence_id=words, msg_id=idents, status=words),
    st.builds(pdus.DeliverResp, sequence_id=words, msg_id=idents, status=words),
    st.builds(pdus.QueryResp, query_time=texts(8), query_code=texts(10), mt_scs=words, mo_fl=words, reserve=texts(8)),
    st.builds(pdus.ActiveTestResp, sequence_id=words),
    st.builds(pdus.ExitResp, sequence_id=words),
)
commands = st.sampled_from([int(command) for command in Command]) | words


@given(any_pdu)
def test_what_is_written_is_read(pdu: pdus.Pdu) -> None:
    assert codec.decode(codec.encode(pdu)) == pdu


@given(commands, st.binary(max_size=300))
def test_no_octets_bring_anything_but_a_remote_error(command: int, body: bytes) -> None:
    survives((12 + len(body)).to_bytes(4, "big") + command.to_bytes(4, "big") + bytes(4) + body)


@given(any_pdu, st.data())
def test_a_pdu_with_an_octet_changed_is_survived(pdu: pdus.Pdu, data: st.DataObject) -> None:
    frame = bytearray(codec.encode(pdu))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(octets)
    survives(bytes(frame))


@given(st.binary(max_size=64))
def test_noise_is_survived(noise: bytes) -> None:
    survives(noise)
