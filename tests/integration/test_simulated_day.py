"""A whole day of a carrier's troubles over every protocol, and many people who answer: nothing is lost, nothing is taken twice."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.site import SPOKEN, people, running, until
from yanshu.simulator.behaviour import SimulatedProtocol
from yanshu.simulator.scenario import read_scenario

DAY = Path(__file__).parents[2] / "examples" / "a-day-in-the-life.toml"
OUTCOMES = {("delivered", None), ("delivered", "partial_receipts"), ("undelivered", "outcome_unknown"), ("undelivered", "no_receipt")}
REFUSED = {("failed", "carrier_error"), ("undelivered", "carrier_error")}
CONVERSATIONS = 1000


@pytest.mark.parametrize("protocol", SPOKEN)
async def test_a_day_in_the_life_loses_and_doubles_nothing(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    connector = SPOKEN[protocol].impatient
    async with running(tmp_path, protocol=protocol, connector=connector, time_factor=60) as site:
        happened: list[str] = []
        day = read_scenario(DAY.read_text("utf-8").replace("repeats = true", ""), site.simulator.settings)
        site.simulator.play(day, lambda step: happened.append(step.note))
        numbers = people(400)
        for first in range(0, len(numbers), 20):
            await site.send(*numbers[first : first + 20])
            await asyncio.sleep(0.5)  # the load of the day, not a wait for anything
        await until("the day to be over", lambda: happened[-1:] == ["the next day"])
        found = await site.ended(60)
        assert found.total() == 400
        assert set(found) <= OUTCOMES | REFUSED
        assert set(site.taken().values()) == {1}
        delivered = {message.recipient.lstrip("+") for message in await site.messages() if message.status == "delivered"}
        assert delivered <= {number for number, *_ in site.taken()}
        assert found[("delivered", None)] > 200


@pytest.mark.parametrize("protocol", SPOKEN)
async def test_a_thousand_people_answer_and_are_answered(tmp_path: Path, protocol: SimulatedProtocol) -> None:
    async with running(tmp_path, protocol=protocol) as site:
        numbers = people(CONVERSATIONS)
        await site.send(*numbers)
        await site.ended()
        for number in numbers:
            site.simulator.reply(f"86{number}", f"好的，我是{number}")
        await until("every reply to arrive", lambda: site.simulator.state()["totals"]["acknowledged"] >= 2 * CONVERSATIONS)
        inbounds = await site.inbounds(CONVERSATIONS)
        assert {(one.sender, one.text) for one in inbounds} == {(f"+86{number}", f"好的，我是{number}") for number in numbers}
        assert all(one.in_reply_to for one in inbounds)
        await site.send(*numbers, text="谢谢您的回复")
        await site.ended()
        assert [[text.text for text in site.simulator.inbox(f"86{number}")][-1] for number in numbers] == ["谢谢您的回复"] * CONVERSATIONS
