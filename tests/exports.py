"""The lake's current rows as one Parquet folder a table: what an engine's lane reads in place of a company's tables."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from data.engines import LakeWarehouse
from data.lake import Lake, quoted

PARTS = 3  # files a table, so that a cluster has something to share out


def export(lake: Lake, folder: Path, only: Collection[str] | None = None) -> dict[str, Path]:
    """Folders by table, of those tables (of `only`) that have rows."""
    con = duckdb.connect()  # the product's own may write below its home only
    made = {}
    for name, table in LakeWarehouse(lake).tables().items():
        files = lake.manifest.files("facts", name)
        if not files or (only is not None and name not in only):
            continue
        own = folder / name
        own.mkdir(parents=True)
        for part in range(PARTS):
            if some := files[part::PARTS]:
                select = lake.view_sql(table, some)
                con.execute(
                    f"COPY ({select}) TO {quoted(str(own / f'part-{part}.parquet'))} (FORMAT PARQUET)"
                )
        made[name] = own
    con.close()
    return made
