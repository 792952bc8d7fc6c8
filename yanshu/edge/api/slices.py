"""Slices: a keyset page of a small table that was read whole."""

from collections.abc import Sequence
from typing import Any

from yanshu.edge.api.paging import PageQuery, page_of


def slice_of(rows: Sequence[Any], query: PageQuery, prefix: str) -> list[Any]:
    """Return the page `query` asks for out of all rows, by id."""
    page = page_of(query, prefix)
    ordered = sorted(rows, key=lambda row: str(row.id), reverse=page.descending)
    after = page.after
    if after is not None:
        ordered = [row for row in ordered if (row.id < after if page.descending else row.id > after)]
    return ordered[: page.limit]
