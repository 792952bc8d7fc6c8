"""The sieve never loses what was put in, and lets little else pass."""

from yanshu.runtime.sieve import Sieve


def test_an_empty_sieve_holds_nothing() -> None:
    sieve = Sieve()
    sieve.add([])
    assert (sieve.is_empty, sieve.may_hold("+8613800138000"), sieve.pass_on(["+8613800138000"])) == (True, False, [])


def test_what_was_put_in_passes_and_hardly_anything_else() -> None:
    sieve = Sieve()
    known = [f"+86138{serial:08d}" for serial in range(10_000)]
    others = [f"+86139{serial:08d}" for serial in range(10_000)]
    sieve.add(known)
    assert sieve.pass_on(known) == known
    assert all(map(sieve.may_hold, known))
    assert len(sieve.pass_on(others)) < 100
