"""`make bench`: ours against hand-written SQL and against pandas with scikit-learn, in one run, with ratios.

Each contender runs in a process of its own, in turn, so that peak memory is its own. Results go to
docs/results/scores.md. Sizes: THROUGHLINE_BENCH_ROWS (default 10 million).
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "10000000"))
DAYS, ROUNDS = 30, 3
ROOT = Path(__file__).resolve().parents[2]


def ours(home: Path) -> float:
    """Full refresh of every model and fairness rollup, then AUC, Brier and log-loss by day and segment."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from metrics import ALL, ROLLUPS
    from metrics.core.metric import Scope

    runtime = open_runtime(Settings(home=home, duckdb_memory="500MB"))
    refresh([ROLLUPS["model.scores"]], runtime.warehouse, runtime.store, utc_now, full=True)
    scope = Scope(by=("day", "attr_segment"))
    found = [
        r
        for k in ("model.auc", "model.brier", "model.log_loss")
        for r in runtime.readings.read(ALL[k], scope)
    ]
    assert all(r.value is not None for r in found), found[0]
    return float(len(found))


def by_hand(home: Path) -> float:
    """The same cells from one hand-written statement."""
    import duckdb

    from tests.bench.warehouses import fact_paths

    con = duckdb.connect()
    con.execute(
        f"SET memory_limit='3GB'; SET threads=2; SET preserve_insertion_order=false; SET temp_directory='{home}/scratch'"
    )
    cells = con.execute(f"""
        SELECT day, model_id, model_version, attr_segment, bin, decision, label, count(*) n, sum(s), sum(sq),
          sum(sq * sq), sum(ll), sum(ll * ll)
        FROM (SELECT *, CASE WHEN label = 1 THEN -ls ELSE -lt END AS ll,
                CAST(greatest(least(floor((ls - lt + 12) * {2048 / 24}), 2047), 0) * 10
                  + least(floor(s * 10), 9) AS INT) bin
              FROM (SELECT CAST(floor(epoch_us(predicted_at) / 86400000000.0) AS INT) AS day, model_id,
                      model_version, attr_segment, score AS s, CAST(score >= threshold AS INT) AS decision,
                      l.label, ln(score) ls, ln(1 - score) lt, (score - label) * (score - label) AS sq
                    FROM read_parquet([{fact_paths(home, "predictions")}]) p
                    LEFT JOIN read_parquet([{fact_paths(home, "labels")}]) l USING (prediction_id)))
        GROUP BY ALL
    """).fetchnumpy()
    return float(len(cells["n"]))


def by_pandas(home: Path) -> float:
    """AUC, Brier and log-loss by day and segment from rows in memory."""
    import pandas as pd
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    from data.lake import Lake

    def read(name: str, columns: list[str]) -> pd.DataFrame:
        files = Lake(home).manifest.files("facts", name)
        return pd.concat(pd.read_parquet(home / f.path, columns=columns) for f in files)

    rows = read("predictions", ["prediction_id", "predicted_at", "score", "attr_segment"]).merge(
        read("labels", ["prediction_id", "label"]), on="prediction_id", how="left"
    )
    rows["day"] = rows["predicted_at"].dt.floor("D")
    found = [
        (
            roc_auc_score(g["label"], g["score"]),
            brier_score_loss(g["label"], g["score"]),
            log_loss(g["label"], g["score"]),
        )
        for _, g in rows.groupby(["day", "attr_segment"])
    ]
    return float(len(found))


CONTENDERS = {"ours": ours, "hand-written SQL": by_hand, "pandas + scikit-learn": by_pandas}


IMPORTS = {
    "ours": ("app.runtime", "app.measure.refresh", "metrics"),
    "hand-written SQL": ("duckdb", "data.lake"),
    "pandas + scikit-learn": ("pandas", "sklearn.metrics", "data.lake"),
}


def measured(name: str, home: Path) -> dict[str, float]:
    """Run one contender in its own process; wall seconds and peak memory (MiB) of its work."""
    command = [sys.executable, "-m", "tests.bench.scores", name, str(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_one(name: str, home: Path) -> None:
    for module in IMPORTS[name]:  # start-up is not what is compared
        importlib.import_module(module)
    started = time.perf_counter()
    result = CONTENDERS[name](home)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "result": result}))


def one_new_day(rows: int, days: int, folder: Path) -> float:
    """Seconds to refresh one more day on a history of `rows` over `days`; the new day has 33,333 rows."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from data.lake import Lake
    from metrics import ROLLUPS
    from tests.bench.warehouses import FIRST_DAY, predictions

    lake = Lake(folder / f"history-{rows}")
    first = FIRST_DAY - days
    predictions(lake, rows=rows, days=days, first_day=first)
    runtime = open_runtime(Settings(home=lake.home))
    scores = [ROLLUPS["model.scores"], ROLLUPS["fairness.decisions"]]
    refresh(scores, runtime.warehouse, runtime.store, utc_now)
    seconds = []
    for extra in range(5):
        predictions(lake, rows=rows // days, days=1, first_day=FIRST_DAY + extra)
        started = time.perf_counter()
        done = refresh(scores, runtime.warehouse, runtime.store, utc_now)
        seconds.append(time.perf_counter() - started)
        assert [o.days for o in done] == [1, 1]
    return statistics.median(seconds)


def main() -> None:
    from data.lake import Lake
    from tests.bench.warehouses import predictions

    lines = [
        f"{ROWS:,} predictions, {DAYS} days, 8 segments; {platform.platform()}, Python {platform.python_version()}"
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        predictions(Lake(home), rows=ROWS, days=DAYS)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for turn in range(ROUNDS):
            for name in CONTENDERS:
                if name == "pandas + scikit-learn" and turn:
                    continue
                runs[name].append(measured(name, home))
        base = statistics.median(r["seconds"] for r in runs["ours"])
        lines += [
            "",
            "| contender | seconds (median) | spread | peak MiB | times ours |",
            "|---|---|---|---|---|",
        ]
        for name, rounds in runs.items():
            seconds = [r["seconds"] for r in rounds]
            middle, peak = statistics.median(seconds), max(r["peak"] for r in rounds)
            lines.append(
                f"| {name} | {middle:.2f} | {min(seconds):.2f} to {max(seconds):.2f} | {peak:.0f} | {middle / base:.2f} |"
            )
        small = one_new_day(ROWS // 10, DAYS, Path(folder))
        large = one_new_day(ROWS, DAYS * 10, Path(folder))
        lines += ["", f"One new day of {ROWS // (DAYS * 10):,} rows: {small:.3f} s on {ROWS // 10:,} rows of history, "
                  f"{large:.3f} s on {ROWS:,}: ratio {large / small:.2f}"]  # fmt: skip
    text = "\n".join(lines)
    print(text)
    (ROOT / "docs" / "results").mkdir(parents=True, exist_ok=True)
    (ROOT / "docs" / "results" / "scores.md").write_text("# `make bench`: scores\n\n" + text + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run_one(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
