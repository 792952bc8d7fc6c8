"""Laws of SMGP reports: what is written is read, whatever octets the id has, and nothing that comes in is an error."""

from hypothesis import given
from hypothesis import strategies as st

from yanshu.protocols.smgp import reports

idents = st.binary(min_size=10, max_size=10).map(bytes.hex)


def words(size: int) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from("0123456789ADELIRSUVX"), max_size=size)


any_report = st.builds(
    reports.Report,
    msg_id=idents,
    sub=words(3),
    dlvrd=words(3),
    submit_date=words(10),
    done_date=words(10),
    stat=words(7),
    err=words(3),
    text=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
)
labels = st.sampled_from([b"id:", b" sub:", b"dlvrd:", b"submit date:", b"sDone_Date:", b"STAT:", b" err:", b"txt:", b"text:", b"\0"])


@given(any_report)
def test_what_is_written_is_read(report: reports.Report) -> None:
    content = reports.build(report)
    assert len(content) == 122
    assert reports.parse(content) == report


@given(any_report)
def test_the_id_of_a_report_cut_anywhere_behind_it_is_read(report: reports.Report) -> None:
    content = reports.build(report)
    for end in range(13, len(content)):
        found = reports.parse(content[:end])
        assert found is not None
        assert found.msg_id == report.msg_id


@given(st.lists(labels | st.binary(max_size=20), max_size=12).map(b"".join))
def test_nothing_that_comes_in_is_an_error(content: bytes) -> None:
    found = reports.parse(content)
    assert found is None or found.stat or len(found.msg_id) == 20
