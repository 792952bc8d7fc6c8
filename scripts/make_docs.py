"""Write the pages of docs/ that are made from the code; with --check only say which of them are stale."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import click

from yanshu.cli.commands import commands
from yanshu.domain.lanes import Lane
from yanshu.domain.messages import FINALS, TRANSITIONS, Status
from yanshu.domain.outcomes import TOLD, OutcomeClass
from yanshu.domain.reasons import REASONS
from yanshu.domain.retries import Retry, retry_of
from yanshu.edge.api.app import ENDPOINTS
from yanshu.edge.api.catalogue import CATALOGUE, in_print
from yanshu.rules.routing.codes import FAMILIES, SILENT, STATES, TABLES, UNTOLD, shipped_codes
from yanshu.runtime.metrics import TABLE
from yanshu.settings import PREFIX, SECRET_FIELDS, Settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "yanshu"
DOCS = ROOT / "docs"
# Drawn as one box; each of them may become each other.
WAITING = (Status.HELD, Status.SCHEDULED, Status.QUEUED)
NOTE = "<!-- Made by `make docs` from {source}; change it there. -->\n"


def first_line(path: Path) -> str:
    """Return the first line of a module's docstring: what the file is for."""
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def modules() -> Iterator[Path]:
    """Yield every module of the package; a folder's `__init__.py` comes before its siblings and sub-folders last."""
    for folder in sorted({path.parent for path in PACKAGE.rglob("*.py")}):
        yield from sorted(folder.glob("*.py"), key=lambda path: (path.name != "__init__.py", path.name))


def render_map() -> str:
    """Return the map of the tree: one line a file."""
    lines = [NOTE.format(source="the modules' docstrings"), "# Map", "", "What every file is for, one line each, folder by folder.", ""]
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        if path.name == "__init__.py":
            lines += ["", f"## {path.parent.relative_to(ROOT).as_posix()}/", first_line(path), ""]
        else:
            lines.append(f"- [`{path.name}`](../{name}): {first_line(path)}")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def render_settings() -> str:
    """Return the table of settings."""
    lines = [
        NOTE.format(source="`yanshu/settings.py`"),
        "# Settings",
        "",
        "Every setting is an environment variable; there is no file to write. The defaults run the embedded form. A variable that",
        "begins with `YANSHU_` and is not in this table is an error, so that a typing mistake does not pass silently; so is a value that",
        "makes no sense. `yanshu serve` has options for the first ones (`--help`), which win.",
        "`yanshu doctor` prints the values in force, secrets hidden.",
        "",
        "| variable | default | what it does |",
        "|---|---|---|",
    ]
    for declared in fields(Settings):
        default = "" if declared.default == "" else f"`{declared.default}`"
        secret = " Secret: never printed." if declared.name in SECRET_FIELDS else ""
        lines.append(f"| `{PREFIX}{declared.name.upper()}` | {default} | {declared.metadata['help']}{secret} |")
    return "\n".join(lines) + "\n"


def drawn_steps() -> Iterator[tuple[str, str]]:
    """Yield the steps to draw: those that all waiting statuses share leave from, or lead to, the box around them."""
    group = frozenset(WAITING)
    shared = frozenset.intersection(*(TRANSITIONS[status] for status in WAITING)) - group
    if not all(group <= TRANSITIONS[status] for status in WAITING):
        raise ValueError("the waiting statuses are no longer one group: draw them apart")
    for status, following in TRANSITIONS.items():
        if status in group:
            rest = following - shared - group
        elif group <= following:
            yield status, "waiting"
            rest = following - group
        else:
            rest = following
        yield from ((status, new) for new in Status if new in rest)
    yield from (("waiting", new) for new in Status if new in shared)


