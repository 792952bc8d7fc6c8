"""What an operator copies fits what there is: the service's command, its settings, and the targets of make."""

import re
from dataclasses import fields

import pytest

from tests.architecture.tree import DOCS, ROOT, shown
from yanshu.cli.commands import commands
from yanshu.settings import Settings

_SETTINGS = {f"YANSHU_{declared.name.upper()}" for declared in fields(Settings)}
_PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def _unit() -> dict[str, list[str]]:
    """Return the values of the service's unit by name."""
    values: dict[str, list[str]] = {}
    for line in (ROOT / "deploy" / "yanshu.service").read_text("utf-8").splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            values.setdefault(name, []).append(value)
    return values


def test_the_service_runs_a_command_that_exists_with_settings_that_exist() -> None:
    unit = _unit()
    (command,) = unit["ExecStart"]
    assert command.endswith(".venv/bin/python -m yanshu serve")
    assert {line.partition("=")[0] for line in unit["Environment"]} <= _SETTINGS
    assert unit["Environment"] == [f"YANSHU_DATA_DIR=/var/lib/{unit['StateDirectory'][0]}"]


def test_the_service_gives_a_stop_the_time_its_stages_may_take() -> None:
    # http, fleet, notify, accept and outcome each have the budget, some a little more.
    assert int(_unit()["TimeoutStopSec"][0]) >= 5 * Settings().drain_seconds + 6


@pytest.mark.parametrize("page", _PAGES, ids=shown)
def test_a_page_names_commands_and_targets_that_exist(page: object) -> None:
    text = page.read_text("utf-8")  # type: ignore[attr-defined]
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    blocks = "\n".join(re.findall(r"^```(?:console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    quoted = "\n".join(re.findall(r"`([^`\n]+)`", text))
    made = re.findall(r"(?:^|[\s(])make ([a-z]+)", f"{blocks}\n{quoted}")
    assert [name for name in made if name not in targets] == []
    called = re.findall(r"(?:^|[\s/])yanshu ([a-z][a-z-]*)", f"{blocks}\n{quoted}")
    assert [name for name in called if name not in commands.commands] == []
