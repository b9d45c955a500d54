"""The newest load as footers tell it is the newest of the rows, with statistics and without."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.engines import LakeWarehouse
from data.footers import latest_us
from data.lake import Lake, duck
from data.sql import DAY_US, Span
from tests.bench.activation_rows import FIRST_DAY, journeys

T0 = dt.datetime(2026, 3, 1, 12, 30, 15, 123_456, tzinfo=dt.UTC)
TIMES = [T0 - dt.timedelta(days=d, microseconds=d) for d in (3, 1, 0, 2)]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("times", "latest"),
    [(TIMES, T0), ([None, *TIMES, None], T0), ([None, None], None), ([], None), (TIMES[:1], TIMES[0])],
)
def test_the_latest_time(
    tmp_path: Path, told: bool, times: list[dt.datetime | None], latest: dt.datetime | None
):
    held = pa.table({"n": list(range(len(times))), "loaded_at": pa.array(times, pa.timestamp("us", "UTC"))})
    pq.write_table(held, tmp_path / "a.parquet", write_statistics=told, row_group_size=2)
    found = latest_us(tmp_path / "a.parquet", "loaded_at")
    assert found == (latest and round(latest.timestamp()) * 1_000_000 + latest.microsecond)


def test_the_newest_load_of_a_tables_days_is_that_of_its_rows(tmp_path: Path):
    lake = Lake(tmp_path)
    journeys(lake, rows=3000, days=3)
    warehouse = LakeWarehouse(lake)
    con = duck(lake.home)
    for name, event in (("signals", "scored_at"), ("message_events", "event_at"), ("activations", None)):
        files = lake.manifest.files("facts", name)
        for first, last in ((0, 0), (1, 2), (-9, 99), (50, 60)):
            span = Span(FIRST_DAY + first, FIRST_DAY + last)
            low, high = span.first * DAY_US, (span.last + 1) * DAY_US
            inside = f"epoch_us({event}) >= {low} AND epoch_us({event}) < {high}" if event else "true"
            rows = f"SELECT max(epoch_us(loaded_at)) FROM ({lake.parquet_sql(files)}) WHERE {inside}"
            assert (warehouse.newest(name, span),) == con.execute(rows).fetchone(), (name, first)
    assert warehouse.newest("consents", Span(0, 99_999)) is None
