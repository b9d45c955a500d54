"""How often the model family's intervals hold the truth: the campaign behind docs/results/model_coverage.md.

    python -m tests.metrics.model_coverage [SIMULATIONS]

Scores are equal-variance normals on the log-odds scale, calibrated, in some 400 bins; hallucinations are read by a judge
of sensitivity 0.8 and specificity 0.95, a third of them by a human too. Truths are known in closed form.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from metrics._model_top import Top, _at_cut, _precision
from metrics.core.agreement import RateSeen, effective, rogan_gladen, rogan_gladen_within
from metrics.core.calibration import slope
from metrics.core.clusters import auc as clustered
from metrics.core.discrimination import auc, rank
from metrics.core.intervals import Z, wilson
from metrics.core.top import hits
from tests.cases import ROOT
from tests.metrics.test_model_clusters import placed

SIMULATIONS = 2000
GAP = 1.6  # between the classes, in standard deviations of the evidence
SIZES = ((0.5, 400), (0.5, 4000), (0.1, 1000), (0.01, 8000), (0.001, 60_000))
READ = ((0.5, 1500), (0.1, 3000), (0.01, 12_000), (0.001, 60_000))
LOW, HIGH = 0.93, 0.97
REPORT = ROOT / "docs" / "results" / "model_coverage.md"


@dataclass(frozen=True)
class Covered:
    """Simulations in which an interval held the truth, of those in which there was one."""

    name: str
    rate: float
    n: int
    inside: int
    runs: int

    @property
    def share(self) -> float:
        return self.inside / self.runs

    def row(self) -> str:
        found = wilson(self.inside, self.runs)
        held = f"{self.share:.1%} | {found.low:.1%} to {found.high:.1%}"
        return f"| {self.name} | {self.rate:g} | {self.n:,} | {self.runs:,} | {held} |"


NAMES = ("AUC", "AUC, one term of two (NannyML's)", "precision among the first 10 %", "calibration slope")


def draws(rng: np.random.Generator, n: int, rate: float, gap: float = GAP) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated scores and outcomes."""
    y = rng.random(n) < rate
    evidence = rng.standard_normal(n) + gap * y
    return expit(math.log(rate / (1 - rate)) + gap * evidence - gap**2 / 2), y.astype(int)


def quality(rate: float, n: int, runs: int, seed: int = 4) -> tuple[Covered, ...]:
    """Coverage of the intervals of AUC, precision among the first tenth and calibration slope."""
    rng = np.random.default_rng(seed)
    cut = brentq(lambda t: rate * norm.sf(t - GAP) + (1 - rate) * norm.sf(t) - 0.1, -8, 12)
    truth = (norm.cdf(GAP / math.sqrt(2)), rate * norm.sf(cut - GAP) / 0.1)
    sample = draws(np.random.default_rng(99), 100_000, rate)[0]
    edges = np.unique(np.quantile(sample, np.linspace(0, 1, 400)[1:-1]))
    inside, done = np.zeros(len(NAMES), dtype=int), 0
    while done < runs:
        s, y = draws(rng, n, rate)
        if 0 < y.sum() < n:
            inside += _held(s, y, edges, truth)
            done += 1
    return tuple(Covered(name, rate, n, int(k), runs) for name, k in zip(NAMES, inside, strict=True))


def _held(s: np.ndarray, y: np.ndarray, edges: np.ndarray, truth: tuple[float, float]) -> np.ndarray:
    n, k = len(s), round(len(s) / 10)
    bins = np.searchsorted(edges, s)
    p, total = (np.bincount(bins, v, len(edges) + 1) for v in (y, np.ones(n)))
    q = total - p
    ranking = rank(p, q)
    one = auc(ranking)
    term = Z * math.sqrt(ranking.m2_positive / max(ranking.m - 1, 1) / ranking.m)
    top = Top(hits(p, q, k), k, n, int(p.sum()), _at_cut(p, q, k, n))
    _, _, variance = _precision(top)
    low, high = (effective(h / k, variance, k) for h in (top.hits.worst, top.hits.best))
    held = total > 0
    mean = np.bincount(bins, s, len(edges) + 1)[held] / total[held]
    line = slope(logit(mean), total[held], p[held])
    return np.array([
        one.low <= truth[0] <= one.high,
        abs(ranking.auc - truth[0]) <= term,
        low.low <= truth[1] <= high.high,
        line.low is not None and line.low <= 1 <= line.high,
    ], dtype=int)  # fmt: skip


