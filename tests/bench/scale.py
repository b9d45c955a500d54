"""`python -m tests.bench.scale`: 100 million signals, 41 million activations, 4 million suppressions, 100 million predictions.

Each rollup is refreshed whole in a process of its own, beside what reading its tables alone takes and, where there is
one, hand-written SQL for the same cells. Then one new day. Results go to docs/results/scale.md, line by line, so that a run
that is stopped leaves what it has. Sizes: THROUGHLINE_BENCH_ROWS; a folder to keep the data in: THROUGHLINE_BENCH_FOLDER.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench import activation, hands, models, suppression
from tests.bench.contest import ROOT, Contender, Found, machine, measured, run_one

ROWS = int(os.environ.get("THROUGHLINE_BENCH_ROWS", "100000000"))
DAYS, COPIES = 30, 10
MOST_SECONDS = 1500.0  # a contender that takes longer is told so, and the next one begins
# Lines of the table to run, comma between them, NEW_DAY one of them; all where it is not set.
ONLY = tuple(filter(None, os.environ.get("THROUGHLINE_BENCH_ROLLUPS", "").split(",")))
NEW_DAY = "new day"  # adds a day to the data, so a folder that is kept serves it once
MODULE = "tests.bench.scale"
MEMORY = "1500MB"
OURS = activation.OURS
PREDICTED = ("model.arrivals", "model.service", "model.releases", "fairness.decisions")
ACTED = (
    "suppression.attempts", "activation.states", "chain.line", "activation.feedback", "suppression.stops",
    "activation.due", "activation.staleness", "identity.signals", "suppression.consents", "suppression.withheld",
    "suppression.sends", "activation.steps", "activation.chains",
)  # fmt: skip
BY_HAND: dict[str, Callable[[Path], Found]] = {
    "activation.states": activation.by_hand,
    "suppression.attempts": suppression.by_hand,
    "model.scores + drift.values": models.by_hand,
    **{key: partial(hands.counted, rollup=key) for key in hands.STATEMENTS},
}
HANDS = {key: Contender(run, ("duckdb", "pyarrow", "data.lake")) for key, run in BY_HAND.items()}
HEAD = "| | wall s | processor s | peak MiB | cells | reading the tables alone, s | by hand, s (peak MiB) | times by hand |"


def scanned(home: Path, name: str) -> Found:
    """Every column of a table decoded once and nothing done with it."""
    import duckdb

    from tests.bench.warehouses import fact_paths

    con = duckdb.connect()
    con.execute(f"SET threads=2; SET memory_limit='{MEMORY}'")
    con.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet([{fact_paths(home, name)}])")
    columns = [r[0] for r in con.execute("DESCRIBE t").fetchall()]
    (rows, *_) = con.execute(
        f"SELECT count(*), {', '.join(f'max({c})' for c in columns)} FROM t"
    ).fetchone() or (0,)
    return {name: int(rows)}


def contender(name: str) -> Contender:
    """By its name on the command line: "hand KEY", "scan TABLE", or rollups."""
    what, _, about = name.partition(" ")
    if what == "hand":
        return HANDS[about]
    if what == "scan":
        return Contender(lambda home: scanned(home, about), ("duckdb", "data.lake"))
    return Contender(lambda home: models.refreshed(home, tuple(name.split(" + ")), MEMORY)[1], OURS)


def made(folder: Path) -> Path:
    """The warehouse, as large as asked, in one home."""
    from data.lake import Lake
    from tests.bench.activation_rows import journeys
    from tests.bench.warehouses import multiplied

    home = folder / "large"
    if not (home / "control.sqlite").exists():
        journeys(Lake(home), rows=ROWS, days=DAYS)
        few = models.made(folder, ROWS // COPIES)
        multiplied(Lake(home), Lake(few), COPIES)
        shutil.rmtree(few)
    return home


class Told:
    """What the run has found, written after every line."""

    def __init__(self) -> None:
        self.lines = [
            f"{ROWS:,} signals, {ROWS * 41 // 100:,} activations, {ROWS // 25:,} suppressions, {ROWS:,} predictions with labels,"
            f" {DAYS} days, on the embedded lake. Engine's memory {MEMORY}. {machine()}.",
        ]

    def say(self, *lines: str) -> None:
        self.lines += lines
        print(*lines, sep="\n", flush=True)
        text = "\n".join(self.lines)
        (ROOT / "docs" / "results" / "scale.md").write_text(f"# Benchmark: scale\n\n{text}\n")


def number(found: dict[str, object], what: str) -> float:
    return float(str(found[what]))


def line(home: Path, keys: tuple[str, ...], scans: dict[str, float]) -> str:
    """A refresh of these rollups beside its limits."""
    from metrics import ROLLUPS

    name = " + ".join(keys)
    own = measured(MODULE, name, home, MOST_SECONDS)
    tables = sorted({t for k in keys for t in ROLLUPS[k].tables} & set(scans))
    limit = sum(scans[t] for t in tables)
    cells = sum(dict(own["result"]).values())  # type: ignore[call-overload]
    told = f"| {name} | {number(own, 'seconds'):.1f} | {number(own, 'processor'):.1f} | {number(own, 'peak'):.0f} | {cells:,} | {limit:.1f} |"
    if name not in HANDS:
        return f"{told} | |"
    try:
        hand = measured(MODULE, f"hand {name}", home, MOST_SECONDS)
    except RuntimeError as failed:
        return f"{told} {str(failed).splitlines()[-1]} | |"
    if name in hands.STATEMENTS and hand["result"] != own["result"]:
        raise RuntimeError(f"{name}: {own['result']} cells, by hand {hand['result']}")
    ratio = number(own, "seconds") / number(hand, "seconds")
    return f"{told} {number(hand, 'seconds'):.1f} ({number(hand, 'peak'):.0f}) | {ratio:.2f} |"


def new_day(home: Path, rows: int) -> list[str]:
    """Seconds to bring rollups up to date after one more day of signals."""
    from app.measure.refresh import refresh
    from app.runtime import open_runtime, utc_now
    from app.settings import Settings
    from data.lake import Lake
    from metrics import ROLLUPS
    from tests.bench.activation_rows import FIRST_DAY, journeys

    journeys(Lake(home), rows=rows, days=1, first_day=FIRST_DAY + DAYS)
    runtime = open_runtime(Settings(home=home, duckdb_memory=MEMORY))
    found = []
    for key in ("activation.staleness", "identity.signals", "activation.states", "suppression.attempts"):
        started = time.perf_counter()
        refresh([ROLLUPS[key]], runtime.warehouse, runtime.store, utc_now)
        found.append(f"| {key} | {time.perf_counter() - started:.1f} |")
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.environ.get("THROUGHLINE_BENCH_FOLDER", name))
        home, told = made(folder), Told()
        scans = {
            t: number(measured(MODULE, f"scan {t}", home), "seconds")
            for t in (*activation.NEEDED, "predictions", "labels")
        }
        told.say(
            "",
            "Reading each table alone, seconds: " + ", ".join(f"{t} {s:.1f}" for t, s in scans.items()) + ".",
        )
        told.say("", HEAD, "|---|---|---|---|---|---|---|---|")
        every = ("model.scores + drift.values", *ACTED, *PREDICTED)
        for keys in (k.split(" + ") for k in every if not ONLY or k in ONLY):
            try:
                told.say(line(home, tuple(keys), scans))
            except RuntimeError as failed:  # hours of other lines are not lost with one; its end says why
                told.say(f"| {' + '.join(keys)} | {str(failed).splitlines()[-1]} | | | | | | |")
        if not ONLY or NEW_DAY in ONLY:
            head = (f"One new day of {ROWS // 1000:,} signals:", "", "| | seconds |", "|---|---|")
            told.say("", *head, *new_day(home, ROWS // 1000))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run_one(contender(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
