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
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from app.runtime import Runtime

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "10000000"))
DAYS, ROUNDS = 30, 3
ROOT = Path(__file__).resolve().parents[2]
HEAD = """# `make bench`: scores

{rows:,} predictions with labels, {days} days, 8 segments, 2 cores; {os}; {versions}.

*Ours* is a full refresh of the score rollup, then AUC, Brier and log-loss with their intervals by day and segment. The
hand-written SQL makes the same cells and reads nothing. Pandas reads the same files, joins the labels and computes the three
without intervals. *The whole page* is all thirteen figures of the Models page with their standard errors, for the whole, by
day, by segment and by day and segment: what is on the screen when an executive opens it.
"""


LEVELS: tuple[tuple[str, ...], ...] = ((), ("day",), ("attr_segment",), ("day", "attr_segment"))


THREE = ("model.auc", "model.brier", "model.log_loss")


def ours(
    home: Path, levels: tuple[tuple[str, ...], ...] = LEVELS[-1:], keys: tuple[str, ...] = THREE
) -> float:
    """Full refresh of the score rollup, then figures with their intervals; by default three by day and segment."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from metrics import ALL, ROLLUPS
    from metrics.core.metric import Scope

    runtime = open_runtime(Settings(home=home, duckdb_memory="500MB"))
    refresh([ROLLUPS["model.scores"]], runtime.warehouse, runtime.store, utc_now, full=True)
    found = [r for by in levels for k in keys for r in runtime.readings.read(ALL[k], Scope(by=by))]
    assert all(r.value is not None for r in found), found[0]
    return float(len(found))


def ours_whole(home: Path) -> float:
    """Full refresh, then every figure of the Models page at four levels."""
    from metrics import ALL

    return ours(home, LEVELS, tuple(k for k, m in ALL.items() if m.rollup.key == "model.scores"))


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
    """The same figures from rows in memory: what a data scientist would write."""
    rows = pandas_rows(home)
    found = [figures(rows)]
    for by in LEVELS[1:]:
        found += [figures(group) for _, group in rows.groupby(list(by))]
    return float(sum(len(f) for f in found))


def only_three(home: Path) -> float:
    """AUC, Brier and log-loss by day and segment, without intervals: the least that pandas can be asked."""
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    rows = pandas_rows(home)
    found = [
        [f(g["label"], g["score"]) for f in (roc_auc_score, brier_score_loss, log_loss)]
        for _, g in rows.groupby(["day", "attr_segment"])
    ]
    return float(len(found))


def pandas_rows(home: Path) -> pd.DataFrame:
    import pandas as pd

    from data.lake import Lake

    def read(name: str, columns: list[str]) -> pd.DataFrame:
        files = Lake(home).manifest.files("facts", name)
        return pd.concat(pd.read_parquet(home / f.path, columns=columns) for f in files)

    rows = read("predictions", ["prediction_id", "predicted_at", "score", "threshold", "attr_segment"]).merge(
        read("labels", ["prediction_id", "label"]), on="prediction_id", how="left"
    )
    rows["day"] = rows["predicted_at"].dt.floor("D")
    rows["decision"] = (rows["score"] >= rows["threshold"]).astype(int)
    return rows


def figures(rows: pd.DataFrame) -> list[float]:
    """Thirteen figures with their standard errors; rank variance as DeLong (1988) by way of mid-ranks."""
    import numpy as np
    import statsmodels.api as sm
    from scipy.special import logit
    from scipy.stats import rankdata
    from sklearn.metrics import brier_score_loss, log_loss, precision_score, recall_score, roc_auc_score

    usable = rows["score"].between(0, 1)
    known = rows[rows["label"].notna() & usable]
    y, s, d = (known[c].to_numpy() for c in ("label", "score", "decision"))
    every, own = rankdata(s), np.empty(len(s))
    for kind in (0, 1):
        own[y == kind] = rankdata(s[y == kind])
    placed = (every - own) / np.where(y == 1, (y == 0).sum(), (y == 1).sum())
    auc_se = np.sqrt(sum(placed[y == kind].var(ddof=1) / (y == kind).sum() for kind in (0, 1)))
    square, logs = (s - y) ** 2, -np.log(np.where(y == 1, s, 1 - s))
    line = sm.Logit(y, sm.add_constant(logit(s))).fit(disp=0)
    sd = [float(x.std(ddof=1)) for x in (square, logs, s - y)]
    shares = [float(x.mean()) for x in (rows["label"].notna(), ~usable, y, d, s - y)]
    scored = [precision_score(y, d), recall_score(y, d), brier_score_loss(y, s), log_loss(y, s)]
    return [float(len(rows)), roc_auc_score(y, s), auc_se, line.params[1], line.bse[1], *shares, *scored, *sd]


CONTENDERS = {
    "ours": ours,
    "hand-written SQL, cells only": by_hand,
    "pandas + scikit-learn, three figures": only_three,
    "ours, the whole page": ours_whole,
    "pandas + scikit-learn, the whole page": by_pandas,
}
ONCE = tuple(name for name in CONTENDERS if name.startswith("pandas"))  # minutes long, and far from the line


IMPORTS = {
    **dict.fromkeys(("ours", "ours, the whole page"), ("app.runtime", "app.measure.refresh", "metrics")),
    "hand-written SQL, cells only": ("duckdb", "data.lake"),
    **dict.fromkeys(ONCE, ("pandas", "sklearn.metrics", "statsmodels.api", "data.lake")),
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


def with_history(rows: int, days: int, folder: Path) -> Runtime:
    """A refreshed home of `rows` predictions over the `days` before FIRST_DAY."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from data.lake import Lake
    from metrics import ROLLUPS
    from tests.bench.warehouses import FIRST_DAY, predictions

    lake = Lake(folder / f"history-{rows}")
    predictions(lake, rows=rows, days=days, first_day=FIRST_DAY - days)
    runtime = open_runtime(Settings(home=lake.home))
    refresh([ROLLUPS[k] for k in NEW_DAY], runtime.warehouse, runtime.store, utc_now)
    return runtime


