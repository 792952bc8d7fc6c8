"""Webhooks from event to receiver, over a real store and a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from yanshu.adapters.channels.http import AiohttpPoster
from yanshu.domain.access import Workspace
from yanshu.domain.errors import Missing
from yanshu.domain.events import Event
from yanshu.domain.webhooks import Delivery, DeliveryStatus, EndpointStatus, WebhookEndpoint
from yanshu.pipeline.notify import Notifier, Replay, Subject
from yanshu.ports.filters import Page
from yanshu.ports.store import Store
from yanshu.rules.webhooks.signing import make_secret
from yanshu.rules.webhooks.targets import parse_allow
from yanshu.runtime.metrics import Metrics
from yanshu.testing.clocks import FakeClock
from yanshu.testing.receiver import Reply, WebhookReceiver

WS = "ws_1"
SECRET = make_secret(b"s" * 32)
OLD_SECRET = make_secret(b"o" * 32)
DAY = 86_400


def open_secret(sealed: str) -> str:
    return sealed.removeprefix("sealed:")


def render(event: Event, subject: Subject) -> dict[str, Any]:
    return {"id": event.object_id, "known": subject is not None, **event.data}


class Desk:
    """A store with one workspace, a receiver, and a notifier between them."""

    def __init__(self, store: Store, clock: FakeClock, receiver: WebhookReceiver) -> None:
        self.store, self.clock, self.receiver = store, clock, receiver
        self.metrics = Metrics()
        self.poster = AiohttpPoster(parse_allow(receiver.allow), clock, "Yanshu/test")
        self.notifier = Notifier(store, self.poster, clock, open_secret, render, self.metrics)

    async def endpoint(self, **fields: Any) -> WebhookEndpoint:
        now = self.clock.now()
        given = {"id": "whe_1", "url": self.receiver.url, "events": (), "secrets": (f"sealed:{SECRET}",), **fields}
        endpoint = WebhookEndpoint(workspace_id=WS, created_at=now, updated_at=now, **given)
        async with self.store.write() as uow:
            await uow.webhooks.save_endpoint(endpoint)
            await uow.commit()
        return endpoint

    async def happen(self, *steps: tuple[str, str], workspace_id: str = WS, **fields: Any) -> list[Event]:
        """Let events happen: pairs of object id and type."""
        now = self.clock.now()
        events = [
            Event(
                workspace_id=workspace_id,
                type=kind,
                object_id=object_id,
                seq=number,
                created_at=now,
                data={"status": kind.partition(".")[2], "previous": "queued"},
                **{"livemode": True, **fields},
            )
            for number, (object_id, kind) in enumerate(steps, 1)
        ]
        async with self.store.write() as uow:
            stored = [await uow.events.append(event) for event in events]
            await uow.commit()
        return stored

    async def work(self) -> None:
        """Expand and deliver until nothing is due."""
        while await self.notifier.step_expand() + await self.notifier.step_deliver():
            pass

    async def deliveries(self, ident: str = "whe_1") -> list[Delivery]:
        async with self.store.read() as uow:
            return await uow.webhooks.deliveries(ident, None, Page(descending=False))

    async def stored(self, ident: str = "whe_1") -> WebhookEndpoint:
        async with self.store.read() as uow:
            endpoint = await uow.webhooks.endpoint(ident)
        assert endpoint is not None
        return endpoint

    def received(self) -> list[tuple[str, str]]:
        return [(envelope["data"]["object"]["id"], envelope["type"]) for call in self.receiver.calls for envelope in call.envelopes]


@pytest.fixture
async def desk(store: Store, clock: FakeClock) -> AsyncIterator[Desk]:
    async with store.write() as uow:
        now = clock.now()
        await uow.access.save_workspace(Workspace(id=WS, name="W", created_at=now, updated_at=now, signing_secret=f"sealed:{SECRET}"))
        await uow.commit()
    async with WebhookReceiver(SECRET, clock.now) as receiver:
        desk = Desk(store, clock, receiver)
        yield desk
        await desk.poster.close()


async def test_an_event_is_delivered_once_signed_and_in_its_envelope(desk: Desk) -> None:
    await desk.endpoint()
    (event,) = await desk.happen(("msg_1", "message.delivered"))
    await desk.work()
    await desk.work()
    (call,) = desk.receiver.calls
    assert call.problem is None
    assert call.headers["webhook-id"] == event.id
    assert call.headers["content-type"] == "application/json"
    assert call.envelopes == [
        {
            "id": event.id,
            "type": "message.delivered",
            "created_at": "2026-11-02T09:00:00Z",
            "livemode": True,
            "workspace": WS,
            "seq": 1,
            "data": {
                "object": {"id": "msg_1", "known": False, "status": "delivered", "previous": "queued"},
                "previous": {"status": "queued"},
            },
        }
    ]
    (delivery,) = await desk.deliveries()
    assert (delivery.status, delivery.attempts, delivery.response_status) == (DeliveryStatus.DELIVERED, 1, 200)
    assert b'yanshu_webhook_attempts_total{result="delivered"} 1.0' in desk.metrics.render()


async def test_an_endpoint_gets_only_its_workspace_its_mode_and_its_types(desk: Desk) -> None:
    await desk.endpoint(events=("message.*", "inbound.received"))
    await desk.happen(("msg_1", "message.accepted"), ("bat_1", "batch.ready"), ("inb_1", "inbound.received"), ("msg_1", "submission.sent"))
    await desk.happen(("msg_2", "message.accepted"), workspace_id="ws_2")
    await desk.happen(("msg_3", "message.accepted"), livemode=False)
    await desk.work()
    assert sorted(desk.received()) == [("inb_1", "inbound.received"), ("msg_1", "message.accepted")]


async def test_a_callback_url_is_called_with_the_signature_of_the_workspace(desk: Desk) -> None:
    url = f"http://127.0.0.1:{desk.receiver.port}/per-message"
    await desk.happen(("msg_1", "message.accepted"), ("msg_1", "message.delivered"), callback_url=url)
    await desk.happen(("msg_2", "message.accepted"))
    await desk.work()
    assert [(call.path, call.problem) for call in desk.receiver.calls] == [("/per-message", None)] * 2
    assert desk.received() == [("msg_1", "message.accepted"), ("msg_1", "message.delivered")]


async def test_a_full_batch_goes_at_once_and_the_rest_when_it_has_waited(desk: Desk) -> None:
    await desk.endpoint(batch_max=2, batch_ms=500)
    await desk.happen(*[(f"msg_{n}", "message.accepted") for n in range(5)])
    await desk.work()
    assert [len(call.envelopes) for call in desk.receiver.calls] == [2, 2]
    desk.clock.advance(0.6)
    await desk.work()
    assert [len(call.envelopes) for call in desk.receiver.calls] == [2, 2, 1]
    assert {object_id for object_id, _ in desk.received()} == {f"msg_{n}" for n in range(5)}
    assert all(call.problem is None and b'"object":"list"' in call.body for call in desk.receiver.calls)


async def test_a_failed_call_is_made_again_by_the_plan_with_the_same_id(desk: Desk) -> None:
    await desk.endpoint()
    desk.receiver.replies = [Reply(status=500), Reply(status=302, headers={"location": "/elsewhere"})]
    (event,) = await desk.happen(("msg_1", "message.delivered"))
    for wait in (0, 3, 4, 200, 200):
        desk.clock.advance(wait)
        await desk.work()
    assert [call.headers["webhook-id"] for call in desk.receiver.calls] == [event.id] * 3
    passed = [(call.at - desk.receiver.calls[0].at).total_seconds() for call in desk.receiver.calls]
    assert passed == [0, 7, 407]
    assert (await desk.deliveries())[0].status is DeliveryStatus.DELIVERED
    assert (await desk.stored()).failing_since is None


async def test_retry_after_is_honoured(desk: Desk) -> None:
    await desk.endpoint()
    desk.receiver.replies = [Reply(status=503, headers={"retry-after": "120"})]
    await desk.happen(("msg_1", "message.delivered"))
    for wait in (0, 60, 61):
        desk.clock.advance(wait)
        await desk.work()
    assert [(call.at - desk.receiver.calls[0].at).total_seconds() for call in desk.receiver.calls] == [0, 121]


async def test_the_calls_about_one_message_keep_their_order_and_hold_up_no_other(desk: Desk) -> None:
    await desk.endpoint()
    desk.receiver.replies = [Reply(status=500)]
    await desk.happen(("msg_1", "message.accepted"))
    await desk.work()
    await desk.happen(("msg_1", "message.delivered"), ("msg_2", "message.delivered"))
    await desk.work()
    assert desk.received() == [("msg_1", "message.accepted"), ("msg_2", "message.delivered")]
    desk.clock.advance(7)
    await desk.work()
    assert desk.received()[2:] == [("msg_1", "message.accepted"), ("msg_1", "message.delivered")]


async def test_410_disables_the_endpoint_and_says_so(desk: Desk) -> None:
    await desk.endpoint()
    await desk.endpoint(id="whe_2", events=("webhook.disabled",), url=f"http://127.0.0.1:{desk.receiver.port}/other")
    desk.receiver.replies = [Reply(status=410)]
    await desk.happen(("msg_1", "message.accepted"))
    await desk.work()
    await desk.happen(("msg_2", "message.accepted"))
    await desk.work()
    assert (await desk.stored()).status is EndpointStatus.DISABLED
    assert desk.received() == [("msg_1", "message.accepted"), ("whe_1", "webhook.disabled")]
    async with desk.store.read() as uow:
        entries = await uow.access.audit(WS, Page())
    assert [(entry.action, entry.object_id, entry.detail["because"]) for entry in entries] == [("webhook.disabled", "whe_1", "gone")]


async def test_a_day_of_nothing_but_failures_disables_the_endpoint(desk: Desk) -> None:
    await desk.endpoint()
    desk.receiver.reply = Reply(status=500)
    await desk.happen(("msg_1", "message.accepted"))
    await desk.work()
    assert (await desk.stored()).failing_since == desk.clock.now()
    desk.clock.advance(DAY - 1)
    await desk.work()
    assert (await desk.stored()).status is EndpointStatus.ENABLED
    desk.clock.advance(DAY)
    await desk.work()
    assert (await desk.stored()).status is EndpointStatus.DISABLED


async def test_one_success_ends_a_run_of_failures(desk: Desk) -> None:
    await desk.endpoint()
    desk.receiver.replies = [Reply(status=500)]
    await desk.happen(("msg_1", "message.accepted"))
    await desk.work()
    desk.clock.advance(10)
    await desk.work()
    assert (await desk.stored()).failing_since is None


async def test_after_the_last_retry_the_delivery_has_failed(desk: Desk) -> None:
    url = f"http://127.0.0.1:{desk.receiver.port}/per-message"
    desk.receiver.reply = Reply(status=500)
    await desk.happen(("msg_1", "message.accepted"), callback_url=url)
    for _ in range(12):
        await desk.work()
        desk.clock.advance(13 * 3600)
    assert len(desk.receiver.calls) == 8


async def test_while_a_secret_is_rotated_both_sign_and_afterwards_only_the_new_one(desk: Desk) -> None:
    until = desk.clock.now() + timedelta(hours=24)
    await desk.endpoint(secrets=(f"sealed:{SECRET}", f"sealed:{OLD_SECRET}"), rotated_until=until)
    desk.receiver.secret = OLD_SECRET
    await desk.happen(("msg_1", "message.accepted"))
    await desk.work()
    desk.clock.advance(DAY + 1)
    await desk.happen(("msg_2", "message.accepted"))
    await desk.work()
    assert [call.problem for call in desk.receiver.calls] == [None, "no signature matches"]


async def test_a_test_event_goes_to_its_endpoint_alone(desk: Desk) -> None:
    endpoint = await desk.endpoint()
    await desk.endpoint(id="whe_2", events=("*",), url=f"http://127.0.0.1:{desk.receiver.port}/other")
    await desk.notifier.send_test(endpoint)
    await desk.work()
    assert [(call.path, call.types) for call in desk.receiver.calls] == [("/webhook", ["webhook.test"])]


async def test_what_is_replayed_carries_the_old_event_ids(desk: Desk) -> None:
    endpoint = await desk.endpoint()
    first = await desk.happen(("msg_1", "message.accepted"), ("msg_1", "message.delivered"))
    desk.clock.advance(60)
    second = await desk.happen(("msg_2", "message.accepted"))
    await desk.work()
    desk.receiver.calls.clear()
    delivery = (await desk.deliveries())[0]
    cases: list[tuple[Replay, list[Event]]] = [
        (Replay(events=(first[1].id, first[0].id)), first),
        (Replay(delivery=delivery.id), [event for event in first + second if event.id in delivery.events]),
        (Replay(since=second[0].created_at), second),
        (Replay(until=second[0].created_at, types=("message.delivered",)), first[1:]),
        (Replay(since=first[0].created_at), first + second),
    ]
    for wish, expected in cases:
        assert await desk.notifier.replay(endpoint, wish) == len(expected)
        await desk.work()
        assert sorted(call.headers["webhook-id"] for call in desk.receiver.calls) == sorted(event.id for event in expected)
        desk.receiver.calls.clear()


async def test_a_replay_of_what_is_not_ours_is_refused(desk: Desk) -> None:
    endpoint = await desk.endpoint()
    (foreign,) = await desk.happen(("msg_1", "message.accepted"), workspace_id="ws_2")
    for wish in (Replay(events=(foreign.id,)), Replay(events=("evt_none",)), Replay(delivery="dlv_none")):
        with pytest.raises(Missing):
            await desk.notifier.replay(endpoint, wish)
    await desk.work()
    assert desk.receiver.calls == []


async def test_deliveries_to_a_disabled_endpoint_end_without_a_call(desk: Desk) -> None:
    endpoint = await desk.endpoint()
    await desk.happen(("msg_1", "message.accepted"))
    await desk.notifier.step_expand()
    async with desk.store.write() as uow:
        await uow.webhooks.save_endpoint(structs.replace(endpoint, status=EndpointStatus.DISABLED))
        await uow.commit()
    await desk.work()
    (delivery,) = await desk.deliveries()
    assert (delivery.status, delivery.error, desk.receiver.calls) == (DeliveryStatus.FAILED, "endpoint_disabled", [])


@pytest.mark.parametrize(
    ("label", "url", "error"),
    [
        ("a literal loopback address", "http://127.0.0.1:9/x", "url_refused"),
        ("a name that resolves to loopback", "http://localhost.:9999/x", "url_refused"),
        ("the metadata address as a number", "http://2852039166/x", "url_refused"),
        ("a v4-mapped address", "http://[::ffff:127.0.0.1]:8080/x", "url_refused"),
    ],
)
async def test_addresses_that_are_not_public_are_never_called(desk: Desk, label: str, url: str, error: str) -> None:
    await desk.endpoint(url=url)
    await desk.happen(("msg_1", "message.accepted"))
    await desk.work()
    (delivery,) = await desk.deliveries()
    assert (delivery.error, delivery.response_status, delivery.status) == (error, None, DeliveryStatus.PENDING), label


async def test_a_thousand_events_find_their_way_while_it_runs(desk: Desk) -> None:
    await desk.endpoint()
    task = asyncio.create_task(desk.notifier.run())
    try:
        await desk.happen(*[(f"msg_{n % 500}", "message.accepted") for n in range(1000)])
        desk.store.wake("events")
        await desk.receiver.wait_for(lambda receiver: len(receiver.calls) >= 1000, 30)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await desk.notifier.stop(5)
    assert len({call.headers["webhook-id"] for call in desk.receiver.calls}) == 1000
    assert len(desk.receiver.calls) == 1000
    seen: dict[str, int] = {}
    for call in desk.receiver.calls:
        (envelope,) = call.envelopes
        assert seen.get(envelope["data"]["object"]["id"], 0) < envelope["seq"]
        seen[envelope["data"]["object"]["id"]] = envelope["seq"]


async def test_what_is_under_way_at_the_stop_is_stored(desk: Desk) -> None:
    await desk.endpoint()
    desk.receiver.reply = Reply(delay_seconds=0.2)
    await desk.happen(("msg_1", "message.accepted"))
    task = asyncio.create_task(desk.notifier.run())
    try:
        await desk.receiver.wait_for(lambda receiver: bool(receiver.calls))
        await desk.notifier.stop(5)
        assert (await desk.deliveries())[0].status is DeliveryStatus.DELIVERED
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_does_not_end_within_the_budget_is_called_again_after_its_lease(desk: Desk) -> None:
    await desk.endpoint()
    desk.receiver.replies = [Reply(delay_seconds=30)]
    await desk.happen(("msg_1", "message.accepted"))
    task = asyncio.create_task(desk.notifier.run())
    try:
        await desk.receiver.wait_for(lambda receiver: bool(receiver.calls))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await desk.notifier.stop(0.05)
    successor = Notifier(desk.store, desk.poster, desk.clock, open_secret, render, Metrics())
    assert await successor.step_deliver() == 0
    desk.clock.advance(61)
    assert await successor.step_deliver() == 1
    assert (await desk.deliveries())[0].status is DeliveryStatus.DELIVERED


async def test_two_processes_share_the_work_and_call_once(desk: Desk, open_another: Callable[[], Store]) -> None:
    await desk.endpoint()
    other = Notifier(open_another(), desk.poster, desk.clock, open_secret, render, Metrics())
    await desk.happen(*[(f"msg_{n}", "message.accepted") for n in range(40)])
    await asyncio.gather(desk.notifier.step_expand(), other.step_expand())
    await asyncio.gather(desk.notifier.step_deliver(), other.step_deliver())
    await desk.work()
    assert sorted(desk.received()) == sorted((f"msg_{n}", "message.accepted") for n in range(40))
