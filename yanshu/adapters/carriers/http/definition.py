"""A provider definition: what to send to a carrier, and how to read its answers and callbacks, as data read strictly."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from yanshu.adapters.carriers.http import places
from yanshu.adapters.carriers.http.checks import CHECKS
from yanshu.adapters.carriers.http.signing import FORM_ONLY, RECIPES, SCOPED, VONAGE_METHODS
from yanshu.adapters.carriers.reading import invalid, read
from yanshu.domain.submissions import ReceiptState

# The values a request may name beside `settings.…`; see `building.values_of`.
NAMES = frozenset(
    {
        "account",
        "body",
        "encoding",
        "inbound_url",
        "message_id",
        "receipts_url",
        "reference",
        "secret",
        "sender",
        "signature",
        "template",
        "text",
        "to",
        "to_digits",
    }
)
AS_JSON = "$json"  # {"$json": …} is the JSON of …, as a text
PARAMS = "$params"  # {"$params": "object"} is the values of the template's places by name, "array" in order
_DEEPEST = 8
_SOME_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
Header = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
Line = Annotated[str, Meta(pattern=r"^[ -~]{0,1024}\Z")]  # a header's value: no line end may slip into it
Verdict = Literal["refused", "busy", "blocked", "throttled", "unanswered"]


class Auth(Struct, frozen=True, forbid_unknown_fields=True):
    """How requests are signed: a row of `signing.RECIPES`, and the header or service it needs to know."""

    recipe: str
    scope: str = ""


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What the request carries: a tree of texts with places, as JSON, or one level of them as a form."""

    kind: Literal["json", "form"]
    fields: dict[str, Any]


