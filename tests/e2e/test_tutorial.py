"""The tutorial's commands are run as they are printed, in one shell, against real processes on free ports."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.harness import ROOT, Node

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BUDGET_SECONDS = 180


def _blocks(page: str, kind: str) -> list[str]:
    return [text for name, text in _BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")) if name == kind]


def _path_with_curl(folder: Path) -> str:
    """Return a PATH on which there is a curl; where it is not installed, our stand-in for the options the tutorial uses."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("curl"):
        return path
    stand_in = folder / "curl"
    stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("curl.py")}" "$@"\n', "utf-8")
    stand_in.chmod(0o755)
    return f"{folder}{os.pathsep}{path}"


def _run(commands: list[str], environment: dict[str, str], folder: Path) -> str:
    """Run the blocks in one bash; any command that fails ends it. `.venv/bin/python` is whatever runs this test."""
    script = "\n".join(commands).replace(".venv/bin/python", sys.executable)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, **environment, "PATH": _path_with_curl(folder)},
        capture_output=True,
        text=True,
        timeout=_BUDGET_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_both_languages_have_the_same_commands() -> None:
    for kind in ("bash", "console"):
        assert _blocks("tutorial.md", kind) == _blocks("zh/tutorial.md", kind)


@pytest.mark.slow
def test_a_stranger_who_types_the_tutorial_gets_a_delivered_and_answered_message(tmp_path: Path) -> None:
    with ExitStack() as running:
        simulator = Node("simulate", "--port", "0")
        running.callback(simulator.stop)
        server = Node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path / "data"))
        running.callback(server.stop)
        typed = {"YANSHU_URL": server.said["url"], "YANSHU_ADMIN_KEY": server.said["admin_key"], "SMPP_PORT": str(simulator.said["port"])}
        said = _run(_blocks("tutorial.md", "bash"), typed, tmp_path)
        assert (server.stop(), simulator.stop()) == (0, 0)
    assert "link: up" in said
    assert "status: delivered" in said
    assert "你好" in said
    batch = json.loads(said.strip().splitlines()[-1])
    assert (batch["status"], batch["counts"]["delivered"], batch["counts"]["undelivered"]) == ("completed", 1, 1)
