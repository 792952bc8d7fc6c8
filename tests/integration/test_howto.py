"""The requests printed in the how-to pages are made as they are printed; each must be answered as a success."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api_house import open_api
from yanshu.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_REQUEST = re.compile(r"^ *(GET|POST|PUT|PATCH|DELETE) (/v1\S*)\n", re.MULTILINE)
_PAGES = [path for folder in ("how-to", "zh") for path in sorted((DOCS / folder).glob("*.md")) if _REQUEST.search(path.read_text("utf-8"))]


def _requests(page: Path) -> Iterator[tuple[str, str, object]]:
    """Yield method, path and body of every request of a page."""
    blocks = _BLOCK.findall(page.read_text("utf-8"))
    for block in (text for language, text in blocks if not language):
        heads = list(_REQUEST.finditer(block))
        ends = [head.start() for head in heads[1:]] + [len(block)]
        for head, end in zip(heads, ends[: len(heads)], strict=True):
            text = block[head.end() : end].strip()
            yield head[1], head[2], json.loads(text) if text else None


def _fill(value: object, made: dict[str, str]) -> object:
    """Put ids of this run where the page has names for them, and something printable where it has dots."""
    text = json.dumps(value, ensure_ascii=False)
    for name, ident in made.items():
        text = text.replace(name, ident)
    return json.loads(text.replace("…", "secret"))


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
async def test_the_requests_of_a_page_are_answered(page: Path, tmp_path: Path) -> None:
    asked = list(_requests(page))
    assert asked
    async with open_api(Settings(data_dir=str(tmp_path), listen_port=0, roles="api", drain_seconds=2)) as api:
        await api.routed()
        connector = {"name": "c", "protocol": "smpp", "host": "127.0.0.1", "port": 9, "settings": {"system_id": "t"}}
        made = {name: (await api.made("/v1/connectors", {**connector, "name": name}))["id"] for name in ("con_A", "con_B")}
        for method, path, body in asked:
            answer = await api.call(method, str(_fill(path, made)), json=_fill(body, made))
            assert answer.is_success, f"{page.name}: {method} {path}: {answer.text}"


def test_the_pages_that_print_requests_are_found() -> None:
    assert {"add-a-connector.md", "batch-upload.md", "webhooks.md"} <= {page.name for page in _PAGES}
