"""From a message to the carrier's request: the named values, and the definition filled with them. Signing comes after."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from yanshu.adapters.carriers.http.definition import AS_JSON, PARAMS, Body, Definition
from yanshu.adapters.carriers.http.places import fill, is_alone
from yanshu.adapters.carriers.http.request import FORM, JSON, Credentials, Endpoint, Request, encoded, form_text
from yanshu.adapters.carriers.http.templates import Filled, Templates
from yanshu.domain.errors import YanshuError
from yanshu.domain.messages import Message
from yanshu.ports.callbacks import CallbackUrls

_SIGNED = re.compile(r"【(?P<signature>[^【】]+)】(?P<body>.*)", re.DOTALL)
_NO_TEMPLATE = Filled("", {})


class NoTemplateFits(YanshuError):
    """The text was made from none of the templates that the carrier has of this connector."""


class Site(Struct, frozen=True, kw_only=True):
    """What a connector adds to its definition: where it leads, its account, its settings, and where its carrier shall call."""

    endpoint: Endpoint
    credentials: Credentials
    settings: Mapping[str, str]
    templates: Templates | None = None
    sender: str = ""
    urls: CallbackUrls = CallbackUrls()


def build(definition: Definition, site: Site, message: Message) -> Request:
    """Return the unsigned request for one message. A field that is one place alone is left out when it has no value.

    Raises `NoTemplateFits` where the carrier takes templates and the text is none of them.
    """
    signed = _SIGNED.match(message.text)
    body = signed["body"] if signed else message.text
    filled = _filled_template(site.templates, body)
    send, values = definition.send, values_of(site, message)
    values |= {"body": body, "signature": signed["signature"] if signed else "", "template": filled.id}
    for name, words in send.words.items():
        values[name] = words.get(values.get(name, ""), values.get(name, ""))
    fill_in = _Filler(values, filled.params)
    request = Request(
        method="POST",
        endpoint=site.endpoint,
        path=fill(send.path, {name: encoded(value) for name, value in values.items()}),
        query=fill_in.pairs(send.query),
        headers=tuple((name, _one_line(fill(text, values))) for name, text in send.headers.items() if fill_in.stays(text)),
    )
    return request if send.body is None else _with_body(request, send.body, fill_in)


def values_of(site: Site, message: Message) -> dict[str, str]:
    """Return the named values of `definition.NAMES` that need no reading of the text."""
    return {
        "account": site.credentials.account,
        "encoding": message.encoding.value,
        "inbound_url": site.urls.inbound,
        "message_id": message.id,
        "receipts_url": site.urls.receipts,
        "reference": message.client_reference or "",
        "secret": site.credentials.secret,
        "sender": message.sender or site.sender,
        "text": message.text,
        "to": message.recipient,
        "to_digits": message.recipient.removeprefix("+"),
        **{f"settings.{name}": value for name, value in site.settings.items()},
    }


class _Filler(Struct, frozen=True):
    """Fills a tree of a definition with the values of one message."""

    values: Mapping[str, str]
    params: Mapping[str, str]

    def tree(self, value: Any) -> Any:
        """Fill a tree. Numbers, truth values and null of the definition stay what they are."""
        if isinstance(value, str):
            return fill(value, self.values)
        if isinstance(value, list):
            return [self.tree(each) for each in value if self.stays(each)]
        if isinstance(value, dict):
            return self._branch(value)
        return value

    def pairs(self, fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return a form or a query; an array repeats its name."""
        filled = self.tree(fields)
        return tuple((name, _flat(each)) for name, value in filled.items() for each in (value if isinstance(value, list) else [value]))

    def stays(self, value: Any) -> bool:
        """Whether a field has something to say."""
        return not (isinstance(value, str) and is_alone(value) and not fill(value, self.values))

    def _branch(self, value: dict[str, Any]) -> Any:
        if value.keys() == {AS_JSON}:
            return str(msgspec.json.encode(self.tree(value[AS_JSON])), "utf-8")
        if value.keys() == {PARAMS}:
            return dict(self.params) if value[PARAMS] == "object" else list(self.params.values())
        return {name: self.tree(each) for name, each in value.items() if self.stays(each)}


def _filled_template(templates: Templates | None, body: str) -> Filled:
    if templates is None:
        return _NO_TEMPLATE
    filled = templates.match(body)
    if filled is None:
        raise NoTemplateFits("no template of this connector reads like the text; add it to settings.templates")
    return filled


def _with_body(request: Request, body: Body, fill_in: _Filler) -> Request:
    if body.kind == "json":
        kind, content = JSON, msgspec.json.encode(fill_in.tree(body.fields))
    else:
        kind, content = FORM, form_text(fill_in.pairs(body.fields))
    typed = request if request.header("content-type") else request.with_headers(Content_Type=kind)
    return msgspec.structs.replace(typed, body=content)


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else str(msgspec.json.encode(value), "utf-8")


def _one_line(text: str) -> str:
    """Keep a value inside its header: whatever could end the line is percent-encoded."""
    return text if text.isascii() and text.isprintable() else encoded(text)
