"""Reads what carriers call HTTP connectors with: checks the signature, then turns reports into receipts and texts."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from yanshu.adapters.carriers.http.callbacks import Stamp, read_inbounds, read_receipts, rows_of
from yanshu.adapters.carriers.http.checks import is_genuine
from yanshu.adapters.carriers.http.definition import Callbacks
from yanshu.adapters.carriers.http.request import Credentials
from yanshu.adapters.carriers.http.settings import read_settings
from yanshu.domain.connectors import Connector
from yanshu.domain.errors import CallbackBroken, CallbackForged, Invalid
from yanshu.domain.submissions import Arrival
from yanshu.ports.callbacks import Callback, CallbackKind, Reading
from yanshu.ports.clock import Clock

_ENTROPY_BYTES = 10
_MISSING = {CallbackKind.RECEIPTS: "no report names its message", CallbackKind.INBOUND: "no text names who wrote it"}


class _Known(Struct, frozen=True):
    """A connector as it was read at a version; `callbacks` None: its carrier does not call."""

    version: int
    callbacks: Callbacks | None
    credentials: Credentials
    token: str


class HttpCallbackReader:
    """See `ports.callbacks.CallbackReader`. `open_secret` opens a sealed password, `make_token` makes the secret of a name."""

    def __init__(self, clock: Clock, open_secret: Callable[[str], str], make_token: Callable[[str], str]) -> None:
        self._clock = clock
        self._open_secret = open_secret
        self._make_token = make_token
        self._connectors: dict[str, _Known] = {}

    def token(self, connector: Connector) -> str | None:
        """See `ports.callbacks.CallbackReader.token`."""
        known = self._know(connector)
        return known.token if known is not None and known.callbacks is not None else None

    def read(self, connector: Connector, callback: Callback) -> Reading:
        """See `ports.callbacks.CallbackReader.read`."""
        known = self._know(connector)
        if known is None or known.callbacks is None:
            raise CallbackBroken("this connector takes no callbacks")
        callbacks = known.callbacks
        if not is_genuine(callbacks.check, callback, known.credentials):
            raise CallbackForged("the signature does not fit the account's secret and this URL")
        rows = rows_of(callbacks.rows, callback)
        arrivals = self._arrivals(connector, callbacks, callback.kind, rows)
        if not arrivals and (rows or callback.body):
            raise CallbackBroken(_problem(callbacks, callback, rows))
        reply = callbacks.reply
        return Reading(
            arrivals=arrivals,
            status=reply.status,
            content_type=reply.content_type,
            body=reply.body.encode(),
            broken=len(rows) - len(arrivals),
        )

    def _arrivals(self, connector: Connector, callbacks: Callbacks, kind: CallbackKind, rows: Sequence[object]) -> Sequence[Arrival]:
        stamp = Stamp(connector.id, connector.sender, self._clock.now(), self._clock.entropy(_ENTROPY_BYTES))
        if kind is CallbackKind.RECEIPTS:
            return read_receipts(callbacks.receipts, rows, stamp) if callbacks.receipts is not None else ()
        return read_inbounds(callbacks.inbounds, rows, stamp) if callbacks.inbounds is not None else ()

    def _know(self, connector: Connector) -> _Known | None:
        """Return what a connector says about callbacks, read once a version; None for other protocols and unusable settings."""
        known = self._connectors.get(connector.id)
        if known is not None and known.version == connector.version:
            return known
        if connector.protocol != "http":
            return None
        try:
            provider = read_settings(connector.settings)
        except Invalid:
            return None
        callbacks = provider.definition.callbacks
        known = self._connectors[connector.id] = _Known(
            connector.version,
            callbacks,
            Credentials(provider.settings.account, self._open_secret(connector.secret), callbacks.scope if callbacks is not None else ""),
            self._make_token(f"{connector.id}:{provider.settings.callback_serial}"),
        )
        return known


def _problem(callbacks: Callbacks, callback: Callback, rows: Sequence[object]) -> str:
    """Say what was looked for in vain."""
    mapping = callbacks.receipts if callback.kind is CallbackKind.RECEIPTS else callbacks.inbounds
    if mapping is None:
        return f"this connector's definition maps no {callback.kind.value}"
    if not rows:
        return "the body is neither a JSON object, nor an array of them, nor a form"
    return _MISSING[callback.kind]
