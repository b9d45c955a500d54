"""`python -m tests.bench.attribution`: estimators of value beside their peers, on 1,000,000 rows in one run.

Peers live in an environment of their own (`make setup-peers`; THROUGHLINE_PEERS names it). Every contender is a process of
its own, taking turns, warmed up on 2,000 units before the clock starts. Timed is the way from columns in memory (a data
frame for peers, arrays for us) to the answer. Figures of one question must agree to six digits, or the run fails.
Results go to docs/results/attribution.md.
"""

from __future__ import annotations

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench import attribution_rows as rows
from tests.bench.attribution_peers import PEERS, Answer
from tests.bench.contest import ROOT, machine, written

ROUNDS = int(os.environ.get("THROUGHLINE_BENCH_ROUNDS", "5"))
PYTHON = Path(os.environ.get("THROUGHLINE_PEERS", "/tmp/throughline-peers")) / "bin" / "python"
PUBLISHED = (
    'tfcausalimpact is not run: it needs 2.4 GB of TensorFlow. Its README says of its faster method that "convergence can take'
    ' somewhere between 2~3 minutes on more complex time series", and of the other "1 hour or even more" on a GPU'
    " (github.com/WillianFuks/tfcausalimpact, README.md at 05d0acf, section Performance). On a series of the size above,"
    " 730 periods and 3 controls, its faster method took 41.8 s on a machine of this kind in an earlier study of the field."
)


@dataclass(frozen=True)
class Question:
    """One question: its contenders, ours first; the limit in seconds for ours, and what the peers' errors are scaled by."""

    name: str
    limit: float
    contenders: tuple[str, ...]
    factor: float = 1.0


def questions() -> tuple[Question, ...]:
    groups, n = rows.UNITS, rows.UNITS * rows.PERIODS
    many = groups / (groups - 1)

    def of(ours: str, *peers: str) -> tuple[str, ...]:
        return (f"ours, {ours}", *(f"{p}, {ours}" for p in peers))

    return (
        Question("Randomised, errors by unit", 0.5, of("randomised", "pyfixest", "linearmodels"), many * (n - 1) / (n - 2)),
        Question("Difference-in-differences, unit and period effects, errors by unit", 0.5,
                 of("difference-in-differences", "pyfixest", "linearmodels"), many),
        Question("Staggered adoption, Callaway-Sant'Anna, three cohorts", 0.5, of("staggered", "csdid", "diff-diff")),
        Question("Synthetic control, 39 states x 31 years", 0.1, ("ours, synthetic control with 38 placebos",)),
        Question("The same", math.inf, ("ours, synthetic control, the whole answer",)),
        Question("Structural series by Gibbs, 730 periods, 3 controls", 2.0, ("ours, structural series",)),
        Question("The same", 2.0, ("ours, structural series, the whole answer",)),
    )  # fmt: skip


def run_one(name: str, path: Path) -> None:
    """In a process of its own: warm up on few units, then the clock."""
    held = rows.load(path)
    if name.startswith("ours"):
        from tests.bench.attribution_ours import OURS  # the peers' environment has none of what it imports

        ours = OURS[name]
        ours(held.first(rows.FEW))
        started, used = time.perf_counter(), time.process_time()
        result = ours(held)
    else:
        import pandas as pd

        peer, names = PEERS[name]
        later = {"period": held.period + 1, "cohort": held.cohort + (held.cohort > 0)}  # peers count from 1
        frame = pd.DataFrame({n: later.get(n, getattr(held, n)) for n in names})
        peer(frame.iloc[: rows.FEW * rows.PERIODS].copy())
        started, used = time.perf_counter(), time.process_time()
        result = peer(frame)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": used, "peak": peak, "result": result}))


def measured(name: str, path: Path) -> dict[str, object]:
    ours = name.startswith("ours")
    done = subprocess.run(
        [sys.executable if ours else str(PYTHON), "-m", "tests.bench.attribution", name, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONHASHSEED": "0", **({"OPENBLAS_NUM_THREADS": "1"} if ours else {})},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def answered(one: Question, path: Path) -> list[str]:
    """A table row for each contender; raises where they disagree in the sixth digit."""
    runs: dict[str, list[dict[str, object]]] = {name: [] for name in one.contenders}
    for _ in range(ROUNDS):
        for name, found in runs.items():
            found.append(measured(name, path))
    first = one.contenders[0]
    own = json.loads(json.dumps(runs[first][0]["result"]))
    lines = []
    for name, found in runs.items():
        result = json.loads(json.dumps(found[0]["result"]))
        scaled = {
            k: v * math.sqrt(one.factor) if k == "se" and name != first else v for k, v in result.items()
        }
        if any(not math.isclose(scaled[k], v, rel_tol=1e-6) for k, v in own.items()):
            raise RuntimeError(f"{one.name}: {name} says {scaled}, ours {own}")
        lines.append(_line(name, found, runs[first], scaled))
    return lines


def _line(name: str, found: list[dict[str, object]], first: list[dict[str, object]], figures: Answer) -> str:
    def of(runs: list[dict[str, object]], what: str) -> list[float]:
        return [float(str(r[what])) for r in runs]

    seconds = of(found, "seconds")
    middle = statistics.median(seconds)
    told = ", ".join(f"{k} {v:.7g}" for k, v in figures.items())
    return (
        f"| {name} | {middle:.3f} | {min(seconds):.3f} to {max(seconds):.3f} | {statistics.median(of(found, 'processor')):.3f}"
        f" | {max(of(found, 'peak')):.0f} | {middle / statistics.median(of(first, 'seconds')):.1f} | {told} |"
    )


def versions() -> str:
    code = "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in %r))"
    ours = ("numpy", "scipy")
    peers = ("pyfixest", "linearmodels", "csdid", "diff-diff", "numpy", "pandas")
    return "; peers: ".join(
        subprocess.run([str(p), "-c", code % (n,)], capture_output=True, text=True, check=True).stdout.strip()
        for p, n in ((sys.executable, ours), (PYTHON, peers))
    )


def main() -> None:
    lines = [
        f"{rows.UNITS:,} units x {rows.PERIODS} periods = {rows.UNITS * rows.PERIODS:,} rows, {ROUNDS} rounds, taking turns;"
        f" medians. {machine()}. Ours: {versions()}.", "",
        "Command: `make setup-peers`, then `python -m tests.bench.attribution`. Timed: from columns in memory (arrays for us, a"
        " data frame for peers) to the answer, after a warm-up on 2,000 units. Ours runs on one thread, peers on as many as they"
        " take. Peers give one coefficient and its error; the first three of ours are the app's whole answer with its path, gates"
        " and other methods, and the figure compared is the one among them that peers compute. Standard errors are compared with"
        " one small-sample factor for all. The figures agree to six digits, or there is no table.", "",
        "| contender | seconds (median) | spread | processor seconds | peak MiB | times ours | figures |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    slow = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        rows.save(path)
        for one in questions():
            found = answered(one, path)
            lines += found
            if float(found[0].split("|")[2]) > one.limit:
                slow.append(f"{one.name}: {found[0].split('|')[1].strip()} took over {one.limit} s.")
    if slow:
        slow.append("Ours runs on one thread: on an idle machine its seconds are its processor seconds.")
    lines += ["", *(slow or ["Every limit of ours is held: 0.5, 0.5, 0.5, 0.1 and 2 s."]), "", PUBLISHED]
    written("attribution", "attribution", lines)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        run_one(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
