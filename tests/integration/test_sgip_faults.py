"""What can go wrong between the two connections of SGIP, against the whole pipeline: receipts and texts come over the carrier's own."""

import asyncio
import socket
from pathlib import Path

from tests.integration.site import LONG_TEXT, SHORT_TEXT, Site, people, running, until
from yanshu.domain.connectors import LinkState
from yanshu.simulator import Account, Behaviour

DELIVERED = ("delivered", None)
REPLIES = "+8610000000015"
RESPONSES = Behaviour(receipt_seconds=0.2)


def total(site: Site, counter: str) -> int:
    count: int = site.simulator.state()["totals"][counter]
    return count


async def test_receipts_and_replies_come_over_the_carriers_own_connection(tmp_path: Path) -> None:
    async with running(tmp_path, protocol="sgip", livemode=False) as site:
        await site.send(REPLIES)
        assert await site.ended() == {DELIVERED: 1}
        await until("the reply", lambda: total(site, "acknowledged") == 2)
        assert [inbound.text for inbound in await site.inbounds()] == ["你好"]
        assert (total(site, "calls"), total(site, "binds")) == (1, 1)


async def test_a_carrier_that_delivers_over_our_connection_is_heard_there(tmp_path: Path) -> None:
    accounts = (Account(protocol="sgip", delivers_to=""),)
    stays = {"listen_port": 0, "idle_seconds": 0}
    async with running(tmp_path, protocol="sgip", livemode=False, accounts=accounts, connector=stays) as site:
        await site.send(REPLIES)
        assert await site.ended() == {DELIVERED: 1}
        await until("the reply", lambda: total(site, "acknowledged") == 2)
        assert (total(site, "calls"), len(await site.inbounds())) == (0, 1)


async def test_a_wrong_password_is_an_incident_and_no_storm(tmp_path: Path) -> None:
    async with running(tmp_path, protocol="sgip", accounts=(Account(protocol="sgip", password="another"),), up=False) as site:
        await until("the refusal", lambda: bool(site.carriers) and site.carriers[0].state is LinkState.BLOCKED)
        await site.send(*people(3))
        await asyncio.sleep(1.5)
        assert (total(site, "refused_binds"), total(site, "submits")) == (1, 0)


async def test_a_listener_whose_address_is_taken_sends_nothing_and_loses_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        accounts = (Account(protocol="sgip", delivers_to=f"127.0.0.1:{taken.getsockname()[1]}"),)
        async with running(tmp_path, protocol="sgip", accounts=accounts, up=False) as site:
            await until("the incident", lambda: bool(site.carriers) and site.carriers[0].state is LinkState.BLOCKED)
            await site.send(*people(5))
            await asyncio.sleep(0.3)
            assert total(site, "submits") == 0
            taken.close()
            assert await site.ended() == {DELIVERED: 5}
            assert set(site.taken().values()) == {1}


async def test_receipts_wait_at_the_carrier_while_both_connections_are_killed(tmp_path: Path) -> None:
    async with running(tmp_path, RESPONSES, "sgip") as site:
        await site.send(*people(60))
        await until("some submits", lambda: total(site, "accepted") > 20)
        site.simulator.drop_links()
        found = await site.ended(60)
        assert found.total() == 60
        assert set(site.taken().values()) == {1}
        assert found[DELIVERED] == len(site.taken())
        assert total(site, "failed_calls") == 0


async def test_what_is_resent_while_the_store_is_busy_is_taken_once(tmp_path: Path) -> None:
    async with running(tmp_path, protocol="sgip", livemode=False) as site:
        await site.send(REPLIES)
        await until("the submit", lambda: total(site, "accepted") == 1)
        async with site.store.write():
            await until("the carrier to ask again", lambda: total(site, "resent") >= 2)
        assert await site.ended() == {DELIVERED: 1}
        await until("everything acknowledged", lambda: total(site, "acknowledged") == 2)
        assert [inbound.text for inbound in await site.inbounds()] == ["你好"]


async def test_a_restarted_client_gets_what_waited(tmp_path: Path) -> None:
    async with running(tmp_path, Behaviour(receipt_seconds=1.0), "sgip") as site:
        await site.send(*people(5))
        await until("the submits", lambda: total(site, "accepted") == 5)
        await site.fleet.stop(0.5)
        await until("a call to nobody", lambda: total(site, "failed_calls") > 0)
        site.hold_links()
        assert await site.ended() == {DELIVERED: 5}


async def test_only_the_owner_of_the_link_listens_and_who_takes_it_over_listens_next(tmp_path: Path) -> None:
    async with running(tmp_path, protocol="sgip") as site:
        owner = site.fleet
        site.hold_links("node_2")
        await site.send(*people(5))
        assert await site.ended() == {DELIVERED: 5}
        assert site.carriers == []
        await owner.stop(5.0)
        await until("the other to take over", site.is_up)
        await site.send(*people(5), text=LONG_TEXT)
        assert await site.ended() == {DELIVERED: 10}
        assert total(site, "calls") == 2


async def test_at_rest_and_back_again_and_again_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async with running(tmp_path, RESPONSES, "sgip", connector={"idle_seconds": 1}) as site:
        for round_ in range(3):
            await until("the rest", lambda: total(site, "links") <= 1 and site.carriers[0].outstanding == 0)
            await site.send(*people(7), text=f"{SHORT_TEXT}{round_}")
            assert await site.ended() == {DELIVERED: 7 * (round_ + 1)}
            await until("the goodbye", lambda: total(site, "links") == 1)
        assert set(site.taken().values()) == {1}
        assert total(site, "binds") == 3