class Send(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request for one message, always a POST: what sends a text must never be taken for something that may be repeated.

    `words` says a named value in the carrier's words: ``{"encoding": {"ucs2": "unicode"}}``.
    """

    path: Annotated[str, Meta(pattern=r"^/[!-~]{0,1024}\Z")]
    auth: Auth
    headers: dict[Header, Line] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Body | None = None
    words: dict[str, dict[str, str]] = field(default_factory=dict)


class AnswerMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the carrier's id and code stand in an answer, and what the codes mean.

    The first place of `id` and of `code` that has a value counts; ``${http.status}`` is the status line's. A key of `results` may
    end in ``*``: the longest that fits wins. ``blocked`` says that the account is at fault: the message may go elsewhere, and
    nothing more comes here for a while. `unknown` is for a code in a 2xx answer that no row knows.

    A carrier that reports on each segment of a long text says so in one of two ways: `rows` leads to an array with one object a
    segment, or `segments` to their number; then an id may name ``${segment}``, which counts from 1.
    """

    id: tuple[str, ...]
    code: tuple[str, ...]
    accepted: tuple[str, ...]
    rows: str = ""
    segments: str = ""
    kind: Literal["json", "form"] = "json"
    results: dict[str, Verdict] = field(default_factory=dict)
    unknown: Verdict = "busy"


class Time(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a time stands and how it is written: ``iso``, ``unix`` seconds, or a pattern in local time of an offset from UTC."""

    at: str
    form: str = "iso"
    utc_offset_minutes: Annotated[int, Meta(ge=-840, le=840)] = 0


class ReceiptMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report in our words: the first place of `id` with a value counts, the first of `state` whose value `states` knows decides."""

    id: tuple[str, ...]
    state: tuple[str, ...]
    states: dict[str, ReceiptState] = field(default_factory=dict)
    otherwise: ReceiptState = ReceiptState.UNKNOWN
    recipient: str = ""
    err: str = ""
    done: Time | None = None


class InboundMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text of a person in our words; `reference`, `part` and `parts` join a long one."""

    sender: str
    recipient: str
    text: str
    reference: str = ""
    part: str = ""
    parts: str = ""


class Reply(Struct, frozen=True, forbid_unknown_fields=True):
    """What the carrier wants to hear once its callback is safe."""

    status: Annotated[int, Meta(ge=200, le=299)] = 200
    content_type: Line = "text/plain"
    body: str = ""


class Callbacks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the carrier calls us with: how it is checked (a row of `checks.CHECKS`), read and answered. `rows` leads to the array.

    `scope` is what a check needs to know: for ``vonage`` the kind of digest.
    """

    check: str
    scope: str = ""
    rows: str = ""
    receipts: ReceiptMapping | None = None
    inbounds: InboundMapping | None = None
    reply: Reply = field(default_factory=Reply)


class Definition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of carrier. `needs` and `takes` are settings of the connector that its requests name as ``${settings.…}``."""

    name: Name
    send: Send
    answer: AnswerMapping
    needs: tuple[Name, ...] = ()
    takes: tuple[Name, ...] = ()
    callbacks: Callbacks | None = None

    @property
    def texts(self) -> list[str]:
        """Every text with places of its request."""
        send = self.send
        trees = (send.query, send.body.fields if send.body is not None else {})
        return [send.path, *send.headers.values(), *(text for tree in trees for _, text in _texts("", tree))]

    @property
    def uses_templates(self) -> bool:
        """Whether its carrier takes the number of a template in place of a text."""
        return any("template" in places.names(text) for text in self.texts)


class _Holder(Struct, frozen=True):
    definition: Definition


def read_definition(values: object) -> Definition:
    """Read a definition. Raises `Invalid` that names the field, as ``settings.definition.…``, and the fix."""
    definition = read({"definition": values}, _Holder).definition
    _check_send(definition)
    _check_answer(definition.answer)
    if definition.callbacks is not None:
        _check_callbacks(definition.callbacks)
    return definition


def check_settings(definition: Definition, given: Mapping[str, str], ours: Collection[str]) -> None:
    """Refuse settings of a connector that lack what the definition needs, or have what neither it nor any connector (`ours`) knows."""
    for name in definition.needs:
        if not given.get(name):
            raise invalid(name, fix="this provider cannot do without it")
    known = {*definition.needs, *definition.takes}
    for name in given:
        if name not in known:
            raise invalid(name, fix=f"one of {', '.join(sorted({*known, *ours}))}")


def _check_auth(send: Send) -> None:
    _one_of("send.auth.recipe", send.auth.recipe, RECIPES)
    if send.auth.recipe in SCOPED and not send.auth.scope:
        raise _wrong("send.auth.scope", fix="this recipe needs to know the header or service here")
    if send.auth.recipe == "vonage":
        _one_of("send.auth.scope", send.auth.scope, VONAGE_METHODS)
    if send.auth.recipe in FORM_ONLY and (send.body is None or send.body.kind != "form"):
        raise _wrong("send.body.kind", fix="this recipe signs a form")


def _check_send(definition: Definition) -> None:
    send = definition.send
    _check_auth(send)
    known = NAMES | {f"settings.{name}" for name in (*definition.needs, *definition.takes)}
    body = send.body or Body("form", {})
    is_flat = body.kind == "form"
    for path, text in (
        ("send.path", send.path),
        *((f"send.headers.{name}", value) for name, value in send.headers.items()),
        *_texts("send.query", send.query, is_flat=True),
        *_texts("send.body.fields", body.fields, is_flat=is_flat),
    ):
        _check_places(path, text, known)
        if "secret" in places.names(text) and path.startswith(("send.path", "send.query")):
            raise _wrong(path, fix="a secret in a URL ends in logs; put it into a header or the body")
    for name in send.words:
        _one_of(f"send.words.{name}", name, known)


def _check_answer(answer: AnswerMapping) -> None:
    for name, templates in (("id", answer.id), ("code", answer.code)):
        for index, text in enumerate(templates):
            _check_places(f"answer.{name}.{index}", text)
    if answer.rows and answer.segments:
        raise _wrong("answer.segments", fix="give rows or segments, not both")
    _check_places("answer.segments", answer.segments)
    if not answer.code:
        raise _wrong("answer.code", fix="name at least one place")
    if not answer.accepted:
        raise _wrong("answer.accepted", fix="name at least one code that means accepted")
    if twice := sorted(set(answer.accepted) & answer.results.keys()):
        raise _wrong(f"answer.results.{twice[0]}", fix="a code is either accepted or has a result, not both")


def _check_callbacks(callbacks: Callbacks) -> None:
    _one_of("callbacks.check", callbacks.check, CHECKS)
    if callbacks.check == "vonage":
        _one_of("callbacks.scope", callbacks.scope, VONAGE_METHODS)
    done = callbacks.receipts.done if callbacks.receipts is not None else None
    if done is not None and not _is_pattern(done.form):
        raise _wrong("callbacks.receipts.done.form", fix="write iso, unix, or a pattern such as %Y-%m-%d %H:%M:%S")
    for part in ("receipts", "inbounds"):
        mapping = getattr(callbacks, part)
        for path, text in _texts(f"callbacks.{part}", msgspec.to_builtins(mapping) if mapping is not None else {}):
            if not path.startswith(("callbacks.receipts.states", "callbacks.receipts.otherwise", "callbacks.receipts.done.form")):
                _check_places(path, text)


def _is_pattern(form: str) -> bool:
    """Whether a time can be written in this form and read again; a day without its year can not."""
    if form in {"iso", "unix"}:
        return True
    try:
        datetime.strptime(_SOME_TIME.strftime(form), form)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return "%y" in form.lower()


def _texts(path: str, value: object, *, is_flat: bool = False, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Walk over every text of a tree with its path; a form has one level, but an array of texts is a repeated field."""
    if depth > _DEEPEST:
        raise _wrong(path, fix=f"at most {_DEEPEST} levels")
    if isinstance(value, dict) and value.keys() == {PARAMS} and not is_flat:
        _one_of(f"{path}.{PARAMS}", value[PARAMS], ("array", "object"))
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        if is_flat and depth and value.keys() != {AS_JSON}:
            raise _wrong(path, fix='a form has one level; write {"$json": …} for JSON in a field')
        for name, inner in value.items():
            yield from _texts(f"{path}.{name}", inner, is_flat=is_flat and name != AS_JSON, depth=depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(f"{path}.{index}", inner, is_flat=is_flat, depth=depth + 1)


def _check_places(path: str, text: str, known: frozenset[str] | None = None) -> None:
    if not places.is_whole(text):
        raise _wrong(path, fix="write a place as ${name}, closed")
    for name in places.names(text) if known is not None else ():
        _one_of(path, name, known or ())


def _one_of(path: str, name: str, known: Any) -> None:
    if name not in known:
        raise _wrong(path, fix=f"one of {', '.join(sorted(known))}")


def _wrong(path: str, *, fix: str) -> Exception:
    return invalid(f"definition.{path}", fix=fix)
