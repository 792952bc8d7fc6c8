"""States in receipts: what each means, and which may be the last word."""

import pytest

from yanshu.adapters.carriers.arrivals import state_of
from yanshu.domain.submissions import ReceiptState

S = ReceiptState
STATES = [
    ("DELIVRD", S.DELIVERED, True),
    ("ACCEPTD", S.ACCEPTED, False),
    ("ENROUTE", S.ACCEPTED, False),
    ("EXPIRED", S.EXPIRED, True),
    ("UNDELIV", S.UNDELIVERABLE, True),
    ("DELETED", S.UNDELIVERABLE, True),
    ("REJECTD", S.REJECTED, True),
    ("UNKNOWN", S.UNKNOWN, True),
    ("MA:0051", S.UNDELIVERABLE, True),
    ("MK:0001", S.UNDELIVERABLE, True),
    ("CB:0007", S.UNDELIVERABLE, True),
    ("IC:0001", S.UNDELIVERABLE, True),
    ("DB:0141", S.REJECTED, True),
    ("SA:0001", S.REJECTED, True),
    ("MI:0024", S.EXPIRED, True),
    ("QQ:1", S.UNKNOWN, True),
]


@pytest.mark.parametrize(("stat", "state", "is_final"), STATES, ids=[case[0] for case in STATES])
def test_a_state_means_this(stat: str, state: ReceiptState, is_final: bool) -> None:
    found = state_of(stat, acceptd_is_final=False)
    assert (found, found.is_final) == (state, is_final)


def test_accepted_is_the_last_word_of_carriers_that_are_known_for_it() -> None:
    assert state_of("ACCEPTD", acceptd_is_final=True) is S.DELIVERED
    assert state_of("ENROUTE", acceptd_is_final=True) is S.ACCEPTED
