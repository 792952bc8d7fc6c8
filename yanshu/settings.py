"""The one frozen `Settings`: defaults run the embedded form with no file; every field is a `YANSHU_…` variable."""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "YANSHU_"
# Read by `yanshu send`, which talks to a server instead of being one.
CLIENT_VARIABLES = frozenset({"YANSHU_URL", "YANSHU_KEY"})
SECRET_FIELDS = frozenset({"database_url", "master_key", "metrics_token"})
ROLES = frozenset({"api", "dispatcher", "worker"})
BIND_PROTOCOLS = frozenset({"smpp", "cmpp"})
_HIDDEN = "(set, hidden)"
_PORT_MOST = 65_535
_HOST = re.compile(r"(?:\[[^\]]+\]|[^\s:]*)(?::\d{1,5})?")

Check = Callable[[Any], str | None]
"""Says what is expected instead, or None when the value is good."""


class SettingsError(ValueError):
    """A setting is unknown or cannot be read; the message names it and says what is expected."""


def between(least: int, most: int = 2**31 - 1) -> Check:
    """Expect a number in this range."""
    words = f"at least {least:,}" if most == 2**31 - 1 else f"from {least:,} to {most:,}"
    return lambda value: None if least <= value <= most else words


def one_of(*words: str) -> Check:
    """Expect one of these words."""
    known = {word.lower() for word in words}
    return lambda value: None if value.lower() in known else f"one of {', '.join(words)}"


def _networks(text: str) -> str | None:
    try:
        for part in filter(None, map(str.strip, text.split(","))):
            ip_network(part, strict=False)
    except ValueError:
        return "a comma list of addresses or networks, such as 10.0.0.0/8"
    return None


def _database(text: str) -> str | None:
    """Expect what libpq understands: several hosts, or none at all, are in order."""
    scheme, _, rest = text.partition("://")
    hosts = rest.partition("?")[0].partition("/")[0].rpartition("@")[2]
    good = scheme in {"postgresql", "postgres"} and all(_HOST.fullmatch(host) for host in hosts.split(","))
    return None if not text or good else "postgresql://user:password@host:port/name"


def _web(text: str) -> str | None:
    good = not text or re.fullmatch(r"https?://[^\s/?#]+(?:/[^\s?#]*)?", text)
    return None if good else "a URL such as https://sms.example.com"


def _listening(text: str) -> str | None:
    host, _, port = text.rpartition(":")
    good = not text or (host and _HOST.fullmatch(host) and port.isascii() and port.isdigit() and int(port) <= _PORT_MOST)
    return None if good else "host:port, such as 127.0.0.1:8081"


def _binds(text: str) -> str | None:
    try:
        read_bind_listen(text)
    except ValueError:
        return "a comma list such as smpp://0.0.0.0:2775,cmpp://0.0.0.0:7890, each protocol once"
    return None


def _roles(text: str) -> str | None:
    try:
        read_roles(text)
    except SettingsError:
        return f"all, or some of {', '.join(sorted(ROLES))}"
    return None


def setting(default: object, text: str, check: Check | None = None) -> Any:
    """Declare one setting with its help text and, where not every value makes sense, a check."""
    return field(default=default, metadata={"help": text, "check": check})


@dataclass(frozen=True, slots=True)
class Settings:
    """Effective configuration of a process. Units are in the names; empty text means "not set"."""

    data_dir: str = setting("var", "Directory of the embedded database, the master key and other local files.")
    database_url: str = setting("", "PostgreSQL as postgresql://user:password@host/name; empty: SQLite in the data directory.", _database)
    database_pool_size: int = setting(8, "Connections this process may open to PostgreSQL.", between(1, 1000))
    roles: str = setting("all", "What this process does: all, or a comma list of api, dispatcher, worker.", _roles)
    listen_host: str = setting("127.0.0.1", "Address the HTTP API listens on.")
    listen_port: int = setting(8080, "Port the HTTP API listens on.", between(0, _PORT_MOST))
    bind_listen: str = setting(
        "", "Where customers bind, such as smpp://0.0.0.0:2775,cmpp://0.0.0.0:7890, in processes with the role api; empty: nowhere.", _binds
    )
    public_url: str = setting("", "URL under which customers reach this API, for links in answers; empty: made from host and port.", _web)
    callbacks_listen: str = setting("", "host:port on which receipts and replies of HTTP carriers come in; empty: nowhere.", _listening)
    callbacks_url: str = setting("", "URL under which carriers reach that listener; empty: made from its host and port.", _web)
    master_key: str = setting("", "Base64 of 32 bytes that seal secrets at rest; empty: kept in a file in the data directory.")
    trusted_proxies: str = setting("", "Comma list of proxy networks whose X-Forwarded-For is believed.", _networks)
    metrics_token: str = setting("", "Bearer token for /metrics; empty: only loopback may read it.")
    webhook_allow: str = setting("", "Comma list of host:port or networks that webhooks may reach although they are not public.")
    prefix_file: str = setting(
        "", "Table of mainland number ranges; empty: prefixes.csv in the data directory, or where there is none the shipped one."
    )
    lookup_file: str = setting("", "How a register of ported numbers is asked (docs/reference/numbers.md); empty: none is asked.")
    learned_operator_days: int = setting(
        180, "How long it is believed who serves a number, once receipts have taught it.", between(1, 3650)
    )
    dead_receipts: int = setting(2, "After so many messages that found no such number, the number counts as dead.", between(1, 8))
    dead_strikes: int = setting(
        3, "The same for messages that found it dead, suspended or without SMS, in whatever mixture.", between(1, 8)
    )
    dead_spread_hours: int = setting(24, "The first and the last of these are at least so far apart.", between(0, 720))
    dead_window_days: int = setting(30, "And all of them within so many days.", between(1, 365))
    dead_probe_days: int = setting(
        90, "After so long one message to a dead number is let through, to see whether it still is.", between(1, 3650)
    )
    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR.", one_of("DEBUG", "INFO", "WARNING", "ERROR"))
    log_format: str = setting("json", "json or text.", one_of("json", "text"))
    requests_per_second: int = setting(1000, "Requests a key may make per second unless the key says otherwise.", between(1))
    messages_per_second: int = setting(50000, "Messages a key may have accepted per second unless the key says otherwise.", between(1))
    body_limit_bytes: int = setting(16_777_216, "Largest JSON body; uploads are streamed and not limited by this.", between(1024))
    accept_backlog: int = setting(20_000, "Messages waiting to be committed before the API answers 503.", between(1))
    lease_seconds: int = setting(
        30, "How long a claimed message may be unanswered before it is unknown; longer than any wait for an answer.", between(1, 3600)
    )
    unknown_resend_seconds: int = setting(15, "After this an unanswered OTP with risk best_effort may be sent again.", between(1))
    unknown_wait_seconds: int = setting(86_400, "How long an unanswered submit waits for a late receipt.", between(1))
    receipt_wait_seconds: int = setting(
        259_200, "How long a submitted message waits for its receipt (OTP: 10 minutes at most).", between(1)
    )
    partial_grace_seconds: int = setting(600, "How long a partly reported message waits for its other segments.", between(1))
    failover_after_seconds: int = setting(30, "How long a connector may be down before its queue moves to the next candidate.", between(1))
    health_limits: str = setting(
        "", "Comma list of limits by which connectors are judged, such as open_seconds=60,probes=5; see docs/explain/health.md."
    )
    orphan_hours: int = setting(72, "How long a receipt without a submission is kept and matched again.", between(1, 8760))
    sweep_interval_ms: int = setting(500, "How often overdue deadlines are looked for.", between(10, 60_000))
    drain_seconds: int = setting(20, "Budget for finishing what is under way when stopping.", between(0, 3600))


