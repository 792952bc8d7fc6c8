"""What needs no key: health, readiness, metrics, and the interactive page from local files."""

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.api_house import Api, open_api
from yanshu.adapters.stores import open_store
from yanshu.domain.errors import StoreUnusable
from yanshu.edge.api.catalogue import CATALOGUE
from yanshu.runtime.metrics import TABLE
from yanshu.settings import Settings
from yanshu.testing.clocks import FakeClock


def _settings(folder: Path, **fields: str) -> Settings:
    return Settings(data_dir=str(folder), listen_port=0, roles="api", drain_seconds=2, **fields)  # type: ignore[arg-type]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(_settings(tmp_path)) as api:
        yield api


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_metrics_are_for_this_machine_and_not_for_who_comes_through_a_proxy_on_it(api: Api, header: str) -> None:
    assert (await api.call("GET", "/metrics", key="")).status_code == 200
    assert (await api.call("GET", "/metrics", key="", headers={header: "203.0.113.7"})).status_code == 403


async def test_with_a_token_metrics_are_for_who_has_it(tmp_path: Path) -> None:
    async with open_api(_settings(tmp_path, metrics_token="letmein")) as api:
        given = [
            (await api.call("GET", "/metrics", key=key, headers={"X-Forwarded-For": "203.0.113.7"})).status_code
            for key in ("letmein", "", "x")
        ]
        assert given == [200, 403, 403]


async def test_metrics_are_those_of_the_table(api: Api) -> None:
    text = (await api.call("GET", "/metrics", key="")).text
    named = set(re.findall(r"^# TYPE (yanshu_\w+)", text, re.MULTILINE))
    expected = {name if name in named else name.removesuffix("_total") for name in TABLE}
    assert {name for name in named if not name.endswith("_created")} == expected


async def test_the_interactive_page_loads_nothing_from_elsewhere(api: Api) -> None:
    page = await api.call("GET", "/docs", key="")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 3
    assert [place for place in loaded if not place.startswith("/docs/")] == []
    assert "default-src 'none'; script-src 'self';" in page.headers["content-security-policy"]
    sizes = {place: len((await api.call("GET", place, key="")).content) for place in loaded}
    assert sizes["/docs/swagger-ui-bundle.js"] > 500_000
    assert 0 not in sizes.values()


async def test_the_document_names_no_server_but_the_one_it_came_from(api: Api, tmp_path: Path) -> None:
    assert (await api.call("GET", "/openapi.json", key="")).json()["servers"] == [{"url": "/"}]
    async with open_api(_settings(tmp_path / "b", public_url="https://sms.example.com/")) as other:
        assert (await other.call("GET", "/openapi.json", key="")).json()["servers"] == [{"url": "https://sms.example.com"}]


@pytest.mark.parametrize(("damage", "word"), [("DROP TABLE counters", "yanshu migrate"), (None, "restore the last backup")])
async def test_a_store_that_cannot_be_used_is_told_with_the_fix(tmp_path: Path, clock: FakeClock, damage: str | None, word: str) -> None:
    store = open_store(_settings(tmp_path), clock)
    await store.migrate()
    await store.close()
    file = tmp_path / "yanshu.db"
    if damage is None:
        file.write_bytes(b"no database" * 1000)
    else:
        with sqlite3.connect(file) as database:
            database.execute(damage)
        database.close()
    store = open_store(_settings(tmp_path), clock)
    with pytest.raises(StoreUnusable, match=word):
        await store.ping()
    await store.close()


async def test_a_postgresql_without_our_schema_is_told_with_the_fix(empty_database: str, clock: FakeClock) -> None:
    store = open_store(Settings(database_url=empty_database), clock)
    with pytest.raises(StoreUnusable, match="run `yanshu migrate`"):
        await store.ping()
    await store.close()


async def test_the_page_of_an_error_has_every_code_in_both_languages(api: Api) -> None:
    page = (await api.call("GET", "/docs/errors", key="")).text
    assert [code for code in CATALOGUE if f'id="{code}"' not in page] == []
    assert "{{" not in page
    assert "文本变量 ${name} 未提供值" in page
