"""Reconnect delays."""

import pytest

from yanshu.runtime.backoff import Backoff, jitter

MIDDLE, LOWEST, HIGHEST = b"\x7f\xff", b"\x00\x00", b"\xff\xff"


def test_delays_double_up_to_a_minute() -> None:
    backoff = Backoff()
    assert [round(backoff.after_failure(MIDDLE)) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_refused_credentials_wait_from_a_minute_to_a_quarter_of_an_hour() -> None:
    backoff = Backoff()
    assert [round(backoff.after_refusal(MIDDLE)) for _ in range(6)] == [60, 120, 240, 480, 900, 900]


UPTIMES = [("a connection that drops at once changes nothing", 5.0, 4), ("a steady connection begins anew", 60.0, 1)]


@pytest.mark.parametrize(("name", "seconds", "delay"), UPTIMES, ids=[case[0] for case in UPTIMES])
def test_only_a_steady_connection_resets_the_delay(name: str, seconds: float, delay: int) -> None:
    backoff = Backoff()
    backoff.after_failure(MIDDLE)
    backoff.after_failure(MIDDLE)
    backoff.was_up(seconds)
    assert round(backoff.after_failure(MIDDLE)) == delay


def test_a_login_forgives_earlier_refusals() -> None:
    backoff = Backoff()
    backoff.after_refusal(MIDDLE)
    backoff.was_up(1.0)
    assert round(backoff.after_refusal(MIDDLE)) == 60


@pytest.mark.parametrize(("entropy", "seconds"), [(LOWEST, 8.0), (HIGHEST, 12.0)], ids=["lowest", "highest"])
def test_jitter_is_a_fifth_either_way(entropy: bytes, seconds: float) -> None:
    assert jitter(10.0, entropy) == pytest.approx(seconds)
