"""`make setup` on machines that lack something: another Python is found, another way taken, or the fix named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_TOOLS = ("bash", "dirname", "rm")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with next to nothing on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in _TOOLS:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def _add(path: Path, name: str, script: str) -> None:
    (path / name).write_text(f"#!{shutil.which('bash')}\n{script}\n", "utf-8")
    (path / name).chmod(0o755)


def _hiding(folder: Path, *modules: str) -> str:
    """A Python of ours that lacks some modules."""
    hidden = folder / "hidden"
    hidden.mkdir()
    for module in modules:
        (hidden / f"{module}.py").write_text("raise ImportError\n")
    return f'PYTHONPATH="{hidden}" exec "{sys.executable}" "$@"'


def _make(path: Path, venv: Path, python: str = "python3") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(path / "bash"), str(ROOT / "scripts" / "make_venv.sh"), python, str(venv)],
        env={"PATH": str(path), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


_OLD = 'if [ "$1" = -V ]; then echo "Python 3.9.6"; else exit 1; fi'


@pytest.mark.parametrize(
    ("script", "python", "found"),
    [(None, "python3", "not found"), (_OLD, "python3", "Python 3.9.6"), (None, "/opt/py/bin/python", "not found")],
)
def test_without_a_python_that_will_do_the_ways_to_get_one_are_named(
    path: Path, tmp_path: Path, script: str | None, python: str, found: str
) -> None:
    if script:
        _add(path, "python3", script)
    done = _make(path, tmp_path / "venv", python)
    assert done.returncode == 1
    assert found in done.stderr
    assert [hint for hint in ("apt install", "brew install", "PYTHON=") if hint not in done.stderr] == []


@pytest.mark.slow
def test_a_newer_python_beside_an_old_one_is_found(path: Path, tmp_path: Path) -> None:
    _add(path, "python3", _OLD)
    _add(path, "python3.12", f'exec "{sys.executable}" "$@"')
    done = _make(path, tmp_path / "venv")
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        subprocess.run([tmp_path / "venv" / "bin" / "python", "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0
    )
    stamp = (tmp_path / "venv" / "pyvenv.cfg").stat().st_mtime_ns
    assert _make(path, tmp_path / "venv").returncode == 0
    assert (tmp_path / "venv" / "pyvenv.cfg").stat().st_mtime_ns == stamp, "what works is kept"


def test_a_debian_without_venv_and_without_any_other_way_is_told_the_package(path: Path, tmp_path: Path) -> None:
    _add(path, "python3", _hiding(tmp_path, "ensurepip", "virtualenv", "pip"))
    done = _make(path, tmp_path / "venv")
    assert done.returncode == 1
    assert f"sudo apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_debian_without_venv_takes_the_system_s_pip(path: Path, tmp_path: Path) -> None:
    hidden = _hiding(tmp_path, "ensurepip", "virtualenv")
    _add(path, "python3", f'if [ "$1$2" = -mpip ]; then echo "$@" > "{tmp_path}/asked"; else {hidden}; fi')
    done = _make(path, tmp_path / "venv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "venv" / "bin" / "python").exists()
    asked = (tmp_path / "asked").read_text()
    assert f"--python {tmp_path}/venv/bin/python install --require-hashes -r requirements/build.txt" in asked


def test_a_half_made_environment_is_made_anew_or_removed(path: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    hidden = _hiding(tmp_path, "ensurepip", "virtualenv")
    _add(path, "python3", f'if [ "$1$2" = -mpip ]; then exit 7; fi; {hidden}')
    assert _make(path, venv).returncode == 7
    assert not venv.exists()
