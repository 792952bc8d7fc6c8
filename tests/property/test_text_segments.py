"""Laws of segments: nothing is lost, nothing is too long, no pair is torn, count and cut agree."""

from hypothesis import given
from hypothesis import strategies as st

from yanshu.text import gsm7, segments, udh

GSM = "".join(chr(point) for point in range(0x3000) if gsm7.is_gsm7(chr(point)))
gsm_texts = st.text(st.sampled_from(GSM + "€€€{}"), max_size=700)
any_texts = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("中a😀𠮷")), max_size=300)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(gsm_texts)
def test_septets_come_back_as_the_same_text(text: str) -> None:
    assert gsm7.decode(gsm7.encode(text)) == text
    assert len(gsm7.encode(text)) == gsm7.length(text)


@given(st.binary(max_size=300))
def test_any_octets_are_some_text(octets: bytes) -> None:
    assert isinstance(gsm7.decode(octets), str)


@given(gsm_texts)
def test_a_gsm_text_is_cut_as_it_is_counted(text: str) -> None:
    single, each = segments.LIMITS["gsm7"]
    pieces = segments.cut(text, "gsm7", single, each)
    assert "".join(pieces) == text
    assert all(gsm7.length(piece) <= (single if len(pieces) == 1 else each) for piece in pieces)
    assert segments.count(text, mainland=False) == ("gsm7", gsm7.length(text), len(pieces))


@given(any_texts)
def test_a_mainland_text_is_cut_as_it_is_counted(text: str) -> None:
    single, each = segments.LIMITS["ucs2"]
    pieces = segments.cut(text, "ucs2", single, each)
    assert "".join(pieces) == text
    assert all(units(piece) <= (single if len(pieces) == 1 else each) for piece in pieces)
    assert segments.count(text, mainland=True) == ("ucs2", units(text), len(pieces))


@given(st.text(st.characters(), max_size=200))
def test_lone_surrogates_are_survived(text: str) -> None:
    assert "".join(segments.cut(text, "ucs2", 70, 67)) == text
    assert segments.count(text, mainland=True).segments == len(segments.cut(text, "ucs2", 70, 67))


@given(st.integers(0, 0xFFFF), st.integers(1, 255), st.data(), st.booleans(), st.binary(max_size=20))
def test_a_header_comes_back(reference: int, total: int, data: st.DataObject, wide: bool, content: bytes) -> None:
    part = data.draw(st.integers(1, total))
    expected = udh.Concatenation(reference if wide else reference & 0xFF, total, part)
    assert udh.parse(udh.build(reference, total, part, wide=wide) + content) == (expected, content)


@given(st.binary(max_size=60))
def test_any_octets_are_survived_as_a_header(octets: bytes) -> None:
    found, rest = udh.parse(octets)
    assert octets.endswith(rest)
    assert found is None or 1 <= found.part <= found.total
