"""The same warehouse in the embedded lake and on another engine, both refreshed, and what differs."""

from __future__ import annotations

from pathlib import Path

from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data.load.tables import load_tables
from metrics import ROLLUPS
from tests.cases import CASES
from tests.compare import _alike
from tests.conftest import NOW, clock

STORED = tuple(k for k, r in ROLLUPS.items() if r.stored and not r.ledger)


def golden(home: Path) -> Runtime:
    """The worked warehouse in a lake, not refreshed."""
    runtime = open_runtime(Settings(home=home))
    for file in sorted((CASES / "golden").glob("*.csv")):
        (report,) = load_tables(runtime.lake, file.stem, [file], now=NOW)
        assert report.outcome == "loaded", report.message()
    return runtime


def read_by(keys: tuple[str, ...]) -> set[str]:
    """The tables that a refresh of these rollups looks at."""
    return {"data_watermarks", *(t for k in keys for t in ROLLUPS[k].tables)}


def twin(url: str, schema: str, home: Path) -> Runtime:
    """A runtime that reads a schema of another engine and keeps its cells in its own home."""
    return open_runtime(Settings(home=home, warehouse_url=url, warehouse_schema=schema))


def computed(runtime: Runtime, keys: tuple[str, ...], **options: object) -> None:
    refresh([ROLLUPS[k] for k in keys], runtime.warehouse, runtime.store, clock, **options)


def unlike(a: Runtime, b: Runtime, keys: tuple[str, ...]) -> list[str]:
    """Rollups whose cells differ in a key, a count or the first nine digits of a sum."""
    return [k for k in keys if not _alike(a, b, k)]


def cells(runtime: Runtime, keys: tuple[str, ...]) -> int:
    """How many cells there are, so that nothing is compared with nothing."""
    stores = [(ROLLUPS[k], runtime.store) for k in keys]
    return sum(len(s.columns(r, ("day",), (), None)["day"]) for r, s in stores)
