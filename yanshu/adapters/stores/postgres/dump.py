"""A plain-data dump of a PostgreSQL store: a gzip'd script of COPY blocks, one a table, all of one moment.

Restore: `yanshu migrate` on an empty database, then ``zcat dump.sql.gz | psql --single-transaction -v ON_ERROR_STOP=1 URL``.
The first lines empty the tables (migrations put rows in), the blocks are PostgreSQL's own text form of COPY.
"""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import asyncpg

from yanshu.adapters.stores.tables import metadata

# Numbers of transactions begin low in another cluster: what is appended there must still come behind what is restored.
_GO_ON = (
    b"UPDATE counters SET value = greatest(0, (SELECT coalesce(max(commit_number), 0) FROM event_packs)"
    b" - pg_current_xact_id()::text::bigint + 1) WHERE name = 'commit_offset';\n"
)


async def dump(driver: "asyncpg.Connection[Any]", target: str) -> None:
    """Write the dump to the path `target`, in the transaction (and so the snapshot) `driver` is in.

    It is written beside the target and renamed when it is whole: a dump that broke off is never taken for a good one.
    """
    partial = Path(f"{target}.partial")
    with await asyncio.to_thread(gzip.open, partial, "wb", 6) as file:

        async def write(data: bytes) -> None:
            await asyncio.to_thread(file.write, data)

        tables = metadata.sorted_tables
        await write(f"TRUNCATE {', '.join(table.name for table in tables)};\n".encode())
        for table in tables:
            columns = [column.name for column in table.columns]
            names = ", ".join(f'"{name}"' for name in columns)
            await write(f"COPY {table.name} ({names}) FROM stdin;\n".encode())
            await driver.copy_from_table(table.name, columns=columns, output=write)
            await write(b"\\.\n")
        await write(_GO_ON)
    await asyncio.to_thread(partial.replace, target)
