"""What each fault of a carrier comes to, over every protocol, and what `explain` says of it to whoever asks.

Whatever the fault: nothing is lost, nothing is taken twice, the tries are bounded, and there is a sentence about it.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from tests.integration.serving import TEXT, Served, free_port
from tests.integration.serving import until as wait_for
from tests.integration.site import SPOKEN, WAITS, WS, Site, people, running, until
from yanshu.domain.connectors import LinkState
from yanshu.pipeline.explain import Explainer
from yanshu.simulator import Behaviour
from yanshu.simulator.behaviour import SimulatedProtocol
from yanshu.testing.causes import shipped_causes

COUNT = 12
DELIVERED = ("delivered", None)
_CHINESE = re.compile("[\u4e00-\u9fff]")
over_every_protocol = pytest.mark.parametrize("protocol", SPOKEN)
# HTTP has no link to lose, and a request over it is signed by itself: what a refused account does is told in test_http_carrier.py.
over_every_login = pytest.mark.parametrize("protocol", [protocol for protocol in SPOKEN if protocol != "http"])


class Story(NamedTuple):
    """A carrier's fault, how every message ends, what is said of it, and how often the carrier takes each."""

    name: str
    behaviour: Behaviour
    end: tuple[str, str | None]
    words: tuple[str, ...]
    taken: int = 1
    is_of_sessions: bool = False


STORIES = [
    Story(
        "it cuts the link instead of answering",
        Behaviour(drop_every=1),
        ("undelivered", "outcome_unknown"),
        ("over yanshu: unanswered", "never said what became of it", "Who can act: carrier"),
        taken=0,
    ),
    Story(
        "it acknowledges and never reports",
        Behaviour(receipt_loss_rate=1.0),
        ("undelivered", "no_receipt"),
        ("over yanshu: accepted", "sent no receipt in time", "Who can act: carrier"),
    ),
    Story(
        "it reports everything twice",
        Behaviour(receipt_duplicate_rate=1.0),
        DELIVERED,
        ("Receipt for segment 1:", "It is delivered"),
    ),
    Story("it reports what nobody sent", Behaviour(stray_receipt_rate=1.0), DELIVERED, ("Receipt for segment 1:", "It is delivered")),
    Story("it finds us too fast", Behaviour(throttle_per_second=4), DELIVERED, ("Attempt 1, segment 1 of 1", "It is delivered")),
    Story("it proves itself with another secret", Behaviour(false_proof=True), DELIVERED, ("It is delivered",)),
    Story(
        "it writes the ids of reports in another base",
        Behaviour(id_form="decimal", receipt_id_form="hex"),
        DELIVERED,
        ("Receipt for segment 1:", "It is delivered"),
        is_of_sessions=True,
    ),
]
TOLD = [(protocol, story) for protocol, spoken in SPOKEN.items() for story in STORIES if spoken.cuts or not story.is_of_sessions]


async def explained(site: Site, ident: str, language: str) -> list[str]:
    """The sentences about a message."""
    explainer = Explainer(site.store, site.clock, site.router, shipped_causes(site.router), site.numbers)
    told: list[str] = (await explainer.explain(WS, ident, language))["sentences"]
    return told


@pytest.mark.parametrize(("protocol", "story"), TOLD, ids=[f"{protocol}: {story.name}" for protocol, story in TOLD])
async def test_a_fault_has_its_end_and_its_sentences(tmp_path: Path, protocol: SimulatedProtocol, story: Story) -> None:
    waits = replace(WAITS, receipt=timedelta(seconds=2), unknown=timedelta(seconds=2))
    async with running(tmp_path, story.behaviour, protocol, waits=waits) as site:
        idents = await site.send(*people(COUNT))
        assert await site.ended() == {story.end: COUNT}
        assert {message.attempts for message in await site.messages()} == {1}
        assert set(site.taken().values()) == ({story.taken} if story.taken else set())
        for ident in (idents[0], idents[-1]):
            told = " ".join(await explained(site, ident, "en"))
            assert [words for words in story.words if words not in told] == []
            assert all(_CHINESE.search(sentence) for sentence in await explained(site, ident, "zh"))
        site.misbehave(drop_every=0)


@over_every_protocol
async def test_receipts_about_unknown_ids_are_kept_apart(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, Behaviour(stray_receipt_rate=1.0), protocol) as site:
        await site.send(*people(COUNT))
        assert await site.ended() == {DELIVERED: COUNT}
        async with site.store.read() as uow:
            assert await uow.receipts.count() >= COUNT  # a slow machine acknowledges late, and they come again
        assert site.simulator.state()["totals"]["acknowledged"] >= 2 * COUNT


async def test_a_gateway_of_an_older_version_is_spoken_to_in_that(tmp_path: Path) -> None:
    async with running(tmp_path, protocol="cmpp", carrier={"cmpp_version": "2.0"}) as site:
        ids = await site.send(*people(COUNT))
        assert await site.ended() == {DELIVERED: COUNT}
        assert set(site.taken().values()) == {1}
        assert site.simulator.state()["totals"]["binds"] == 1
        assert "It is delivered" in " ".join(await explained(site, ids[0], "en"))


