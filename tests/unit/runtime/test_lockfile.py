"""The lock file: one holder at a time, and the second one is told who has it."""

import os
import stat
from pathlib import Path

import pytest

from yanshu.runtime.lockfile import LockFile, LockTaken


def test_the_second_one_is_refused_and_told_the_first_ones_process(tmp_path: Path) -> None:
    first, second = LockFile(tmp_path / "new" / "lock"), LockFile(tmp_path / "new" / "lock")
    first.take()
    with pytest.raises(LockTaken, match=f"in use by process {os.getpid()}"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_letting_go_of_what_is_not_held_does_no_harm(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "lock")
    lock.release()
    lock.take()
    lock.release()
    lock.release()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "lock")
    lock.take()
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
    lock.release()
