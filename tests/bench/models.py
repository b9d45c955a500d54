"""`python -m tests.bench.models`: quality and drift of a model against hand-written SQL, Evidently and NannyML.

10 million predictions with labels over 30 days, 8 segments, 5 features. Each contender runs in a process of its own, the
two peers in environments of their own (see tests/bench/peers), so that peak memory is its own. Results go to
docs/results/models.md. `python -m tests.bench.models large` refreshes 100 million once, for docs/results/models_large.md.
Sizes: THROUGHLINE_BENCH_ROWS.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.bench.contest import Contender, Found, contest, machine, measured, run_one, written

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "10000000"))
LARGE, COPIES = 100_000_000, 10
DAYS = 30
MODULE = "tests.bench.models"
NUMBERS = ("feat_age", "feat_amount", "feat_activity")
WORDS = ("feat_channel", "feat_region")
LEVELS: tuple[tuple[str, ...], ...] = ((), ("day",), ("attr_segment",), ("day", "attr_segment"))
QUALITY = (
    "model.auc", "model.precision", "model.recall", "model.flagged_share", "model.brier", "model.log_loss",
    "model.calibration_slope", "model.base_rate", "model.label_coverage",
)  # fmt: skip
ONCE = ("model.average_precision", "model.ece")  # resampled: asked of the whole only
BOTH = ("model.scores", "drift.values")

OURS = ("app.runtime", "app.measure.refresh", "metrics")
MEMORY = os.environ.get("THROUGHLINE_BENCH_MEMORY", "300MB")


def refreshed(home: Path, rollups: tuple[str, ...] = BOTH, memory: str = MEMORY) -> tuple[object, Found]:
    """A full refresh, and how many cells each rollup has."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from metrics import ROLLUPS

    runtime = open_runtime(Settings(home=home, duckdb_memory=memory))
    refresh([ROLLUPS[k] for k in rollups], runtime.warehouse, runtime.store, utc_now, full=True)
    return runtime, {k: sum(f.rows for f in runtime.store.files(k)) for k in rollups}


def ours(home: Path) -> Found:
    """Full refresh, nine figures of quality at four levels, two resampled ones, and every drift figure of score and features."""
    from metrics import ALL
    from metrics.core.metric import Scope

    runtime, found = refreshed(home)
    read = runtime.readings.read  # type: ignore[attr-defined]
    told = [r for by in LEVELS for k in QUALITY for r in read(ALL[k], Scope(by=by))]
    told += [r for k in ONCE for r in read(ALL[k], Scope())]
    told += [r for k, m in ALL.items() if m.family == "drift" for r in read(ALL[k], Scope())]
    assert all(r.value is not None or "categories" in r.reason or "numbers" in r.reason for r in told)
    return found


def ours_cells(home: Path) -> Found:
    return refreshed(home)[1]