def hallucination(rate: float, n: int, runs: int, seed: int = 3) -> tuple[Covered, ...]:
    """Coverage of the corrected rate, of Lang and Reiczigel's for a judge checked elsewhere, and of the judge's own."""
    rng = np.random.default_rng(seed)
    read, se, sp = n // 3, 0.8, 0.95
    inside, done = np.zeros(3, dtype=int), 0
    while done < runs:
        bad = rng.binomial(read, rate)
        if bad < 2 or read - bad < 2:
            continue
        found, passed = rng.binomial(bad, se), rng.binomial(read - bad, sp)
        more = rng.binomial(n - read, rate)
        alone = rng.binomial(more, se) + rng.binomial(n - read - more, 1 - sp)
        rest = RateSeen(alone / (n - read), n - read)
        checks = (RateSeen(found / bad, bad), RateSeen(passed / (read - bad), read - bad))
        told = (
            rogan_gladen_within(wilson(bad, read), read / n, rest, *checks),
            rogan_gladen(rest, *checks),
            wilson(int(found + read - bad - passed + alone), n),
        )
        inside += [one is not None and one.low <= rate <= one.high for one in told]
        done += 1
    names = (
        "corrected hallucination", "the same, judge checked on other items (Lang and Reiczigel)",
        "hallucination as the judge reports it",
    )  # fmt: skip
    return tuple(Covered(name, rate, n, int(k), runs) for name, k in zip(names, inside, strict=True))


def by_person(runs: int, seed: int = 5) -> tuple[Covered, ...]:
    """Coverage of the AUC where each of 800 persons comes ten times, with the error by person and without."""
    rng = np.random.default_rng(seed)
    truth, robust, plain = norm.cdf(1 / math.sqrt(2)), 0, 0
    for _ in range(runs):
        y = (rng.random(800) < 0.3).astype(float)
        found = clustered(placed(rng.standard_normal(800) + y, y, rng.integers(0, 64, 800), 10))
        gap = abs(found.value - truth)
        robust += gap <= found.reach * math.sqrt(found.variance)
        plain += gap <= Z * math.sqrt(found.independent)
    rows = (("AUC, error by person, ten rows each", robust), ("the same, error by row", plain))
    return tuple(Covered(name, 0.3, 8000, int(k), runs) for name, k in rows)


OURS = ("AUC", NAMES[2], NAMES[3], "corrected hallucination", "AUC, error by person, ten rows each")
HEAD = f"""# How often the intervals of model metrics hold the truth

Nominal 95 %. Asked: {LOW:.0%} to {HIGH:.0%} over at least 2,000 simulations. Lines of other ways stand beside ours for
comparison. Made by `python -m tests.metrics.model_coverage` (seeds fixed).

| Interval | Base rate | Cases each | Simulations | Holds the truth | Wilson |
|---|---:|---:|---:|---:|---:|
"""


def main(runs: int) -> None:
    started = time.process_time()
    found = [c for rate, n in SIZES for c in quality(rate, n, runs)]
    found += [c for rate, n in READ for c in hallucination(rate, n, runs)] + list(by_person(runs))
    ours = [c for c in found if c.name in OURS]
    out = [c for c in ours if not LOW <= c.share <= HIGH]
    told = f"{len(ours) - len(out)} of {len(ours)} of our lines lie within {LOW:.0%} to {HIGH:.0%}"
    told += (
        f"; outside: {'; '.join(f'{c.name} at {c.rate:g}, n {c.n:,} ({c.share:.1%})' for c in out)}."
        if out
        else "."
    )
    order = {name: i for i, name in enumerate(dict.fromkeys(c.name for c in found))}
    rows = "\n".join(c.row() for c in sorted(found, key=lambda c: (order[c.name], -c.rate, c.n)))
    REPORT.write_text(f"{HEAD}{rows}\n\n{told} {time.process_time() - started:.0f} s of processor time.\n")
    print(REPORT.read_text())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS)
