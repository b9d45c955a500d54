"""How many queries a refresh asks: bounded by rows where days stand alone, one where other tables are read anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from app.measure import refresh
from app.measure.chunks import QUERIES_BY_DAYS, chunks
from app.runtime import Runtime, open_runtime, utc_now
from app.settings import Settings
from data.engines import TooLargeError, Warehouse
from data.lake import Lake
from metrics import ROLLUPS
from tests.bench.activation_rows import journeys

STATES = "activation.states"


class Sized:
    """A warehouse that has the same number of rows each day."""

    def __init__(self, rows: int, days: int) -> None:
        self._sizes = dict.fromkeys(range(days), rows)

    def sizes(self, _: tuple[str, ...]) -> Mapping[int, int]:
        return self._sizes


def queries(key: str, *, rows: int, days: int) -> list[list[int]]:
    warehouse = cast("Warehouse", Sized(rows, days))
    found = chunks(range(days), ROLLUPS[key], warehouse)
    assert [day for chunk in found for day in chunk] == list(range(days))
    return found


@pytest.mark.parametrize("days", [30, 300, 3000])
def test_days_that_stand_alone_are_asked_for_within_the_bound_of_rows(days: int):
    assert len(queries("model.scores", rows=4_000_000, days=days)) == days // 2


@pytest.mark.parametrize("days", [30, 300, 3000])
def test_tables_of_any_time_are_not_read_more_often_as_history_grows(days: int):
    assert len(queries("activation.states", rows=4_000_000, days=days)) == 1


@pytest.mark.parametrize("days", [30, 300, 3000])
def test_what_keeps_to_its_days_is_asked_for_in_few_queries_however_long_the_history(days: int):
    assert 1 < len(queries("chain.line", rows=4_000_000, days=days)) <= QUERIES_BY_DAYS + 1


def test_a_small_warehouse_is_asked_once():
    assert len(queries("chain.line", rows=10_000, days=180)) == 1
    assert len(queries("activation.states", rows=10_000, days=180)) == 1
    assert len(queries("model.scores", rows=10_000, days=180)) == 1


def cells(runtime: Runtime) -> list[tuple[object, ...]]:
    found = runtime.store.columns(ROLLUPS[STATES], ("day", "state"), (), None)
    return sorted(zip(*(found[name].tolist() for name in sorted(found)), strict=True))


def test_what_memory_does_not_hold_is_asked_for_in_halves(tmp_path: Path):
    """From far too little memory upwards: first it is refused and nothing is lost, then parts of the days are held."""
    journeys(Lake(tmp_path), rows=60_000, days=10)
    ample = open_runtime(Settings(home=tmp_path))
    refresh.refresh([ROLLUPS[STATES]], ample.warehouse, ample.store, utc_now)
    wanted, refused, parts = cells(ample), "", [0]
    for megabytes in range(10, 1000, 5):
        little = open_runtime(Settings(home=tmp_path, duckdb_memory=f"{megabytes}MB"))
        done: list[int] = []
        try:
            refresh.refresh(
                [ROLLUPS[STATES]], little.warehouse, little.store, utc_now, full=True,
                progress=lambda p, done=done: done.append(p.done),
            )  # fmt: skip
        except TooLargeError as error:
            refused = str(error)
        else:
            parts = done
        assert cells(ample) == wanted
        if parts[-1]:
            break
    assert "THROUGHLINE_DUCKDB_MEMORY" in refused
    assert len(parts) > 1
    assert parts[-1] == 10