def by_hand(home: Path) -> Found:
    """The same cells from two hand-written statements, cut to what this data needs; no figure is read."""
    import duckdb

    from tests.bench.warehouses import fact_paths

    con = duckdb.connect()
    con.execute(
        f"SET memory_limit='3GB'; SET threads=2; SET preserve_insertion_order=false; SET temp_directory='{home}/scratch'"
    )
    con.execute(f"CREATE VIEW p AS SELECT * FROM read_parquet([{fact_paths(home, 'predictions')}])")
    con.execute(f"CREATE VIEW l AS SELECT * FROM read_parquet([{fact_paths(home, 'labels')}])")
    scores = con.execute("""
        SELECT day, model_id, model_version, attr_segment, bin, decision, label, count(*) n, sum(s), sum(sq),
          sum(sq * sq), sum(ll), sum(ll * ll)
        FROM (SELECT *, CASE WHEN label = 1 THEN -ls ELSE -lt END AS ll,
                CAST(greatest(least(floor((ls - lt + 12) * (2048 / 24)), 2047), 0) * 10 + least(floor(s * 10), 9) AS INT) bin
              FROM (SELECT CAST(floor(epoch_us(predicted_at) / 86400000000.0) AS INT) AS day, model_id,
                      model_version, attr_segment, score AS s, CAST(score >= threshold AS INT) AS decision,
                      l.label, ln(score) ls, ln(1 - score) lt, (score - label) * (score - label) AS sq
                    FROM p LEFT JOIN l USING (prediction_id)))
        GROUP BY ALL
    """).fetchnumpy()
    day = "CAST(floor(epoch_us(predicted_at) / 86400000000.0) AS INT) AS day, model_id, model_version"
    score = f"SELECT {day}, 'score' AS named, CAST(least(floor((ln(score) - ln(1 - score) + 12) * (512 / 24)), 511) AS INT) AS bin, '' AS word, count(*) n FROM p GROUP BY ALL"
    number = (
        "SELECT day, model_id, model_version, '{c}' AS named, CAST(CASE WHEN x > 1e-9 THEN floor(ln(x) * 256) + 5400"
        " WHEN x < -1e-9 THEN -(floor(ln(-x) * 256) + 5400) ELSE 0 END AS INT) AS bin, '' AS word, count(*) n"
        f" FROM (SELECT {day}, TRY_CAST({{c}} AS DOUBLE) AS x FROM p) GROUP BY ALL"
    )
    word = f"SELECT {day}, '{{c}}' AS named, -1000001 AS bin, {{c}} AS word, count(*) n FROM p GROUP BY ALL"
    parts = [score, *(number.format(c=c) for c in NUMBERS), *(word.format(c=c) for c in WORDS)]
    # One by one: as one UNION ALL they never end on DuckDB 1.5.6 with two threads.
    values = [con.execute(part).fetchnumpy() for part in parts]
    return {"model.scores": len(scores["n"]), "drift.values": sum(len(v["n"]) for v in values)}


CONTENDERS = {
    "ours, cells": Contender(ours_cells, OURS, "ours, cells"),
    "hand-written SQL, cells": Contender(by_hand, ("duckdb", "pyarrow", "data.lake"), "ours, cells"),
    "ours, cells and figures": Contender(ours, OURS, "ours, cells"),
}
ALONE = {
    "scores": Contender(lambda home: refreshed(home, ("model.scores",))[1], OURS),
    "drift": Contender(lambda home: refreshed(home, ("drift.values",))[1], OURS),
    "both": Contender(ours_cells, OURS),
}


def made(folder: Path, rows: int) -> Path:
    """A home of `rows` predictions."""
    from data.lake import Lake
    from tests.bench.warehouses import predictions

    home = folder / f"home-{rows}"
    predictions(Lake(home), rows=rows, days=DAYS, features=True)
    return home


def as_rows(home: Path, file: Path) -> Path:
    """The same predictions as one plain Parquet file in the types that data frames like best: what the peers are given."""
    import duckdb

    from tests.bench.warehouses import fact_paths

    con = duckdb.connect()
    con.execute(f"SET memory_limit='2GB'; SET threads=2; SET temp_directory='{home}/scratch'")
    con.execute(f"""
        COPY (SELECT CAST(floor(epoch_us(predicted_at) / 86400000000.0) AS INT) AS day, score, CAST(score >= threshold AS INT) AS flag,
                CAST(label AS INT) AS label, {", ".join(f"CAST({c} AS DOUBLE) AS {c}" for c in NUMBERS)}, {", ".join(WORDS)}
              FROM read_parquet([{fact_paths(home, "predictions")}]) p
              JOIN read_parquet([{fact_paths(home, "labels")}]) l USING (prediction_id))
        TO '{file}' (FORMAT PARQUET, COMPRESSION ZSTD)
    """)
    con.close()
    return file


