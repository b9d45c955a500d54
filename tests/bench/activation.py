"""`python -m tests.bench.activation`: latency states of signals against hand-written SQL and pandas, in one run.

Each contender runs in a process of its own, so that peak memory is its own. 10 signals : 4 activations : 0.4
suppressions over 30 days. Results go to docs/results/activation.md. Sizes: THROUGHLINE_BENCH_ROWS (signals).
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
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "10000000"))
DAYS, ROUNDS = 30, 3
ROOT = Path(__file__).resolve().parents[2]
NEEDED = (
    "signals",
    "message_events",
    "activation_signals",
    "activations",
    "suppression_events",
    "outcomes",
    "data_watermarks",
)
Found = dict[str, int]


def ours(home: Path) -> Found:
    """Full refresh of the state cells, then the count of every state."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from metrics import ALL, ROLLUPS
    from metrics.core.metric import Scope

    runtime = open_runtime(Settings(home=home, duckdb_memory="1200MB"))
    refresh([ROLLUPS["activation.states"]], runtime.warehouse, runtime.store, utc_now, full=True)
    found = runtime.readings.read(ALL["activation.signals"], Scope(by=("state",)))
    return {str(dict(r.by)["state"]): int(r.value or 0) for r in found}


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
        WITH s AS (SELECT signal_id, person_id, model_id, epoch_us(scored_at) us, window_seconds * 1000000 w, arm, decision,
                     is_test, expected_value FROM signals),
          sent AS (SELECT activation_id, min(epoch_us(event_at)) us FROM message_events
                   WHERE event_type = 'sent' AND epoch_us(event_at) <= {end} GROUP BY 1),
          first AS (SELECT signal_id, min(sent.us) us, arg_min(channel, sent.us) channel FROM activation_signals
                    JOIN activations USING (activation_id) JOIN sent USING (activation_id)
                    WHERE purpose = 'marketing' AND NOT coalesce(is_test, false) GROUP BY 1),
          x AS (SELECT person_id, epoch_us(effective_at) us, coalesce(epoch_us(expires_at), 9e18) ends
                FROM suppression_events WHERE action = 'suppress' AND epoch_us(effective_at) <= {end}),
          stop AS (SELECT signal_id, min(x.us) us FROM s JOIN x USING (person_id)
                   WHERE x.us >= s.us OR x.ends > s.us GROUP BY 1),
          won AS (SELECT signal_id, min(epoch_us(o.occurred_at)) us FROM s JOIN outcomes o USING (person_id)
                  WHERE outcome_type <> 'churn' AND epoch_us(o.occurred_at) BETWEEN s.us AND {end} GROUP BY 1),
          coded AS (SELECT s.*, first.us f, channel, least(stop.us, won.us) r,
              CASE WHEN is_test THEN 'excluded_test' WHEN arm = 'holdout' THEN 'excluded_holdout'
                WHEN decision <> 'activate' THEN 'excluded_no_action' WHEN person_id IS NULL THEN 'unlinked_identity'
                WHEN first.us < s.us - 5000000 THEN 'invalid_negative'
                WHEN least(stop.us, won.us) < coalesce(first.us, 9e18) THEN
                  CASE WHEN won.us <= coalesce(stop.us, 9e18) THEN 'competing_converted' ELSE 'competing_suppressed' END
                WHEN first.us - s.us > w THEN 'late' WHEN first.us IS NOT NULL THEN 'in_window'
                WHEN {end} - s.us < w THEN 'open' ELSE 'missed' END AS state
            FROM s LEFT JOIN first USING (signal_id) LEFT JOIN stop USING (signal_id) LEFT JOIN won USING (signal_id))
        SELECT us // 86400000000 AS day, model_id, channel, state, w,
          CASE WHEN state IN ('open', 'missed') THEN us // 60000000
            ELSE CAST(floor(256 * ln(1 + greatest(coalesce(f, r) - us, 0) / 1e6)) AS BIGINT) END AS bucket,
          count(*) n, sum(greatest(coalesce(f, r) - us, 0)) took, sum(expected_value) expected
        FROM coded GROUP BY ALL
    """).fetchnumpy()
    found: Found = {}
    for state, n in zip(cells["state"], cells["n"], strict=True):
        found[str(state)] = found.get(str(state), 0) + int(n)
    return found


def pandas_states(home: Path) -> pd.DataFrame:
    """One row a signal with its state, from rows in memory."""
    import numpy as np
    import pandas as pd

    from data.lake import Lake

    files = Lake(home).manifest.files("facts")

    def read(name: str, *columns: str) -> pd.DataFrame:
        return pd.concat(
            pd.read_parquet(home / f.path, columns=list(columns)) for f in files if f.name == name
        )

    end = read("data_watermarks", "complete_through_at")["complete_through_at"].min()
    s = read(
        "signals",
        "signal_id",
        "person_id",
        "model_id",
        "scored_at",
        "window_seconds",
        "arm",
        "decision",
        "is_test",
    )
    events = read("message_events", "activation_id", "event_type", "event_at")
    events = events[(events["event_type"] == "sent") & (events["event_at"] <= end)]
    sent = events.groupby("activation_id")["event_at"].min().rename("sent")
    a = read("activations", "activation_id", "purpose", "is_test")
    a = a[(a["purpose"] == "marketing") & ~a["is_test"].eq(True)].merge(sent, on="activation_id")
    links = read("activation_signals", "signal_id", "activation_id").merge(a, on="activation_id")
    s = s.merge(links.groupby("signal_id")["sent"].min(), on="signal_id", how="left")
    x = read("suppression_events", "person_id", "action", "effective_at", "expires_at")
    x = x[(x["action"] == "suppress") & (x["effective_at"] <= end)]
    met = s[["signal_id", "person_id", "scored_at"]].merge(x, on="person_id")
    met = met[(met["effective_at"] >= met["scored_at"]) | ~(met["expires_at"] <= met["scored_at"])]
    s = s.merge(met.groupby("signal_id")["effective_at"].min().rename("stop"), on="signal_id", how="left")
    o = read("outcomes", "person_id", "outcome_type", "occurred_at")
    o = o[(o["outcome_type"] != "churn") & (o["occurred_at"] <= end)]
    met = s[["signal_id", "person_id", "scored_at"]].merge(o, on="person_id")
    met = met[met["occurred_at"] >= met["scored_at"]]
    s = s.merge(met.groupby("signal_id")["occurred_at"].min().rename("won"), on="signal_id", how="left")
    window = pd.to_timedelta(s["window_seconds"], unit="s")
    took, rival = s["sent"] - s["scored_at"], s[["stop", "won"]].min(axis=1)
    first = (rival < s["sent"]) | (rival.notna() & s["sent"].isna())
    tests = [
        ("excluded_test", s["is_test"].eq(True)), ("excluded_holdout", s["arm"] == "holdout"),
        ("excluded_no_action", s["decision"] != "activate"), ("unlinked_identity", s["person_id"].isna()),
        ("invalid_negative", took < pd.Timedelta(-5, "s")),
        ("competing_converted", first & (s["won"] == rival)), ("competing_suppressed", first),
        ("late", took > window), ("in_window", s["sent"].notna()), ("open", end - s["scored_at"] < window),
    ]  # fmt: skip
    state = np.select([t for _, t in tests], [n for n, _ in tests], "missed")
    s["day"], s["state"] = s["scored_at"].dt.floor("D"), state
    s["seconds"] = (
        took.fillna(rival - s["scored_at"])
        .where(first | s["sent"].notna(), end - s["scored_at"])
        .dt.total_seconds()
    )
    return s


def by_pandas(home: Path) -> Found:
    """The same states."""
    s = pandas_states(home)
    s.groupby(["day", "state"]).size()
    return {str(k): int(n) for k, n in s["state"].value_counts().items()}


def by_statsmodels(home: Path) -> Found:
    """The same states, and the three figures with intervals for the whole and each model, by statsmodels."""
    import numpy as np
    from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
    from statsmodels.stats.proportion import proportion_confint

    s = pandas_states(home)
    told = s[~s["state"].str.startswith(("excluded", "unlinked", "invalid"))]
    for rows in (told, *(g for _, g in told.groupby("model_id"))):
        good, all_ = (
            (rows["state"] == "in_window").sum(),
            rows["state"].isin(["in_window", "late", "missed"]).sum(),
        )
        proportion_confint(good, all_, method="wilson")
        seconds = rows["seconds"].clip(lower=0).to_numpy()
        happened = np.select(
            [rows["state"].isin(["in_window", "late"]), rows["state"].str.startswith("competing")], [1, 2], 0
        )
        SurvfuncRight(seconds, (happened == 1).astype(int)).quantile_ci(0.5)
        CumIncidenceRight(seconds, happened)
    return {str(k): int(n) for k, n in s["state"].value_counts().items()}


CONTENDERS: dict[str, Callable[[Path], Found]] = {
    "ours": ours,
    "hand-written SQL": by_hand,
    "pandas": by_pandas,
    "ours, with figures": ours_figures,
    "pandas and statsmodels, with figures": by_statsmodels,
}
IMPORTS = {
    "ours": ("app.runtime", "app.measure.refresh", "metrics"),
    "hand-written SQL": ("duckdb", "data.lake"),
    "pandas": ("pandas", "data.lake"),
    "ours, with figures": ("app.runtime", "app.measure.refresh", "metrics"),
    "pandas and statsmodels, with figures": (
        "pandas",
        "lifelines",
        "statsmodels.stats.proportion",
        "data.lake",
    ),
}


def measured(name: str, home: Path) -> dict[str, object]:
    """Run one contender in its own process; wall seconds and peak memory (MiB) of its work."""
    command = [sys.executable, "-m", "tests.bench.activation", name, str(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_one(name: str, home: Path) -> None:
    for module in IMPORTS[name]:  # start-up is not what is compared
        importlib.import_module(module)
    started = time.perf_counter()
    result = CONTENDERS[name](home)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "result": result}))


def one_new_day(home: Path, rows: int) -> float:
    """Seconds to bring the states up to date after one more day of `rows` signals."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from data.lake import Lake
    from metrics import ROLLUPS
    from tests.bench.activation_rows import FIRST_DAY, journeys

    journeys(Lake(home), rows=rows, days=1, first_day=FIRST_DAY + DAYS)
    runtime = open_runtime(Settings(home=home, duckdb_memory="1200MB"))
    started = time.perf_counter()
    refresh([ROLLUPS["activation.states"]], runtime.warehouse, runtime.store, utc_now)
    return time.perf_counter() - started


