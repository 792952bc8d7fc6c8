"""Starting: two processes at once, and a second one where there is room for one."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.conftest import StartNode
from tests.e2e.harness import ROOT, Api
from yanshu.testing.postgres import PostgresServer

QUIET = {"YANSHU_LOG_LEVEL": "ERROR"}


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    command = [sys.executable, "-m", "yanshu", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment})


@pytest.mark.slow
def test_a_second_server_of_an_embedded_store_is_refused_and_the_first_goes_on(start_node: StartNode, tmp_path: Path) -> None:
    first = start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path), **QUIET)
    second = run("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path), **QUIET)
    assert (second.returncode, second.stdout) == (1, "")
    assert f"{tmp_path} is in use by process {first.pid}" in second.stderr
    assert "YANSHU_DATABASE_URL" in second.stderr
    admin = Api(first.said["url"], first.said["admin_key"])
    assert admin.call("GET", "/v1/messages")["data"] == []
    first.kill()
    again = start_node("serve", "--port", "0", YANSHU_DATA_DIR=str(tmp_path), **QUIET)
    assert "admin_key" not in again.said
    assert again.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_processes_that_migrate_at_once_share_the_work(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environment = {"YANSHU_DATA_DIR": str(tmp_path), **QUIET}
    if engine == "postgres":
        environment["YANSHU_DATABASE_URL"] = request.getfixturevalue("empty_database")
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: run("migrate", **environment), range(3)))
    assert [each.returncode for each in done] == [0, 0, 0], [each.stderr for each in done]
    assert sum("0001" in each.stdout for each in done) == 1


@pytest.mark.slow
def test_servers_that_start_at_once_over_an_empty_postgresql_show_one_key(start_node: StartNode, postgres: PostgresServer) -> None:
    environment = {
        "YANSHU_DATABASE_URL": postgres.create_database("starting"),
        "YANSHU_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    with ThreadPoolExecutor(2) as pool:
        nodes = list(pool.map(lambda _: start_node("serve", "--port", "0", **environment, **QUIET), range(2)))
    keys = [node.said["admin_key"] for node in nodes if "admin_key" in node.said]
    assert len(keys) == 1
    for node in nodes:
        assert Api(node.said["url"], keys[0]).call("GET", "/v1/workspaces")["data"]
        assert node.stop() == 0
