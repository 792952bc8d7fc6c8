"""The documentation says what the code does: generated pages are fresh, and every public word has its entry."""

import ast
import re
from dataclasses import fields

import pytest

from scripts.make_docs import PAGES
from tests.architecture.tree import DOCS, PACKAGE, ROOT, dotted, parsed, shown, sources
from yanshu.adapters.carriers.smpp_settings import SmppSettings
from yanshu.cli.simulate import simulate
from yanshu.domain.events import PUBLIC_TYPES
from yanshu.domain.reasons import REASONS
from yanshu.edge.api.catalogue import CATALOGUE
from yanshu.settings import Settings
from yanshu.simulator.behaviour import Behaviour
from yanshu.simulator.script import SCRIPTS, TEST_PREFIX

_REFUSALS = {
    "Conflict",
    "Forbidden",
    "Invalid",
    "InvalidRequest",
    "Overloaded",
    "PolicyRefused",
    "RateLimited",
    "RecipientRefused",
    "TooLarge",
    "Unauthenticated",
}
_METRIC_KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info"}
_MARKDOWN_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def _first_texts(names: set[str]) -> dict[str, str]:
    """Return the first literal argument of every call of one of these names, with the place of the call."""
    return {
        node.args[0].value: f"{shown(path)}:{node.lineno}"
        for path in sources("yanshu")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and dotted(node.func).rpartition(".")[2] in names
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), f"docs/{name} is stale: run `make docs`"


def test_every_setting_has_help_and_its_unit_in_its_name_or_help() -> None:
    assert [declared.name for declared in fields(Settings) if len(declared.metadata.get("help", "")) < 10] == []
    assert len(fields(Settings)) <= 40


def test_every_error_code_that_is_raised_has_its_entry() -> None:
    raised = _first_texts(_REFUSALS)
    assert len(raised) > 10, "the search for raised codes finds nothing"
    assert {code: place for code, place in raised.items() if code not in CATALOGUE} == {}


def test_every_reason_that_is_written_has_its_entry() -> None:
    written = {
        keyword.value.value: f"{shown(path)}:{keyword.value.lineno}"
        for path in sources("yanshu")
        if not shown(path).startswith("yanshu/testing/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "reason_code" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }
    assert written, "the search for written reasons finds nothing"
    assert {code: place for code, place in written.items() if code not in REASONS} == {}


def test_every_setting_of_an_smpp_connector_has_its_entry() -> None:
    page = (DOCS / "reference" / "smpp.md").read_text("utf-8")
    rows = page[page.index("## Settings of SMPP") :].splitlines()
    named = {name for row in rows if row.startswith("| `") for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(SmppSettings.__struct_fields__)


def test_every_behaviour_of_the_simulator_has_its_entry() -> None:
    page = (DOCS / "reference" / "simulator.md").read_text("utf-8")
    assert not [name for name in Behaviour.__struct_fields__ if f"`{name}`" not in page]


def test_every_option_of_the_simulator_has_its_entry() -> None:
    page = (DOCS / "reference" / "simulator.md").read_text("utf-8")
    options = [option for parameter in simulate.params for option in parameter.opts]
    assert not [option for option in options if f"`{option}`" not in page]


def test_every_test_number_has_its_entry() -> None:
    page = (DOCS / "reference" / "test-numbers.md").read_text("utf-8")
    assert not [number for number in SCRIPTS if f"`+{TEST_PREFIX}{number}`" not in page]


def test_every_event_type_has_its_entry() -> None:
    page = (DOCS / "reference" / "events.md").read_text("utf-8")
    assert [name for name in PUBLIC_TYPES if f"| `{name}` |" not in page] == []


def test_no_event_is_documented_that_does_not_exist() -> None:
    page = (DOCS / "reference" / "events.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.MULTILINE)) == set(PUBLIC_TYPES)


def test_no_metric_is_made_outside_the_one_table() -> None:
    strangers = {name: place for name, place in _first_texts(_METRIC_KINDS).items() if name.startswith("yanshu_")}
    assert strangers == {}


def test_a_decision_fits_on_one_page() -> None:
    lengths = {shown(path): len(path.read_text("utf-8").splitlines()) for path in (DOCS / "adr").glob("[0-9]*.md")}
    assert lengths
    assert {name: count for name, count in lengths.items() if count > 60} == {}


def test_every_decision_says_its_status() -> None:
    silent = [shown(path) for path in (DOCS / "adr").glob("[0-9]*.md") if "\nStatus: " not in path.read_text("utf-8")]
    assert silent == []


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{shown(page)}: {target}"
        for page in _PAGES
        for target in _MARKDOWN_LINK.findall(page.read_text("utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_setting_named_in_a_page_exists() -> None:
    known = {f"YANSHU_{declared.name.upper()}" for declared in fields(Settings)} | {"YANSHU_URL", "YANSHU_KEY", "YANSHU_ADMIN_KEY"}
    unknown = [
        f"{shown(page)}: {name}"
        for page in _PAGES
        for name in re.findall(r"\bYANSHU_[A-Z_]+[A-Z]\b", page.read_text("utf-8"))
        if name not in known
    ]
    assert unknown == []


def test_every_file_named_in_a_page_exists() -> None:
    missing = [
        f"{shown(page)}: {name}"
        for page in _PAGES
        if page.name != "CHANGELOG.md"
        for name in re.findall(r"`((?:yanshu|scripts|tests|docs|examples)/[\w./-]+\.(?:py|md|sh|json))`", page.read_text("utf-8"))
        if not (ROOT / name).exists()
    ]
    assert PACKAGE.exists()
    assert missing == []
