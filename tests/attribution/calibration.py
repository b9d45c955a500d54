"""How often studies of nothing are called something: the campaign behind docs/results/calibration.md.

    python -m tests.attribution.calibration [STUDIES]

Each design's studies are graded by the app; the rate that counts is that among those it would call attributed. Beside it:
confidence sequences over 100 looks, and how often the interval of a return holds the true one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metrics.attribution.result import Effect
from metrics.attribution.roi import Flows, Worth, returns
from metrics.attribution.sequential import anytime
from metrics.core.intervals import Interval, wilson
from tests.attribution import nulls
from tests.attribution.nulls import Judged
from tests.cases import ROOT

STUDIES, LOOKS = 2000, 100
LOW, HIGH = 0.03, 0.07
REPORT = ROOT / "docs" / "results" / "calibration.md"


@dataclass(frozen=True)
class Tally:
    """Studies of one kind or design. `called`: attributed ones whose interval leaves 0 out."""

    name: str
    studies: int
    intervals: int
    rejected: int
    attributed: int
    called: int

    @property
    def rate(self) -> Interval | None:
        """Of those that are called attributed, the share called something."""
        return wilson(self.called, self.attributed) if self.attributed else None

    @property
    def all_rate(self) -> Interval | None:
        return wilson(self.rejected, self.intervals) if self.intervals else None


def tally(name: str, found: Iterable[Judged]) -> Tally:
    held = tuple(found)
    told = [j for j in held if j.rejected is not None]
    good = [j for j in told if j.attributed]
    return Tally(
        name,
        len(held),
        len(told),
        sum(bool(j.rejected) for j in told),
        len(good),
        sum(bool(j.rejected) for j in good),
    )


def design(name: str, studies: int) -> tuple[Tally, tuple[Tally, ...]]:
    """All kinds of a design that may be called attributed at all (all of them where none may), and each kind."""
    by_kind: dict[str, list[Judged]] = {make.__name__: [] for make, _ in nulls.KINDS[name]}
    for seed in range(studies):
        make = nulls.kind_of(name, seed)
        by_kind[make.__name__].append(nulls.judged(make, seed))
    kinds = tuple(tally(kind, found) for kind, found in by_kind.items())
    allowed = {k.name for k in kinds if k.attributed} or set(by_kind)
    return tally(name, (j for kind, found in by_kind.items() if kind in allowed for j in found)), kinds


def sequences(studies: int) -> Interval:
    """Share of null trials that a confidence sequence calls something at any of 100 looks on its way to 2,000 units."""
    called = 0
    ends = np.linspace(20, 2000, LOOKS).astype(int) // 2
    for seed in range(studies):
        rng = np.random.default_rng(seed)
        arms = rng.normal(0, 1, (2, 1000)) if seed % 2 else rng.exponential(1, (2, 1000))
        total, squares = arms.cumsum(axis=1)[:, ends - 1], (arms**2).cumsum(axis=1)[:, ends - 1]
        mean = total / ends
        spread = (squares / ends - mean**2) * ends / (ends - 1)
        gap, se = mean[1] - mean[0], np.sqrt((spread / ends).sum(axis=0))
        called += any(
            abs(g) > (high := anytime(0.0, s, 2 * n, 2000).high) and high is not None
            for g, s, n in zip(gap.tolist(), se.tolist(), ends.tolist(), strict=True)
        )
    return wilson(called, studies)


def coverage(studies: int, make: object, true: float = 1.0) -> Interval:
    """Share of studies with an effect whose interval of the return holds the true return.

    The effect is `true` a unit; the value of a unit is drawn from the triangle that the plan states.
    """
    held = 0
    for seed in range(studies):
        rng = np.random.default_rng(10_000 + seed)
        asked, rows = make(rng)  # type: ignore[operator]
        y = rows.numbers("y") + true * rows.numbers("arm")
        changed = rows.columns.set_column(rows.columns.column_names.index("y"), "y", [y])
        found = nulls.answer(
            (asked, nulls.table(**{n: changed[n].to_numpy() for n in changed.column_names})), seed
        )
        held += _holds(found.effect, found.cells, true, rng, seed)
    return wilson(held, studies)


def _holds(effect: Effect, cells: float, true: float, rng: np.random.Generator, seed: int) -> bool:
    worth = Worth(cells, 1.0, 8.0, 10.0, 13.0, 0.8, 0.08)
    costs = Flows(np.full(1, np.nan), np.array([5.0 * cells]))
    got = returns(effect, None, worth, costs, None, seed, counted=True)
    assert got is not None
    assert got.roi_low is not None
    assert got.roi_high is not None
    unit = rng.triangular(worth.low, worth.mid, worth.high)
    roi = worth.of(true) * unit / (5.0 * cells) - 1
    return got.roi_low <= roi <= got.roi_high


def share(found: Interval | None) -> str:
    return "none" if found is None else f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"


def _line(one: Tally, mark: str = "") -> str:
    name = f"{mark}{one.name.replace('_', ' ')}{mark}"
    return f"| {name} | {one.studies:,} | {one.intervals:,} | {share(one.all_rate)} | {one.attributed:,} | {share(one.rate)} |"


HEAD = """# Calibration: how often nothing is called something

Studies in which nothing happened, made by `tests/attribution/nulls.py` (AR(1) errors, 6 to 40 clusters, 1 to 5 treated
units), handed to the app as rows and specification and graded by it. A nominal 5 % must lie between 3 and 7 % of the
intervals of every design that may be called attributed, and among the attributed ones at most at 7 %: some gates look at
the result too (a drift that would overturn it, methods that disagree), and take findings away but never add one. A design's
line leaves out kinds of which the app calls none attributed; a design that does not hold its 5 % has none attributed.
Intervals are Wilson's. Made by
`python -m tests.attribution.calibration`.

| Design and kind | Studies | With an interval | Of these called something | Called attributed | Of these called something |
|---|---:|---:|---:|---:|---:|
"""


def main(studies: int) -> None:
    began = time.process_time()
    lines = []
    for name in nulls.KINDS:
        whole, kinds = design(name, studies)
        lines += [_line(whole, "**"), *(_line(k) for k in kinds)]
        print("\n".join(lines[-1 - len(kinds) :]), f"{time.process_time() - began:.0f} s", flush=True)
    looks = sequences(studies)
    trials = (("plain", nulls.plain), ("clustered", nulls.clustered))
    returned = [f"| {n} | {share(coverage(studies, make))} |" for n, make in trials]
    text = [
        HEAD + "\n".join(lines), "", "## Looking on the way", "",
        f"Confidence sequences over {LOOKS} looks, {studies:,} null trials (normal and exponential outcomes): {share(looks)} are"
        " called something at any look; at most 5 % are allowed.", "",
        "## Intervals of a return", "",
        f"{studies:,} trials with an effect of 1; the value of a unit is drawn from the stated triangle. Share of 95 % intervals"
        " that hold the true return; 93 to 97 % are asked for.", "", "| Trial | Coverage |", "|---|---:|", *returned, "",
        f"Processor time {time.process_time() - began:.0f} s on one core.", "",
    ]  # fmt: skip
    REPORT.write_text("\n".join(text))
    print("\n".join(text[1:]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES)
