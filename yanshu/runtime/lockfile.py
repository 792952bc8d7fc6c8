"""A lock on a file: one process at a time holds it, and the kernel takes it back when that process dies, however it dies."""

import contextlib
import fcntl
import os
from pathlib import Path


class LockTaken(OSError):
    """Another process holds the lock; the message says which."""


class LockFile:
    """The lock on `path`; the file is made on the first `take` and stays, with the holder's process id in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Hold the lock until `release` or the end of the process; `LockTaken` when another one holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise LockTaken(
                f"{self._path.parent} is in use by process {holder}: an embedded store has one server. "
                "Stop it, give this one another directory, or set YANSHU_DATABASE_URL for several processes"
            ) from error
        except OSError:
            os.close(handle)
            raise
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None
