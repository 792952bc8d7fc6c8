"""From messages to the bodies of their submits, a chunk at a time: what the messages of a campaign share is made once."""

from datetime import datetime

from msgspec import Struct

from yanshu.adapters.carriers.smpp.settings import read_settings
from yanshu.adapters.carriers.smpp.texts import Cut, TextWriter, builder_of
from yanshu.domain.connectors import Connector
from yanshu.domain.messages import Message
from yanshu.protocols.smpp.submits import relative_time


class _Shared(Struct, frozen=True):
    """What all recipients of a text have in common; `ending` is all there is to a text of one segment, empty for a long one."""

    cut: Cut
    validity: str
    ending: bytes


class Submits:
    """Makes the submits of one connector; `first_reference` is where the references of long texts begin."""

    def __init__(self, connector: Connector, first_reference: int) -> None:
        settings = read_settings(connector.settings)
        self.sender = connector.sender
        self.keeps_plus = settings.keep_plus
        self.tells_validity = settings.validity
        self.writer = TextWriter(settings, first_reference)
        self.builder = builder_of(settings)

    def chunk(self, now: datetime) -> "Chunk":
        """Begin a chunk of messages to be submitted now."""
        return Chunk(self, now)


class Chunk:
    """The messages of one call. It remembers their texts, so that one sent to a thousand people is encoded once, and is then dropped."""

    def __init__(self, submits: Submits, now: datetime) -> None:
        self._submits = submits
        self._now = now
        self._shared: dict[tuple[str, str, datetime | None], _Shared] = {}

    def bodies(self, message: Message) -> list[bytes]:
        """Return one body a segment (budget: 1 µs for a text seen before).

        Raises LocalProtocolError when a value does not fit its field.
        """
        submits = self._submits
        source, destination = message.sender or submits.sender, message.recipient
        if not submits.keeps_plus:
            source, destination = source.removeprefix("+"), destination.removeprefix("+")
        key = (message.text, message.encoding, message.expires_at if submits.tells_validity else None)
        shared = self._shared.get(key) or self._prepare(key)
        if shared.ending:
            return [submits.builder.join(source, destination, shared.ending)]
        body, validity = submits.builder.body, shared.validity
        return [body(source, destination, validity, content) for content in submits.writer.parts(shared.cut)]

    def _prepare(self, key: tuple[str, str, datetime | None]) -> _Shared:
        text, encoding, expires_at = key
        submits = self._submits
        cut = submits.writer.cut(text, encoding)
        validity = "" if expires_at is None else relative_time(int((expires_at - self._now).total_seconds()))
        ending = submits.builder.ending(validity, submits.writer.parts(cut)[0]) if len(cut.pieces) == 1 else b""
        shared = self._shared[key] = _Shared(cut, validity, ending)
        return shared
