"""The interactive page and the page of errors: local files only, under a policy that lets nothing else in."""

import asyncio
import re

import pytest

from tests.integration.serving import Served, until
from yanshu.edge.api.catalogue import CATALOGUE

PAGES = ["/docs", "/docs/errors"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_load_and_call_this_server_alone(served: Served, path: str) -> None:
    answer = served.client().ask("GET", path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["connect-src"]) == ("'none'", "'self'", "'self'")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "//" not in re.sub(r"<(?!link|script|img)[^>]*>|[^<>]*(?=<)", "", answer.text), "an address of another server"
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == [], "a script within the page would not run"


def test_every_file_of_the_page_is_served_from_here(served: Served) -> None:
    page = served.client().ask("GET", "/docs").text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) == 4
    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "png": "image/png"}
    for file in files:
        answer = served.client().ask("GET", file)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kinds[file.rpartition(".")[2]])
    assert '"/openapi.json"' in served.client().ask("GET", "/docs/start.js").text


@pytest.mark.parametrize("name", ["nothing.js", "swagger-ui.js.map", "..%2f..%2fsettings.py", "%2e%2e"])
def test_nothing_else_of_the_disk_is_served(served: Served, name: str) -> None:
    assert served.client().refused("GET", f"/docs/{name}") == (404, "resource_missing")


def test_every_error_has_its_place_on_the_page_its_doc_url_names(served: Served) -> None:
    error = served.client().ask("GET", "/v1/messages").json()["error"]
    page, _, anchor = error["doc_url"].partition("#")
    assert page == f"{served.platform.url}/docs/errors"
    assert anchor == error["code"]
    told = served.client().ask("GET", "/docs/errors").text
    assert [code for code in CATALOGUE if f'id="{code}"' not in told] == []


def test_a_caller_that_hangs_up_in_the_middle_of_a_body_is_no_fault_of_ours(served: Served) -> None:
    request = served.client(served.admin.secret).http.build_request("POST", "/v1/workspaces")

    def counted() -> bool:
        counters = re.findall(r"yanshu_http_requests_total\{.*?\}", served.admin.ask("GET", "/metrics").text)
        return any('route="/v1/workspaces"' in counter and 'status="400"' in counter for counter in counters)

    assert not counted()
    served.run(_hang_up(request.url.host, int(request.url.port or 0), served.admin.secret))
    until("the refusal", counted)


async def _hang_up(host: str, port: int, secret: str) -> None:
    _, writer = await asyncio.open_connection(host, port)
    head = f"POST /v1/workspaces HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"name":')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