def render_status() -> str:
    """Return the picture of a message's life."""
    lines = [
        NOTE.format(source="`TRANSITIONS` in `yanshu/domain/messages.py`"),
        "# The statuses of a message",
        "",
        "Every step that a message can take. A final status has no way out, but for the one correction: a delivered receipt that",
        "comes within 72 hours of `undelivered` or `expired` moves the message to `delivered` and is logged as `message.corrected`.",
        "The way from `waiting` to `delivered` is of a message that waits to be sent again, when a late receipt says that it arrived.",
        "Within `waiting` a message may go from each status to each other one.",
        "What each open status waits for, and what follows when it waits too long, is in",
        "[What we promise about delivery](delivery-promises.md).",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    state waiting {",
        *(f"        {status}" for status in WAITING),
        "    }",
        f"    [*] --> {Status.ACCEPTED}",
        *(f"    {source} --> {target}" for source, target in drawn_steps()),
    ]
    lines += [f"    {status} --> [*]" for status in Status if status in FINALS]
    return "\n".join([*lines, "```", ""])


def render_errors() -> str:
    """Return the table of error codes with their messages in both languages."""
    lines = [
        NOTE.format(source="`CATALOGUE` in `yanshu/edge/api/catalogue.py`"),
        "# Errors",
        "",
        "Every refusal has this body; `code` is stable, `message` is for people and comes in the language of `Accept-Language`:",
        "",
        "```json",
        '{"error": {"type": "…", "code": "…", "message": "…", "param": "…", "details": [], "retryable": false,',
        '           "request_id": "req_…", "doc_url": "…"}}',
        "```",
        "",
        "`retryable` says whether the same request may succeed later; then `Retry-After` says when. `{…}` is filled in.",
        "",
    ]
    for code, entry in sorted(CATALOGUE.items()):
        told = [in_print(text) for text in (entry.en, entry.zh)]
        lines += [f"## {code}", f"HTTP {entry.status}, `{entry.type}`", "", *(f"- {text}" for text in told), ""]
    return "\n".join(lines)


def render_reasons() -> str:
    """Return the table of reasons a message may carry."""
    lines = [
        NOTE.format(source="`REASONS` in `yanshu/domain/reasons.py`"),
        "# Reasons",
        "",
        "Why a message is where it is: `reason.code`, who can act (`reason.owner`), and advice. `reason.raw` is the carrier's own code.",
        "A message that was rejected carries the code of the [error](errors.md) that a single send would have been answered with.",
        "",
        "| code | owner | advice |",
        "|---|---|---|",
    ]
    lines += [f"| `{code}` | {reason.owner} | {reason.en}<br>{reason.zh} |" for code, reason in sorted(REASONS.items())]
    return "\n".join(lines) + "\n"


def _by_class(read: dict[str, OutcomeClass]) -> str:
    """Return what is read as each class, class by class."""
    classes = dict.fromkeys(read.values())
    return "; ".join(f"{', '.join(f'`{code}`' for code in read if read[code] is outcome)} as {outcome}" for outcome in classes)


def receipt_grounds() -> list[str]:
    """Return how the code of a receipt is read."""
    families, states = _by_class(FAMILIES), _by_class(STATES)
    return [
        NOTE.format(source="`yanshu/domain/outcomes.py`, `yanshu/domain/retries.py` and `yanshu/rules/routing/codes.py`"),
        "# Receipt codes",
        "",
        "A receipt carries a state (`stat`) and an error (`err`) in the carrier's own words, a refused submit a `code`.",
        "`GET /v1/messages/{id}/explain` keeps them and says of each attempt what its last word means: `class`, `grounds`, `owner`",
        "(who must act; null: nobody) and `advice` in your language. The class is the `reason` of a message that ends by it, too.",
        "`GET /v1/receipt_codes/{code}?carrier=` says it of one code, with `retry` by lane; the carriers are",
        f"{', '.join(f'`{table}`' for table in TABLES)}.",
        "",
        "## Where the meaning comes from",
        f"`yanshu/rules/routing/receipt_codes.csv` lists {len(shipped_codes()):,} codes; date and sources are in its head.",
        "The same short number means different things at different carriers, so a code is looked up by carrier: the operator of the",
        "recipient's range, else of the connector's protocol. Answers to a submit are looked up by protocol, or by the provider of an HTTP",
        "carrier, in the tables `…_resp`; SGIP, Twilio and Vonage have tables of reports, too, since their numbers are their own.",
        "A good state (delivered, accepted) wins over any error. Else the first of these answers:",
        "",
        "| `grounds` | what answers |",
        "|---|---|",
        "| `overridden` | [an override](#where-a-carrier-means-something-else) for the connector, for the table, or for `any` |",
        "| `listed` | the carrier's own table has the code |",
        "| `shared` | the table for all carriers has it; or it has a letter in it, and all tables that have it agree |",
        "| `joined` | China Telecom's state and error in one (`UNDELIVS705S`) or side by side: together, or by the error |",
        f"| `family` | China Mobile's family of codes: {families} |",
        f"| `state` | the state alone: {states} |",
        "| `answer` | an answer whose code no table has: a passing fault as carrier_error, a refusal as unknown |",
        "| `nothing` | none of them: `unknown` |",
        "| `earlier` | it was read so when it came, and what followed was decided by that; today's table reads it otherwise |",
        "",
        "Most codes have a single source, and gateways differ: take `family`, `state` and numbers for a good guess, not for proof.",
        "",
        "## Where a carrier means something else",
        "A province's gateway or a reseller may use a code for something of its own. An override says so, for a table or for one",
        "connector, and comes before everything but a good state; what is decided from then on is decided by it, in every process within",
        "two seconds. It names a class; owner, advice and whether it is sent again follow from that.",
        "",
        "```",
        'PUT /v1/receipt_codes/MK:0001?carrier=con_01J…   {"class": "suspended", "note": "says so by mail of 3 March"}',
        "DELETE /v1/receipt_codes/MK:0001?carrier=con_01J…",
        "GET /v1/receipt_codes?carrier=con_01J…",
        'PUT /v1/receipt_codes   {"dry_run": true, "overrides": [{"carrier": "cmcc", "code": "MK:0001", "class": "suspended"}]}',
        "```",
        "",
        "The last one puts a whole table in place of all overrides there are, such as one kept in a file; with `dry_run` it only tells",
        "which codes would be read otherwise. A row that is wrong refuses them all, and every wrong row is told with its fix.",
        "Whoever overrides a code knows what it means, so it counts as proven, unless its class is `unknown`.",
    ]


def render_receipt_codes() -> str:
    """Return what the codes of receipts are read as, and what follows from each class."""
    lines = [
        *receipt_grounds(),
        "",
        "## The classes",
        "",
        "| class | owner | advice |",
        "|---|---|---|",
    ]
    lines += [f"| `{outcome}` | {TOLD[outcome].owner or ''} | {TOLD[outcome].en}<br>{TOLD[outcome].zh} |" for outcome in OutcomeClass]
    lines += [
        "",
        "## Whether it is sent again",
        "What the platform does after such a receipt, by lane, within the bounds of",
        "[what we promise](../explain/delivery-promises.md#sent-again-when-it-did-not-arrive). A refused submit goes to the next",
        "connector at once, where the class is not `never`, `changed`, `filed` or `later`.",
        "",
        f"| class | {' | '.join(Lane)} |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{outcome}` | {' | '.join(_again(retry_of(outcome, lane)) for lane in Lane)} |" for outcome in OutcomeClass]
    lines += [
        "",
        "`never` do not; `wait` the last word has not been said; `changed` with another text; `filed` once the signature is filed;",
        "`elsewhere` and `other_operator` at once over a connector that was not used yet; `later` over the same one after each of the",
        "delays; `next_window` an hour later after `frequency`, at 8 in the morning (China) after `time_window`.",
        "",
        f"Codes that begin with {', '.join(f'`{code}`' for code in SILENT)}, and the state `{UNTOLD}`, say that nobody knows:",
        "the segment is `unclear`, and the message is sent again only when it accepts to arrive twice.",
    ]
    return "\n".join(lines) + "\n"


def _again(retry: Retry) -> str:
    """Return a way to try again in one cell."""
    told = [f"`{retry.way}`"]
    if retry.delays:
        told.append(", then ".join(f"{delay.total_seconds() / 60:.0f} min" for delay in retry.delays))
    elif retry.tries:
        told.append(f"×{retry.tries}")
    if retry.too_old_after:
        told.append(f"within {retry.too_old_after.total_seconds():.0f} s")
    return " ".join(told)


def render_errors_zh() -> str:
    """Return the table of error codes for those who read Chinese."""
    lines = [
        NOTE.format(source="`CATALOGUE` in `yanshu/edge/api/catalogue.py`"),
        "# 错误码",
        "",
        "所有拒绝都使用同一种应答体。`code` 稳定不变，供程序判断；`message` 供人阅读，`Accept-Language: zh` 时为中文；`param` 指出有问题的",
        "字段；`retryable` 为 `true` 时，稍后重试同样的请求可能成功，`Retry-After` 给出等待秒数。`{…}` 处填入具体内容。",
        "English: [errors](../reference/errors.md)。",
        "",
        "| code | HTTP | type | 说明 |",
        "|---|---|---|---|",
    ]
    for code, entry in sorted(CATALOGUE.items()):
        lines.append(f"| `{code}` | {entry.status} | `{entry.type}` | {in_print(entry.zh)} |")
    return "\n".join(lines) + "\n"


def render_endpoints() -> str:
    """Return the table of endpoints."""
    lines = [
        NOTE.format(source="`ENDPOINTS` in `yanshu/edge/api/app.py`"),
        "# Endpoints",
        "",
        "Every endpoint with the scope a key needs for it; the scope `admin` holds all others. Fields and answers are in the OpenAPI",
        "document (`/openapi.json`, to read and try at `/docs`). What holds for all of them is in [The HTTP API](api.md).",
        "",
        "| endpoint | scope | what it does |",
        "|---|---|---|",
    ]
    for endpoint in sorted(ENDPOINTS, key=lambda endpoint: endpoint.path.split("/")[2]):
        path = re.sub(r"\{(\w+):str\}", r"{\1}", endpoint.path)
        lines.append(f"| `{endpoint.method} {path}` | `{endpoint.scope}` | {endpoint.summary} |")
    return "\n".join(lines) + "\n"


def render_commands() -> str:
    """Return what every command says of itself."""
    lines = [
        NOTE.format(source="the help of the commands in `yanshu/cli/`"),
        "# Commands",
        "",
        "`.venv/bin/yanshu` in a clone, `yanshu` where the package is installed. [Settings](settings.md) come from the environment.",
        "",
    ]
    group = click.Context(commands, info_name="yanshu", terminal_width=100, max_content_width=100, **commands.context_settings)
    for name, command in commands.commands.items():
        context = click.Context(command, info_name=name, parent=group)
        lines += [f"## yanshu {name}", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


def render_metrics() -> str:
    """Return the table of metrics."""
    lines = [
        NOTE.format(source="`TABLE` in `yanshu/runtime/metrics.py`"),
        "# Metrics",
        "",
        "`GET /metrics` answers in the Prometheus text format, to loopback callers or to who brings `YANSHU_METRICS_TOKEN` as a bearer",
        "token. Every process has its own figures; sum them over processes. Queue depths and links are the same in each.",
        "",
        "| metric | kind | labels | what it counts |",
        "|---|---|---|---|",
    ]
    for name, (kind, text, labels) in TABLE.items():
        shown = ", ".join(f"`{label}`" for label in labels)
        lines.append(f"| `{name}` | {kind.__name__.lower()} | {shown} | {text} |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "map.md": render_map,
    "reference/settings.md": render_settings,
    "reference/errors.md": render_errors,
    "reference/endpoints.md": render_endpoints,
    "reference/commands.md": render_commands,
    "zh/errors.md": render_errors_zh,
    "reference/reasons.md": render_reasons,
    "reference/receipt-codes.md": render_receipt_codes,
    "reference/metrics.md": render_metrics,
    "explain/status.md": render_status,
}


def stale_pages() -> list[str]:
    """Return the generated pages that differ from what the code says now."""
    return [name for name, render in PAGES.items() if not (DOCS / name).exists() or (DOCS / name).read_text("utf-8") != render()]


def main() -> int:
    """Write stale pages, or with --check name them and fail."""
    stale = stale_pages()
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is stale: run `make docs`")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name](), "utf-8")
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
