"""The benchmarks' hand-written SQL gives the same cells as the rollups: else their times say nothing, and it is an oracle too."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime, utc_now
from app.settings import Settings
from data.lake import Lake
from metrics import ROLLUPS
from tests.bench import hands
from tests.bench.activation_rows import journeys
from tests.bench.warehouses import predictions

ROWS, DAYS = 20_000, 20  # twenty days: the first ones are followed for a fortnight
EMPTY = (
    "activation.staleness",
    "suppression.withheld",
)  # the benchmarks' data names no features and refuses nothing


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    home: Path = tmp_path_factory.mktemp("hands")
    journeys(Lake(home), rows=ROWS, days=DAYS)
    predictions(Lake(home), rows=ROWS, days=DAYS, models=2)
    made = open_runtime(Settings(home=home))
    refresh([ROLLUPS[key] for key in hands.STATEMENTS], made.warehouse, made.store, utc_now)
    return made


def _sorted(frame: pd.DataFrame, keys: list[str], names: list[str]) -> pd.DataFrame:
    for key in keys:
        frame[key] = frame[key].map(lambda v: "" if pd.isna(v) else str(v))
    return frame[[*keys, *names]].sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("key", hands.STATEMENTS)
def test_by_hand(runtime: Runtime, key: str):
    rollup = ROLLUPS[key]
    by_hand = hands.cells(runtime.store.lake.home, key).to_pandas()
    keys = [k for k in ("day", *runtime.store.dims(rollup), *rollup.inner) if k in by_hand]
    counts = [c for c in by_hand if c not in keys]
    ours = pd.DataFrame(runtime.store.columns(rollup, keys, (), None))
    assert (len(ours) == 0) == (len(by_hand) == 0) == (key in EMPTY)
    if key not in EMPTY:
        found, expected = (_sorted(frame, keys, counts) for frame in (ours, by_hand))
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12)
