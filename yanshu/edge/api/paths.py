"""Paths: what stands behind a path and a method. The tables of endpoints and pages are the router."""

from typing import Generic, Protocol, TypeVar

from yanshu.domain.errors import CallerError, Missing


class Target(Protocol):
    """What a path can lead to: an endpoint or a page. A step of the path such as ``{id:str}`` matches any text."""

    @property
    def method(self) -> str:
        """HTTP method."""

    @property
    def path(self) -> str:
        """Path, with its variables."""


T = TypeVar("T", bound=Target)
_SHOWN = 128


class Paths(Generic[T]):
    """Finds targets: a path without variables by itself, the others among those with as many steps."""

    def __init__(self, targets: tuple[T, ...]) -> None:
        self._fixed: dict[str, dict[str, T]] = {}
        self._patterns: dict[int, dict[tuple[str, ...], dict[str, T]]] = {}
        for target in targets:
            steps = tuple(target.path.split("/"))
            if any(_names_variable(step) for step in steps):
                methods = self._patterns.setdefault(len(steps), {}).setdefault(steps, {})
            else:
                methods = self._fixed.setdefault(target.path, {})
            methods[target.method] = target

    def find(self, method: str, path: str) -> tuple[T, dict[str, str]]:
        """Return the target and the path's variables; refuse paths nobody knows, and methods a path does not take."""
        methods, variables = self._behind(path)
        target = methods.get(method)
        if target is None:
            raise CallerError("method_not_allowed", method=method, allow=", ".join(sorted(methods)))
        return target, variables

    def _behind(self, path: str) -> tuple[dict[str, T], dict[str, str]]:
        """Return the targets of a path by method; a slash at the end changes nothing."""
        methods = self._fixed.get(path)
        if methods is not None:
            return methods, {}
        plain = path.rstrip("/")
        if methods := self._fixed.get(plain):
            return methods, {}
        steps = plain.split("/")
        for pattern, methods in self._patterns.get(len(steps), {}).items():
            variables = _match(pattern, steps)
            if variables is not None:
                return methods, variables
        raise Missing("path", path[:_SHOWN])


def _names_variable(step: str) -> bool:
    return step.startswith("{")


def _match(pattern: tuple[str, ...], steps: list[str]) -> dict[str, str] | None:
    """Return the variables of a path that fits the pattern; a variable is never empty."""
    variables: dict[str, str] = {}
    for want, step in zip(pattern, steps, strict=True):
        if _names_variable(want):
            if not step:
                return None
            variables[want[1:-1].removesuffix(":str")] = step
        elif want != step:
            return None
    return variables
