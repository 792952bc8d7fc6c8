"""What the HTTP API works with; filled in by the composition root."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from yanshu.domain.connectors import Connector
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.batches import Batches
from yanshu.pipeline.codebook import Codebook
from yanshu.pipeline.explain import Explainer
from yanshu.pipeline.health import Health
from yanshu.pipeline.notify import Notifier
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.route import Router
from yanshu.pipeline.schedule import Schedule
from yanshu.ports.callbacks import CallbackUrls
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.rules.accounts.sealing import Sealer
from yanshu.rules.webhooks.targets import Allowance
from yanshu.runtime.metrics import Metrics
from yanshu.settings import Settings


class HandsetText(Protocol):
    """A text as a virtual handset shows it."""

    @property
    def sender(self) -> str:
        """The access number it came from."""

    @property
    def text(self) -> str:
        """What it says."""

    @property
    def at(self) -> datetime:
        """When its first segment came."""

    @property
    def segments(self) -> int:
        """Of how many segments it was made."""


class Sandbox(Protocol):
    """Virtual handsets, named by digits; the bundled simulator is one."""

    def handsets(self) -> list[str]:
        """Numbers that something was sent to."""

    def inbox(self, number: str) -> Sequence[HandsetText]:
        """What reached a handset, oldest first."""

    def reply(self, number: str, text: str, to: str | None = None) -> int:
        """Send a text from a handset, by default to the number that last wrote to it; how many segments."""


class Services(Struct, frozen=True, kw_only=True):
    """The stages and ports a handler may use.

    `check_connector` judges a protocol's settings: (protocol, settings, password) → None. `callback_urls` says what the carrier of a
    connector shall call.
    """

    settings: Settings
    store: Store
    clock: Clock
    metrics: Metrics
    sealer: Sealer
    router: Router
    health: Health
    accepter: Accepter
    batches: Batches
    schedule: Schedule
    explainer: Explainer
    notifier: Notifier
    numbers: Numbers
    codebook: Codebook
    webhook_allow: Allowance
    check_connector: Callable[[str, dict[str, object], str | None], None]
    callback_urls: Callable[[Connector], CallbackUrls]
    public_url: str
    sandbox: Sandbox | None = None
