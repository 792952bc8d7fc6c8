"""`make demo`: the whole story of one message, told in order, and nothing left behind however it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import ROOT, until

# Settings and proxies of somebody's own, which must not reach the demo.
_HOSTILE = {"YANSHU_DATABASE_URL": "postgresql://real@127.0.0.1:1/production", "YANSHU_NONSENSE": "1", "http_proxy": "http://127.0.0.1:1"}
PROTOCOLS = ("SMPP", "CMPP", "SGIP", "SMGP", "HTTP")
_STEPS = (
    r"HTTP +202: msg_\w+, 1 segment \(ucs2, 33 units\)",
    r"SMPP +submit_sm_resp: segment 1 is \w+",
    r"SMPP +deliver_sm: receipt DELIVRD",
    r"store +the receipt is matched and stored: delivered",
    r"inbound +\+8610000000015 replied 你好, in reply to msg_",
    r"webhook +inbound\.received, signature verified",
    *(rf"{protocol} +\w+, receipt (?:DELIVRD|delivered)\n  GET /v1/messages/msg_\w+/explain" for protocol in PROTOCOLS),
    r"attempt 1 over busy: refused 0x00000008\n  attempt 2 over cmpp: delivered 0\n  GET /v1/messages/msg_\w+/explain",
    r"- Attempt 1, segment 1 of 1 over busy: refused",
)


def _start(temporary: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "scripts/demo.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "TMPDIR": str(temporary), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ports(told: str) -> list[int]:
    return [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)  \(", told)]


def _is_closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow
def test_the_demo_tells_the_whole_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = _start(tmp_path, **_HOSTILE)
    told, complaints = demo.communicate(timeout=240)
    assert (demo.returncode, complaints) == (0, ""), told + complaints
    assert [step for step in _STEPS if not re.search(step, told)] == [], told
    times = [float(found) for found in re.findall(r"^ +([+-]\d+\.\d+) s  ", told, re.MULTILINE)]
    assert len(times) >= 10
    assert times == sorted(times)
    assert "`make run`" in told
    assert len(_ports(told)) == 2 + len(PROTOCOLS)
    assert all(map(_is_closed, _ports(told)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_nothing_behind_either(how: signal.Signals, tmp_path: Path) -> None:
    demo = _start(tmp_path)
    assert demo.stdout is not None
    told = ""
    while "POST /v1/messages" not in told:
        line = demo.stdout.readline()
        assert line, "the demo ended before it sent"
        told += line
    demo.send_signal(how)
    rest, complaints = demo.communicate(timeout=120)
    assert (demo.returncode, "Traceback" in complaints) == (130, False), complaints
    assert "explain" not in rest
    assert list(tmp_path.iterdir()) == []
    until("closed ports", lambda: all(map(_is_closed, _ports(told))))


@pytest.mark.slow
def test_a_demo_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "uvloop.py").write_text("raise ImportError('no event loop today')\n")
    demo = _start(tmp_path, PYTHONPATH=str(broken))
    _, complaints = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert "`yanshu simulate --port 0" in complaints
    assert "ended before it listened" in complaints
    assert "no event loop today" in complaints
