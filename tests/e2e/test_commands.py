"""What a person types: every command does what its help says, and an error names the fix."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import ROOT, Api, Node, clean_environment, command, connect, link_is_up, until

_NOWHERE = "postgresql://yanshu:hunter2@127.0.0.1:1/yanshu"
_SCOPES = ["messages:send", "messages:read", "batches:write", "batches:read"]


def _house(start_node: StartNode, folder: Path) -> tuple[Node, dict[str, str]]:
    """A server with a simulated carrier; what `yanshu send` needs to reach it."""
    simulator = start_node("simulate", "--port", "0")
    node = start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(folder))
    admin = Api(node.said["url"], node.said["admin_key"])
    connector = connect(admin, simulator.said["port"], simulated=True)
    admin.call("POST", "/v1/routes", {"name": "default", "rank": 10, "connectors": [connector]})
    until("the link", lambda: link_is_up(admin, connector))
    key = admin.call("POST", "/v1/api_keys", {"name": "t", "livemode": False, "scopes": _SCOPES})["secret"]
    return node, {"YANSHU_URL": node.said["url"], "YANSHU_KEY": key}


@pytest.mark.slow
def test_messages_and_files_are_sent_from_the_command_line(start_node: StartNode, tmp_path: Path) -> None:
    _, caller = _house(start_node, tmp_path / "data")
    delivered = command("send", "--to", "+8610000000001", "--text", "【雁书】好", **caller)
    assert (delivered.returncode, delivered.stdout.split()[-1]) == (0, "delivered"), delivered.stderr
    absent = command("send", "--to", "+8610000000002", "--text", "【雁书】好", **caller)
    assert absent.returncode == 1
    assert "invalid_number: " in absent.stdout
    real = command("send", "--to", "13800138000", "--text", "【雁书】好", **caller)
    assert (real.returncode, "test_key_live_recipient" in real.stderr) == (1, True)

    file = tmp_path / "people.csv"
    file.write_text("to,name\n+8610000000001,小王\n+8610000000001\n+8610000000002,小李\n", "utf-8")
    sent = command("send", "--file", str(file), "--text", "【雁书】${name}，好", **caller)
    assert sent.returncode == 0, sent.stderr
    assert "3 rows, 1 unreadable" in sent.stdout
    assert "line 3: " in sent.stderr
    assert "delivered: 1  undelivered: 1" in sent.stdout


@pytest.mark.slow
def test_a_backup_taken_in_use_restores_with_its_master_key_and_not_without(start_node: StartNode, tmp_path: Path) -> None:
    data, restored = tmp_path / "data", tmp_path / "restored"
    node, caller = _house(start_node, data)
    message = command("send", "--no-wait", "--to", "+8610000000001", "--text", "【雁书】好", **caller).stdout.split()[0]
    restored.mkdir(mode=0o700)
    copied = command("backup", str(restored / "yanshu.db"), YANSHU_DATA_DIR=str(data))
    assert copied.returncode == 0, copied.stderr
    assert command("backup", str(restored / "yanshu.db"), YANSHU_DATA_DIR=str(data)).returncode == 1
    assert node.stop() == 0

    environment = {"YANSHU_DATA_DIR": str(restored), "YANSHU_LISTEN_PORT": "0"}
    (restored / "master.key").write_bytes((data / "master.key").read_bytes()[::-1])
    (restored / "master.key").chmod(0o600)
    told = command("doctor", **environment)
    assert (told.returncode, "bad master key" in told.stdout or "bad sealed secrets" in told.stdout) == (1, True), told.stdout
    assert command("serve", **environment).returncode == 1

    (restored / "master.key").write_bytes((data / "master.key").read_bytes())
    told = command("doctor", **environment)
    assert "ok  sealed secrets" in told.stdout
    again = start_node("serve", **environment)
    assert "admin_key" not in again.said
    assert Api(again.said["url"], caller["YANSHU_KEY"]).call("GET", f"/v1/messages/{message}")["id"] == message


@pytest.mark.slow
def test_an_embedded_store_has_one_server(start_node: StartNode, tmp_path: Path) -> None:
    first = start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path))
    second = command("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path))
    assert second.returncode == 1
    assert f"in use by process {first.pid}" in second.stderr
    first.kill()
    start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path))


@pytest.mark.slow
def test_a_taken_port_is_told_with_the_setting_to_change(start_node: StartNode, tmp_path: Path) -> None:
    first = start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path / "a"))
    port = first.said["url"].rpartition(":")[2]
    second = command("serve", "--port", port, YANSHU_DATA_DIR=str(tmp_path / "b"))
    assert (second.returncode, "YANSHU_LISTEN_PORT" in second.stderr) == (1, True), second.stderr
    told = command("doctor", YANSHU_DATA_DIR=str(tmp_path / "a"), YANSHU_LISTEN_PORT=port)
    assert (told.returncode, "in use, perhaps by a running yanshu" in told.stdout) == (0, True), told.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "status", "words"),
    [
        (["doctor"], {"YANSHU_LISTEN_PROT": "1"}, 1, "did you mean YANSHU_LISTEN_PORT?"),
        (["serve"], {"YANSHU_LOG_LEVEL": "LOUD"}, 1, "YANSHU_LOG_LEVEL must be one of"),
        (["serve"], {"YANSHU_WEBHOOK_ALLOW": "everything"}, 1, "YANSHU_WEBHOOK_ALLOW"),
        (["serve"], {"YANSHU_HEALTH_LIMITS": "probes=0"}, 1, "YANSHU_HEALTH_LIMITS: probes is more than 0"),
        (["serve"], {"YANSHU_MASTER_KEY": "short"}, 1, "YANSHU_MASTER_KEY must be base64"),
        (["serve"], {"YANSHU_LISTEN_HOST": "nowhere.invalid"}, 1, "YANSHU_LISTEN_HOST"),
        (["doctor"], {"YANSHU_DATABASE_URL": _NOWHERE}, 1, "bad store: PostgreSQL cannot be used"),
        (["backup", "/nonexistent/a.db"], {}, 1, "make it first"),
        (["backup", "a.db"], {}, 1, "name the data directory"),
        (["send", "--to", "1", "--text", "x"], {"YANSHU_KEY": "k", "YANSHU_URL": "http://127.0.0.1:1"}, 1, "is the server running there?"),
        (["send", "--to", "1", "--text", "x"], {"YANSHU_KEY": "k", "YANSHU_URL": "127.0.0.1:1"}, 2, "write it like http://"),
        (["send", "--text", "x"], {"YANSHU_KEY": "k"}, 2, "give either --to or --file"),
        (["send", "--to", "1", "--text", "x"], {}, 2, "YANSHU_KEY="),
        (["simulate", "--account", "nobody"], {}, 2, "[protocol/]id:password"),
        (["simulate", "--port", "70000"], {}, 2, "0<=x<=65535"),
        (["simulate", "--port", "0", "--host", "nowhere.invalid"], {}, 1, "choose other ports or another --host"),
        (["nonsense"], {}, 2, "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_says_what_to_change(
    arguments: list[str], environment: dict[str, str], status: int, words: str, tmp_path: Path
) -> None:
    done = command(*arguments, **{"YANSHU_DATA_DIR": str(tmp_path / "data"), **environment})
    said = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode, words in said, "Traceback" in said, "hunter2" in said) == (status, True, False, False), said


@pytest.mark.slow
def test_the_doctor_changes_nothing_and_shows_no_secret(tmp_path: Path) -> None:
    data = tmp_path / "data"
    told = command("doctor", YANSHU_DATA_DIR=str(data), YANSHU_METRICS_TOKEN="letmein", YANSHU_LISTEN_PORT="0")
    assert told.returncode == 0, told.stdout
    assert "letmein" not in told.stdout
    assert not data.exists()
    data.mkdir(mode=0o755)
    told = command("doctor", YANSHU_DATA_DIR=str(data), YANSHU_LISTEN_PORT="0")
    assert (told.returncode, f"run chmod 700 {data}" in told.stdout) == (1, True), told.stdout
    listed = command("doctor", "--settings", YANSHU_NONSENSE="1")
    assert (listed.returncode, "YANSHU_DRAIN_SECONDS [default: 20]" in listed.stdout) == (0, True)


@pytest.mark.slow
def test_the_schema_is_made_once(tmp_path: Path) -> None:
    environment = {"YANSHU_DATA_DIR": str(tmp_path)}
    assert command("migrate", **environment).stdout.startswith("applied 0001")
    assert command("migrate", **environment).stdout == "the schema is up to date\n"


@pytest.mark.slow
def test_on_a_terminal_the_first_start_tells_a_person_the_key_and_what_is_next(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = clean_environment(YANSHU_DATA_DIR=str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-m", "yanshu", "serve", "--port", "0"], cwd=ROOT, env=environment, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    said = b""
    try:
        while b"docs/tutorial.md" not in said:
            told = os.read(ours, 4096)
            assert told, "it ended before it was ready"
            said += told
    finally:
        process.terminate()
        assert process.wait(60) == 0
        os.close(ours)
    assert b"admin key  ys_live_" in said
    assert b"shown this once" in said


@pytest.mark.slow
def test_a_signal_ends_a_start_that_waits_for_its_store(tmp_path: Path) -> None:
    environment: dict[str, Any] = clean_environment(YANSHU_DATA_DIR=str(tmp_path), YANSHU_DATABASE_URL=_NOWHERE)
    process = subprocess.Popen(
        [sys.executable, "-m", "yanshu", "serve"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert ("waiting for the store" in line, "hunter2" in line) == (True, False), line
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert time.monotonic() - began < 15
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
