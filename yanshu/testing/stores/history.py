"""Submissions, receipts, events and inbounds."""

# ruff: noqa: S101  # it is a test suite

import asyncio
from datetime import timedelta
from typing import Any

from yanshu.domain.events import Event
from yanshu.domain.messages import Status
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import SubmissionStatus
from yanshu.ports.filters import EventFilter, Page
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed


class HistorySuite:
    """See the module."""

    async def test_a_submission_is_replaced_by_a_later_one_of_the_same_place(self, store: Store, clock: FakeClock) -> None:
        """Place: message, attempt, segment; also within one chunk."""
        samples = Samples(clock)
        message = samples.message()
        first = samples.submission(message, status=SubmissionStatus.UNANSWERED)
        second = samples.submission(message, segment=2, total=2)
        retry = samples.submission(
            message, attempt=2, connector_id="con_two", code="0x58", status=SubmissionStatus.REFUSED, outcome=OutcomeClass.FREQUENCY
        )
        known = changed(
            first,
            status=SubmissionStatus.DELIVERED,
            carrier_message_id="0A",
            carrier_key="a",
            receipt_status="delivered",
            receipt_code="000",
            receipt_text="id:0A",
            receipt_at=samples.now,
        )
        async with store.write() as uow:
            await uow.submissions.add([retry, second, first])
            await uow.submissions.add([first, known])
            await uow.submissions.add([])
            await uow.commit()
        async with store.read() as uow:
            assert await uow.submissions.of_messages([message.id, "msg_none"]) == [known, second, retry]
            assert await uow.submissions.of_messages([]) == []

    async def test_submissions_are_found_by_the_carriers_key_per_connector(self, store: Store, clock: FakeClock) -> None:
        """Two carriers may give the same id."""
        samples = Samples(clock)
        mine, other = [samples.submission(samples.message(), connector_id=name, carrier_key="a") for name in ("con_one", "con_two")]
        async with store.write() as uow:
            await uow.submissions.add([mine, other, samples.submission(samples.message())])
            await uow.commit()
        async with store.read() as uow:
            assert await uow.submissions.by_carrier_keys("con_one", ["a", "b", "a"]) == [mine]
            assert await uow.submissions.by_carrier_keys("con_one", []) == []

    async def test_parked_receipts_wait_under_all_their_keys(self, store: Store, clock: FakeClock) -> None:
        """Parking again replaces, removing forgets."""
        samples = Samples(clock)
        receipt = samples.receipt("1f", "31", recipient="+861", done_at=samples.now)
        elsewhere = samples.receipt("31", connector_id="con_two")
        soon = samples.now + timedelta(seconds=1)
        async with store.write() as uow:
            await uow.receipts.park([receipt, elsewhere], soon)
            assert await uow.receipts.count() == 2
            assert await uow.receipts.parked_for("con_one", ["31", "1f"]) == [receipt]
            assert await uow.receipts.parked_for("con_one", []) == []
            assert await uow.receipts.due(samples.now, 10) == []
            again = changed(receipt, tries=1)
            await uow.receipts.park([again], soon + timedelta(seconds=1))
            assert await uow.receipts.due(soon, 10) == [elsewhere]
            assert await uow.receipts.parked_for("con_one", ["1f"]) == [again]
            await uow.receipts.remove([receipt.id])
            assert await uow.receipts.parked_for("con_one", ["1f"]) == []
            assert await uow.receipts.count() == 1
            await uow.commit()

    async def test_events_come_back_in_their_order(self, store: Store, clock: FakeClock) -> None:
        """Globally, per object, by id, and as pages."""
        samples = Samples(clock)
        one, two = samples.messages(2)
        events = [
            samples.event(message, seq=seq, callback_url="https://example.com/" if seq == 2 else None)
            for seq in (1, 2)
            for message in (one, two)
        ]
        async with store.write() as uow:
            await uow.messages.add([one, two])
            await uow.events.add(events[:2])
            await uow.commit()
        async with store.write() as uow:
            await uow.messages.move([samples.change(message, Status.CANCELED) for message in (one, two)])
            await uow.events.add(events[2:])
            await uow.commit()
        async with store.read() as uow:
            found = await uow.events.after(0, 10)
            assert [changed(event, id="", position=0) for event in found] == events
            assert [event.position for event in found] == sorted({event.position for event in found})
            assert await uow.events.last_position() == found[-1].position
            assert await uow.events.after(found[1].position, 1) == found[2:3]
            assert await uow.events.of_object("ws_one", two.id) == [found[1], found[3]]
            assert await uow.events.of_object("ws_two", two.id) == []
            assert sorted(event.id for event in found) == [event.id for event in found]
            nobodys = ["evt_none", found[0].id[:-1] + "Z", found[0].id[:10] + "0" + found[0].id[11:]]
            assert await uow.events.get([found[3].id, found[0].id, *nobodys]) == [found[0], found[3]]
            mine = EventFilter(workspace_id="ws_one")
            assert await uow.events.page(mine, Page(limit=3)) == found[:0:-1]
            assert await uow.events.page(mine, Page(after=found[2].id)) == found[1::-1]
            assert await uow.events.page(mine, Page(after=found[2].id, descending=False)) == [found[3]]
            assert await uow.events.page(changed(mine, types=("message.other",)), Page()) == []
            of_one = changed(mine, object_id=one.id)
            assert await uow.events.page(of_one, Page(limit=1)) == [found[2]]
            assert await uow.events.page(of_one, Page(after=found[2].id)) == [found[0]]
            assert await uow.events.page(of_one, Page(after=found[0].id, descending=False)) == [found[2]]
            assert await uow.events.after(0, 9, EventFilter(called_back=True)) == found[2:]

    async def test_a_message_knows_its_history_whoever_else_was_told_of_beside_it(self, store: Store, clock: FakeClock) -> None:
        """Its trail leads to the packs; a step in a transaction of its own adds to it."""
        samples = Samples(clock)
        one, two = samples.messages(2)
        async with store.write() as uow:
            await uow.messages.add([one, two])
            await uow.events.add([samples.event(one), samples.event(two), samples.event(samples.message(workspace_id="ws_two"))])
            await uow.commit()
        async with store.write() as uow:
            await uow.messages.move([samples.change(two, Status.CANCELED)])
            told = await uow.events.append(samples.event(two, seq=2, type="message.canceled"))
            await uow.commit()
        async with store.read() as uow:
            assert [event.type for event in await uow.events.of_object("ws_one", two.id)] == ["message.queued", "message.canceled"]
            assert [event.type for event in await uow.events.of_object("ws_one", one.id)] == ["message.queued"]
            assert (await uow.events.of_object("ws_one", two.id))[-1] == told
            assert await uow.events.of_object("ws_one", two.id, limit=1) != [told]

    async def test_a_moment_leads_to_the_events_since_then(self, store: Store, clock: FakeClock) -> None:
        """For replays of a time range."""
        samples = Samples(clock)
        for _ in range(3):
            await _append(store, samples.event(samples.message()))
            clock.advance(60)
        since = clock.now() - timedelta(seconds=90)
        async with store.read() as uow:
            every = await uow.events.after(0, 9)
            assert await uow.events.after(await uow.events.position_before("ws_one", since), 9) == every[2:]
            assert await uow.events.after(await uow.events.position_before("ws_one", clock.now()), 9) == []

    async def test_the_stream_of_events_can_be_narrowed(self, store: Store, clock: FakeClock) -> None:
        """By workspace, type and mode."""
        samples = Samples(clock)
        mine = samples.event(samples.message(), type="message.delivered")
        test = samples.event(samples.message(livemode=False))
        theirs = samples.event(samples.message(workspace_id="ws_two"))
        await _append(store, mine, test, theirs)
        async with store.read() as uow:
            narrowed = [EventFilter(workspace_id="ws_two"), EventFilter(types=("message.delivered",)), EventFilter(livemode=False)]
            found = [[event.object_id for event in await uow.events.after(0, 9, filters)] for filters in narrowed]
        assert found == [[theirs.object_id], [mine.object_id], [test.object_id]]

    async def test_no_event_turns_up_behind_one_that_was_read(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """Writers of two processes commit in any order while a reader follows."""
        samples = Samples(clock)
        stores = [store, open_another()]
        chunks = [[samples.event(samples.message()) for _ in range(3)] for _ in range(60)]
        open_ends = asyncio.Event()

        async def write(index: int) -> None:
            for number, chunk in enumerate(chunks[index::4]):
                async with stores[index % 2].write() as uow:
                    await uow.events.add(chunk)
                    for _ in range((index * 7 + number) % 5):
                        await uow.events.last_position()
                    await uow.commit()

        async def follow() -> list[Event]:
            read: list[Event] = []
            while not open_ends.is_set() or len(read) < 180:
                async with store.read() as uow:
                    read += await uow.events.after(read[-1].position if read else 0, 50)
            return read

        reader = asyncio.create_task(follow())
        await asyncio.gather(*[write(index) for index in range(4)])
        open_ends.set()
        read = await asyncio.wait_for(reader, 30)
        assert sorted(event.object_id for event in read) == sorted(event.object_id for chunk in chunks for event in chunk)

    async def test_inbounds_are_added_once_and_paged(self, store: Store, clock: FakeClock) -> None:
        """With filters by person, number and mode."""
        samples = Samples(clock)
        rows = [samples.inbound(), samples.inbound(sender="+862"), samples.inbound(recipient="1070"), samples.inbound(livemode=False)]
        nobody = samples.inbound(workspace_id=None, extension="8", complete=False, in_reply_to="msg_1")
        async with store.write() as uow:
            await uow.inbounds.add([*rows, nobody])
            await uow.inbounds.add([changed(rows[0], text="again")])
            await uow.commit()
        async with store.read() as uow:
            assert await uow.inbounds.get(nobody.id) == nobody
            assert await uow.inbounds.get(rows[0].id) == rows[0]
            assert await uow.inbounds.get("inb_none") is None
            cases: list[tuple[dict[str, Any], list[Any]]] = [
                ({}, rows[::-1]),
                ({"sender": "+862"}, [rows[1]]),
                ({"recipient": "1070"}, [rows[2]]),
                ({"livemode": False}, [rows[3]]),
            ]
            for given, expected in cases:
                filters = {"sender": None, "recipient": None, "livemode": None} | given
                assert await uow.inbounds.page("ws_one", page=Page(), **filters) == expected

    async def test_parts_wait_for_their_siblings(self, store: Store, clock: FakeClock) -> None:
        """A repeated part is ignored; old ones are found."""
        samples = Samples(clock)
        third, first = samples.part(3), samples.part(1)
        stranger = samples.part(2, reference=8)
        async with store.write() as uow:
            await uow.inbounds.add_parts([third, first, stranger])
            await uow.inbounds.add_parts([samples.part(3)])
            assert await uow.inbounds.parts_of(first) == [first, third]
            assert await uow.inbounds.stale_parts(samples.now, 9) == []
            assert len(await uow.inbounds.stale_parts(clock.advance(1), 9)) == 3
            await uow.inbounds.remove_parts([first.id, third.id])
            assert await uow.inbounds.parts_of(first) == []
            await uow.commit()

    async def test_a_digest_is_seen_from_when_it_was_marked(self, store: Store, clock: FakeClock) -> None:
        """Marking again renews it."""
        start = clock.now()
        async with store.write() as uow:
            assert not await uow.inbounds.seen("d", start)
            await uow.inbounds.mark_seen("d", start)
            assert await uow.inbounds.seen("d", start)
            assert not await uow.inbounds.seen("d", start + timedelta(seconds=1))
            await uow.inbounds.mark_seen("d", start + timedelta(seconds=2))
            assert await uow.inbounds.seen("d", start + timedelta(seconds=1))
            await uow.commit()


async def _append(store: Store, *events: Event) -> None:
    async with store.write() as uow:
        await uow.events.add(events)
        await uow.commit()
