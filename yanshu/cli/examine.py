"""What `yanshu doctor` looks at: each look ends in one finding that names the fix."""

import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from yanshu.app.lookups import read_definition
from yanshu.app.platform import read_allow, read_health
from yanshu.app.stores import opened_store
from yanshu.domain.connectors import LinkReport, LinkState
from yanshu.domain.errors import StoreError
from yanshu.domain.incidents import Incident
from yanshu.rules.accounts.bootstrap import check_seal
from yanshu.rules.accounts.sealing import SealBroken, Sealer
from yanshu.rules.contacts.coverage import coverage_of, in_words
from yanshu.rules.contacts.prefixes import open_prefixes, prefix_path, shipped_prefixes
from yanshu.settings import Settings, SettingsError, read_roles

_SPACE_BYTES = 1 << 30
_TROUBLE = frozenset({LinkState.BLOCKED, LinkState.CONNECTING})


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    good: bool
    detail: str


async def examine(settings: Settings) -> list[Finding]:
    """Look at what the settings point at, and change nothing."""
    key, sealer = _master_key(settings)
    if settings.database_url or _database_file(settings).exists():
        stored = await _store(settings, sealer)
    else:
        stored = [_good("store", f"SQLite: there is no {_database_file(settings)} yet; the first `yanshu serve` makes it")]
    return [
        _words(settings),
        _directory(settings),
        *stored,
        key,
        _numbers(settings),
        _register(settings),
        _door(settings),
        _space(settings),
    ]


def _words(settings: Settings) -> Finding:
    """Settings that are lists of their own."""
    try:
        roles = read_roles(settings.roles)
        read_allow(settings)
        read_health(settings)
    except SettingsError as error:
        return _bad("settings", str(error))
    if settings.database_url and not settings.master_key:
        return _good("settings", f"roles {', '.join(sorted(roles))}; several machines need the same YANSHU_MASTER_KEY")
    return _good("settings", f"roles {', '.join(sorted(roles))}")


def _directory(settings: Settings) -> Finding:
    path = Path(settings.data_dir)
    if not path.exists():
        return _good("data directory", f"{path.absolute()} does not exist yet; the first `yanshu serve` makes it")
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return _bad("data directory", f"{path.absolute()} has mode {mode:o}: others may read it; run chmod 700 {path.absolute()}")
    return _good("data directory", f"{path.absolute()} has mode {mode:o}")


async def _store(settings: Settings, sealer: Sealer | None) -> list[Finding]:
    kind = "PostgreSQL" if settings.database_url else "SQLite"
    try:
        async with opened_store(settings) as store:
            await store.ping()
            async with store.read() as uow:
                links, incidents = await uow.records.links(), await uow.incidents.current()
                names = {connector.id: connector.name for connector in await uow.definitions.connectors()}
            found = [_good("store", f"{kind} answers, and its schema is this version's"), _links(links), _incidents(incidents, names)]
            await check_seal(store, sealer)
    except StoreError as error:
        return [_bad("store", f"{kind} cannot be used: {error}")]
    except SealBroken as error:
        return [*found, _bad("sealed secrets", str(error))]
    return [*found, _good("sealed secrets", "the master key opens what there is")]


def _links(links: Sequence[LinkReport]) -> Finding:
    states = ", ".join(f"{link.connector_id}:{link.slot} {link.state}{f' ({link.detail})' if link.detail else ''}" for link in links)
    is_good = not any(link.state in _TROUBLE for link in links)
    return Finding("links", is_good, states or "none yet; POST /v1/connectors makes a connector")


def _incidents(incidents: Sequence[Incident], names: Mapping[str, str]) -> Finding:
    told = [f"since {i.opened_at:%Y-%m-%d %H:%M} UTC: {i.sentence(names.get(i.connector_id, i.connector_id), 'en')}" for i in incidents]
    return Finding("incidents", not told, "\n".join(told) or "none is open")


def _master_key(settings: Settings) -> tuple[Finding, Sealer | None]:
    """Whether the key can be read, without making one where there is none."""
    path = Path(settings.data_dir) / "master.key"
    if not settings.master_key and not path.exists():
        return _good("master key", f"there is no {path}; the first `yanshu serve` makes it"), None
    try:
        sealer = Sealer.open(settings)
    except (SettingsError, OSError) as error:
        return _bad("master key", f"{error}; put back the key this store was made with"), None
    if not settings.master_key and path.stat().st_mode & 0o077:
        return _bad("master key", f"{path} can be read by others; run chmod 600 {path}"), sealer
    return _good("master key", f"{'YANSHU_MASTER_KEY' if settings.master_key else path} can be used"), sealer


def _numbers(settings: Settings) -> Finding:
    """The table of number ranges in force: where it is from, its date, and what it covers."""
    what, path = "number ranges", prefix_path(settings)
    try:
        prefixes = open_prefixes(settings)
    except SettingsError as error:
        return _bad(what, f"{error}\n`yanshu import-prefixes --dry-run FILE` tells whether another one is good")
    detail = f"{path if settings.prefix_file or path.exists() else 'the shipped table'}, {in_words(coverage_of(prefixes))}"
    shipped = shipped_prefixes().dated_on
    if prefixes.dated_on and shipped and prefixes.dated_on < shipped:
        detail += f"; the shipped one is newer ({shipped})"
    return _good(what, detail)


def _register(settings: Settings) -> Finding:
    """Whether a register of ported numbers is asked, and how; its file may hold a secret."""
    what = "register of numbers"
    try:
        definition = read_definition(settings)
    except SettingsError as error:
        return _bad(what, str(error))
    if definition is None:
        return _good(what, "none is asked; YANSHU_LOOKUP_FILE names one")
    path = Path(settings.lookup_file)
    if path.stat().st_mode & 0o077:
        return _bad(what, f"{path} can be read by others, and may hold a key; run chmod 600 {path}")
    plan = definition.plan
    about = "every mainland number" if plan.ask == "every" else "numbers that have moved"
    return _good(what, f"{definition.name} is asked about {about}, at most {plan.per_day:,} a day; a message waits {plan.wait_ms} ms")


def _door(settings: Settings) -> Finding:
    host, port = settings.listen_host, settings.listen_port
    place = f"{host}:{port}"
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if _answers(host, port):
            return _good("port", f"{place} is in use, perhaps by a running yanshu")
        return _bad("port", f"cannot listen on {place}: {error.strerror or error}; change YANSHU_LISTEN_HOST or YANSHU_LISTEN_PORT")
    return _good("port", f"{place} is free")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def _space(settings: Settings) -> Finding:
    path = Path(settings.data_dir).absolute()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    if free < _SPACE_BYTES:
        return _bad("disk", f"only {free >> 20:,} MiB are free at {path}; make room before the store stops taking messages")
    return _good("disk", f"{free >> 30:,} GiB are free at {path}")


def _database_file(settings: Settings) -> Path:
    return Path(settings.data_dir) / "yanshu.db"


def _good(what: str, detail: str) -> Finding:
    return Finding(what, good=True, detail=detail)


def _bad(what: str, detail: str) -> Finding:
    return Finding(what, good=False, detail=detail)
