"""The one frozen `Settings`: defaults run the embedded form with no file; every field is a `YANSHU_…` variable."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

PREFIX = "YANSHU_"
# Read by `yanshu send`, which talks to a server instead of being one.
CLIENT_VARIABLES = frozenset({"YANSHU_URL", "YANSHU_KEY"})
SECRET_FIELDS = frozenset({"database_url", "master_key", "metrics_token"})


class SettingsError(ValueError):
    """A setting is unknown or cannot be read; the message names it and says what is expected."""


def setting(default: object, text: str) -> Any:
    """Declare one setting with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """Effective configuration of a process. Units are in the names; empty text means "not set"."""

    data_dir: str = setting("var", "Directory of the embedded database, the master key and other local files.")
    database_url: str = setting("", "PostgreSQL as postgresql://user:password@host/name; empty: SQLite in the data directory.")
    database_pool_size: int = setting(8, "Connections this process may open to PostgreSQL.")
    roles: str = setting("all", "What this process does: all, or a comma list of api, dispatcher, worker.")
    listen_host: str = setting("127.0.0.1", "Address the HTTP API listens on.")
    listen_port: int = setting(8080, "Port the HTTP API listens on.")
    public_url: str = setting("", "URL under which customers reach this API, for links in answers; empty: made from host and port.")
    master_key: str = setting("", "Base64 of 32 bytes that seal secrets at rest; empty: kept in a file in the data directory.")
    trusted_proxies: str = setting("", "Comma list of proxy networks whose X-Forwarded-For is believed.")
    metrics_token: str = setting("", "Bearer token for /metrics; empty: only loopback may read it.")
    webhook_allow: str = setting("", "Comma list of host:port or networks that webhooks may reach although they are not public.")
    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR.")
    log_format: str = setting("json", "json or text.")
    zone: str = setting("Asia/Shanghai", "Time zone where people's hours matter.")
    requests_per_second: int = setting(1000, "Requests a key may make per second unless the key says otherwise.")
    messages_per_second: int = setting(50000, "Messages a key may have accepted per second unless the key says otherwise.")
    body_limit_bytes: int = setting(16_777_216, "Largest JSON body; uploads are streamed and not limited by this.")
    accept_backlog: int = setting(20_000, "Messages waiting to be committed before the API answers 503.")
    lease_seconds: int = setting(30, "How long a claim or a link lease lives without being renewed.")
    unknown_resend_seconds: int = setting(15, "After this an unanswered OTP with risk best_effort may be sent again.")
    unknown_wait_seconds: int = setting(86_400, "How long an unanswered submit waits for a late receipt.")
    receipt_wait_seconds: int = setting(259_200, "How long a submitted message waits for its receipt (OTP: 10 minutes at most).")
    partial_grace_seconds: int = setting(600, "How long a partly reported message waits for its other segments.")
    failover_after_seconds: int = setting(30, "How long a connector may be down before its queue moves to the next candidate.")
    orphan_hours: int = setting(72, "How long a receipt without a submission is kept and matched again.")
    sweep_interval_ms: int = setting(500, "How often overdue deadlines are looked for.")
    drain_seconds: int = setting(20, "Budget for finishing what is under way when stopping.")


_READERS = {str: str, int: int}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the `YANSHU_…` variables of `environment` describe; unknown ones are errors."""
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    values: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name in CLIENT_VARIABLES:
            continue
        declared = known.get(name)
        if declared is None:
            raise SettingsError(f"unknown setting {name}; known settings are listed by `yanshu doctor --settings`")
        values[declared.name] = _read(name, declared, text)
    return Settings(**values)  # type: ignore[arg-type]


def _read(name: str, declared: "Field[Any]", text: str) -> object:
    """Read one value by the type of its default."""
    kind = type(declared.default) if declared.default is not MISSING else str
    try:
        return _READERS[kind](text)
    except ValueError as error:
        raise SettingsError(f"{name} must be {kind.__name__}, not {text!r}") from error


def settings_from_process(**options: object) -> Settings:
    """Return the settings of this process's environment; command-line `options` that are not None win."""
    return replace(read_settings(os.environ), **{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]


def data_directory(settings: Settings) -> Path:
    """Return the data directory, made if need be, readable by its owner only."""
    path = Path(settings.data_dir)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
