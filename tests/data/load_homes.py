"""Small lakes and files for the loader's tests."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Sequence
from pathlib import Path

from data import schema
from data.lake import Lake, duck
from data.load.report import LoadReport
from data.load.tables import load_tables

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)
HEAD = "prediction_id,model_id,entity_id,predicted_at,score\n"
ROW = "007,m,NA,2026-01-01T00:00:00Z,0.5\n"
Rows = list[tuple[object, ...]]


def load(lake: Lake, name: str, *files: Path, **options: bool) -> LoadReport:
    """Load the files and return the last report."""
    return load_tables(lake, name, files, now=NOW, **options)[-1]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """A file with this content; names that end in .gz are packed."""
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def rows(lake: Lake, name: str, columns: Sequence[str] = ()) -> Rows:
    """Every row the lake holds of a table, sorted; all columns unless some are named."""
    files = lake.manifest.files("facts", name)
    extra = sorted({c for f in files for c in f.columns if schema.open_kind(c)})
    chosen = ", ".join(f'"{c}"' for c in columns) or "*"
    view = lake.view_sql(schema.extended(schema.METADATA.tables[name], tuple(extra)), files)
    con = duck(lake.home)
    try:
        found = con.execute(f"SELECT {chosen} FROM ({view})").fetchall()
    finally:
        con.close()
    return sorted(found, key=repr)


def tree(home: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(p.relative_to(home)): p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file()}
