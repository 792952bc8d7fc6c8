"""The links of a killed dispatcher move to another one within seconds, and are never more than agreed."""

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import until
from tests.e2e.load import set_up
from tests.e2e.tap import Tap
from yanshu.testing.postgres import PostgresServer

MOST_SECONDS = 10.0


@pytest.mark.slow
def test_the_links_of_a_killed_dispatcher_are_taken_over_within_seconds(start_node: StartNode, postgres: PostgresServer) -> None:
    environment = {
        "YANSHU_DATABASE_URL": postgres.create_database("takeover"),
        "YANSHU_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "YANSHU_LOG_LEVEL": "ERROR",
    }
    carrier = start_node("simulate", "--port", "0", "--control-port", "0")
    front = start_node("serve", "--port", "0", "--roles", "api,worker", **environment)
    one, two = (start_node("serve", "--roles", "dispatcher", **environment) for _ in range(2))
    with Tap(carrier.said["port"]) as tap:
        admin = set_up(front, tap.port, links=2)
        until("both links", lambda: tap.links == 2)
        one.kill()
        until("one link less", lambda: tap.links == 1)
        until("both links again", lambda: tap.links == 2, MOST_SECONDS)
        sent = admin.call("POST", "/v1/messages", {"to": "+8613800138000", "text": "您好"})["id"]
        until("delivery", lambda: admin.call("GET", f"/v1/messages/{sent}")["status"] == "delivered")
        # Given back, a link moves at once: the next round of whoever is there takes it.
        three = start_node("serve", "--roles", "dispatcher", **environment)
        assert two.stop() == 0
        until("both links with the third", lambda: tap.links == 2, MOST_SECONDS)
        assert tap.most_links == 2
        assert three.stop() == 0
        until("no link", lambda: tap.links == 0)
        assert front.stop() == 0