_READERS = {str: str, int: int}
_DECLARED: dict[str, "Field[Any]"] = {PREFIX + declared.name.upper(): declared for declared in fields(Settings)}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the `YANSHU_…` variables of `environment` describe; unknown ones are errors."""
    values: dict[str, Any] = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name in CLIENT_VARIABLES:
            continue
        declared = _DECLARED.get(name)
        if declared is None:
            close = difflib.get_close_matches(name, _DECLARED, n=1)
            guess = f"did you mean {close[0]}? " if close else ""
            raise SettingsError(f"unknown setting {name}: {guess}`yanshu doctor --settings` lists them all")
        values[declared.name] = _read(name, declared, text)
    return checked(Settings(**values))


def _read(name: str, declared: "Field[Any]", text: str) -> object:
    """Read one value by the type of its default."""
    kind = type(declared.default)
    try:
        return _READERS[kind](text)
    except ValueError as error:
        raise SettingsError(f"{name} must be a whole number, not {text!r}") from error


def checked(settings: Settings) -> Settings:
    """Return the settings, or say of the first that makes no sense what is expected; secrets are not repeated."""
    for name, declared in _DECLARED.items():
        check: Check | None = declared.metadata["check"]
        value = getattr(settings, declared.name)
        if check is not None and (expected := check(value)):
            given = "" if declared.name in SECRET_FIELDS else f", not {value!r}"
            raise SettingsError(f"{name} must be {expected}{given}")
    return settings


def read_bind_listen(text: str) -> dict[str, tuple[str, int]]:
    """Return where each protocol of binds is to be spoken: protocol → (host, port). Raises ValueError for anything else."""
    found: dict[str, tuple[str, int]] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        url = urlsplit(part)
        if url.scheme not in BIND_PROTOCOLS or url.scheme in found or not url.hostname or url.port is None or url.path or url.query:
            raise ValueError(part)
        found[url.scheme] = (url.hostname, url.port)
    return found


def read_roles(text: str) -> frozenset[str]:
    """Return the roles named by a setting; `all` is all of them."""
    if text.strip() == "all":
        return ROLES
    roles = frozenset(role.strip() for role in text.split(",") if role.strip())
    if not roles or roles - ROLES:
        raise SettingsError(f"YANSHU_ROLES must be all, or some of {', '.join(sorted(ROLES))}; not {text!r}")
    return roles


def settings_from_process(**options: object) -> Settings:
    """Return the settings of this process's environment; command-line `options` that are not None win."""
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return checked(replace(read_settings(os.environ), **given))


def shown(settings: Settings, name: str) -> str:
    """Return the value of a field as it may be shown: of a secret only that it is set, of a database all but its password."""
    value = getattr(settings, name)
    if name not in SECRET_FIELDS or not value:
        return str(value)
    return _without_password(value) if name == "database_url" else _HIDDEN


def _without_password(url: str) -> str:
    """Hide rather too much than too little: everything from the user's colon to the last @, and passwords in the query."""
    return re.sub(r"(password=)[^&]*", r"\1***", re.sub(r"://([^:/?@]*):.*@", r"://\1:***@", url), flags=re.IGNORECASE)


def data_directory(settings: Settings) -> Path:
    """Return the data directory, made if need be, readable by its owner only."""
    path = Path(settings.data_dir)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
