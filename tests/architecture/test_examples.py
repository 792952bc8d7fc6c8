"""The code that customers copy works: the verification in the how-to and the receiver in examples/."""

import importlib.util
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.architecture.tree import DOCS, ROOT
from yanshu.rules.webhooks.signing import make_secret, signature_headers

_NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
_SECRET = make_secret(bytes(range(32)))
_OLD_SECRET = make_secret(bytes(range(1, 33)))
_BODY = json.dumps({"id": "evt_1", "type": "message.delivered"}).encode()

IsGenuine = Callable[[str, dict[str, str], bytes, float], bool]


def _from_page(page: str) -> IsGenuine:
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)
    found: IsGenuine = names["is_genuine"]
    return found


def _receiver() -> Any:
    spec = importlib.util.spec_from_file_location("webhook_receiver", ROOT / "examples" / "webhook_receiver.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(
    params=[
        pytest.param(lambda: _from_page("how-to/webhooks.md"), id="how-to"),
        pytest.param(lambda: _from_page("zh/webhooks.md"), id="how-to in Chinese"),
        pytest.param(lambda: _receiver().is_genuine, id="example"),
    ]
)
def is_genuine(request: pytest.FixtureRequest) -> IsGenuine:
    made: IsGenuine = request.param()
    return made


@pytest.mark.parametrize(
    ("secrets", "change", "seconds_later", "genuine"),
    [
        pytest.param([_SECRET], {}, 0, True, id="as sent"),
        pytest.param([_SECRET, _OLD_SECRET], {}, 0, True, id="during a rotation, the new one"),
        pytest.param([_OLD_SECRET, _SECRET], {}, 0, True, id="during a rotation, the old one"),
        pytest.param([_OLD_SECRET], {}, 0, False, id="another secret"),
        pytest.param([_SECRET], {}, 299, True, id="just in time"),
        pytest.param([_SECRET], {}, 301, False, id="too old"),
        pytest.param([_SECRET], {}, -301, False, id="from the future"),
        pytest.param([_SECRET], {"webhook-id": "evt_2"}, 0, False, id="another id"),
        pytest.param([_SECRET], {"webhook-timestamp": "soon"}, 0, False, id="no timestamp"),
        pytest.param([_SECRET], {"webhook-signature": ""}, 0, False, id="no signature"),
    ],
)
def test_a_customer_can_tell_our_calls_from_others(
    is_genuine: IsGenuine, secrets: list[str], change: dict[str, str], seconds_later: int, genuine: bool
) -> None:
    headers = {**signature_headers(secrets, "evt_1", _NOW, _BODY), **change}
    assert is_genuine(_SECRET, headers, _BODY, _NOW.timestamp() + seconds_later) is genuine


def test_a_changed_body_is_found_out(is_genuine: IsGenuine) -> None:
    headers = signature_headers([_SECRET], "evt_1", _NOW, _BODY)
    assert not is_genuine(_SECRET, headers, _BODY.replace(b"evt_1", b"evt_2"), _NOW.timestamp())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"id": "evt_1", "type": "inbound.received"}, ["evt_1"], id="one event"),
        pytest.param({"object": "list", "data": [{"id": "evt_1"}, {"id": "evt_2"}]}, ["evt_1", "evt_2"], id="a batch"),
    ],
)
def test_the_receiver_takes_one_event_or_many(body: dict[str, Any], expected: list[str]) -> None:
    assert [event["id"] for event in _receiver().events_of(json.dumps(body).encode())] == expected
