"""Many small random warehouses in one home: one load and a few statements judge them all against the oracle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from app.measure.reach import observed_us
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from data.engines import Columns
from data.load.tables import load_tables
from data.sql import Facts, known_at
from metrics.core.metric import Rollup
from tests.oracle.engine import View, World, world
from tests.oracle.warehouses import Tables, csv_text, side_by_side, warehouses

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)


def harvest(n: int, end: float | None, seed: int = 0) -> list[Tables]:
    """So many warehouses with one common watermark, as hypothesis makes them."""
    found: list[Tables] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=n,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(warehouses(end=st.just(end)))
    def take(tables: Tables) -> None:
        found.append(tables)

    take()
    return found


def loaded(tables: Mapping[str, Sequence[Mapping[str, object]]], folder: Path) -> Runtime:
    """The tables through the loader into a fresh home."""
    runtime = open_runtime(Settings(home=folder / "home"))
    load(runtime, tables, folder)
    return runtime


def load(runtime: Runtime, tables: Mapping[str, Sequence[Mapping[str, object]]], folder: Path) -> None:
    for name, rows in tables.items():
        if not rows:
            continue
        file = folder / f"{name}-{runtime.lake.manifest.generation()}.csv"
        file.write_text(csv_text(rows))
        for report in load_tables(runtime.lake, name, [file], now=NOW):
            assert report.outcome != "refused", report.message()


@dataclass(frozen=True)
class Judged:
    """A home of many warehouses, and each of them as the oracle sees it at `as_of`."""

    runtime: Runtime
    parts: tuple[Tables, ...]
    as_of: dt.datetime | None

    @classmethod
    def of(cls, parts: Sequence[Tables], folder: Path, as_of: str | None = None) -> Judged:
        return cls(loaded(side_by_side(parts), folder), tuple(parts), moment(as_of))

    def at(self, as_of: str | None) -> Judged:
        return Judged(self.runtime, self.parts, moment(as_of))

    def worlds(self) -> list[World]:
        """The warehouses as they were known, with the observation end of the whole."""
        view = View(as_of=None if self.as_of is None else self.as_of.isoformat())
        found = [world(t, view) for t in self.parts]
        end = max(w.end for w in found)
        for w in found:
            w.end = end
        return found

    def facts(self, rollup: Rollup[object], dims: tuple[str, ...] = ()) -> Facts:
        warehouse = self.runtime.warehouse
        tables = {n: known_at(t, self.as_of) for n, t in warehouse.tables().items()}
        return Facts(tables, dims, observed_us=observed_us(rollup, warehouse, tables, self.as_of))

    def columns(self, rollup: Rollup[object], statement: sa.Select[tuple[object, ...]]) -> Columns:
        with self.runtime.warehouse.session(rollup.tables) as session:
            return session.columns(statement)

    def cells(self, rollup: Rollup[object]) -> Columns:
        """The rollup's cells over everything, with the observation end beside them."""
        facts = self.facts(rollup)
        return self.columns(rollup, rollup.select(facts)) | {"observed_us": np.array([facts.observed_us])}


def moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
