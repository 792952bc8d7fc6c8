"""Processes under measurement: starting them, and reading their CPU time and memory from /proc."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """A process of ours and, for a database server, all its descendants."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        self.name = name
        self._popen = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=sys.stderr, env={**os.environ, **(environment or {})}, text=True
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    def first_json(self) -> dict[str, Any]:
        """Read the line by which the process says where it listens."""
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            if line.lstrip().startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError(f"{self.name} ended before it listened")

    def stop(self) -> None:
        """Terminate and wait."""
        self._popen.terminate()
        try:
            self._popen.wait(30)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


def cpu_seconds(pids: list[int]) -> float:
    """Return user + system time of these processes so far, finished children included."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK


def family(pid: int) -> list[int]:
    """Return the process and its living descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def memory_mb(pid: int, field: str = "VmHWM") -> float:
    """Return the peak (VmHWM) or present (VmRSS) resident memory in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank), in their own unit."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