async def test_a_gateway_that_lacks_the_version_we_insist_on_blocks_the_link_and_nothing_is_lost(tmp_path: Path) -> None:
    pinned = {"connector": {"version": "3.0"}, "carrier": {"cmpp_version": "2.0"}}
    async with running(tmp_path, protocol="cmpp", up=False, **pinned) as site:
        (ident,) = await site.send(*people(1))
        await until("the link to be blocked", lambda: site.carriers[:1] != [] and site.carriers[0].state is LinkState.BLOCKED)
        (message,) = await site.messages()
        assert (message.status, message.attempts, site.taken()) == ("queued", 0, {})
        assert "It is queued" in " ".join(await explained(site, ident, "en"))


@over_every_login
async def test_a_half_open_link_is_replaced_and_what_was_on_it_is_told_of(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, protocol=protocol, connector=SPOKEN[protocol].impatient) as site:
        site.misbehave(silent=True)
        (ident,) = await site.send(*people(1))
        await until("the link to be given up", lambda: site.carriers[0].state is not LinkState.UP)
        site.misbehave(silent=False)
        await until("a new link", lambda: site.carriers[0].state is LinkState.UP)
        assert await site.ended() == {("undelivered", "outcome_unknown"): 1}
        assert "over yanshu: unanswered" in " ".join(await explained(site, ident, "en"))
        assert not site.taken()


@over_every_login
def test_a_wrong_password_costs_one_login_a_minute_is_an_incident_and_the_queue_moves_on(
    tmp_path: Path, protocol: SimulatedProtocol
) -> None:
    served = Served(tmp_path).start(failover_after_seconds=3)
    try:
        _refused_login(served, protocol)
    finally:
        served.stop()


def _refused_login(served: Served, protocol: SimulatedProtocol) -> None:
    port = served.run(served.simulator.start(protocol=protocol))
    fields: dict[str, Any] = {"protocol": protocol, "port": port, "simulated": False}
    account = next(one for one in served.simulator.settings.accounts if one.protocol == protocol)
    elsewhere = replace(account, delivers_to=f"127.0.0.1:{free_port()}")
    bodies = [
        served.connector_body(**fields, name=name, password=password, settings=SPOKEN[protocol].settings_of(own))
        for name, password, own in (("bad", "wrong", elsewhere), ("good", "simulate", account))
    ]
    bad, good = (served.admin.call("POST", "/v1/connectors", body)["id"] for body in bodies)
    served.admin.call("POST", "/v1/routes", {"name": "both", "rank": 1, "connectors": [bad, good]})
    health = f"/v1/connectors/{bad}/health"
    wait_for("the link to be blocked", lambda: served.admin.call("GET", health)["state"] == "blocked")
    (link,) = served.admin.call("GET", health)["links"]
    assert "refuses" in link["detail"]
    assert "next try in" in link["detail"]

    path = f"/v1/messages/{served.admin.call('POST', '/v1/messages', {'to': people(1)[0], 'text': TEXT})['id']}"
    wait_for("delivered over the other one", lambda: served.admin.call("GET", path)["status"] == "delivered")
    told = served.admin.call("GET", f"{path}/explain")
    assert [attempt["connector"] for attempt in told["attempts"]] == [good]
    assert any("It moved from bad to good" in sentence for sentence in told["sentences"])
    wait_for("the breaker", lambda: served.admin.call("GET", "/v1/events?types=connector.breaker_opened")["data"])
    (opened,) = served.admin.call("GET", "/v1/events?types=connector.breaker_opened")["data"]
    assert (opened["data"]["object"]["name"], opened["data"]["object"]["cause"]) == ("bad", "no_link")
    assert served.simulator.state()["totals"]["refused_binds"] == 1
    _one_incident(served, bad)


def _one_incident(served: Served, connector: str) -> None:
    """Of the blocked link there is one incident, which ends when the password is put right."""
    (incident,) = served.admin.call("GET", "/v1/incidents?status=open")["data"]
    assert (incident["kind"], incident["connector"], incident["count"]) == ("link_blocked", connector, 1)
    assert "A link of connector bad is blocked: " in incident["sentence"]
    path = f"/v1/incidents/{incident['id']}"
    assert "通道 bad 的连接被阻止：" in served.admin.call("GET", path, Accept_Language="zh-CN")["sentence"]

    served.admin.call("PATCH", f"/v1/connectors/{connector}", {"password": "simulate"})
    wait_for("the end of it", lambda: served.admin.call("GET", path)["status"] == "closed")
    assert [served.admin.call("GET", f"/v1/incidents?status={status}")["data"] == [] for status in ("open", "closed")] == [True, False]
    told = served.admin.call("GET", "/v1/events?types=incident.opened,incident.closed&order=asc")["data"]
    assert [(event["type"], event["data"]["object"]["id"]) for event in told] == [
        ("incident.opened", incident["id"]),
        ("incident.closed", incident["id"]),
    ]
