"""Logs: structured lines, a constant message and fields, with numbers masked and texts withheld above DEBUG."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from yanshu.runtime.masks import mask_text, mask_value

# Fields that carry what people write to each other. They appear as they are at DEBUG only.
TEXT_FIELDS = frozenset({"text", "texts", "body", "content", "params", "pieces"})
# Libraries whose lines below WARNING say nothing that ours do not, or carry the values of statements.
_CHATTY = ("aiosqlite", "alembic", "asyncio", "sqlalchemy", "uvicorn")
_UNMASKED = frozenset({"timestamp", "level"})

EventDict = MutableMapping[str, Any]


def mask_fields(_logger: object, method: str, fields: EventDict) -> EventDict:
    """Structlog processor: mask phone numbers in every field, and withhold texts unless the line is a DEBUG line."""
    withheld = TEXT_FIELDS if method != "debug" else frozenset()
    for name, value in fields.items():
        if name in withheld:
            fields[name] = mask_text(value)
        elif name not in _UNMASKED:
            fields[name] = mask_value(value)
    return fields


def configure_logs(level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Send our lines, and those of the libraries we use, to `stream` (default stderr).

    `level` is DEBUG, INFO, WARNING or ERROR; `log_format` is ``json`` or ``text``. Raises ValueError for anything else.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level must be DEBUG, INFO, WARNING or ERROR, not {level!r}")
    shared = _processors()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(log_format.lower())],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get_logger(component: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines carry `component`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(component=component)
    return logger


def _processors() -> list[structlog.typing.Processor]:
    """What every line passes, ours or a library's; masking comes last so that tracebacks are masked too."""
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask_fields,
    ]


def _renderer(log_format: str) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    if log_format == "text":
        return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    raise ValueError(f"log format must be json or text, not {log_format!r}")
