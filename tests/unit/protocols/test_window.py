"""The window and the numbering that all sessions share."""

from yanshu.protocols.window import Sequence, Window


def test_numbers_begin_at_one_and_wrap_to_one() -> None:
    sequence = Sequence(3)
    assert [sequence.next() for _ in range(5)] == [1, 2, 3, 1, 2]


def test_a_number_still_waiting_is_skipped() -> None:
    window: Window[str] = Window(2, 10.0, Sequence(3))
    assert [window.open("a", 0.0), window.open("b", 0.0)] == [1, 2]
    window.close(2)
    assert [window.open("c", 0.0), window.close(3), window.open("d", 0.0)] == [3, "c", 2]


def test_a_number_whose_answer_may_still_come_is_skipped() -> None:
    window: Window[str] = Window(2, 10.0, Sequence(3))
    window.open("a", 0.0)
    assert window.expire(10.0) == [(1, "a")]
    assert [window.open("b", 11.0), window.open("c", 11.0), window.close(3), window.open("d", 11.0)] == [2, 3, "c", 3]


def test_permits_taken_together_skip_numbers_in_use_too() -> None:
    window: Window[str] = Window(3, 10.0, Sequence(4))
    assert window.open_all("abc", 0.0) == [1, 2, 3]
    assert [window.close(1), window.close(3)] == ["a", "c"]
    assert window.open_all("de", 1.0) == [4, 1]
    assert window.open_all("", 2.0) == []
    assert [window.close(number) for number in (2, 4, 1)] == ["b", "d", "e"]


def test_permits_come_back_by_answer_timeout_and_end() -> None:
    window: Window[str] = Window(3, 10.0, Sequence(100))
    for item in "abc":
        window.open(item, 0.0)
    assert (window.free, len(window)) == (0, 3)
    assert window.close(1) == "a"
    assert window.free == 1
    assert window.expire(10.0) == [(2, "b"), (3, "c")]
    assert window.free == 3
    window.open("d", 11.0)
    assert window.drain() == [(4, "d")]
    assert (window.free, window.next_deadline()) == (3, None)


def test_only_what_is_old_enough_is_given_up() -> None:
    window: Window[str] = Window(3, 10.0, Sequence(100))
    window.open("a", 0.0)
    window.open("b", 5.0)
    assert window.next_deadline() == 10.0
    assert window.expire(12.0) == [(1, "a")]
    assert window.next_deadline() == 15.0
    assert window.close_late(1) == "a"
    assert window.close_late(1) is None


def test_a_late_answer_is_forgotten_after_another_timeout() -> None:
    window: Window[str] = Window(3, 10.0, Sequence(100))
    window.open("a", 0.0)
    window.expire(10.0)
    assert window.next_deadline() == 20.0
    window.expire(20.0)
    assert (window.close_late(1), window.next_deadline()) == (None, None)
