"""Keyset pages: the query parameters of every list, and the shape of its answer."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from yanshu.domain.errors import Invalid
from yanshu.domain.ids import is_id
from yanshu.ports.filters import Page

T = TypeVar("T")
Limit = Annotated[int, Meta(ge=1, le=200, description="Rows of a page.")]
Cursor = Annotated[str, Meta(max_length=64, description="`next_cursor` of the page before.")]


class PageQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Parameters every list takes."""

    limit: Limit = 50
    cursor: Cursor | None = None
    order: Literal["asc", "desc"] = "desc"


class ListOut(Struct, Generic[T]):
    """A page of a list; `next_cursor` gets the next one."""

    data: list[T]
    has_more: bool
    next_cursor: str | None
    object: Literal["list"] = "list"


def page_of(query: PageQuery, prefix: str) -> Page:
    """Return the page to read: one row more than asked, to know whether there are more. A cursor is one of this very list."""
    if query.cursor is not None and not is_id(query.cursor, prefix):
        raise Invalid("parameter_invalid", param="cursor", fix="next_cursor of an earlier page")
    return Page(limit=query.limit + 1, after=query.cursor, descending=query.order == "desc")


def list_of(rows: Sequence[Any], query: PageQuery, show: Callable[[Any], Any], resume_after: str | None = None) -> ListOut[Any]:
    """Return the page made of `rows`, which were read with `page_of`; a search that stopped early goes on at `resume_after`."""
    shown = rows[: query.limit]
    following = shown[-1].id if len(rows) > query.limit else resume_after
    return ListOut([show(row) for row in shown], following is not None, following)
