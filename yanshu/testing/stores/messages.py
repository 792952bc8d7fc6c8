"""Messages: adding, reading, moving, finding."""

# ruff: noqa: S101  # it is a test suite

from datetime import timedelta
from typing import Any

from yanshu.domain.errors import StoreConflict
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import Message, Risk, Status
from yanshu.ports.filters import MessageFilter, Page
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import Samples, changed, raised


async def put(store: Store, *messages: Message) -> None:
    """Store messages in a transaction of their own."""
    async with store.write() as uow:
        await uow.messages.add(messages)
        await uow.commit()


async def get(store: Store, *idents: str) -> list[Message]:
    """Messages by id, in the order of ids."""
    async with store.read() as uow:
        return sorted(await uow.messages.get(idents), key=lambda message: message.id)


class MessageSuite:
    """See the module."""

    async def test_a_message_comes_back_with_every_field_as_it_was(self, store: Store, clock: FakeClock) -> None:
        """Optional fields given and left out, in one chunk."""
        samples = Samples(clock)
        later = samples.now + timedelta(days=366, microseconds=1)
        plain = samples.message(due_at=None, connector_id=None, candidates=(), metadata=None)
        full = samples.message(
            lane=Lane.OTP,
            text="a'b\"c\\d\n\x01 𝄞 {}",
            send_at=later,
            submitted_at=later,
            done_at=later,
            priority=9,
            risk=Risk.BEST_EFFORT,
            batch_id="bat_1",
            attempts=3,
            reason_code="x",
            reason_raw="0x0b",
            duplicates_possible=True,
            client_reference="order-1",
            callback_url="https://example.com/",
            metadata={"深": [1, None, {"a": True}]},
            livemode=False,
        )
        await put(store, plain, full)
        assert await get(store, plain.id, full.id, "msg_none", plain.id) == [plain, full]

    async def test_chunks_of_any_size_are_stored_whole(self, store: Store, clock: FakeClock) -> None:
        """Sizes around what engines pad or split at."""
        samples = Samples(clock)
        for size in (0, 1, 3, 19, 20, 999, 1001, 2300):
            chunk = samples.messages(size)
            await put(store, *chunk)
            assert await get(store, *[message.id for message in chunk]) == chunk

    async def test_an_id_is_taken_once(self, store: Store, clock: FakeClock) -> None:
        """And the chunk it came in leaves nothing behind."""
        samples = Samples(clock)
        first, second = samples.messages(2)
        await put(store, first)
        with raised(StoreConflict) as conflict:
            await put(store, second, first)
        assert conflict[0].constraint == "messages.id"
        assert await get(store, second.id) == []

    async def test_a_change_is_applied_only_to_the_version_it_expects(self, store: Store, clock: FakeClock) -> None:
        """The ids applied come back; the others keep their row."""
        samples = Samples(clock)
        fresh, stale = samples.messages(2)
        await put(store, fresh, stale)
        moved = samples.change(fresh, Status.FAILED, version=4, reason_code="gone", connector_id="con_two", attempts=2)
        late = samples.change(stale, Status.FAILED, expected=7, version=8)
        missing = samples.change(samples.message(), Status.FAILED)
        async with store.write() as uow:
            assert await uow.messages.move([late, moved, missing]) == {fresh.id}
            assert await uow.messages.move([moved]) == set()
            assert await uow.messages.move([]) == set()
            await uow.commit()
        after = changed(
            fresh,
            status=Status.FAILED,
            version=4,
            reason_code="gone",
            connector_id="con_two",
            attempts=2,
            due_at=None,
            done_at=samples.now,
        )
        assert await get(store, fresh.id, stale.id) == [after, stale]

    async def test_of_two_stores_that_move_one_message_one_wins(self, store: Store, open_another: Any, clock: FakeClock) -> None:
        """The second sees the first's version and does nothing."""
        samples = Samples(clock)
        message = samples.message()
        await put(store, message)
        applied = []
        for each in (store, open_another()):
            async with each.write() as uow:
                applied.append(await uow.messages.move([samples.change(message, Status.CANCELED)]))
                await uow.commit()
        assert applied == [{message.id}, set()]

    async def test_pages_walk_all_rows_once_in_either_direction(self, store: Store, clock: FakeClock) -> None:
        """Other workspaces' rows never show."""
        samples = Samples(clock)
        mine = samples.messages(7)
        await put(store, *mine, samples.message(workspace_id="ws_two"))
        for descending in (True, False):
            seen: list[str] = []
            while True:
                page = Page(limit=3, after=seen[-1] if seen else None, descending=descending)
                async with store.read() as uow:
                    found = (await uow.messages.page("ws_one", MessageFilter(), page)).messages
                if not found:
                    break
                seen += [message.id for message in found]
            assert seen == sorted((message.id for message in mine), reverse=descending)

    async def test_every_filter_of_a_page_narrows_it(self, store: Store, clock: FakeClock) -> None:
        """Each alone, against one row that matches and many that do not."""
        samples = Samples(clock)
        early = samples.message(status=Status.DELIVERED, done_at=samples.now, due_at=None)
        clock.advance(60)
        others = [samples.message(status=status) for status in Status if status is not Status.DELIVERED]
        odd = {"recipient": "+8613911112222", "batch_id": "bat_9", "connector_id": "con_9", "lane": Lane.OTP, "client_reference": "r-9"}
        rows = {name: samples.message(status=Status.HELD, **{name: value}) for name, value in odd.items()}
        test = samples.message(livemode=False, status=Status.HELD)
        await put(store, early, *others, *rows.values(), test)
        cases = [(MessageFilter(**{name: value}), {rows[name].id}) for name, value in odd.items()]  # type: ignore[arg-type]
        cases += [(MessageFilter(status=row.status), {row.id}) for row in (early, *others) if row.status is not Status.HELD]
        cases += [
            (MessageFilter(livemode=False), {test.id}),
            (MessageFilter(created_before=samples.now), {early.id}),
            (MessageFilter(created_after=samples.now, status=Status.DELIVERED), set()),
            (MessageFilter(created_after=early.created_at, status=Status.DELIVERED, lane=Lane.NOTICE, livemode=True), {early.id}),
        ]
        async with store.read() as uow:
            for filters, expected in cases:
                found = await uow.messages.page("ws_one", filters, Page())
                assert {message.id for message in found.messages} == expected, filters
                assert found.resume_after is None

    async def test_a_search_that_finds_nothing_says_where_it_stopped(self, store: Store, clock: FakeClock) -> None:
        """Going on from there, in either direction, finds what is far away."""
        samples = Samples(clock)
        first = samples.message(lane=Lane.OTP)
        many = samples.messages(12_000)
        last = samples.message(lane=Lane.OTP)
        await put(store, first, *many, last)
        for descending, wanted in ((True, [last, first]), (False, [first, last])):
            found, after, asked = [], None, 0
            while asked == 0 or after is not None:
                async with store.read() as uow:
                    page = await uow.messages.page("ws_one", MessageFilter(lane=Lane.OTP), Page(after=after, descending=descending))
                found += page.messages
                after, asked = page.resume_after, asked + 1
            assert (found, asked) == (wanted, 2)

    async def test_what_an_inbound_answers_is_the_newest_submitted(self, store: Store, clock: FakeClock) -> None:
        """Same number, same connector, not before `since`."""
        samples = Samples(clock)
        start = samples.now
        older = samples.message(recipient="+861", submitted_at=start)
        newer = samples.message(recipient="+861", submitted_at=start + timedelta(seconds=5))
        unsent = samples.message(recipient="+861")
        elsewhere = samples.message(recipient="+861", connector_id="con_two", submitted_at=start + timedelta(seconds=9))
        await put(store, older, newer, unsent, elsewhere)
        async with store.read() as uow:
            assert await uow.messages.latest_to("+861", "con_one", start) == newer
            assert await uow.messages.latest_to("+861", "con_one", start + timedelta(seconds=6)) is None
            assert await uow.messages.latest_to("+862", "con_one", start) is None

    async def test_unanswered_messages_are_found_by_number(self, store: Store, clock: FakeClock) -> None:
        """Only `unknown`, `submitting` and what was given up as such since then, only over that connector."""
        samples = Samples(clock)
        given_up = {"recipient": "+861", "status": Status.UNDELIVERED, "reason_code": "outcome_unknown"}
        long_ago = samples.message(**given_up, done_at=samples.now)
        since = clock.advance(1)
        samples = Samples(clock)
        wanted = [samples.message(recipient="+861", status=status) for status in (Status.UNKNOWN, Status.SUBMITTING)]
        others = [samples.message(recipient="+861", status=Status.SUBMITTED), samples.message(recipient="+862", status=Status.UNKNOWN)]
        others.append(samples.message(recipient="+861", status=Status.UNKNOWN, connector_id="con_two"))
        others.append(samples.message(**{**given_up, "reason_code": "no_receipt"}, done_at=since))
        others.append(long_ago)
        wanted.append(samples.message(**given_up, done_at=since))
        await put(store, *wanted, *others)
        async with store.read() as uow:
            found = await uow.messages.unanswered_to("con_one", ["+861", "+863"], since)
            assert await uow.messages.unanswered_to("con_one", [], since) == []
        assert sorted(message.id for message in found) == [message.id for message in wanted]
