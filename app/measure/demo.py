"""The demo through the front door: simulated files pass the same loader as a company's own."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.runtime import Runtime
from data.demo import demo_targets, write_demo
from data.load.report import LoadReport
from data.load.tables import load_tables


class DemoError(RuntimeError):
    """The demo would mix with real data, or did not pass the loader."""


@dataclass(frozen=True)
class Demo:
    """What the demo wrote."""

    home: Path
    days: int
    until: dt.date
    loads: tuple[LoadReport, ...]

    def message(self) -> str:
        rows = sum(r.rows_new for r in self.loads)
        return f"demo written to {self.home}: {rows:,} rows over {self.days} days to {self.until:%d %b %Y}"


def write(runtime: Runtime, now: dt.datetime, *, days: int, persons: int, seed: int) -> Demo:
    """Write the simulated warehouse, its truth and its targets into an empty home."""
    if runtime.settings.mode != "demo" or runtime.settings.warehouse_url:
        raise DemoError("demo data exist only in demo mode on the embedded warehouse")
    if runtime.lake.manifest.files("facts"):
        raise DemoError(f"{runtime.settings.home} already holds data; give an empty folder with --home")
    until = now.date() - dt.timedelta(days=1)
    home = runtime.settings.home
    with tempfile.TemporaryDirectory(dir=home) as folder:
        write_demo(Path(folder), until=until, days=days, persons=persons, seed=seed)
        for truth in sorted(Path(folder).glob("truth*")):
            (home / truth.name).write_bytes(truth.read_bytes())
        files = sorted(Path(folder).glob("*.parquet"))
        loads = tuple(r for f in files for r in load_tables(runtime.lake, f.stem, [f], now=now))
    refused = [r for r in loads if r.outcome == "refused"]
    if refused:
        raise DemoError("; ".join(r.message() for r in refused))
    (home / "targets.toml").write_text(demo_targets(), encoding="utf-8")
    return Demo(home, days, until, loads)
