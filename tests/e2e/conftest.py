"""Fixtures of tests with real processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.harness import Node


class StartNode(Protocol):
    """Starts `yanshu` with arguments and an environment."""

    def __call__(self, *arguments: str, logs: Path | None = None, **environment: str) -> Node: ...


@pytest.fixture
def start_node() -> Iterator[StartNode]:
    """Starts processes, all of which are gone after the test."""
    started: list[Node] = []

    def start(*arguments: str, logs: Path | None = None, **environment: str) -> Node:
        started.append(Node(*arguments, logs=logs, **environment))
        return started[-1]

    yield start
    for node in started:
        node.kill()
