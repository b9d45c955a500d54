"""`python -m tests.bench.activation`: latency states of signals against hand-written SQL and pandas, in one run.

Each contender runs in a process of its own, so that peak memory is its own. 100 signals : 41 activations : 4
suppressions over 30 days. Results go to docs/results/activation.md. Sizes: THROUGHLINE_BENCH_ROWS (signals).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.activation_pandas import Found, by_pandas, by_statsmodels
from tests.bench.contest import Contender, contest, machine, run_one, written

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "10000000"))
DAYS = 30
NEEDED = (
    "signals",
    "message_events",
    "activation_signals",
    "activations",
    "suppression_events",
    "outcomes",
    "data_watermarks",
)


def ours(home: Path) -> Found:
    """Full refresh of the state cells, then the count of every state."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from metrics import ALL, ROLLUPS
    from metrics.core.metric import Scope

    runtime = open_runtime(Settings(home=home, duckdb_memory="1500MB"))
    refresh([ROLLUPS["activation.states"]], runtime.warehouse, runtime.store, utc_now, full=True)
    found = runtime.readings.read(ALL["activation.signals"], Scope(by=("state",)))
    states = {str(dict(r.by)["state"]): int(r.value or 0) for r in found}
    return states | {"cells": sum(f.rows for f in runtime.store.files("activation.states"))}


FIGURES = ("activation.in_window_share", "activation.latency_median", "activation.incidence_in_window")


def ours_figures(home: Path) -> Found:
    """The states, and then share, median and cumulative incidence with their intervals for the whole and each model."""
    from app.runtime import open_runtime
    from app.settings import Settings
    from metrics import ALL
    from metrics.core.metric import Scope

    found = ours(home)
    readings = open_runtime(Settings(home=home)).readings
    for key in FIGURES:
        for by in ((), ("model_id",)):
            assert all(r.value is not None or r.reason for r in readings.read(ALL[key], Scope(by=by))), key
    return found


def by_hand(home: Path) -> Found:
    """The same states, cut to what this data needs, in one hand-written statement and as few words as possible."""
    import duckdb

    from tests.bench.warehouses import fact_paths

    con = duckdb.connect()
    for name in NEEDED:
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{fact_paths(home, name)}])")
    con.execute(
        f"SET memory_limit='3GB'; SET threads=2; SET preserve_insertion_order=false; SET temp_directory='{home}/scratch'"
    )
    (end,) = con.execute("SELECT min(epoch_us(complete_through_at)) FROM data_watermarks").fetchone() or (0,)
    cells = con.execute(f"""
        WITH s AS (SELECT signal_id, person_id, model_id, model_version, signal_name, epoch_us(scored_at) us, window_seconds * 1000000 w, arm, decision,
                     is_test, expected_value FROM signals),
          sent AS (SELECT activation_id, min(epoch_us(event_at)) us FROM message_events
                   WHERE event_type = 'sent' AND epoch_us(event_at) <= {end} GROUP BY 1),
          first AS (SELECT signal_id, min(sent.us) us, arg_min(channel, sent.us) channel,
                      arg_min(campaign_id, sent.us) campaign_id, arg_min(provider, sent.us) provider FROM activation_signals
                    JOIN activations USING (activation_id) JOIN sent USING (activation_id)
                    WHERE purpose = 'marketing' AND NOT coalesce(is_test, false) GROUP BY 1),
          x AS (SELECT person_id, epoch_us(effective_at) us, coalesce(epoch_us(expires_at), 9e18) ends
                FROM suppression_events WHERE action = 'suppress' AND epoch_us(effective_at) <= {end}),
          stop AS (SELECT signal_id, min(x.us) us FROM s JOIN x USING (person_id)
                   WHERE x.us >= s.us OR x.ends > s.us GROUP BY 1),
          won AS (SELECT signal_id, min(epoch_us(o.occurred_at)) us FROM s JOIN outcomes o USING (person_id)
                  WHERE outcome_type <> 'churn' AND epoch_us(o.occurred_at) BETWEEN s.us AND {end} GROUP BY 1),
          coded AS (SELECT s.*, first.us f, channel, campaign_id, provider, least(stop.us, won.us) r,
              CASE WHEN is_test THEN 'excluded_test' WHEN arm = 'holdout' THEN 'excluded_holdout'
                WHEN decision <> 'activate' THEN 'excluded_no_action' WHEN person_id IS NULL THEN 'unlinked_identity'
                WHEN first.us < s.us - 5000000 THEN 'invalid_negative'
                WHEN least(stop.us, won.us) < coalesce(first.us, 9e18) THEN
                  CASE WHEN won.us <= coalesce(stop.us, 9e18) THEN 'competing_converted' ELSE 'competing_suppressed' END
                WHEN first.us - s.us > w THEN 'late' WHEN first.us IS NOT NULL THEN 'in_window'
                WHEN {end} - s.us < w THEN 'open' ELSE 'missed' END AS state
            FROM s LEFT JOIN first USING (signal_id) LEFT JOIN stop USING (signal_id) LEFT JOIN won USING (signal_id))
        SELECT us // 86400000000 AS day, model_id, model_version, signal_name, channel, campaign_id, provider, state, w,
          CASE WHEN state IN ('open', 'missed') THEN us // 60000000
            WHEN starts_with(state, 'competing') THEN CAST(floor(256 * ln(1 + greatest(r - us, 0) / 1e6)) AS BIGINT)
            WHEN state IN ('in_window', 'late') THEN CAST(floor(256 * ln(1 + greatest(f - us, 0) / 1e6)) AS BIGINT)
            ELSE 0 END AS bucket,
          count(*) n, sum(greatest(coalesce(f, r) - us, 0)) took, sum(expected_value) expected
        FROM coded GROUP BY ALL
    """).fetchnumpy()
    found: Found = {"cells": len(cells["n"])}
    for state, n in zip(cells["state"], cells["n"], strict=True):
        found[str(state)] = found.get(str(state), 0) + int(n)
    return found


