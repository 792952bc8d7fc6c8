"""The documentation says what the code does: generated pages are fresh, and every public word has its entry."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
from msgspec import Struct, structs

from scripts.make_docs import PAGES
from tests.architecture.tree import DOCS, PACKAGE, ROOT, dotted, parsed, shown, sources
from yanshu.adapters.carriers.cmpp.settings import CmppSettings
from yanshu.adapters.carriers.http.settings import HttpSettings
from yanshu.adapters.carriers.smgp.settings import SmgpSettings
from yanshu.adapters.carriers.smpp.settings import SmppSettings
from yanshu.cli.simulate import simulate
from yanshu.domain.events import PUBLIC_TYPES
from yanshu.domain.health import Cause
from yanshu.domain.reasons import REASONS
from yanshu.edge.api.catalogue import CATALOGUE
from yanshu.rules.routing.limits import Limits
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


_PROTOCOL_PAGES: list[tuple[str, str, type[Struct]]] = [
    ("smpp.md", "SMPP", SmppSettings),
    ("cmpp.md", "CMPP", CmppSettings),
    ("smgp.md", "SMGP", SmgpSettings),
    ("http_carriers.md", "HTTP carriers", HttpSettings),
]


@pytest.mark.parametrize(("page", "name", "settings"), _PROTOCOL_PAGES, ids=[case[1] for case in _PROTOCOL_PAGES])
def test_every_setting_of_a_connector_has_its_entry(page: str, name: str, settings: type[Struct]) -> None:
    text = (DOCS / "reference" / page).read_text("utf-8")
    rows = text[text.index(f"## Settings of {name}") :].partition("\n## What a")[0].splitlines()
    named = {word for row in rows if row.startswith("| `") for word in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(settings.__struct_fields__)


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


def test_every_limit_of_health_has_its_entry_with_its_default() -> None:
    page = (DOCS / "explain" / "health.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", page, re.MULTILINE)) == {
        name: str(value) for name, value in structs.asdict(Limits()).items()
    }


def test_every_cause_of_a_move_has_its_entry() -> None:
    for page in ("explain/health.md", "zh/health.md"):
        assert not [cause for cause in Cause if f"`{cause}`" not in (DOCS / page).read_text("utf-8")]


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


def _anchors(page: Path) -> set[str]:
    """Return what `#…` may name in a page: its headings, as the hosts of repositories write them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


_NAMED_TESTS = re.compile(r"\]\(([^)\s]+\.py)\)((?:,? `\w+`)+)")


def test_every_test_that_a_page_names_exists() -> None:
    named = [
        (page, path, name)
        for page in _PAGES
        for path, names in _NAMED_TESTS.findall(page.read_text("utf-8"))
        for name in re.findall(r"`(\w+)`", names)
    ]
    assert len(named) > 50, "the search for named tests finds too few"
    assert [
        f"{shown(page)}: {path} {name}" for page, path, name in named if f"def test_{name}(" not in (page.parent / path).read_text("utf-8")
    ] == []


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{shown(page)}: {target}"
        for page in _PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not _leads_somewhere(page, target)
    ]
    assert broken == []


def _leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = page.parent / name if name else page
    return file.exists() and (not anchor or anchor in _anchors(file))


def test_every_page_can_be_reached_from_the_readmes() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md", ROOT / "README.zh.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            waiting += [page.parent / target for target in _MARKDOWN_LINK.findall(page.read_text("utf-8")) if "://" not in target]
    assert [shown(page) for page in _PAGES if page.resolve() not in reached] == []


_ORIGINALS = {
    "tutorial.md": "tutorial.md",
    "webhooks.md": "how-to/webhooks.md",
    "bind.md": "how-to/bind.md",
    "batch-upload.md": "how-to/batch-upload.md",
    "test-numbers.md": "reference/test-numbers.md",
    "api.md": "reference/api.md",
    "errors.md": "reference/errors.md",
    "route.md": "how-to/route.md",
    "numbers.md": "reference/numbers.md",
    "http_carriers.md": "reference/http_carriers.md",
    "health.md": "explain/health.md",
}


def test_every_chinese_page_has_its_english_one() -> None:
    assert {path.name for path in (DOCS / "zh").glob("*.md")} == set(_ORIGINALS)
    assert [name for name in _ORIGINALS.values() if not (DOCS / name).exists()] == []


@pytest.mark.parametrize(
    "name",
    [
        "tutorial.md",
        "webhooks.md",
        "bind.md",
        "batch-upload.md",
        "test-numbers.md",
        "numbers.md",
        "http_carriers.md",
        "health.md",
        "route.md",
    ],
)
def test_a_chinese_page_says_the_same_as_the_english_one(name: str) -> None:
    ours, original = ((DOCS / page).read_text("utf-8") for page in (f"zh/{name}", _ORIGINALS[name]))
    assert _asked(ours) == _asked(original)


def _asked(text: str) -> list[str]:
    """Return what a reader types or sends: commands, requests, test numbers."""
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    typed = [block for language, block in blocks if language in {"", "bash", "console"}]
    return typed + re.findall(r"^\| `(\+\d+)` \|", text, re.MULTILINE)


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