def main() -> None:
    from data.lake import Lake
    from tests.bench.activation_rows import journeys

    lines = [
        f"{ROWS:,} signals, {ROWS * 4 // 10:,} activations, {ROWS // 25:,} suppressions, {DAYS} days; "
        f"{platform.platform()}, Python {platform.python_version()}"
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        journeys(Lake(home), rows=ROWS, days=DAYS)
        runs: dict[str, list[dict[str, object]]] = {name: [] for name in CONTENDERS}
        for turn in range(ROUNDS):
            for name in CONTENDERS:
                if "pandas" not in name or turn == 0:
                    runs[name].append(measured(name, home))
        answers = {name: rounds[0]["result"] for name, rounds in runs.items()}
        if len({json.dumps(a, sort_keys=True) for a in answers.values()}) != 1:
            raise RuntimeError(f"the contenders disagree: {answers}")
        base = {n: statistics.median(float(str(r["seconds"])) for r in rounds) for n, rounds in runs.items()}
        lines += [
            "",
            "| contender | seconds (median) | spread | peak MiB | times ours |",
            "|---|---|---|---|---|",
        ]
        for name, rounds in runs.items():
            seconds = [float(str(r["seconds"])) for r in rounds]
            peak = max(float(str(r["peak"])) for r in rounds)
            ratio = base[name] / base["ours, with figures" if name.endswith("figures") else "ours"]
            spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
            lines.append(f"| {name} | {base[name]:.2f} | {spread} | {peak:.0f} | {ratio:.2f} |")
        new = one_new_day(home, ROWS // DAYS)
        lines += ["", f"One new day of {ROWS // DAYS:,} signals: {new:.2f} s."]
    text = "\n".join(lines)
    print(text)
    (ROOT / "docs" / "results").mkdir(parents=True, exist_ok=True)
    (ROOT / "docs" / "results" / "activation.md").write_text(
        "# Benchmark: activation states\n\n" + text + "\n"
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run_one(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
