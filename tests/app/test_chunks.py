"""How many queries a refresh asks: bounded by rows where days stand alone, one where other tables are read anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from app.measure import refresh
from data.engines import Warehouse
from metrics import ROLLUPS


class Sized:
    """A warehouse that has the same number of rows each day."""

    def __init__(self, rows: int, days: int) -> None:
        self._sizes = dict.fromkeys(range(days), rows)

    def sizes(self, _: tuple[str, ...]) -> Mapping[int, int]:
        return self._sizes


def queries(key: str, *, rows: int, days: int) -> list[list[int]]:
    warehouse = cast("Warehouse", Sized(rows, days))
    found = refresh._chunks(range(days), ROLLUPS[key], warehouse)
    assert [day for chunk in found for day in chunk] == list(range(days))
    return found


@pytest.mark.parametrize("days", [30, 300, 3000])
def test_days_that_stand_alone_are_asked_for_within_the_bound_of_rows(days: int):
    assert len(queries("model.scores", rows=4_000_000, days=days)) == days // 2


@pytest.mark.parametrize("days", [30, 300, 3000])
def test_tables_of_any_time_are_not_read_more_often_as_history_grows(days: int):
    assert len(queries("activation.states", rows=4_000_000, days=days)) == 1


def test_a_small_warehouse_is_asked_once():
    assert len(queries("activation.states", rows=10_000, days=180)) == 1
    assert len(queries("model.scores", rows=10_000, days=180)) == 1
