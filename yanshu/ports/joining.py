"""Joining: what whoever asked for a step wants done in the step's own transaction, such as an audit entry or an answer for replays."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from yanshu.ports.store import UnitOfWork

T = TypeVar("T")

Also: TypeAlias = Callable[[UnitOfWork, T], Awaitable[None]]
"""Runs after the step, before its commit, with what the step made; what it raises undoes the step."""
