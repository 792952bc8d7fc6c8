"""What receipts teach about numbers, from the receipt to the next message: over a real store and scripted carriers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.integration.test_pipeline import House, send
from yanshu.adapters.stores import open_store
from yanshu.domain.commands import Send
from yanshu.domain.connectors import Connector, Match, Route
from yanshu.domain.errors import CallerError
from yanshu.domain.lanes import Lane
from yanshu.domain.lessons import Lesson
from yanshu.domain.messages import Message, Status
from yanshu.domain.numbers import Operator, Source
from yanshu.domain.submissions import AnswerResult, ReceiptState
from yanshu.settings import Settings
from yanshu.testing.carriers import ScriptedCarrier, always
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import in_turn

NUMBER = "+8613800138000"
DAY_SECONDS = 86_400.0
ABSENT = "MK:0001"
PORTED = "DB:0126"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = FakeClock()
    store = open_store(Settings(data_dir=str(tmp_path)), clock)
    await store.migrate()
    house = House(store, clock)
    yield house
    await house.supervisor.stop()
    await store.close()


def notice(*numbers: str, lane: Lane = Lane.NOTICE) -> Send:
    return send(*numbers, lane=lane)


async def _report(house: House, message: Message, code: str | None) -> None:
    """Let the message be submitted and its receipt come: with this error, or delivered."""
    submitted = await house.until(message.id, Status.SUBMITTED)
    state = ReceiptState.UNDELIVERABLE if code else ReceiptState.DELIVERED
    for segment in range(1, message.segments + 1):
        house.carriers[submitted.connector_id or ""].report(submitted, state, segment, err=code or "000")
    await house.outcome.settled()


async def _sent(house: House, code: str | None, lane: Lane = Lane.OTP) -> Message:
    """Send to the number and let it end so."""
    message = (await house.accepter.accept(notice(lane=lane))).messages[0]
    await _report(house, message, code)
    return message


async def _lesson(house: House) -> Lesson | None:
    return (await house.numbers.facts_of(NUMBER, house.clock.now()))[1]


async def _refusal(house: House, lane: Lane = Lane.NOTICE) -> str | None:
    """Return the code with which a single message to the number is refused, None when it is taken."""
    try:
        await house.accepter.accept(notice(lane=lane))
    except CallerError as error:
        return error.code
    return None


async def _killed(house: House) -> None:
    """Two messages on two days find no such number."""
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    house.dispatch()
    await _sent(house, ABSENT)
    house.clock.advance(DAY_SECONDS)
    await _sent(house, ABSENT)


async def test_a_dead_number_gets_no_notice_and_no_marketing_but_still_its_codes(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    house.dispatch()
    await _sent(house, ABSENT)
    assert await _refusal(house) is None, "one receipt proves nothing"
    house.clock.advance(DAY_SECONDS)
    await _sent(house, ABSENT)
    assert [await _refusal(house, lane) for lane in Lane] == [None, "suppressed", "suppressed"]
    batch = (await house.accepter.accept(notice("13800138000", "13800138001"), single=False)).messages
    assert [(message.status, message.reason_code) for message in batch] == [(Status.REJECTED, "suppressed"), (Status.QUEUED, None)]
    with pytest.raises(CallerError, match="suppressed"):
        await house.accepter.preview(notice())
    assert b"yanshu_suppressed_messages_total 3.0" in house.metrics.render()
    assert b'yanshu_number_lessons_total{effect="dead"} 1.0' in house.metrics.render()


async def test_one_message_after_a_time_sees_whether_the_number_is_still_dead(house: House) -> None:
    await _killed(house)
    house.clock.advance(90 * DAY_SECONDS)
    twice = (await house.accepter.accept(notice("13800138000", "13800138000"), single=False)).messages
    assert [message.status for message in twice] == [Status.QUEUED, Status.REJECTED], "the first of a chunk is the probe"
    assert await _refusal(house) == "suppressed", "its receipt is waited for"
    await _report(house, twice[0], ABSENT)
    house.clock.advance(89 * DAY_SECONDS)
    assert await _refusal(house) == "suppressed"
    house.clock.advance(DAY_SECONDS)
    probe = (await house.accepter.accept(notice())).messages[0]
    await _report(house, probe, None)
    assert (await _lesson(house), await _refusal(house)) == (None, None)
    assert b'yanshu_number_lessons_total{effect="revived"} 1.0' in house.metrics.render()


async def test_a_probe_without_receipt_is_followed_by_another(house: House) -> None:
    await _killed(house)
    house.clock.advance(90 * DAY_SECONDS)
    assert [await _refusal(house), await _refusal(house)] == [None, "suppressed"]
    house.clock.advance(3 * DAY_SECONDS)
    assert [await _refusal(house), await _refusal(house)] == [None, "suppressed"]


async def test_a_code_that_arrives_brings_a_number_back_to_life(house: House) -> None:
    await _killed(house)
    assert await _refusal(house) == "suppressed"
    await _sent(house, None)
    assert (await _refusal(house), await _lesson(house)) == (None, None)


async def test_what_is_sent_with_a_test_key_teaches_nothing(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    connector = house.router.connectors["con_a"]
    async with house.store.write() as uow:
        await uow.definitions.save_connector(replace(connector, simulated=True))
        await uow.commit()
    await house.router.refresh()
    house.dispatch()
    message = (await house.accepter.accept(send("+8610000000002", livemode=False))).messages[0]
    await _report(house, message, ABSENT)
    async with house.store.read() as uow:
        assert await uow.lessons.of(["+8610000000002"]) == []


async def _open_by_operator(house: House) -> None:
    """A connector for each operator, and a route that leads to it."""
    now = house.clock.now()
    async with house.store.write() as uow:
        for rank, operator in enumerate((Operator.CMCC, Operator.CTCC, Operator.CUCC), 1):
            name = f"con_{operator}"
            house.carriers[name] = ScriptedCarrier(name, house.outcome, house.clock)
            made = {"id": name, "name": name, "protocol": "smpp", "host": "h", "port": 1, "settings": {}, "secret": ""}
            await uow.definitions.save_connector(Connector(**made, created_at=now, updated_at=now))
            match = Match(operators=(operator,))
            await uow.definitions.save_route(
                Route(id=f"rte_{operator}", name=name, rank=rank, pool=in_turn(name), created_at=now, updated_at=now, match=match)
            )
        await uow.commit()
    await house.router.refresh()
    house.supervisor.spawn("accept", house.accepter.run)
    house.supervisor.spawn("outcome", house.outcome.run)
    house.dispatch()


async def test_the_next_message_goes_to_the_operator_the_number_moved_to(house: House) -> None:
    await _open_by_operator(house)
    await _sent(house, PORTED)
    lesson = await _lesson(house)
    assert lesson is not None
    assert (lesson.operator, lesson.moved_from, lesson.confidence) == (Operator.CTCC, (Operator.CMCC,), 33)
    second = await _sent(house, PORTED)
    assert second.connector_id == "con_ctcc"
    third = await _sent(house, None)
    assert third.connector_id == "con_cucc"
    facts, lesson = await house.numbers.facts_of(NUMBER, house.clock.now())
    assert (facts.operator, facts.source, facts.ported, lesson and lesson.confidence) == (Operator.CUCC, Source.LEARNED, True, 95)
    assert (await house.accepter.preview(notice()))[0].candidates == ("con_cucc",)
    house.clock.advance(180 * DAY_SECONDS)
    assert (await house.accepter.accept(notice())).messages[0].connector_id == "con_cmcc", "what is too old is not believed"


RESENDS = [
    ("the likeliest of the others", PORTED, Lane.NOTICE, "con_ctcc", Operator.CTCC),
    ("the one that the code names", "NP:1243", Lane.MARKETING, "con_cucc", Operator.CUCC),
    ("an OTP while it is fresh", PORTED, Lane.OTP, "con_ctcc", Operator.CTCC),
]


@pytest.mark.parametrize(("name", "code", "lane", "connector", "operator"), RESENDS, ids=[case[0] for case in RESENDS])
async def test_a_message_to_a_number_that_has_moved_is_sent_again_over_its_new_operator(
    house: House, name: str, code: str, lane: Lane, connector: str, operator: Operator
) -> None:
    await _open_by_operator(house)
    message = await _sent(house, code, lane)
    again = await _submitted_again(house, message)
    assert (again.connector_id, again.attempts, message.candidates) == (connector, 2, ("con_cmcc",))
    house.carriers[connector].report(again)
    delivered = await house.until(message.id, Status.DELIVERED)
    assert (delivered.reason_code, delivered.duplicates_possible) == (None, False)
    await house.outcome.settled()
    facts, lesson = await house.numbers.facts_of(NUMBER, house.clock.now())
    assert (facts.operator, lesson and lesson.confidence) == (operator, 95)
    assert (await house.accepter.accept(notice())).messages[0].connector_id == connector


async def test_an_otp_that_has_grown_old_is_not_sent_again_but_its_number_is_remembered(house: House) -> None:
    await _open_by_operator(house)
    message = (await house.accepter.accept(notice(lane=Lane.OTP))).messages[0]
    await house.until(message.id, Status.SUBMITTED)
    house.clock.advance(16)
    await _report(house, message, PORTED)
    assert (await house.one(message.id)).reason_code == "ported"
    assert (await house.numbers.facts_of(NUMBER, house.clock.now()))[0].operator is Operator.CTCC


async def test_a_number_that_everybody_denies_is_tried_with_each_once(house: House) -> None:
    await _open_by_operator(house)
    message = (await house.accepter.accept(notice())).messages[0]
    for connector in ("con_cmcc", "con_ctcc", "con_cucc"):
        await _over(house, message, connector)
        await _report(house, message, PORTED)
    failed = await house.until(message.id, Status.UNDELIVERED)
    assert (failed.attempts, failed.reason_code) == (3, "ported")


async def _over(house: House, message: Message, connector: str) -> Message:
    """Wait until the message is submitted over this connector."""
    async with asyncio.timeout(10):
        while (found := await house.until(message.id, Status.SUBMITTED)).connector_id != connector:
            await asyncio.sleep(0.01)
    return found


async def _submitted_again(house: House, message: Message) -> Message:
    """Wait for the second attempt."""
    async with asyncio.timeout(10):
        while (found := await house.until(message.id, Status.SUBMITTED)).attempts == 1:
            await asyncio.sleep(0.01)
    return found


async def test_a_number_that_came_home_is_forgotten(house: House) -> None:
    await _open_by_operator(house)
    await _sent(house, PORTED)
    async with house.store.write() as uow:
        (lesson,) = await uow.lessons.of([NUMBER])
        await uow.lessons.save([replace(lesson, trusted_until=house.clock.now())])
        await uow.commit()
    assert (await _sent(house, None)).connector_id == "con_cmcc"
    assert await _lesson(house) is None


async def test_lessons_that_are_too_old_are_swept_away(house: House) -> None:
    await _killed(house)
    house.clock.advance(180 * DAY_SECONDS)
    await house.sweeper.step()
    assert await _lesson(house) is None


async def test_a_lesson_that_is_forgotten_by_hand_is_gone(house: House) -> None:
    await _killed(house)
    async with house.store.write() as uow:
        assert await uow.lessons.forget([NUMBER]) == 1
        await uow.commit()
    assert await _refusal(house) is None


async def test_segments_of_one_text_that_find_nobody_are_one_strike(house: House) -> None:
    await house.open(con_a=always(AnswerResult.ACCEPTED))
    house.dispatch()
    for _ in range(2):
        message = (await house.accepter.accept(send(text="【雁书】" + "长" * 100))).messages[0]
        await _report(house, message, ABSENT)
    lesson = await _lesson(house)
    assert lesson is not None
    assert (message.segments, len(lesson.strikes), lesson.dead_since) == (2, 2, None)


async def test_messages_of_a_file_ask_for_all_their_numbers_at_once(house: House) -> None:
    await _killed(house)
    now = house.clock.now()
    numbers = [f"+86139{serial:08d}" for serial in range(999)]
    learned = await house.numbers.learned_of([*numbers, NUMBER], now)
    assert list(learned) == [NUMBER]
    assert learned[NUMBER].probe_at == now + timedelta(days=90)


async def test_a_story_tells_where_a_number_has_moved_to_and_how_that_is_known(house: House) -> None:
    await _open_by_operator(house)
    message = await _sent(house, PORTED, Lane.NOTICE)
    told = await house.explainer.explain("ws_1", message.id, "en")
    assert (told["operator"], told["operator_source"]) == (Operator.CTCC, Source.LEARNED)
    assert "The number has moved from cmcc to ctcc: receipts have shown it." in told["sentences"]


async def test_a_story_tells_that_a_number_is_dead(house: House) -> None:
    await _killed(house)
    refused = (await house.accepter.accept(notice("13800138000", "13900139000"), single=False)).messages[0]
    told = await house.explainer.explain("ws_1", refused.id, "zh")
    assert any("判定为空号" in sentence for sentence in told["sentences"])
    assert told["reason"]["owner"] == "recipient"
