"""The API keeps what its OpenAPI document promises, whatever is sent to it."""

from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.integration.serving import TEXT, Served, until
from yanshu.edge.api.app import ENDPOINTS

EXAMPLES = 12
bounded = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    missing_required_header,
    unsupported_method,
    ignored_auth,
]


@pytest.fixture(scope="module")
def described(served: Served) -> BaseSchema:
    """The document as the running server gives it; the stream never ends and has tests of its own."""
    loaded = schemathesis.openapi.from_url(f"{served.platform.url}/openapi.json")
    return loaded.exclude(path="/v1/stream")


@pytest.fixture(scope="module")
def things(served: Served) -> dict[str, str]:
    """One id of every resource: the answers about things that exist are described too."""
    make = served.admin.call
    connector = make("POST", "/v1/connectors", served.connector_body(simulated=False))["id"]
    route = make("POST", "/v1/routes", {"name": "live", "connectors": [connector]})["id"]
    health = f"/v1/connectors/{connector}/health"
    until("the link", lambda: make("GET", health)["state"] == "up")
    message = make("POST", "/v1/messages", {"to": "13800138000", "text": TEXT})["id"]
    return {
        "connectors": connector,
        "routes": route,
        "messages": message,
        "batches": make("POST", "/v1/batches", {"text": TEXT, "recipients": [{"to": "13800138000"}], "start": False})["id"],
        "webhook_endpoints": make("POST", "/v1/webhook_endpoints", {"url": served.receiver.url, "events": ["message.*"]})["id"],
        "api_keys": served.key("messages:read")["id"],
        "binds": make("POST", "/v1/binds", {"name": "shop", "protocol": "cmpp", "system_id": "900001"})["id"],
        "workspaces": served.workspace(),
        "events": make("GET", f"/v1/events?object={message}")["data"][0]["id"],
        "inbound": inbound_of(served),
        "incidents": incident_of(served),
    }


def incident_of(served: Served) -> str:
    """The id of the incident that a connector with a wrong password is."""
    made = served.admin.call("POST", "/v1/connectors", served.connector_body(name="wrong", simulated=False, password="wrong"))["id"]
    opened = until("the incident", lambda: served.admin.call("GET", f"/v1/incidents?connector={made}")["data"])
    ident: str = opened[0]["id"]
    return ident


def inbound_of(served: Served) -> str:
    """The id of a reply to the first message."""
    until("the text", lambda: served.simulator.inbox("8613800138000"))
    served.run(in_loop(lambda: served.simulator.reply("8613800138000", "T")))
    ident: str = until("the reply", lambda: served.admin.call("GET", "/v1/inbound")["data"])[0]["id"]
    return ident


async def in_loop(step: Callable[[], object]) -> None:
    step()


def operations() -> list[str]:
    """Method and path of every operation but the stream's."""
    known = [f"{endpoint.method} {endpoint.path.replace(':str', '')}" for endpoint in ENDPOINTS]
    return [label for label in known if label != "GET /v1/stream"]


@pytest.mark.parametrize("label", operations())
def test_every_operation_answers_as_described(described: BaseSchema, served: Served, label: str) -> None:
    method, path = label.split()

    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @bounded
    def positive(case: Case) -> None:
        case.call_and_validate(headers=admin, checks=CHECKS)

    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @bounded
    def negative(case: Case) -> None:
        case.call_and_validate(headers=admin, checks=refused)

    admin = {"Authorization": f"Bearer {served.admin.secret}"}
    # An extra query parameter may be an empty list, of which nothing is left on the wire: only bodies are surely wrong.
    refused = CHECKS if method == "GET" else [*CHECKS, negative_data_rejection]
    positive()
    negative()


def on_things() -> list[str]:
    """Operations with an id in the path, those that delete last."""
    return sorted((label for label in operations() if "{id}" in label), key=lambda label: (label.startswith("DELETE"), label))


@pytest.mark.parametrize("label", on_things())
def test_operations_on_what_exists_answer_as_described(described: BaseSchema, served: Served, things: dict[str, str], label: str) -> None:
    method, path = label.split()
    ident = things[path.split("/")[2]]
    statuses: set[int] = set()

    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @bounded
    def on_one(case: Case) -> None:
        case.path_parameters["id"] = ident
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {served.admin.secret}"}, checks=CHECKS)
        statuses.add(answer.status_code)

    on_one()
    assert method != "GET" or 200 in statuses


def test_the_document_names_every_operation(described: BaseSchema) -> None:
    described.validate()
    assert {found.ok().label for found in described.get_all_operations()} == set(operations())
