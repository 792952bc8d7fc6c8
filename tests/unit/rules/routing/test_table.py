"""Which connectors a message may use."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from yanshu.domain.connectors import Connector, ConnectorState, Filing, FilingState, Hours, Match, Member, Prefer, Price, Route
from yanshu.domain.health import Admission, Standing, Standings
from yanshu.domain.lanes import Lane
from yanshu.domain.money import Money
from yanshu.domain.numbers import Operator
from yanshu.rules.routing.match import Ask, Rule, Sending
from yanshu.rules.routing.table import Table
from yanshu.testing.samples import in_turn

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def connector(ident: str, **fields: object) -> Connector:
    values: dict[str, object] = {"name": ident, "protocol": "smpp", "host": "h", "port": 1, "settings": {}, "secret": ""}
    return Connector(id=ident, created_at=NOW, updated_at=NOW, **{**values, **fields})  # type: ignore[arg-type]


def route(ident: str, *connectors: str, **fields: object) -> Route:
    return Route(id=ident, name=ident, rank=1, pool=in_turn(*connectors), created_at=NOW, updated_at=NOW, **fields)  # type: ignore[arg-type]


def sending(**fields: Any) -> Sending:
    return Sending(**({"workspace_id": "ws", "lane": Lane.NOTICE, "livemode": True, "at": NOW} | fields))


TABLE = Table(
    1,
    [connector("a"), connector("b"), connector("s", simulated=True), connector("d", state=ConnectorState.DRAINED)],
    [
        route("otp", "b", "d", match=Match(lanes=(Lane.OTP,))),
        route("hk", "a", match=Match(countries=("HK",))),
        route("all", "a", "b", "s", "gone", match=Match()),
        route("off", "b", enabled=False),
    ],
)
CASES = [
    ("the first matching route comes first", {"lane": Lane.OTP}, ("b", "a")),
    ("other lanes pass it by", {}, ("a", "b")),
    ("test traffic uses simulated connectors only", {"livemode": False}, ("s",)),
    ("a pool narrows the choice", {"pool": ("b",)}, ("b",)),
    ("exclusion removes", {"exclude": ("a",)}, ("b",)),
    ("nothing may be left", {"pool": ("x",)}, ()),
]


@pytest.mark.parametrize(("fields", "chosen"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_candidates_are_ranked(fields: dict[str, object], chosen: tuple[str, ...]) -> None:
    assert TABLE.plan(Ask(sending(**fields), "CN")).usual == chosen


PLAIN = Ask(sending(metadata={"campaign": "double11"}), "CN", "cmcc", "+8613800138000", "雁书")
CONDITIONS = [
    ("no condition", {}, None),
    ("its lane", {"lanes": (Lane.OTP, Lane.NOTICE)}, None),
    ("another lane", {"lanes": (Lane.OTP,)}, "lanes"),
    ("another country", {"countries": ("HK",)}, "countries"),
    ("another workspace", {"workspaces": ("ws_2",)}, "workspaces"),
    ("its operator", {"operators": (Operator.CMCC, Operator.CBN)}, None),
    ("another operator", {"operators": (Operator.CUCC,)}, "operators"),
    ("its prefix", {"prefixes": ("+852", "+86138")}, None),
    ("a whole number", {"prefixes": ("+8613800138000",)}, None),
    ("a longer number", {"prefixes": ("+86138001380001",)}, "prefixes"),
    ("another prefix", {"prefixes": ("+86139",)}, "prefixes"),
    ("its signature", {"signatures": ("雁书",)}, None),
    ("half its signature", {"signatures": ("雁",)}, "signatures"),
    ("all of them", {"operators": (Operator.CMCC,), "prefixes": ("+86",), "signatures": ("雁书",), "countries": ("CN",)}, None),
    ("the first that is not met", {"operators": (Operator.CMCC,), "prefixes": ("+1",), "signatures": ("x",)}, "signatures"),
]


MANY = tuple(f"+861{range_}" for range_ in range(390, 490))
CONDITIONS += [
    ("one of many prefixes", {"prefixes": (*MANY, "+86138001")}, None),
    ("none of many prefixes", {"prefixes": (*MANY, "+861380013800012")}, "prefixes"),
    ("its hours", {"hours": (Hours(start=480, end=1260),)}, None),
    ("other hours", {"hours": (Hours(start=1260, end=480),)}, "hours"),
    ("its tag", {"metadata": {"campaign": ("summer", "double11")}}, None),
    ("another tag", {"metadata": {"campaign": ("summer",)}}, "metadata"),
    ("a tag that it has not", {"metadata": {"campaign": ("double11",), "team": ("",)}}, "metadata"),
]


@pytest.mark.parametrize(("match", "named"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS])
def test_a_route_names_the_condition_that_is_not_met(match: dict[str, object], named: str | None) -> None:
    assert Rule(route("r", match=Match(**match))).unmet(PLAIN) == named  # type: ignore[arg-type]


@pytest.mark.parametrize("match", [{"operators": tuple(Operator)}, {"prefixes": ("+86",)}, {"signatures": ("雁书",)}])
def test_what_nobody_knows_of_a_message_meets_no_condition_on_it(match: dict[str, object]) -> None:
    assert Rule(route("r", match=Match(**match))).unmet(Ask(sending(), "CN")) == next(iter(match))  # type: ignore[arg-type]


SPLIT = [
    route("otp", "a", "b", match=Match(lanes=(Lane.OTP,))),
    route("range", "b", match=Match(prefixes=("+86138", "+8613800"))),
    route("wider", "c", match=Match(prefixes=("+861", "+852"), operators=(Operator.CMCC,))),
    route("signed", "d", match=Match(signatures=("雁书",), workspaces=("ws",))),
    route("hk", "e", match=Match(countries=("HK",))),
    route("night", "e", match=Match(hours=(Hours(start=1260, end=480),))),
    route("tagged", "d", "c", match=Match(metadata={"tag": ("x", "y"), "team": ("1",)})),
    route("all", "f"),
]
NIGHT = NOW + timedelta(hours=15)
ASKS = [
    Ask(sending(workspace_id=workspace, lane=lane, pool=pool, at=at, metadata=metadata), country, operator, number, signature)
    for at, metadata, workspace, lane, country, pool, operator, number, signature in product(
        (NOW, NIGHT),
        (None, {"tag": "x", "team": "1"}, {"tag": "y"}, {"tag": "z", "team": "1"}),
        ("ws", "ws_2", "ws_3"),
        (Lane.OTP, Lane.MARKETING),
        ("CN", "HK", "US"),
        ((), ("b", "c", "f")),
        ("", "cmcc", "cucc"),
        ("", "+8613800138000", "+8613811138000", "+8615000138000", "+85261234567", "+12025550100"),
        ("", "雁书", "别人"),
    )
]


def split() -> Table:
    return Table(1, [connector(ident) for ident in "abcdef"], SPLIT)


def test_an_answer_from_memory_is_the_answer_of_the_routes() -> None:
    remembering = split()
    chosen = [remembering.plan(ask).usual for ask in ASKS]
    usable = [tuple(dict.fromkeys(c.connector_id for c in remembering.explain(ask) if c.refusal is None)) for ask in ASKS]
    assert chosen == usable
    assert len(set(chosen)) > 20, "the asks tell the routes apart"


def test_numbers_that_no_route_tells_apart_are_answered_once() -> None:
    table = split()
    numbers = [f"+86138001{tail:05}" for tail in range(1000)]
    assert {table.beginning_of(number) for number in numbers} == {"+8613800"}
    assert {table.plan(Ask(sending(), "CN", number=number)).usual for number in numbers} == {("b", "f")}
    assert len(table._plans) == 1


def test_every_route_passed_by_has_a_condition() -> None:
    passed = [(p.route_id, p.condition, p.value) for p in TABLE.passed_by(PLAIN)]
    assert passed == [("otp", "lanes", "notice"), ("hk", "countries", "CN"), ("off", "disabled", "")]
    passed = [(p.route_id, p.condition, p.value) for p in split().passed_by(Ask(sending(lane=Lane.OTP), "CN", number="+8615"))]
    assert passed == [
        ("range", "prefixes", "+8615"),
        ("wider", "operators", ""),
        ("signed", "signatures", ""),
        ("hk", "countries", "CN"),
        ("night", "hours", "2026-11-23 08:00"),
        ("tagged", "metadata", "tag="),
    ]


def test_every_connector_left_out_has_a_reason() -> None:
    told = {c.connector_id: c.refusal for c in TABLE.explain(Ask(sending(lane=Lane.OTP), "CN")) if c.refusal != "listed_before"}
    assert told == {"a": None, "b": None, "d": "connector_drained", "s": "connector_simulated", "gone": "connector_missing"}


def test_a_connector_serves_the_operator_that_all_its_routes_are_for() -> None:
    of = {operator: Match(operators=(operator,)) for operator in Operator}
    both = Match(operators=(Operator.CMCC, Operator.CTCC))
    table = Table(
        1,
        [],
        [
            route("mobile", "a", "b", "c", match=of[Operator.CMCC]),
            route("otp to mobile", "a", match=Match(operators=(Operator.CMCC,), lanes=(Lane.OTP,))),
            route("telecom", "b", match=of[Operator.CTCC]),
            route("the rest", "c"),
            route("two at once", "d", match=both),
            route("switched off", "a", match=of[Operator.CUCC], enabled=False),
        ],
    )
    assert {ident: table.serves(ident) for ident in "abcde"} == {"a": Operator.CMCC, **dict.fromkeys("bcde")}


def shared(ident: str, *members: Member, **fields: object) -> Route:
    return Route(id=ident, name=ident, rank=1, pool=members, created_at=NOW, updated_at=NOW, **fields)  # type: ignore[arg-type]


def priced(ident: str, micros: int | None, currency: str = "CNY", **fields: object) -> Connector:
    price = Price(per_segment=Money(currency, micros), **fields) if micros is not None else None  # type: ignore[arg-type]
    return connector(ident, prices=(price,) if price else ())


A, B, C = (Member(ident) for ident in "abc")
NEVER = Member("c", 1, 0)
COST = {"prefer": Prefer.COST}
PLACES: list[tuple[str, list[Connector], list[Route], list[set[str]]]] = [
    ("one after the other", [], [route("r", "b", "a")], [{"b"}, {"a"}]),
    ("whatever the order in the list", [], [shared("r", Member("a", 2), Member("b", 1))], [{"b"}, {"a"}]),
    ("of one priority share", [], [shared("r", A, B, Member("c", 2))], [{"a", "b"}, {"c"}]),
    ("two routes do not share", [], [shared("r", A), shared("s", B, C)], [{"a"}, {"b", "c"}]),
    ("a connector stands where it is named first", [], [shared("r", A), shared("s", A, B)], [{"a"}, {"b"}]),
    ("the cheapest first", [priced("a", 30), priced("b", 20), priced("c", 10)], [shared("r", A, B, C, **COST)], [{"c"}, {"b"}, {"a"}]),
    ("equal prices share", [priced("a", 30), priced("b", 20), priced("c", 20)], [shared("r", A, B, C, **COST)], [{"b", "c"}, {"a"}]),
    ("priority before cost", [priced("a", 30), priced("b", 20)], [shared("r", A, Member("b", 2), **COST)], [{"a"}, {"b"}]),
    ("no price comes last", [priced("a", None), priced("b", 20)], [shared("r", A, B, **COST)], [{"b"}, {"a"}]),
    ("nobody has a price", [], [shared("r", A, B, **COST)], [{"a", "b"}]),
    ("two currencies cannot be compared", [priced("a", 30), priced("b", 2, "USD")], [shared("r", A, B, **COST)], [{"a", "b"}]),
    ("prices do not matter where weights do", [priced("a", 30), priced("b", 20)], [shared("r", A, B)], [{"a", "b"}]),
    ("free is a price", [priced("a", 0), priced("b", None), priced("c", 1)], [shared("r", A, B, C, **COST)], [{"a"}, {"c"}, {"b"}]),
    (
        "a price for others does not count",
        [priced("a", 1, operator=Operator.CUCC), priced("b", 20)],
        [shared("r", A, B, **COST)],
        [{"b"}, {"a"}],
    ),
]


@pytest.mark.parametrize(("accounts", "routes", "places"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_connectors_stand_at_places(accounts: list[Connector], routes: list[Route], places: list[set[str]]) -> None:
    known = {ident: connector(ident) for ident in "abc"} | {account.id: account for account in accounts}
    table = Table(1, list(known.values()), routes)
    told: dict[int, set[str]] = {}
    for candidate in table.explain(PLAIN):
        if candidate.place is not None:
            told.setdefault(candidate.place, set()).add(candidate.connector_id)
    assert told == dict(enumerate(places, 1))
    usual = iter(table.plan(PLAIN).usual)
    assert [{next(usual) for _ in place} for place in places] == places


def test_prices_are_looked_at_only_where_they_decide() -> None:
    accounts = [priced("a", 30, operator=Operator.CMCC), priced("b", 20, lane=Lane.OTP)]
    assert Table(1, accounts, [shared("r", A, B)]).told_by == {}
    assert Table(1, accounts, [shared("r", A, B, **COST)]).told_by == {"operators": {"cmcc"}, "lanes": {"otp"}}
    decided = Table(1, accounts, [shared("r", A, B, **COST)])
    asks = [
        replace(PLAIN, operator=operator, sending=sending(lane=lane)) for operator in ("cmcc", "cucc") for lane in (Lane.OTP, Lane.NOTICE)
    ]
    assert [decided.plan(ask).usual for ask in asks] == [("b", "a"), ("a", "b"), ("b", "a"), ("a", "b")]


def test_a_connector_that_comes_again_is_told_so() -> None:
    table = Table(1, [connector("a"), connector("b")], [shared("r", A), shared("s", A, B)])
    assert [(c.route_id, c.connector_id, c.refusal) for c in table.explain(PLAIN)] == [
        ("r", "a", None),
        ("s", "a", "listed_before"),
        ("s", "b", None),
    ]


def test_who_shares_is_told_which_draws_are_whose() -> None:
    table = Table(1, [connector(ident) for ident in "abc"], [shared("r", Member("a", 1, 30), Member("b", 1, 10), NEVER)])
    assert {c.connector_id: c.draws for c in table.explain(PLAIN)} == {"a": (0, 750), "b": (750, 1000), "c": None}


def test_who_stands_too_far_behind_is_told_so() -> None:
    idents = [f"c{number:02}" for number in range(12)]
    table = Table(1, [connector(ident) for ident in idents], [route("r", *idents)])
    assert [c.refusal for c in table.explain(PLAIN)] == [None] * 10 + ["too_many_before"] * 2
    assert table.plan(PLAIN).usual == tuple(idents[:10])


POOR, TRIED, OUT = Standing(20), Standing(100, Admission.PROBE), Standing(100, Admission.NONE)
JUDGED: list[tuple[str, Standings, list[Route], list[str], list[set[str]]]] = [
    ("a missing key is healthy", {("c", None): OUT}, [shared("r", A, B)], ["a", "b"], [{"a", "b"}]),
    ("a lower weight stays at its place", {("a", None): POOR}, [shared("r", A, B)], ["b", "a"], [{"a", "b"}]),
    ("no weight left stands by", {("a", None): Standing(0)}, [shared("r", A, B)], ["b", "a"], [{"a", "b"}]),
    ("what admits nothing comes last", {("a", None): OUT}, [shared("r", A, B), shared("s", C)], ["b", "c", "a"], [{"b"}, {"c"}, {"a"}]),
    ("across priorities", {("a", None): OUT}, [route("r", "a", "b", "c")], ["b", "c", "a"], [{"b"}, {"c"}, {"a"}]),
    ("whatever it costs", {("a", None): OUT}, [shared("r", A, B, C, **COST)], ["b", "c", "a"], [{"b", "c"}, {"a"}]),
    ("nobody is left out", {("a", None): OUT, ("b", None): OUT}, [shared("r", A, B)], ["a", "b"], [{"a"}, {"b"}]),
    ("its operator's numbers only", {("a", Operator.CMCC): OUT}, [shared("r", A, B)], ["b", "a"], [{"b"}, {"a"}]),
    ("not those of another operator", {("a", Operator.CUCC): OUT}, [shared("r", A, B)], ["a", "b"], [{"a", "b"}]),
    ("a probe waits behind the others", {("a", None): TRIED}, [shared("r", A, B)], ["b", "a"], [{"b"}, {"a"}]),
]


@pytest.mark.parametrize(("standings", "routes", "usual", "places"), [row[1:] for row in JUDGED], ids=[row[0] for row in JUDGED])
def test_health_moves_connectors(standings: Standings, routes: list[Route], usual: list[str], places: list[set[str]]) -> None:
    accounts = [priced("a", 10), priced("b", 20), priced("c", 20)]
    table = Table(1, accounts, routes).judged_by(standings)
    assert list(table.plan(PLAIN).usual) == usual
    told: dict[int, set[str]] = {}
    for candidate in table.explain(PLAIN):
        told.setdefault(candidate.place or 0, set()).add(candidate.connector_id)
    assert told == dict(enumerate(places, 1))


def test_a_lower_weight_gets_fewer_messages() -> None:
    table = Table(1, [connector("a"), connector("b")], [shared("r", A, B)]).judged_by({("a", None): POOR})
    assert {c.connector_id: (c.draws, c.weight, c.health.weight_percent) for c in table.explain(PLAIN)} == {
        "a": ((834, 1000), 100, 20),
        "b": ((0, 834), 100, 100),
    }


def test_health_by_operator_tells_numbers_apart() -> None:
    table = Table(1, [connector("a"), connector("b")], [shared("r", A, B)])
    assert table.told_by == {}
    judged = table.judged_by({("a", Operator.CMCC): OUT, ("b", Operator.CUCC): OUT})
    assert judged.told_by == {"operators": {"cmcc", "cucc"}}
    asks = [replace(PLAIN, operator=operator) for operator in ("cmcc", "cucc", "ctcc", "")]
    assert [judged.plan(ask).usual for ask in asks] == [("b", "a"), ("a", "b"), ("a", "b"), ("a", "b")]


def test_a_probe_is_one_message_whoever_asks_first() -> None:
    table = Table(1, [connector(ident) for ident in "abc"], [shared("r", A, B, C)]).judged_by({("a", None): TRIED})
    plans = [table.plan(PLAIN), table.plan(replace(PLAIN, sending=sending(exclude=("c",))))]
    assert plans[0] is not plans[1]
    assert [plan.is_shared for plan in plans] == [True, True]
    assert [plan.order_of(f"msg_{n}")[0] == "a" for n in range(20) for plan in plans].count(True) == 1
    again = table.judged_by({("a", None): TRIED})
    again.explain(PLAIN)
    assert again.plan(PLAIN).usual[-1] == "a"
    order = again.plan(PLAIN).order_of("msg_1")
    assert (order[0], sorted(order)) == ("a", ["a", "b", "c"])


def test_a_probe_for_the_numbers_of_one_operator_is_for_them_only() -> None:
    table = Table(1, [connector("a"), connector("b")], [shared("r", A, B)]).judged_by({("a", Operator.CMCC): TRIED})
    other = table.plan(replace(PLAIN, operator="cucc"))
    assert {other.order_of(f"msg_{n}")[0] for n in range(50)} == {"a", "b"}
    assert [table.plan(PLAIN).order_of(f"msg_{n}")[0] for n in range(3)] == ["a", "b", "b"]


def test_a_connector_that_may_not_be_used_is_not_probed() -> None:
    table = Table(1, [connector("a", state=ConnectorState.DRAINED), connector("b")], [shared("r", A, B)])
    assert not table.judged_by({("a", None): TRIED}).plan(PLAIN).is_shared


FILED, PENDING, REJECTED = (
    Filing(signature, state)
    for signature, state in zip(("雁书", "鸿雁", "孤雁"), (FilingState.FILED, FilingState.PENDING, FilingState.REJECTED), strict=True)
)
STRICT = connector("a", requires_filing=True, filings=(FILED, PENDING, REJECTED))
FILINGS = [
    ("filed", "雁书", "CN", None),
    ("pending", "鸿雁", "CN", "signature_pending"),
    ("rejected", "孤雁", "CN", "signature_rejected"),
    ("never filed", "别人", "CN", "signature_not_filed"),
    ("no signature", "", "CN", "signature_not_filed"),
    ("abroad", "别人", "HK", None),
]


@pytest.mark.parametrize(("signature", "country", "refusal"), [row[1:] for row in FILINGS], ids=[row[0] for row in FILINGS])
def test_a_signature_is_filed_where_it_has_to_be(signature: str, country: str, refusal: str | None) -> None:
    table = Table(1, [STRICT, connector("b")], [route("r", "a", "b")])
    ask = replace(PLAIN, signature=signature, country=country)
    for _ in range(2):
        assert table.plan(ask).usual == (("a", "b") if refusal is None else ("b",))
    assert [c.refusal for c in table.explain(ask)] == [refusal, None]


def test_filings_are_looked_at_only_where_they_have_to_be() -> None:
    listed = connector("a", filings=(FILED,))
    assert Table(1, [listed], [route("r", "a")]).told_by == {}
    assert Table(1, [STRICT], [route("r", "a")]).told_by == {"signatures": {"雁书", "鸿雁", "孤雁"}, "countries": {"CN"}}


SHORT, OWN = connector("a", sender="10690001", sender_length=12), connector("a", own_senders=False, sender="10690001")
SENDERS = [
    ("no extension", SHORT, {}, None),
    ("a short one", SHORT, {"extension": "1234"}, None),
    ("a long one", SHORT, {"extension": "12345"}, "sender_too_long"),
    ("an own sender is measured too", SHORT, {"sender": "1069000100", "extension": "123"}, "sender_too_long"),
    ("an own sender that fits", SHORT, {"sender": "1069", "extension": "12345"}, None),
    ("an own sender that is not taken", OWN, {"sender": "1069"}, "sender_not_allowed"),
    ("an extension is no own sender", OWN, {"extension": "123456"}, None),
    ("no rule", connector("a"), {"sender": "1" * 20, "extension": "1" * 20}, None),
]


@pytest.mark.parametrize(("account", "fields", "refusal"), [row[1:] for row in SENDERS], ids=[row[0] for row in SENDERS])
def test_a_connector_takes_senders_by_its_rules(account: Connector, fields: dict[str, str], refusal: str | None) -> None:
    table = Table(1, [account], [route("r", "a")])
    ask = replace(PLAIN, sending=sending(**fields))
    table.plan(PLAIN)
    assert table.plan(ask).usual == (("a",) if refusal is None else ())
    assert [c.refusal for c in table.explain(ask)] == [refusal]