OURS = ("app.runtime", "app.measure.refresh", "metrics")
CONTENDERS = {
    "ours": Contender(ours, OURS),
    "hand-written SQL": Contender(by_hand, ("duckdb", "data.lake")),
    "pandas": Contender(by_pandas, ("pandas", "data.lake"), rounds=1),
    "ours, with figures": Contender(ours_figures, OURS, "ours, with figures"),
    "pandas and statsmodels, with figures": Contender(
        by_statsmodels,
        ("pandas", "statsmodels.stats.proportion", "data.lake"),
        "ours, with figures",
        rounds=1,
    ),
}


def one_new_day(home: Path, rows: int) -> float:
    """Seconds to bring the states up to date after one more day of `rows` signals."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from data.lake import Lake
    from metrics import ROLLUPS
    from tests.bench.activation_rows import FIRST_DAY, journeys

    journeys(Lake(home), rows=rows, days=1, first_day=FIRST_DAY + DAYS)
    runtime = open_runtime(Settings(home=home, duckdb_memory="1500MB"))
    started = time.perf_counter()
    refresh([ROLLUPS["activation.states"]], runtime.warehouse, runtime.store, utc_now)
    return time.perf_counter() - started


def main() -> None:
    from data.lake import Lake
    from tests.bench.activation_rows import journeys

    lines = [
        f"{ROWS:,} signals, {ROWS * 41 // 100:,} activations, {ROWS // 25:,} suppressions, {DAYS} days. {machine()}.",
        "All contenders give the same cells: day, six dimensions, state, window and bucket of the time taken.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        journeys(Lake(home), rows=ROWS, days=DAYS)
        lines += contest("tests.bench.activation", CONTENDERS, home)
        new = one_new_day(home, ROWS // DAYS)
        lines += ["", f"One new day of {ROWS // DAYS:,} signals: {new:.2f} s."]
    written("activation", "activation states", lines)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run_one(CONTENDERS[sys.argv[1]], Path(sys.argv[2]))
    else:
        main()
