"""Sealing: what is sealed comes back, and nothing else does."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.rules.accounts.sealing import SealBroken, Sealer
from yanshu.settings import Settings, SettingsError

SEALER = Sealer(bytes(32))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_sealed_text_comes_back(text: str) -> None:
    assert SEALER.open_text(SEALER.seal(text)) == text


def test_the_same_text_is_never_sealed_alike() -> None:
    assert SEALER.seal("secret") != SEALER.seal("secret")


@given(st.integers(0, 1000))
def test_a_changed_seal_is_not_opened(place: int) -> None:
    octets = bytearray(base64.b64decode(SEALER.seal("secret").removeprefix("v1:")))
    octets[place % len(octets)] ^= 1
    with pytest.raises(SealBroken):
        SEALER.open_text("v1:" + base64.b64encode(octets).decode())


@pytest.mark.parametrize("sealed", ["", "v1:", "v1:AAAA", "plain text", "v1:" + "A" * 40])
def test_what_was_never_sealed_is_not_opened(sealed: str) -> None:
    with pytest.raises(SealBroken):
        SEALER.open_text(sealed)


def test_another_master_key_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        Sealer(b"\x01" * 32).open_text(SEALER.seal("secret"))


@pytest.mark.parametrize("key", ["not base64!", base64.b64encode(b"short").decode()])
def test_a_master_key_that_is_none_is_refused_by_name(key: str) -> None:
    with pytest.raises(SettingsError, match="YANSHU_MASTER_KEY"):
        Sealer.open(Settings(master_key=key))


def test_those_who_start_at_once_agree_on_one_key_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: Sealer.open(settings), range(8)))
    assert {sealer.open_text(sealers[0].seal("secret")) for sealer in sealers} == {"secret"}
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("master.key", 0o600)]
