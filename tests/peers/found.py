"""Where the programs of others are; `scripts/install_peers.sh` installs them."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The tools of an environment may be those of another folder's.
FOLDER = Path(os.environ.get("PEERS", ROOT / ".venv" / "peers"))


def needed(*programs: str) -> None:
    """Skip the test when one of these is not installed; in CI that is a failure."""
    missing = [program for program in programs if not _is_there(program)]
    if missing and os.environ.get("CI"):
        pytest.fail(f"not installed: {', '.join(missing)}; see scripts/install_peers.sh")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; `make peers` installs what can be")


def path_of(program: str) -> str:
    """Return where a program is; daemons of Debian are not always in the path."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin") or program


def _is_there(program: str) -> bool:
    if program == "npm:smpp":
        return shutil.which("node") is not None and (FOLDER / "node_modules" / "smpp").is_dir()
    return Path(path_of(program)).is_file()
