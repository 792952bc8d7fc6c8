"""Habits that no linter knows: names of modules, broad handlers, clocks, and what every module says of itself."""

import ast
import re

import pytest

from tests.architecture.tree import PACKAGE, ROOT, committed, dotted, functions, parsed, shown, sources

_FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "managers", "core", "misc"}

# Where the program must go on whatever happens; anywhere else a broad handler hides a fault.
_MAY_CATCH_ALL = {
    "yanshu/runtime/supervise.py": "a supervised task",
    "yanshu/pipeline/dispatch.py": "the dispatcher's round",
    "yanshu/edge/api/door.py": "the outer HTTP middleware",
    "yanshu/pipeline/notify_deliver.py": "a webhook attempt",
}
# A thread hands whatever went wrong to the task that waits for it, which raises it: nothing is swallowed.
_CARRIES_OVER = {"yanshu/adapters/stores/sqlite/worker.py"}
_BROAD = {"", "Exception", "BaseException"}

_CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"}
# Floors that are given `now`; the clock itself lives in the composition root and in runtime.
_GIVEN_TIME = ("yanshu/text", "yanshu/domain", "yanshu/protocols", "yanshu/rules", "yanshu/pipeline", "yanshu/products")

_MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:root|work|home/\w+|Users/\w+)/")
_REGISTRY_HOST = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)")
_BINARY = {".png", ".ico", ".woff2", ".gz", ".zip", ".xlsx"}


def _swallows_everything(node: ast.AST) -> bool:
    """Whether this is ``except Exception`` (or wider) that does not raise again, or ``suppress(Exception)``."""
    if isinstance(node, ast.Call):
        return dotted(node.func).endswith("suppress") and bool({dotted(argument) for argument in node.args} & _BROAD)
    return isinstance(node, ast.ExceptHandler) and bool(_handler_names(node) & _BROAD) and not _ends_in_raise(node)


def _handler_names(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {""}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {dotted(kind) for kind in kinds}


def _ends_in_raise(handler: ast.ExceptHandler) -> bool:
    """Cleaning up and raising again hides nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [shown(path) for path in PACKAGE.rglob("*") if path.stem in _FORBIDDEN_NAMES and (path.is_dir() or path.suffix == ".py")]
    assert named == []


def test_every_folder_of_the_package_is_a_package() -> None:
    bare = {shown(path.parent) for path in PACKAGE.rglob("*.py") if not (path.parent / "__init__.py").exists()}
    assert bare == set()


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    silent = [shown(path) for path in sources("yanshu", "scripts", "examples") if not (ast.get_docstring(parsed(path)) or "").strip()]
    assert silent == []


def test_only_four_places_may_catch_everything() -> None:
    found = [f"{shown(path)}:{node.lineno}" for path in sources("yanshu") for node in ast.walk(parsed(path)) if _swallows_everything(node)]
    assert [place for place in found if place.partition(":")[0] not in {*_MAY_CATCH_ALL, *_CARRIES_OVER}] == []


def test_time_is_given_to_everything_below_the_composition_root() -> None:
    calls = [
        f"{shown(path)}:{node.lineno} {dotted(node.func)}"
        for path in sources(*_GIVEN_TIME)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and any(dotted(node.func).endswith(clock) for clock in _CLOCKS)
    ]
    assert calls == []


def test_money_is_never_a_float() -> None:
    found = [
        f"{shown(path)}:{function.lineno} {function.name}({argument.arg})"
        for path in sources("yanshu")
        for function in functions(path)
        for argument in (*function.args.args, *function.args.kwonlyargs)
        if re.search(r"price|micros|money|amount|balance", argument.arg)
        and argument.annotation
        and "float" in ast.unparse(argument.annotation)
    ]
    assert found == []


@pytest.mark.parametrize(("what", "pattern"), [("a path of somebody's machine", _MACHINE_PATH), ("a registry's address", _REGISTRY_HOST)])
def test_no_committed_file_names(what: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{shown(path)}:{number}: {what}"
        for path in committed()
        if path.suffix not in _BINARY and path != ROOT / "LICENSE"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []
