"""Fixtures of the tests that talk to a whole platform over HTTP."""

from collections.abc import Iterator

import pytest

from tests.integration.serving import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A platform of this file's tests, with a simulated carrier that is not connected yet."""
    served = Served(tmp_path_factory.mktemp("platform"))
    try:
        yield served.start()
    finally:
        served.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served_on_either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same, once on each store."""
    given = {}
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        given["database_url"] = server.create_database(request.module.__name__.rpartition(".")[2], "template_yanshu")
    served = Served(tmp_path_factory.mktemp("platform"))
    try:
        yield served.start(**given)
    finally:
        served.stop()
