"""A message that has moved comes from the access code of the connector that submits it."""

from typing import Any, cast

import pytest

from yanshu.pipeline.route import Router
from yanshu.pipeline.senders import Senders
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples


class Accounts:
    """A router that knows three connectors."""

    def __init__(self, samples: Samples) -> None:
        codes = {"a": "10690001", "b": "10655", "bare": ""}
        self.connectors = {ident: samples.connector(id=ident, sender=code) for ident, code in codes.items()}


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("it has not moved", {"sender": "1069000188", "candidates": ("a", "b")}, "a", "1069000188"),
    ("the code is the new one's", {"sender": "10690001", "candidates": ("a", "b")}, "b", "10655"),
    ("the extension goes along", {"sender": "1069000188", "candidates": ("a", "b")}, "b", "1065588"),
    ("a sender of the caller's own stays", {"sender": "95588", "candidates": ("a", "b")}, "b", "95588"),
    ("the new one has no code", {"sender": "1069000188", "candidates": ("a", "bare")}, "bare", "88"),
    ("the first one had no code", {"sender": "88", "candidates": ("bare", "a")}, "a", "88"),
    ("no sender at all", {"sender": "", "candidates": ("bare", "a")}, "a", ""),
    ("the first one is gone", {"sender": "1069000188", "candidates": ("gone", "b")}, "b", "1069000188"),
    ("it moved to where no route led it", {"sender": "1069000188", "candidates": ("a",)}, "b", "1065588"),
    ("it has no order", {"sender": "1069000188", "candidates": ()}, "b", "1069000188"),
]


@pytest.mark.parametrize(("fields", "over", "sender"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_message_comes_from_the_connector_that_submits_it(fields: dict[str, Any], over: str, sender: str) -> None:
    samples = Samples(FakeClock())
    message = samples.message(connector_id=over, **fields)
    assert [m.sender for m in Senders(cast(Router, Accounts(samples))).over([message], over)] == [sender]
