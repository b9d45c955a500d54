"""What a process needs, opened once: settings, lake, warehouse, rollup store, readings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from app.measure.admitted import Failure
from app.measure.ledger_readings import LedgerReadings
from app.measure.readings import Readings
from app.measure.store import RollupStore
from app.measure.targets import load_targets
from app.settings import Settings
from data.engines import LakeWarehouse, Warehouse
from data.lake import Lake
from data.ledger_store import Store
from data.ledger_views import Bounds, ContractStates
from data.sql_warehouse import SqlWarehouse
from metrics.core.verdict import Target

if TYPE_CHECKING:
    from app.govern.admissibility import Contracts
    from app.govern.open import Door
    from app.govern.watch import Watch


@dataclass(frozen=True)
class Runtime:
    """The open stores of one process. Threads may share it."""

    settings: Settings
    lake: Lake
    warehouse: Warehouse
    store: RollupStore
    readings: Readings

    @cached_property
    def contracts(self) -> Contracts:
        """The ledger's data contracts against this warehouse."""
        from app.govern.admissibility import Contracts

        return Contracts(self.door, self.lake, self.warehouse, utc_now)

    @cached_property
    def door(self) -> Door:
        """The way to the ledger, which may be made later."""
        from app.govern.open import Door  # the ledger's modules are not needed to load or to refresh

        return Door(self.settings, utc_now)

    @cached_property
    def watch(self) -> Watch:
        """The bounds that the ledger keeps, against live Readings."""
        from app.govern.watch import Watch

        return Watch(self.door, self.readings, utc_now)

    def targets(self) -> tuple[Target, ...]:
        """The ledger's targets, those of `targets.toml` where the ledger holds none; and the budgets of what runs."""
        from app.govern import books

        ledger = self.door.ledger()
        held = books.promises(ledger) if ledger else books.Promises()
        return (*(held.targets or load_targets(self.settings.home)), *held.budgets)


def open_runtime(settings: Settings) -> Runtime:
    """Open the stores under `settings.home` and the warehouse that the settings name."""
    lake = Lake(settings.home)
    warehouse: Warehouse = (
        SqlWarehouse(settings.warehouse_url, settings.warehouse_schema)
        if settings.warehouse_url
        else LakeWarehouse(lake, settings.duckdb_memory)
    )
    store = RollupStore(lake, settings.duckdb_memory)

    def objections(tables: tuple[str, ...]) -> tuple[Failure, ...]:
        return runtime.contracts.failures(tables)

    def ledger_store() -> Store | None:
        held = runtime.door.ledger()
        return held.store if held else None

    def bounds() -> Bounds:
        return runtime.watch.bounds()

    def contracts() -> ContractStates:
        return runtime.contracts.states()

    registers = LedgerReadings(ledger_store, utc_now, bounds, contracts)
    runtime = Runtime(settings, lake, warehouse, store, Readings(warehouse, store, objections, registers))
    return runtime


@lru_cache(maxsize=8)
def shared_runtime(settings: Settings) -> Runtime:
    """The stores of this process, one for each home: what one thread has read, all know."""
    return open_runtime(settings)


def utc_now() -> dt.datetime:
    """The clock. The only place that reads it; everything else is handed the time."""
    return dt.datetime.now(dt.UTC)
