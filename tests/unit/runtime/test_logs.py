"""Log lines are structured, masked, and say nothing of texts above DEBUG."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from yanshu.runtime.logs import configure_logs, get_logger


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_its_fields_and_masked_numbers() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream)
    get_logger("notify").info("opted out", recipient="+8613800138000", text="您好", count=2)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "opted out",
        "component": "notify",
        "level": "info",
        "recipient": "+86138****8000",
        "text": "<2 characters>",
        "count": 2,
    }


def test_texts_are_shown_at_debug_only_and_their_numbers_masked_even_there() -> None:
    stream = io.StringIO()
    configure_logs("DEBUG", "json", stream)
    log = get_logger("accept")
    log.debug("composed", text="call 13800138000")
    log.warning("composed", text="call 13800138000")
    assert [line["text"] for line in lines(stream)] == ["call 138****8000", "<16 characters>"]


def test_the_level_holds_back_what_is_below_it() -> None:
    stream = io.StringIO()
    configure_logs("WARNING", "json", stream)
    get_logger("x").info("not shown")
    get_logger("x").error("shown")
    assert [line["event"] for line in lines(stream)] == ["shown"]


def test_lines_of_libraries_look_like_ours_and_are_masked() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream)
    logging.getLogger("somebody.else").warning("cannot reach %s", "+8613800138000")
    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("cannot reach +86138****8000", "warning")


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_tracebacks_are_masked_too(log_format: str) -> None:
    stream = io.StringIO()
    configure_logs("INFO", log_format, stream)
    try:
        raise LookupError("no route for +8613800138000")
    except LookupError:
        get_logger("x").exception("broke")
    assert "LookupError: no route for +86138****8000" in stream.getvalue()


@pytest.mark.parametrize(("level", "log_format"), [("LOUD", "json"), ("INFO", "xml")])
def test_what_cannot_be_configured_is_an_error(level: str, log_format: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        configure_logs(level, log_format, io.StringIO())
