"""Every route states who may call it, and the OpenAPI document says of each what the door does."""

import re
from typing import Any

import pytest

from tests.architecture.tree import ROOT, shown
from yanshu.domain.access import SCOPES
from yanshu.edge.api.app import ENDPOINTS
from yanshu.edge.api.endpoints import Endpoint
from yanshu.edge.api.openapi import describe

DOCUMENT = describe(ENDPOINTS, "1.0", "")
# A question with a body: it stores nothing, so reading is enough.
_QUESTIONS = frozenset({"POST /v1/routes/simulate"})
_WRITERS = re.compile(r":(?:send|write|use)$")


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    path = re.sub(r"\{(\w+):str\}", r"{\1}", endpoint.path)
    found: dict[str, Any] = DOCUMENT["paths"][path][endpoint.method.lower()]
    return found


def test_every_route_asks_for_a_scope_that_exists() -> None:
    assert [_name(endpoint) for endpoint in ENDPOINTS if endpoint.scope not in SCOPES] == []


def test_what_changes_something_asks_for_more_than_reading() -> None:
    writers = [endpoint for endpoint in ENDPOINTS if endpoint.writes and _name(endpoint) not in _QUESTIONS]
    assert [_name(endpoint) for endpoint in writers if not _WRITERS.search(endpoint.scope)] == []


def test_what_only_reads_asks_for_reading() -> None:
    readers = [
        endpoint
        for endpoint in ENDPOINTS
        if (not endpoint.writes or _name(endpoint) in _QUESTIONS) and not endpoint.path.startswith("/v1/sandbox")
    ]
    assert [_name(endpoint) for endpoint in readers if not endpoint.scope.endswith(":read")] == []


def test_every_file_of_routes_is_in_the_table() -> None:
    files = {path.stem for path in (ROOT / "yanshu/edge/api/routes").glob("[!_]*.py")}
    assert files == {endpoint.handler.__module__.rpartition(".")[2] for endpoint in ENDPOINTS}, shown(ROOT / "yanshu/edge/api/app.py")


def test_no_two_routes_are_the_same() -> None:
    names = [_name(endpoint) for endpoint in ENDPOINTS]
    assert sorted(names) == sorted(set(names))


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=_name)
def test_the_document_tells_scope_refusals_and_variables(endpoint: Endpoint) -> None:
    operation = _operation(endpoint)
    assert endpoint.scope in operation["description"]
    assert {"401", "403", "422", "429", "500", "503", str(endpoint.status)} <= operation["responses"].keys()
    variables = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    assert variables == set(re.findall(r"\{(\w+)", endpoint.path))
    assert bool(variables) <= ("404" in operation["responses"])


def test_every_reference_of_the_document_leads_somewhere() -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    def leads_somewhere(reference: str) -> bool:
        node: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            node = node.get(step) if isinstance(node, dict) else None
        return node is not None

    assert [reference for reference in references(DOCUMENT) if not leads_somewhere(reference)] == []
