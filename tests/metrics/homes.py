"""A home filled from CSV text and refreshed for some rollups only: quicker than the whole registry."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data.load.tables import load_tables
from metrics.core.metric import Rollup
from tests.conftest import NOW, clock


def brought_up(runtime: Runtime, rollups: Iterable[Rollup[Any]], *, full: bool = False) -> Runtime:
    refresh(rollups, runtime.warehouse, runtime.store, clock, full=full)
    return runtime


def loaded_into(
    home: Path, tables: dict[str, str], rollups: Iterable[Rollup[Any]], runtime: Runtime | None = None
) -> Runtime:
    """Tables as CSV text, loaded into a new home (or that of `runtime`) and refreshed."""
    home.parent.mkdir(parents=True, exist_ok=True)
    runtime = runtime or open_runtime(Settings(home=home))
    for name, text in tables.items():
        file = home.parent / f"{home.name}-{name}-{abs(hash(text))}.csv"
        file.write_text(text)
        for report in load_tables(runtime.lake, name, [file], now=NOW):
            assert report.outcome != "refused", report.message()
    return brought_up(runtime, rollups)
