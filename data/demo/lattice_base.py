"""What lattices share: their tables with the figures they must give, and rows that all of them write."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import SECOND, Ints

START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)  # a Monday
BASE = int(START.timestamp()) * SECOND


@dataclass(frozen=True)
class Figure:
    """What one metric must be. `where` pins dimensions, `settings` are the choices of the reader."""

    key: str
    value: float
    formula: str
    where: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Lattice:
    """Canonical tables by name, and the figures they must give."""

    tables: dict[str, pa.Table]
    figures: tuple[Figure, ...]

    def figure(self, key: str, **where: str) -> Figure:
        """The figure of a metric; KeyError where the lattice says nothing about it."""
        wanted = tuple(sorted(where.items()))
        for found in self.figures:
            if found.key == key and tuple(sorted((*found.where, *found.settings))) == wanted:
                return found
        raise KeyError(f"the lattice holds no figure for {key} {where}")

    def write(self, folder: Path) -> list[Path]:
        """Write `<folder>/<table>.parquet` for the loader; returns the files that have rows, sorted."""
        folder.mkdir(parents=True, exist_ok=True)
        return [
            folder / f"{name}.parquet"
            for name, table in sorted(self.tables.items())
            if files.write(folder, name, [table])
        ]


def activation_table(ids: pa.Array, people: pa.Array, channel: Ints, channels: tuple[str, ...]) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "activation_id": ids, "person_id": people, "record_id": people, "channel": files.words(channels, channel),
            "purpose": files.constant("marketing", n), "campaign_id": files.constant("lattice", n),
            "provider": files.constant("lattice", n),
        }
    )  # fmt: skip


def sent_table(ids: pa.Array, at: Ints) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "source": files.constant("lattice", n), "event_id": files.joined(ids, ":sent"), "activation_id": ids,
            "event_type": files.constant("sent", n), "event_at": files.times(at),
        }
    )  # fmt: skip


def watermark(end: int) -> pa.Table:
    """Every source is complete through `end`, microseconds."""
    return pa.table({"source": ["all"], "complete_through_at": files.times(np.array([end], np.int64))})
