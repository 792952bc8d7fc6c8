"""Settings of an SGIP connector, good and bad; and its tables."""

from typing import Any

import pytest

from yanshu.adapters.carriers.sgip.results import RESULTS, result_of
from yanshu.adapters.carriers.sgip.settings import check_password, read_settings
from yanshu.domain.errors import Invalid
from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.sgip.constants import Result

OWN = {"login_name": "yanshu", "corp_id": "01234", "area_code": "010"}

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no login name", {"login_name": ""}, "settings.login_name"),
    ("a login name too long", {"login_name": "a" * 17}, "settings.login_name"),
    ("a company code with letters", {"corp_id": "A1234"}, "settings.corp_id"),
    ("neither area nor node", {"area_code": ""}, "settings.area_code"),
    ("an area of two digits", {"area_code": "10"}, "settings.area_code"),
    ("a node beyond its word", {"node": 1 << 32}, "settings.node"),
    ("a fee with letters", {"fee_value": "1x"}, "settings.fee_value"),
    ("an unknown fee type", {"fee_type": 5}, "settings.fee_type"),
    ("a charged number that is none", {"charge_number": "SP"}, "settings.charge_number"),
    ("a moment of idleness", {"idle_seconds": 0.2}, "settings.idle_seconds"),
    ("neither listener nor a connection that stays", {"listen_port": 0}, "settings.idle_seconds"),
    ("a listener on a name", {"listen_host": "smg.example"}, "settings.listen_host"),
    ("an address that is none", {"listen_allow": ["192.0.2.1", "192.0.2"]}, "settings.listen_allow[1]"),
    ("a port beyond all", {"listen_port": 65_536}, "settings.listen_port"),
    ("a result beyond its octet", {"result_overrides": {"256": "busy"}}, "settings.result_overrides.256"),
    ("an unknown key", {"windw": 3}, "settings.windw"),
]


@pytest.mark.parametrize(("name", "values", "param"), BAD, ids=[case[0] for case in BAD])
def test_a_bad_setting_is_named(name: str, values: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_settings({**OWN, **values})
    assert (raised.value.code, raised.value.param) == ("parameter_invalid", param)
    assert raised.value.values["fix"]


NODES: list[tuple[str, dict[str, Any], int]] = [
    ("made of area and company", {}, 3010001234),
    ("given", {"node": 3075500001}, 3075500001),
    ("given without an area", {"node": 3075500001, "area_code": ""}, 3075500001),
]


@pytest.mark.parametrize(("name", "values", "node"), NODES, ids=[case[0] for case in NODES])
def test_a_node_number_is_made_or_given(name: str, values: dict[str, Any], node: int) -> None:
    assert read_settings({**OWN, **values}).node_number == node


PATIENCE = [
    ("an idle time longer than an answer takes", 30.0, 10.0, (30.0, 1)),
    ("an idle time shorter than an answer takes", 2.0, 10.0, (2.0, 5)),
    ("a connection that stays", 0.0, 10.0, (10.0, 1)),
]


@pytest.mark.parametrize(("name", "idle", "response", "probes"), PATIENCE, ids=[case[0] for case in PATIENCE])
def test_no_gateway_is_given_up_before_its_answer_may_be_late(name: str, idle: float, response: float, probes: tuple[float, int]) -> None:
    listening = {} if idle else {"listen_port": 0}
    timers = read_settings({**OWN, **listening, "idle_seconds": idle, "response_timeout_seconds": response}).timers
    assert (timers.probe_seconds, timers.probes_unanswered) == probes


@pytest.mark.parametrize("password", ["", "x" * 17, "密码", " pass", "a\nb"], ids=["none", "too long", "Chinese", "a blank", "a line end"])
def test_a_password_that_no_login_can_carry_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as raised:
        check_password(password)
    assert raised.value.param == "password"


def test_every_result_of_the_specification_has_a_meaning() -> None:
    assert set(Result) <= set(RESULTS)


def test_the_connectors_own_idea_of_a_result_comes_first() -> None:
    overrides = read_settings({**OWN, "result_overrides": {"51": "throttled", "6": "busy"}}).overrides
    assert [result_of(result, overrides) for result in (51, 6, 200)] == [AnswerResult.THROTTLED, AnswerResult.BUSY, AnswerResult.BUSY]
