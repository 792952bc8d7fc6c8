"""The lock pins everything with hashes and names no address; every dependency has its reason on record."""

import re
import tomllib

import pytest

from tests.architecture.tree import DOCS, ROOT

LOCKS = ("lock.txt", "build.txt", "dev.txt")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / "requirements" / name).read_text("utf-8")


def _pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall(_text(name)))


def _plain(requirement: str) -> str:
    """Return the name a requirement is locked under."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _declared() -> tuple[list[str], list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [_plain(r) for r in project["dependencies"]], [_plain(r) for r in project["optional-dependencies"]["dev"]]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name: str) -> None:
    assert re.findall(r"\w+://|--\w*-?index|--find-links|--trusted-host| @ ", _text(name)) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", _text(name), flags=re.MULTILINE).strip())
    assert [block.partition(" ")[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_what_is_declared_is_locked() -> None:
    runtime, develop = _declared()
    assert [name for name in runtime if name not in _pins("lock.txt")] == []
    assert [name for name in (*runtime, *develop) if name not in _pins("dev.txt")] == []


def test_all_locks_agree_on_versions() -> None:
    develop = _pins("dev.txt")
    differing = {
        name: (version, develop[name])
        for lock in ("lock.txt", "build.txt")
        for name, version in _pins(lock).items()
        if develop.get(name, version) != version
    }
    assert differing == {}


def test_every_dependency_has_its_line_in_the_records() -> None:
    runtime, develop = _declared()
    records = (DOCS / "adr" / "dependencies.md").read_text("utf-8")
    build = [_plain(line) for line in _text("build.in").splitlines() if line and not line.startswith("#")]
    assert [name for name in (*runtime, *develop, *build) if f"| `{name}` |" not in records] == []