NEW_DAY = ("model.scores", "fairness.decisions")


def one_new_day(runtime: Runtime, rows: int, day: int) -> float:
    """Seconds to refresh one more day of `rows`."""
    from app.measure.refresh import refresh
    from app.runtime import utc_now
    from metrics import ROLLUPS
    from tests.bench.warehouses import FIRST_DAY, predictions

    predictions(runtime.lake, rows=rows, days=1, first_day=FIRST_DAY + day)
    started = time.perf_counter()
    done = refresh([ROLLUPS[k] for k in NEW_DAY], runtime.warehouse, runtime.store, utc_now)
    seconds = time.perf_counter() - started
    assert [o.days for o in done] == [1, 1]
    return seconds


def new_days(folder: Path) -> str:
    """One new day on a short and on a long history, turn by turn, so that the machine's moods strike both."""
    homes = {rows: with_history(rows, rows * DAYS * 10 // ROWS, folder) for rows in (ROWS // 10, ROWS)}
    per_day = ROWS // (DAYS * 10)
    seconds: dict[int, list[float]] = {rows: [] for rows in homes}
    for day in range(11):
        for rows, runtime in homes.items():
            seconds[rows].append(one_new_day(runtime, per_day, day))
    small, large = (statistics.median(s[1:]) for s in seconds.values())  # the first warms the process
    return (
        f"One new day of {per_day:,} rows (median of 10): {small:.3f} s on {ROWS // 10:,} rows of history, "
        f"{large:.3f} s on {ROWS:,}: ratio {large / small:.2f}"
    )


def compared(home: Path) -> list[str]:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for turn in range(ROUNDS):
        for name in CONTENDERS:
            if not (name in ONCE and turn):
                runs[name].append(measured(name, home))
    base = {name: statistics.median(r["seconds"] for r in rounds) for name, rounds in runs.items()}
    lines = ["| contender | seconds (median) | spread | peak MiB | times ours |", "|---|---|---|---|---|"]
    for name, rounds in runs.items():
        seconds = [r["seconds"] for r in rounds]
        peak = max(r["peak"] for r in rounds)
        ratio = base[name] / base["ours, the whole page" if name.endswith("page") else "ours"]
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        lines.append(f"| {name} | {base[name]:.2f} | {spread} | {peak:.0f} | {ratio:.2f} |")
    return lines


def main() -> None:
    from data.lake import Lake
    from tests.bench.warehouses import predictions

    versions = ", ".join(
        f"{p} {metadata.version(p)}" for p in ("duckdb", "pandas", "scikit-learn", "statsmodels")
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        predictions(Lake(home), rows=ROWS, days=DAYS)
        table = compared(home)
        text = "\n".join([HEAD.format(rows=ROWS, days=DAYS, os=platform.platform(), versions=versions), *table, "",
                          new_days(Path(folder)), ""])  # fmt: skip
    print(text)
    results = ROOT / "docs" / "results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "scores.md").write_text(text)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run_one(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
