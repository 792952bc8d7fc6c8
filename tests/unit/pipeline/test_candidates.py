"""What is said of a candidate, and of the choice."""

from typing import Any

import pytest
from msgspec.structs import replace

from yanshu.domain.connectors import Prefer
from yanshu.domain.health import HEALTHY, Admission, Standing
from yanshu.domain.money import Money
from yanshu.pipeline.candidates import WORDS, Order, tell
from yanshu.rules.routing.plan import draw_of
from yanshu.rules.routing.table import Candidate

PLAIN = Candidate(
    connector_id="con_a",
    name="alpha",
    route_id="rte_1",
    route_name="mobile",
    prefer=Prefer.WEIGHT,
    priority=1,
    weight=100,
    price=None,
    health=HEALTHY,
    refusal=None,
    place=1,
    draws=(0, 1000),
)
TOLD: list[tuple[str, dict[str, Any], str, str]] = [
    ("alone", {}, "may be used, place 1", "可用，第 1 顺位"),
    (
        "with a share",
        {"draws": (0, 333)},
        "may be used, place 1, with 33.3 % of the messages there",
        "可用，第 1 顺位，承担该顺位 33.3% 的短信",
    ),
    (
        "with a price",
        {"price": Money("CNY", 32_500)},
        "may be used, place 1, 0.0325 CNY a segment",
        "可用，第 1 顺位，每条 0.0325 CNY",
    ),
    (
        "in poor health",
        {"draws": (800, 1000), "health": Standing(20)},
        "may be used, place 1, with 20 % of the messages there, its weight lowered to 20 % by its health",
        "可用，第 1 顺位，承担该顺位 20% 的短信，因健康状况权重降至 20%",
    ),
    (
        "set behind",
        {"place": 3, "health": Standing(100, Admission.NONE)},
        "stands behind the others: too much has failed over it lately, place 3",
        "排在其他通道之后：近期经该通道的失败过多，第 3 顺位",
    ),
    (
        "waiting for a probe",
        {"place": 3, "health": Standing(100, Admission.PROBE)},
        "stands behind the others until one message shows that it works again, place 3",
        "排在其他通道之后：待一条试探短信证明已恢复，第 3 顺位",
    ),
    (
        "left out",
        {"place": None, "draws": None, "refusal": "connector_drained", "health": Standing(20)},
        "left out: the connector is drained",
        "未选用：通道已停用",
    ),
]


@pytest.mark.parametrize(("fields", "english", "chinese"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_a_candidate_is_told_in_a_sentence(fields: dict[str, Any], english: str, chinese: str) -> None:
    candidate = replace(PLAIN, **fields)
    assert tell(candidate, WORDS["en"]) == f"Connector alpha: {english}."
    assert tell(candidate, WORDS["zh"]) == f"通道 alpha：{chinese}。"


DRAW = draw_of("msg_1")
BELOW, ABOVE = (0, DRAW + 1), (DRAW + 1, 1000)
DEARER = replace(PLAIN, connector_id="con_b", name="beta", place=2, prefer=Prefer.COST)
CHOICES: list[tuple[str, dict[str, Any], list[Candidate], list[str]]] = [
    ("nothing to choose", {}, [], []),
    ("by its draw", {"draws": BELOW}, [], [f"By its id it drew {DRAW} of 1,000, which is the share of alpha (0 to {DRAW})."]),
    ("not by today's shares", {"draws": ABOVE}, [], []),
    (
        "by its price",
        {"prefer": Prefer.COST, "price": Money("CNY", 1)},
        [DEARER],
        ["alpha is the cheapest of its priority in route mobile."],
    ),
    ("nobody is dearer", {"prefer": Prefer.COST, "price": Money("CNY", 1)}, [], []),
    ("the dearer one has another priority", {"prefer": Prefer.COST, "price": Money("CNY", 1)}, [replace(DEARER, priority=2)], []),
    ("it is not the first any more", {"place": 2, "draws": BELOW}, [], []),
]


@pytest.mark.parametrize(("fields", "others", "said"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES])
def test_why_the_first_one_is_the_first(fields: dict[str, Any], others: list[Candidate], said: list[str]) -> None:
    candidates = [replace(PLAIN, **fields), *others]
    assert Order("msg_1", ["con_a"], candidates, {}).tell("en")[len(candidates) :] == said


ORDERS: list[tuple[str, list[str], dict[str, Any], tuple[int | None, str | None, bool], str]] = [
    ("as today", ["con_a"], {}, (1, None, True), "Connector alpha: may be used, place 1."),
    ("at another place than today", ["con_b", "con_a"], {}, (2, None, True), "Connector alpha: may be used, place 2."),
    (
        "not in the order",
        ["con_b"],
        {},
        (None, "not_chosen", False),
        "Connector alpha: left out when it was accepted: the request named others, or routes or health have changed since.",
    ),
    (
        "left out today",
        ["con_a"],
        {"place": None, "draws": None, "refusal": "connector_drained"},
        (1, "connector_drained", True),
        "Connector alpha: place 1 since it was accepted, though today it would be left out: the connector is drained.",
    ),
    (
        "left out then and today",
        ["con_b"],
        {"place": None, "draws": None, "refusal": "connector_drained"},
        (None, "connector_drained", False),
        "Connector alpha: left out: the connector is drained.",
    ),
    ("refused altogether", [], {}, (None, None, False), "Connector alpha: may be used, place 1."),
]


@pytest.mark.parametrize(("order", "fields", "row", "said"), [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])
def test_a_candidate_is_told_by_the_message_s_own_order(
    order: list[str], fields: dict[str, Any], row: tuple[int | None, str | None, bool], said: str
) -> None:
    told = Order("msg_1", order, [replace(PLAIN, **fields)], {})
    shown = told.show()[0]
    assert (shown["place"], shown["why"], shown["chosen"]) == row
    assert told.tell("en")[0] == said


def test_a_connector_that_no_route_leads_to_any_more_is_told_of() -> None:
    told = Order("msg_1", ["con_a", "con_x", "con_y"], [PLAIN], {"con_x": "chi"})
    assert [(row["name"], row["place"], row["why"]) for row in told.show()][1:] == [("chi", 2, "no_route"), ("con_y", 3, "no_route")]
    assert told.tell("en")[1:] == [
        "Connector chi: place 2 since it was accepted, though today it would be left out: no route leads there.",
        "Connector con_y: place 3 since it was accepted, though today it would be left out: no route leads there.",
    ]


def test_a_connector_of_two_routes_has_one_place() -> None:
    again = replace(PLAIN, route_id="rte_2", refusal="listed_before", place=None, draws=None)
    told = Order("msg_1", ["con_a"], [PLAIN, again], {})
    assert [row["place"] for row in told.show()] == [1, None]
