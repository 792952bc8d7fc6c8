"""Notify, packing: everything one call needs, read once for a whole chunk of deliveries."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from yanshu.domain.access import Workspace
from yanshu.domain.events import Event
from yanshu.domain.webhooks import Delivery, EndpointStatus, WebhookEndpoint
from yanshu.pipeline.notify_view import RenderObject, Subject, as_of, load_subjects
from yanshu.ports.store import UnitOfWork
from yanshu.rules.webhooks.envelope import body_of, envelope
from yanshu.rules.webhooks.signing import live_secrets, signature_headers

OpenSecret = Callable[[str], str]
"""Turns a sealed secret into the written one (``whsec_…``)."""


class Parcel(Struct, frozen=True):
    """One call: its events with the objects they are about, and the sealed secrets that sign it.

    `problem` says why no call can be made any more.
    """

    delivery: Delivery
    contents: tuple[tuple[Event, Subject], ...] = ()
    secrets: tuple[str, ...] = ()
    batched: bool = False
    problem: str | None = None

    def body(self, render: RenderObject) -> bytes:
        """Return the body of the call."""
        return body_of([envelope(event, render(event, as_of(subject, event))) for event, subject in self.contents], batched=self.batched)

    def headers(self, body: bytes, open_secret: OpenSecret, now: datetime) -> dict[str, str]:
        """Return the signature headers. The id is the event's, for a batch the delivery's: the same on every try."""
        ident = self.delivery.id if self.batched else self.delivery.events[0]
        return signature_headers(map(open_secret, self.secrets), ident, now, body)


async def pack(uow: UnitOfWork, deliveries: Sequence[Delivery], now: datetime) -> list[Parcel]:
    """Read events, objects, endpoints and secrets of a chunk of deliveries; one parcel each, in the same order."""
    events = {event.id: event for event in await uow.events.get(sorted({ident for d in deliveries for ident in d.events}))}
    subjects = await load_subjects(uow, events.values())
    endpoints = {ident: await uow.webhooks.endpoint(ident) for ident in {d.endpoint_id for d in deliveries if d.endpoint_id}}
    workspaces = {ident: await uow.access.workspace(ident) for ident in {d.workspace_id for d in deliveries if not d.endpoint_id}}
    parcels = []
    for delivery in deliveries:
        contents = tuple((events[ident], subjects.get(events[ident].object_id)) for ident in delivery.events if ident in events)
        if not contents:
            parcels.append(Parcel(delivery, problem="events_gone"))
        elif delivery.endpoint_id:
            parcels.append(_for_endpoint(delivery, contents, endpoints[delivery.endpoint_id], now))
        else:
            parcels.append(_for_callback(delivery, contents, workspaces[delivery.workspace_id]))
    return parcels


def _for_endpoint(
    delivery: Delivery, contents: tuple[tuple[Event, Subject], ...], endpoint: WebhookEndpoint | None, now: datetime
) -> Parcel:
    if endpoint is None or endpoint.status is EndpointStatus.DISABLED:
        return Parcel(delivery, problem="endpoint_disabled")
    secrets = live_secrets(endpoint.secrets, endpoint.rotated_until, now)
    # Where the endpoint is now: whoever moved it wants the calls that are still open there, too.
    return Parcel(replace(delivery, url=endpoint.url), contents, secrets, batched=endpoint.batch_max > 1)


def _for_callback(delivery: Delivery, contents: tuple[tuple[Event, Subject], ...], workspace: Workspace | None) -> Parcel:
    if workspace is None:
        return Parcel(delivery, problem="workspace_gone")
    return Parcel(delivery, contents, (workspace.signing_secret,))
