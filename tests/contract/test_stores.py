"""Every store passes the shipped conformance suite; fixtures run it over SQLite and PostgreSQL."""

from yanshu.testing.store_suite import StoreSuite


class TestStores(StoreSuite):
    pass
