"""How a register is asked over HTTP: data, read from a file; no code a register."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from yanshu.domain.numbers import Operator
from yanshu.ports.lookup import LookupPlan

_PLACES = ("{number}", "{e164}")
_MOST_BYTES = 1 << 20


class DefinitionError(ValueError):
    """A definition cannot be read; the message names the field and the fix."""


class LookupDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One register.

    `{number}` (11 digits) or `{e164}` stands in `url` or `body` for the number. `answer` is the way to the operator in the JSON that
    comes back, keys and places of lists with dots between; `operators` says what its values mean, others are "does not know".
    """

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+")]
    answer: Annotated[str, Meta(min_length=1)]
    operators: Annotated[dict[str, Operator], Meta(min_length=1)]
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    timeout_ms: Annotated[int, Meta(ge=50, le=30_000)] = 2000
    plan: LookupPlan = field(default_factory=LookupPlan)

    def __post_init__(self) -> None:
        """Refuse what would ask about nobody, or send what GET does not carry."""
        if not any(place in text for place in _PLACES for text in (self.url, self.body)):
            raise ValueError(f"url or body has {' or '.join(_PLACES)} where the number goes")
        if self.body and self.method == "GET":
            raise ValueError("a GET has no body; method is POST")
        if any("\n" in text or "\r" in text for header in self.headers.items() for text in header):
            raise ValueError("headers are one line each")


def load_definition(path: Path) -> LookupDefinition:
    """Read a definition from a JSON file. Raises `DefinitionError`."""
    try:
        octets = path.read_bytes()
        if len(octets) > _MOST_BYTES:
            raise DefinitionError("a definition has at most 1 MiB")
        return msgspec.json.decode(octets, type=LookupDefinition)
    except OSError as error:
        raise DefinitionError(f"it cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:  # what JSON says of itself, and what we say of its fields
        raise DefinitionError(str(error)) from error
    except UnicodeDecodeError as error:
        raise DefinitionError("it is not UTF-8") from error
