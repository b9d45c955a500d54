"""`python -m tests.bench.suppression`: attempts against the stops they violate, in all eight views, beside hand-written SQL.

The data of activation.py. Results go to docs/results/suppression.md. Sizes: THROUGHLINE_BENCH_ROWS (signals).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.contest import Contender, Found, contest, machine, run_one, written

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "10000000"))
DAYS = 30
TABLES = ("message_events", "activations", "suppression_events", "activation_signals", "signals")
ROLLUP = "suppression.attempts"


def ours(home: Path) -> Found:
    """Full refresh of the cells behind every violation, then the violations of both policies on both clocks."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from metrics import ALL, ROLLUPS
    from metrics.core.metric import Scope

    runtime = open_runtime(Settings(home=home, duckdb_memory="1500MB"))
    refresh([ROLLUPS[ROLLUP]], runtime.warehouse, runtime.store, utc_now, full=True)
    metric = ALL["suppression.violations"]
    found: Found = {}
    for policy in ("strict", "industry"):
        for clock in ("effective", "received"):
            readings = runtime.readings.read(metric, Scope(settings=(("policy", policy), ("clock", clock))))
            found[f"{policy} {clock}"] = int(sum(r.value or 0 for r in readings))
    return found


def by_hand(home: Path) -> Found:
    """The same charges in the views that differ on this data, in one statement and as few words as possible.

    It knows what this data lacks: merges, releases, confirmations, refusals, propagations and jurisdictions.
    """
    import duckdb

    from tests.bench.warehouses import fact_paths

    con = duckdb.connect()
    con.execute("SET threads=2; SET preserve_insertion_order=false; SET memory_limit='3GB'")
    con.execute(f"SET temp_directory='{home}/scratch'")
    for name in TABLES:
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{fact_paths(home, name)}])")
    cells = con.execute(STATEMENT).fetchnumpy()
    found: Found = {}
    for policy in ("strict", "industry"):
        for clock, name in enumerate(("effective", "received")):
            found[f"{policy} {name}"] = int(cells[policy][cells["clock"] == clock].sum())
    return found


STATEMENT = """
WITH sent AS (SELECT activation_id, min(epoch_us(event_at)) us FROM message_events WHERE event_type = 'sent' GROUP BY 1),
  model AS (SELECT activation_id, CASE WHEN min(model_id) = max(model_id) THEN min(model_id) END model
            FROM activation_signals JOIN signals USING (signal_id) GROUP BY 1),
  s AS (SELECT activation_id, person_id, channel, campaign_id, provider, purpose = 'marketing' marketing, us
        FROM sent JOIN activations USING (activation_id) WHERE person_id IS NOT NULL AND NOT coalesce(is_test, false)),
  x AS (SELECT person_id, epoch_us(effective_at) us, coalesce(epoch_us(expires_at), 9e18) ends,
          greatest(epoch_us(effective_at), coalesce(epoch_us(received_at), epoch_us(effective_at))) known,
          origin_channel, trigger_type, jurisdiction, scope_channels,
          row_number() OVER (ORDER BY effective_at, suppression_event_id) rank
        FROM suppression_events WHERE action = 'suppress'),
  p AS (SELECT s.activation_id, x.rank, x.known < s.us heard, trigger_type NOT IN ('conversion', 'hard_bounce') AND
          (scope_channels IS NULL OR scope_channels = '*' OR contains('|' || scope_channels || '|', '|' || channel || '|'))
          industry
        FROM s JOIN x ON s.person_id = x.person_id AND x.us < s.us AND s.us < x.ends),
  v AS (SELECT activation_id, min(rank) st, min(rank) FILTER (industry) it, min(rank) FILTER (heard) sr,
          min(rank) FILTER (industry AND heard) ir FROM p GROUP BY 1),
  w AS (SELECT activation_id, st AS rank, 0 AS clock, 1 AS "strict", (it = st)::INT AS industry FROM v
        UNION ALL SELECT activation_id, it, 0, 0, 1 FROM v WHERE it <> st
        UNION ALL SELECT activation_id, sr, 1, 1, (ir = sr)::INT FROM v WHERE sr IS NOT NULL
        UNION ALL SELECT activation_id, ir, 1, 0, 1 FROM v WHERE ir <> sr)
SELECT s.us // 86400000000 AS day, channel, campaign_id, provider, model, x.origin_channel, x.trigger_type,
  x.jurisdiction, clock, marketing, channel <> x.origin_channel AS crossing, s.us - x.us <= 60000000 AS flight,
  count(*) n, coalesce(sum("strict"), 0) AS "strict", coalesce(sum(industry), 0) AS industry
FROM s LEFT JOIN w USING (activation_id) LEFT JOIN x USING (rank) LEFT JOIN model USING (activation_id) GROUP BY ALL
"""
CONTENDERS = {
    "ours": Contender(ours, ("app.runtime", "app.measure.refresh", "metrics")),
    "hand-written SQL": Contender(by_hand, ("duckdb", "data.lake")),
}


def one_new_day(home: Path) -> float:
    """Seconds to bring the attempts up to date after one more day."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from data.lake import Lake
    from metrics import ROLLUPS
    from tests.bench.activation_rows import FIRST_DAY, journeys

    journeys(Lake(home), rows=ROWS // DAYS, days=1, first_day=FIRST_DAY + DAYS)
    runtime = open_runtime(Settings(home=home, duckdb_memory="1500MB"))
    started = time.perf_counter()
    refresh([ROLLUPS[ROLLUP]], runtime.warehouse, runtime.store, utc_now)
    return time.perf_counter() - started


def main() -> None:
    from data.lake import Lake
    from tests.bench.activation_rows import journeys

    lines = [
        f"{ROWS * 41 // 100:,} attempts, {ROWS // 25:,} suppressions, {DAYS} days. {machine()}.",
        "Both give, by day and where the message went, the charges of each policy on each clock.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        journeys(Lake(home), rows=ROWS, days=DAYS)
        lines += contest("tests.bench.suppression", CONTENDERS, home)
        lines += ["", f"One new day of {ROWS * 41 // 100 // DAYS:,} attempts: {one_new_day(home):.2f} s."]
    written("suppression", "suppression", lines)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run_one(CONTENDERS[sys.argv[1]], Path(sys.argv[2]))
    else:
        main()