def beside_peers(folder: Path) -> list[str]:
    """Ours with all figures and the two peers, at three sizes."""
    from tests.bench.peers import peer

    lines = [
        "",
        "| rows | contender | wall s | processor s | peak MiB | wall / ours | peak / ours |",
        "|---|---|---|---|---|---|---|",
    ]
    versions: set[str] = set()
    for rows in sorted({ROWS // 100, ROWS // 10, ROWS}):
        home = folder / f"home-{rows}"
        home = home if home.exists() else made(folder, rows)
        own = measured(MODULE, "ours, cells and figures", home)
        lines.append(_line(rows, "ours", own, own))
        file = as_rows(home, folder / f"{rows}.parquet")
        for name in ("nannyml", "evidently"):
            found = peer(name, file)
            versions.add(str(found.get("versions", "")))
            lines.append(_line(rows, name, found, own))
            print(lines[-1], flush=True)
        file.unlink()
    return [*lines, "", f"Peers: {'; '.join(sorted(v for v in versions if v))}."]


def _line(rows: int, name: str, found: dict[str, object], own: dict[str, object]) -> str:
    if "failed" in found:
        return f"| {rows:,} | {name} | {found['failed']} | | | | |"
    wall, used, peak = (float(str(found[k])) for k in ("seconds", "processor", "peak"))
    ratios = (wall / float(str(own["seconds"])), peak / float(str(own["peak"])))
    return f"| {rows:,} | {name} | {wall:.1f} | {used:.1f} | {peak:.0f} | {ratios[0]:.1f} | {ratios[1]:.1f} |"


HEAD = f"""{ROWS:,} predictions with labels, {DAYS} days, 8 segments, 5 features (three numbers, two of words).

*Cells*: a full refresh of the score and the drift rollup, by day, segment, model, version and value; the hand-written SQL
makes the same cells from the same files and stores nothing. *Figures*: nine figures of quality with their intervals for
the whole, by day, by segment and by day and segment (279 groups), average precision and calibration error (resampled) for
the whole, and all eleven drift figures of score and features.

Evidently: ClassificationPreset and DataDriftPreset, whole population only, second half of the days against the first.
NannyML: CBPE, realised performance (four figures each) and univariate drift (two methods), by day. Both read one plain
Parquet file of typed columns; reading counts for all. Embedded engine's memory: {MEMORY}.
"""


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("THROUGHLINE_BENCH_FOLDER")) as name:
        folder = Path(name)
        home = made(folder, ROWS)
        before = f"On {machine()} at the start."
        table = contest(MODULE, CONTENDERS, home)
        print("\n".join(table), flush=True)
        written(
            "models",
            "quality and drift of a model",
            [HEAD, before, *table, *beside_peers(folder), "", machine()],
        )


def large() -> None:
    """100 million predictions refreshed once, each rollup alone and both in one process."""
    from data.lake import Lake
    from tests.bench.warehouses import multiplied

    rows = int(os.environ.get("THROUGHLINE_BENCH_ROWS", LARGE))
    lines = ["| refresh of | wall s | processor s | peak MiB | cells |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory(dir=os.environ.get("THROUGHLINE_BENCH_FOLDER")) as name:
        home = Path(name) / "large"
        multiplied(Lake(home), Lake(made(Path(name), rows // COPIES)), COPIES)
        for part in ALONE:
            found = measured(MODULE, part, home)
            wall, used, peak = (float(str(found[k])) for k in ("seconds", "processor", "peak"))
            lines.append(f"| {part} | {wall:.1f} | {used:.1f} | {peak:.0f} | {found['result']} |")
            print(lines[-1], flush=True)
    text = f"{rows:,} predictions with labels, {DAYS} days, 8 segments, 5 features; embedded engine's memory {MEMORY}. {machine()}"
    written("models_large", "refresh of 100 million predictions", [text, "", *lines])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run_one((CONTENDERS | ALONE)[sys.argv[1]], Path(sys.argv[2]))
    elif sys.argv[1:] == ["large"]:
        large()
    else:
        main()
