"""What a process needs, opened once: settings, lake, warehouse, rollup store, readings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.measure.readings import Readings
from app.measure.store import RollupStore
from app.measure.targets import load_targets
from app.settings import Settings
from data.engines import LakeWarehouse, Warehouse
from data.lake import Lake
from data.sql_warehouse import SqlWarehouse
from metrics.core.verdict import Target


@dataclass(frozen=True)
class Runtime:
    """The open stores of one process. Threads may share it."""

    settings: Settings
    lake: Lake
    warehouse: Warehouse
    store: RollupStore
    readings: Readings

    def targets(self) -> tuple[Target, ...]:
        """The ledger's targets; those of `targets.toml` where the ledger holds none."""
        from app.govern import books  # the ledger's modules are not needed to load or to refresh
        from app.govern.open import existing_ledger

        ledger = existing_ledger(self.settings, utc_now)
        return (books.targets(ledger) if ledger else ()) or load_targets(self.settings.home)


def open_runtime(settings: Settings) -> Runtime:
    """Open the stores under `settings.home` and the warehouse that the settings name."""
    lake = Lake(settings.home)
    warehouse: Warehouse = (
        SqlWarehouse(settings.warehouse_url, settings.warehouse_schema)
        if settings.warehouse_url
        else LakeWarehouse(lake, settings.duckdb_memory)
    )
    store = RollupStore(lake, settings.duckdb_memory)
    return Runtime(settings, lake, warehouse, store, Readings(warehouse, store))


def utc_now() -> dt.datetime:
    """The clock. The only place that reads it; everything else is handed the time."""
    return dt.datetime.now(dt.UTC)
