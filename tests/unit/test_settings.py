"""Settings: what is read, what is refused and how it is told, and what may be shown."""

from dataclasses import fields

import pytest

from yanshu.settings import SECRET_FIELDS, Settings, SettingsError, checked, read_bind_listen, read_roles, read_settings, shown


def test_without_variables_the_defaults_run_the_embedded_form() -> None:
    assert read_settings({"PATH": "/bin", "YANSHU_URL": "http://x", "YANSHU_KEY": "k"}) == Settings()
    assert checked(Settings()).database_url == ""


def test_variables_are_read_by_the_type_of_their_default() -> None:
    settings = read_settings({"YANSHU_LISTEN_PORT": "9000", "YANSHU_ROLES": "api, worker", "YANSHU_LOG_LEVEL": "debug"})
    assert (settings.listen_port, settings.roles, settings.log_level) == (9000, "api, worker", "debug")


def test_an_unknown_variable_is_an_error_that_guesses_what_was_meant() -> None:
    with pytest.raises(SettingsError, match=r"unknown setting YANSHU_LISTEN_PROT: did you mean YANSHU_LISTEN_PORT\? `yanshu doctor"):
        read_settings({"YANSHU_LISTEN_PROT": "1"})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LISTEN_PORT", "soon", "a whole number"),
        ("LISTEN_PORT", "65536", "from 0 to 65,535"),
        ("LISTEN_PORT", "-1", "from 0 to 65,535"),
        ("DATABASE_POOL_SIZE", "0", "from 1 to 1,000"),
        ("DATABASE_URL", "mysql://root@db/yanshu", "postgresql://"),
        ("DATABASE_URL", "db.example.com", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@db:port/yanshu", "postgresql://"),
        ("ROLES", "api,cook", "all, or some of api, dispatcher, worker"),
        ("ROLES", " , ", "all, or some of"),
        ("PUBLIC_URL", "sms.example.com", "a URL such as"),
        ("PUBLIC_URL", "https://sms.example.com/?a=b", "a URL such as"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy", "a comma list of addresses or networks"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
        ("LOG_FORMAT", "xml", "one of json, text"),
        ("LEASE_SECONDS", "0", "from 1 to 3,600"),
        ("SWEEP_INTERVAL_MS", "0", "from 10 to 60,000"),
        ("REQUESTS_PER_SECOND", "0", "at least 1"),
        ("RECEIPT_WAIT_SECONDS", "99999999999", "at least 1"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_what_is_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({f"YANSHU_{name}": value})
    assert f"YANSHU_{name} must be {expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql:///yanshu?host=/run/postgresql"),
        ("DATABASE_URL", "postgres://u:p%40ss@db1:5432,db2:5433/yanshu?sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://u:p@[::1]:5432/yanshu"),
        ("TRUSTED_PROXIES", "127.0.0.1, 10.1.2.3/8, fd00::/8"),
        ("PUBLIC_URL", "https://example.com/sms/"),
        ("DRAIN_SECONDS", "0"),
    ],
)
def test_unusual_but_good_values_are_taken(name: str, value: str) -> None:
    read_settings({f"YANSHU_{name}": value})


def test_a_refused_secret_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({"YANSHU_DATABASE_URL": "postgresql:/u:hunter2@db/x"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://yanshu:hunter2@db:5432/sms", "postgresql://yanshu:***@db:5432/sms"),
        ("postgresql://yanshu:hun@ter2@db/sms?sslmode=require", "postgresql://yanshu:***@db/sms?sslmode=require"),
        ("postgresql:///sms?user=yanshu&password=hunter2&host=/run/pg", "postgresql:///sms?user=yanshu&password=***&host=/run/pg"),
        ("postgresql://yanshu@db/sms", "postgresql://yanshu@db/sms"),
        ("", ""),
    ],
)
def test_a_database_is_shown_without_its_password(url: str, expected: str) -> None:
    assert shown(Settings(database_url=url), "database_url") == expected


def test_secrets_are_shown_as_set_and_everything_else_as_it_is() -> None:
    settings = Settings(master_key="c2VjcmV0", metrics_token="letmein", database_url="postgresql://u:hunter2@db/x")
    told = {declared.name: shown(settings, declared.name) for declared in fields(Settings)}
    assert not {"c2VjcmV0", "letmein"} & set(told.values())
    assert {name for name, value in told.items() if "hidden" in value} == SECRET_FIELDS - {"database_url"}
    assert told["listen_port"] == "8080"


def test_roles_are_read() -> None:
    assert read_roles("all") == {"api", "dispatcher", "worker"}
    assert read_roles("api, worker") == {"api", "worker"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("smpp://0.0.0.0:2775", {"smpp": ("0.0.0.0", 2775)}),
        (" smpp://127.0.0.1:0 , cmpp://[::1]:7890 ", {"smpp": ("127.0.0.1", 0), "cmpp": ("::1", 7890)}),
    ],
)
def test_where_customers_bind_is_a_list(text: str, found: dict[str, tuple[str, int]]) -> None:
    assert read_bind_listen(text) == found


@pytest.mark.parametrize(
    "text", ["2775", "smpp://host", "smpp://:2775", "sgip://h:1", "smpp://h:1,smpp://h:2", "smpp://h:99999", "smpp://h:1/x"]
)
def test_a_place_nobody_could_bind_to_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="YANSHU_BIND_LISTEN must be"):
        read_settings({"YANSHU_BIND_LISTEN": text})
