"""Metrics come from one table and count chunks."""

from datetime import UTC, datetime

import pytest

from yanshu.domain.connectors import LinkReport, LinkState
from yanshu.domain.health import Condition
from yanshu.domain.numbers import Operator
from yanshu.domain.submissions import Answer, AnswerResult, InboundPart, Receipt, ReceiptState
from yanshu.runtime.metrics import TABLE, Metrics

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def answer(result: AnswerResult) -> Answer:
    return Answer("msg_1", 1, 1, 1, "con_1", result, NOW)


def receipt(state: ReceiptState) -> Receipt:
    return Receipt(
        id="rcp_1", connector_id="con_1", keys=("1",), recipient=None, state=state, stat="", err="", text="", done_at=None, arrived_at=NOW
    )


def part() -> InboundPart:
    return InboundPart(
        id="rcp_2", connector_id="con_1", sender="a", recipient="b", text="", raw=b"", part=1, parts=1, reference=0, arrived_at=NOW
    )


@pytest.mark.parametrize("name", TABLE)
def test_every_metric_has_help_a_prefix_and_its_unit(name: str) -> None:
    _, text, _ = TABLE[name]
    assert text.endswith(".")
    assert name.startswith("yanshu_")
    assert name.endswith(("_total", "_seconds", "_size", "_depth", "_links", "_breakers", "_incidents", "_ratio", "_info"))


def test_what_the_pipeline_tells_is_rendered() -> None:
    metrics = Metrics("1.2.3", "node_1")
    metrics.accepted(3)
    metrics.claimed(2)
    metrics.answered([answer(AnswerResult.ACCEPTED), answer(AnswerResult.ACCEPTED), answer(AnswerResult.BUSY)])
    metrics.arrived([receipt(ReceiptState.DELIVERED), part()])
    metrics.committed("accept", 3, 0.004)
    metrics.webhook("retry", 0.2)
    metrics.answered_http("POST", "/v1/messages", 202, 0.003)
    metrics.standing([Condition(connector_id="con_1", weight_percent=80), Condition(connector_id="con_1", operator=Operator.CMCC)])
    metrics.moved({("con_1", "degraded"): 2})
    metrics.incidents({"no_link": 1})
    metrics.lagged(0.01)
    metrics.restarted("link:con_1:0")
    told = metrics.render().decode()
    for line in (
        "yanshu_accepted_messages_total 3.0",
        "yanshu_claimed_messages_total 2.0",
        'yanshu_answers_total{result="accepted"} 2.0',
        'yanshu_answers_total{result="busy"} 1.0',
        'yanshu_receipts_total{state="delivered"} 1.0',
        'yanshu_answers_total{result="unsent"} 0.0',
        'yanshu_receipts_total{state="expired"} 0.0',
        'yanshu_connector_weight_ratio{connector="con_1",operator="all"} 0.8',
        'yanshu_breakers{connector="con_1",operator="cmcc",state="closed"} 1.0',
        'yanshu_connector_moves_total{connector="con_1",move="degraded"} 2.0',
        'yanshu_open_incidents{kind="no_link"} 1.0',
        "yanshu_inbound_parts_total 1.0",
        'yanshu_commit_seconds_count{stage="accept"} 1.0',
        'yanshu_chunk_size_sum{stage="accept"} 3.0',
        'yanshu_webhook_attempts_total{result="retry"} 1.0',
        'yanshu_http_requests_total{method="POST",route="/v1/messages",status="202"} 1.0',
        "yanshu_loop_lag_seconds 0.01",
        'yanshu_task_restarts_total{task="link"} 1.0',
        'yanshu_build_info{node="node_1",version="1.2.3"} 1.0',
    ):
        assert line in told


def test_gauges_forget_what_is_no_longer_there() -> None:
    metrics = Metrics()
    report = LinkReport(connector_id="con_1", slot=0, node_id="n", state=LinkState.UP, detail="", changed_at=NOW)
    metrics.queued({("con_1", "otp"): 5})
    metrics.linked([report])
    metrics.queued({("con_2", "otp"): 1})
    metrics.linked([])
    told = metrics.render().decode()
    assert "con_1" not in told
    assert 'yanshu_queue_depth{connector="con_2",lane="otp"} 1.0' in told


def test_two_processes_worth_of_metrics_do_not_share_anything() -> None:
    one, other = Metrics(), Metrics()
    one.accepted(1)
    assert "yanshu_accepted_messages_total 0.0" in other.render().decode()
