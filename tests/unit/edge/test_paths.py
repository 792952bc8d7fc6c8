"""Paths find what stands behind them, with their variables, and say which methods they take."""

import re

import pytest

from yanshu.domain.errors import CallerError
from yanshu.edge.api.app import ENDPOINTS
from yanshu.edge.api.endpoints import Endpoint
from yanshu.edge.api.paths import Paths

PATHS = Paths(ENDPOINTS)

FOUND = [
    ("GET", "/v1/messages", "/v1/messages", {}),
    ("GET", "/v1/messages/", "/v1/messages", {}),
    ("POST", "/v1/messages/preview", "/v1/messages/preview", {}),
    ("GET", "/v1/messages/msg_1", "/v1/messages/{id:str}", {"id": "msg_1"}),
    ("GET", "/v1/messages/msg_1/", "/v1/messages/{id:str}", {"id": "msg_1"}),
    ("POST", "/v1/messages/号 码/cancel", "/v1/messages/{id:str}/cancel", {"id": "号 码"}),
]


@pytest.mark.parametrize(("method", "path", "pattern", "variables"), FOUND, ids=[f"{row[0]} {row[1]}" for row in FOUND])
def test_a_path_leads_to_its_endpoint(method: str, path: str, pattern: str, variables: dict[str, str]) -> None:
    endpoint, found = PATHS.find(method, path)
    assert (endpoint.method, endpoint.path, found) == (method, pattern, variables)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_every_endpoint_is_found_under_its_own_path_and_named_by_the_refusal_of_another_method(endpoint: Endpoint) -> None:
    path = re.sub(r"\{\w+:str\}", "some_id", endpoint.path)
    assert PATHS.find(endpoint.method, path)[0] is endpoint
    with pytest.raises(CallerError) as refused:
        PATHS.find("TRACE", path)
    assert refused.value.code == "method_not_allowed"
    assert endpoint.method in str(refused.value.values["allow"]).split(", ")


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/nothing", "/v1/messages//cancel", "/v1/messages/a/b/c", "/V1/messages", "//v1/messages"]
)
def test_a_path_that_leads_nowhere_is_missing(path: str) -> None:
    with pytest.raises(CallerError) as refused:
        PATHS.find("GET", path)
    assert refused.value.code == "resource_missing"
