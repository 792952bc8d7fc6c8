"""The listener for callbacks of HTTP carriers: where it is, what it is made of, and the URLs that carriers are given."""

from yanshu.adapters.carriers.http.reader import HttpCallbackReader
from yanshu.app.http import Listener
from yanshu.domain.connectors import Connector
from yanshu.edge.callbacks.door import CallbackDoor, path_of
from yanshu.pipeline.route import Router
from yanshu.ports.callbacks import CallbackKind, CallbackReader, CallbackUrls
from yanshu.ports.carrier import Intake
from yanshu.ports.clock import Clock
from yanshu.rules.accounts.sealing import Sealer
from yanshu.runtime.metrics import Metrics
from yanshu.settings import Settings


class Callbacks:
    """Callbacks as one process sees them. Their URLs are known to every process; the listener runs where the role is `api`."""

    def __init__(self, settings: Settings, clock: Clock, sealer: Sealer) -> None:
        self._settings = settings
        self.listener = Listener(settings.drain_seconds)
        self.reader: CallbackReader = HttpCallbackReader(clock, sealer.open_text, lambda name: sealer.token(f"callback:{name}"))

    @property
    def public_url(self) -> str:
        """Where carriers reach the listener; empty when that is not known."""
        return self._settings.callbacks_url.rstrip("/") or self.listener.url

    def urls(self, connector: Connector) -> CallbackUrls:
        """Return what the carrier of a connector shall call."""
        token = self.reader.token(connector) if self.public_url else None
        if token is None:
            return CallbackUrls()
        return CallbackUrls(
            *(self.public_url + path_of(connector.id, token, kind) for kind in (CallbackKind.RECEIPTS, CallbackKind.INBOUND))
        )

    def open(self, router: Router, intake: Intake, metrics: Metrics) -> None:
        """Bind the port and make the application."""
        host, _, port = self._settings.callbacks_listen.rpartition(":")
        self.listener.open(host.strip("[]"), int(port), "choose another YANSHU_CALLBACKS_LISTEN")
        self.listener.offer(CallbackDoor(router, self.reader, intake, metrics, lambda: self.public_url))
