"""What a link report is worth."""

from datetime import UTC, datetime, timedelta

import pytest

from yanshu.domain.connectors import LinkReport, LinkState

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
UP = LinkReport(connector_id="con_1", slot=0, node_id="node_1", state=LinkState.UP, detail="bound", changed_at=NOW)


@pytest.mark.parametrize(
    ("later", "state"), [(0, LinkState.UP), (14, LinkState.UP), (-14, LinkState.UP), (16, LinkState.DOWN), (-16, LinkState.DOWN)]
)
def test_a_link_whose_owner_has_fallen_silent_is_down(later: int, state: LinkState) -> None:
    seen = UP.as_of(NOW + timedelta(seconds=later))
    assert (seen.state, seen.changed_at) == (state, NOW)
