"""Sizes are alarms: a file, function or argument list that outgrows them wants to be split by noun."""

import ast

from tests.architecture.tree import Function, dotted, functions, shown, sources

FILE_LINES = 400
FUNCTION_LINES = 50
HANDLER_LINES = 15
ARGUMENTS = 6
_FOLDERS = ("yanshu", "scripts", "examples")
# A migration is a list of columns as they were on its day: never edited again, so nobody has to find their way in it.
_FROZEN = "migrations/versions"


def _lines(function: Function) -> int:
    """Lines of the body without its docstring: explaining a thing must not make it too long."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _arguments(function: Function) -> int:
    """How many arguments a caller may have to give; ``self`` is not one of them, nor are options typed by a person."""
    if any(dotted(d.func) == "click.option" for d in function.decorator_list if isinstance(d, ast.Call)):
        return 0
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {shown(path): len(path.read_text("utf-8").splitlines()) for path in sources(*_FOLDERS)}
    assert {name: count for name, count in lengths.items() if count > FILE_LINES} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    living = [path for path in sources(*_FOLDERS) if _FROZEN not in shown(path)]
    found = {f"{shown(path)}:{f.lineno} {f.name}": _lines(f) for path in living for f in functions(path)}
    assert {name: count for name, count in found.items() if count > FUNCTION_LINES} == {}


def test_no_function_takes_more_than_6_arguments() -> None:
    found = {f"{shown(path)}:{f.lineno} {f.name}": _arguments(f) for path in sources(*_FOLDERS) for f in functions(path)}
    assert {name: count for name, count in found.items() if count > ARGUMENTS} == {}


def test_no_route_handler_is_longer_than_15_lines() -> None:
    found = {f"{shown(path)}:{f.lineno} {f.name}": _lines(f) for path in sources("yanshu/edge/api/routes") for f in functions(path)}
    assert {name: count for name, count in found.items() if count > HANDLER_LINES} == {}
