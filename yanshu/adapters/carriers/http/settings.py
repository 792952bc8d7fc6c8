"""What may be set on an HTTP connector, and what it means for its requests and callbacks."""

import re
import ssl
from typing import Annotated, Any

from msgspec import Meta, Struct

from yanshu.adapters.carriers.http import places
from yanshu.adapters.carriers.http.building import Site
from yanshu.adapters.carriers.http.definition import Definition, check_settings
from yanshu.adapters.carriers.http.provided import definition_of
from yanshu.adapters.carriers.http.request import Credentials, Endpoint
from yanshu.adapters.carriers.http.signing import NEED_ACCOUNT
from yanshu.adapters.carriers.http.templates import Template, Templates, check_templates
from yanshu.adapters.carriers.reading import ASCII, Seconds, invalid, read
from yanshu.domain.connectors import Connector
from yanshu.domain.errors import Invalid
from yanshu.ports.callbacks import CallbackUrls

_LONGEST_SECRET = 512
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?|[0-9A-Fa-f:.]+")


class HttpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`Connector.settings` of protocol ``http``, beside those that its definition asks for; the password is the account's secret.

    `provider` names a definition that ships; `definition` changes it, or stands alone. `templates` are the texts filed with a
    carrier that takes templates only. `callback_serial` makes the URLs of its callbacks anew when it is raised.
    """

    provider: str = ""
    definition: dict[str, Any] = {}
    account: Annotated[str, Meta(max_length=256, pattern=ASCII)] = ""
    templates: Annotated[tuple[Template, ...], Meta(max_length=1000)] = ()
    callback_serial: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    tls: bool = True
    tls_server_name: Annotated[str, Meta(max_length=253)] = ""
    ca_file: str = ""
    connect_timeout_seconds: Seconds = 10.0
    response_timeout_seconds: Seconds = 10.0

    def tls_context(self) -> ssl.SSLContext | None:
        """Return how to encrypt, or None for plain HTTP. Raises OSError when `ca_file` cannot be read."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as error:
            raise OSError(f"the ca_file {self.ca_file} cannot be used: {error.strerror or error}") from error


class Provider(Struct, frozen=True):
    """The settings of a connector, read: ours, its definition, and the definition's own."""

    settings: HttpSettings
    definition: Definition
    own: dict[str, str]


def read_settings(values: dict[str, Any]) -> Provider:
    """Return what a connector's settings say. Raises `Invalid` naming the field and the fix."""
    ours = {name: value for name, value in values.items() if name in HttpSettings.__struct_fields__}
    settings = read(ours, HttpSettings)
    own = {name: value for name, value in values.items() if name not in ours}
    definition = definition_of(settings.provider, settings.definition)
    for name, value in own.items():
        if not isinstance(value, str):
            raise invalid(name, "write a text")
    if taken := sorted({*definition.needs, *definition.takes} & set(HttpSettings.__struct_fields__)):
        raise invalid(f"definition.{'needs' if taken[0] in definition.needs else 'takes'}", f"{taken[0]} is a setting of every connector")
    check_settings(definition, own, HttpSettings.__struct_fields__)
    check_templates(settings.templates)
    if definition.uses_templates != bool(settings.templates):
        fix = "give at least one template of the carrier" if definition.uses_templates else "this provider takes texts, not templates"
        raise invalid("templates", fix)
    if not settings.account and _needs_account(definition):
        raise invalid("account", "this provider cannot do without it")
    try:
        settings.tls_server_name.encode("idna")
    except UnicodeError as error:
        raise invalid("tls_server_name", "write a host name") from error
    return Provider(settings, definition, own)


def check_password(password: str) -> None:
    """Raise `Invalid` when the secret could not sign or travel in a header."""
    if not 1 <= len(password) <= _LONGEST_SECRET or not (password.isascii() and password.isprintable()):
        raise Invalid("parameter_invalid", param="password", fix=f"the secret has 1 to {_LONGEST_SECRET} printable ASCII characters")


def site_of(connector: Connector, provider: Provider, secret: str, urls: CallbackUrls) -> Site:
    """Return what a connector adds to its definition. Raises `Invalid` when its host is none."""
    if not _HOST.fullmatch(connector.host):
        raise Invalid("parameter_invalid", param="host", fix="write a host name")
    settings, auth = provider.settings, provider.definition.send.auth
    return Site(
        endpoint=Endpoint(connector.host, connector.port, settings.tls),
        credentials=Credentials(settings.account, secret, auth.scope),
        settings=provider.own,
        templates=Templates(settings.templates) if settings.templates else None,
        sender=connector.sender,
        urls=urls,
    )


def _needs_account(definition: Definition) -> bool:
    send = definition.send
    return send.auth.recipe in NEED_ACCOUNT or any("account" in places.names(text) for text in definition.texts)
