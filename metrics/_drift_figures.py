"""The finalisers of the drift family and the contribution of each bin: pure functions of one slice's cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.sql import date_of
from metrics._drift_cells import MISSING, SCORE, DriftCells, Values
from metrics._drift_edges import Edges, Halves, Periods, edges_of, fine, halves, keys_of
from metrics.core.estimates import share, share_difference
from metrics.core.metric import Choice, Estimate, undefined
from metrics.core.shapes import Floats, Ints
from metrics.core.shift import (
    LARGE,
    LIMIT,
    RARE,
    Divergence,
    adjusted,
    cusum,
    daily_scores,
    flagged,
    jensen_shannon,
    kolmogorov_smirnov,
    psi,
    psi_terms,
    wasserstein,
)

A_DAY = 30  # fewer cases on a day say nothing about that day
SEEN_ENOUGH = 300  # cases after which a category of 1 % is missed by chance once in 20
SMALLEST = 10  # a category of fewer persons is not named


@dataclass(frozen=True)
class Shift:
    """One score or feature: its frozen bins and both halves."""

    edges: Edges
    both: Halves

    @property
    def n(self) -> int:
        return int(self.both.current.n.sum())

    def counts(self) -> tuple[Floats, Floats]:
        return self.edges.counts(self.both.reference), self.edges.counts(self.both.current)


def shift_of(cells: DriftCells, choice: Choice) -> Shift | Estimate:
    """Reference and current of one feature, or why they cannot be compared."""
    if not len(cells.whole.n):
        return undefined("no predictions in this scope")
    both = halves(cells, choice)
    if not len(both.current.n):
        return undefined(
            f"no prediction outside the reference ({both.days.words()}): nothing to compare with it yet"
        )
    if not (both.reference.bin != MISSING).any():
        return undefined(f"no value in the reference ({both.days.words()})", int(both.current.n.sum()))
    return Shift(edges_of(both.reference), both)


def _told(days: Periods) -> str:
    return f"compared with {days.words()}"


def divergence(
    measure: Callable[[Floats, Floats], Divergence], method: str
) -> Callable[[DriftCells, Choice], Estimate]:
    """Finaliser of a divergence over the frozen bins."""

    def finalise(cells: DriftCells, choice: Choice) -> Estimate:
        found = shift_of(cells, choice)
        if isinstance(found, Estimate):
            return found
        return _estimate(measure(*found.counts()), found, method)

    return finalise


def _estimate(one: Divergence, found: Shift, method: str) -> Estimate:
    chance = "beyond chance" if one.p <= RARE else "within what chance does"
    warnings = (_told(found.both.days), f"{chance} (p {one.p:.2g})")
    return Estimate(one.value, one.low, one.high, found.n, method=method, warnings=warnings)


def psi_of(cells: DriftCells, choice: Choice) -> Estimate:
    """PSI with the verdict that needs both size and significance."""
    found = shift_of(cells, choice)
    if isinstance(found, Estimate):
        return found
    reference, current = found.counts()
    one = psi(reference, current)
    told = "drift: large and beyond chance" if flagged(reference, current) else _why_quiet(one)
    top = contributions(found)[0]
    warnings = (_told(found.both.days), told, f"most from: {top.name}")
    return Estimate(
        one.value, one.low, one.high, found.n, method="delta method, chance removed", warnings=warnings
    )


def _why_quiet(one: Divergence) -> str:
    if one.p > RARE:
        return "no drift: within what chance does"
    return f"no drift: beyond chance, but smaller than {LARGE}"


def numeric(
    measure: Callable[[Floats, Floats, Floats], Divergence | None], method: str
) -> Callable[[DriftCells, Choice], Estimate]:
    """Finaliser of a distance of numbers, over the fine grid."""

    def finalise(cells: DriftCells, choice: Choice) -> Estimate:
        found = shift_of(cells, choice)
        if isinstance(found, Estimate):
            return found
        if not found.edges.numeric:
            return undefined("its values are categories, which have no order", found.n)
        at, reference, current = fine(found.edges, found.both.reference, found.both.current)
        if not reference.sum() or not current.sum():
            return undefined("no number in the reference or in the days asked for", found.n)
        one = measure(at, reference, current)
        if one is None:
            return undefined("the reference has one value only: there is no spread to measure by", found.n)
        return _estimate(one, found, method)

    return finalise


ks_of = numeric(lambda _, a, b: kolmogorov_smirnov(a, b), "Dvoretzky-Kiefer-Wolfowitz, widened by the bins")
wasserstein_of = numeric(wasserstein, "delta method")
jensen_shannon_of = divergence(jensen_shannon, "delta method, chance removed")


def new_categories_of(cells: DriftCells, choice: Choice) -> Estimate:
    found = shift_of(cells, choice)
    if isinstance(found, Estimate):
        return found
    if found.edges.numeric:
        return undefined("its values are numbers, not categories", found.n)
    current = found.both.current
    fresh = (found.edges.places(current) == found.edges.size - 1) & (current.bin != MISSING)
    names: dict[str, int] = {}
    for key, n in zip(np.array(keys_of(current))[fresh].tolist(), current.n[fresh].tolist(), strict=True):
        names[key] = names.get(key, 0) + n
    told = sorted((k for k, n in names.items() if n >= SMALLEST), key=lambda k: (-names[k], k))[:3]
    warnings = (_told(found.both.days), *(f"new: {k[1:]} ({names[k]:,})" for k in told))
    return share(int(current.n[fresh].sum()), found.n, "no predictions in this scope", warnings)


def missing_categories_of(cells: DriftCells, choice: Choice) -> Estimate:
    found = shift_of(cells, choice)
    if isinstance(found, Estimate):
        return found
    if found.edges.numeric:
        return undefined("its values are numbers, not categories", found.n)
    if found.n < SEEN_ENOUGH:
        return undefined(f"{found.n:,} values are too few to miss a category of 1 % among them", found.n)
    current = found.edges.counts(found.both.current)[: len(found.edges.own)]
    gone = [name for name, n in zip(found.edges.names(), current.tolist(), strict=False) if n == 0]
    warnings = (_told(found.both.days), *(f"gone: {name}" for name in gone[:3]))
    return Estimate(float(len(gone)), n=found.n, method="exact count", warnings=warnings)


def null_share_of(cells: DriftCells, _: Choice) -> Estimate:
    total = int(cells.now.n.sum())
    return share(int(cells.now.n[cells.now.bin == MISSING].sum()), total, "no predictions in this scope")


def null_difference_of(cells: DriftCells, choice: Choice) -> Estimate:
    if not len(cells.whole.n):
        return undefined("no predictions in this scope")
    both = halves(cells, choice)
    parts = [(int(v.n[v.bin == MISSING].sum()), int(v.n.sum())) for v in (both.current, both.reference)]
    return share_difference(parts[0], parts[1], f"no prediction outside the reference ({both.days.words()})")


def by_day(found: Shift) -> tuple[Ints, Floats]:
    """Days with enough cases, ascending (D,), and the counts of their bins (D, B)."""
    current = found.both.current
    days, at = np.unique(current.on, return_inverse=True)
    flat = at * found.edges.size + found.edges.places(current)
    counts = np.bincount(flat, current.n, len(days) * found.edges.size).astype(float)
    table = counts.reshape(len(days), found.edges.size)
    enough = table.sum(axis=1) >= A_DAY
    return days[enough], table[enough]


def cusum_of(cells: DriftCells, choice: Choice) -> Estimate:
    found = shift_of(cells, choice)
    if isinstance(found, Estimate):
        return found
    days, counts = by_day(found)
    if not len(days):
        return undefined(f"no day with {A_DAY} predictions or more outside the reference", found.n)
    told = cusum(daily_scores(found.edges.counts(found.both.reference), counts))
    value = float(told.sums[-1])
    warnings = [_told(found.both.days)]
    if told.alarm and told.began is not None:
        warnings.append(f"above {LIMIT:g}: it has risen since {date_of(int(days[told.began])).isoformat()}")
    method = f"one-sided CUSUM; above {LIMIT:g} by chance once in about 930 undrifted days"
    return Estimate(value, n=int(counts.sum()), method=method, warnings=tuple(warnings))


def _each(cells: DriftCells, choice: Choice) -> list[tuple[str, Shift]]:
    """Every score and feature of a model that can be compared."""
    names = sorted(set(cells.whole.named.tolist()), key=lambda name: (name != SCORE, name))
    parts = [
        (n, DriftCells(cells.now.where(_is(cells.now, n)), cells.whole.where(_is(cells.whole, n))))
        for n in names
    ]
    found = [(name, shift_of(part, choice)) for name, part in parts]
    return [(name, one) for name, one in found if isinstance(one, Shift)]


def _is(values: Values, name: str) -> NDArray[np.bool_]:
    return np.asarray(values.named == name, dtype=bool)


def drifted_of(cells: DriftCells, choice: Choice) -> Estimate:
    """How many of the model's score and features drifted: large, and beyond chance after Benjamini-Hochberg."""
    each = _each(cells, choice)
    if not each:
        return _nothing(cells, choice)
    found = [psi(*one.counts()) for _, one in each]
    q = adjusted(np.array([d.p for d in found]))
    hit = [
        name
        for (name, _), d, chance in zip(each, found, q, strict=True)
        if chance <= RARE and d.value >= LARGE
    ]
    n = max(one.n for _, one in each)
    warnings = (_told(each[0][1].both.days), *(f"drifted: {name}" for name in hit))
    return Estimate(
        float(len(hit)), n=n, numerator=len(hit), denominator=len(each),
        method=f"PSI of {LARGE} or more and Benjamini-Hochberg q of {RARE} or less", warnings=warnings,
    )  # fmt: skip


def _nothing(cells: DriftCells, choice: Choice) -> Estimate:
    found = shift_of(cells, choice)
    return found if isinstance(found, Estimate) else undefined("no value to compare", found.n)


def days_flagged_of(cells: DriftCells, choice: Choice) -> Estimate:
    """Days on which something drifted, of the days with enough predictions; tests of a day share its error rate."""
    each = _each(cells, choice)
    if not each:
        return _nothing(cells, choice)
    tests: dict[int, list[tuple[float, float]]] = {}
    for _, one in each:
        reference = one.edges.counts(one.both.reference)
        for day, row in zip(*by_day(one), strict=True):
            found = psi(reference, row)
            tests.setdefault(int(day), []).append((found.p, found.value))
    hit = sum(_any(t) for t in tests.values())
    nothing = f"no day with {A_DAY} predictions or more outside the reference"
    return share(hit, len(tests), nothing, (_told(each[0][1].both.days),))


def _any(tests: list[tuple[float, float]]) -> bool:
    q = adjusted(np.array([p for p, _ in tests]))
    return any(chance <= RARE and size >= LARGE for chance, (_, size) in zip(q, tests, strict=True))


@dataclass(frozen=True)
class Contribution:
    """One bin: what it holds, its shares in the reference and now, and what it adds to the PSI."""

    name: str
    reference: float
    current: float
    psi: float


def contributions(found: Shift) -> tuple[Contribution, ...]:
    """The bins of a feature, those that add most to its PSI first; bins that neither half holds are left out."""
    reference, current = found.counts()
    held = (reference > 0) | (current > 0)
    names = [name for name, kept in zip(found.edges.names(), held, strict=True) if kept]
    a, b = reference[held], current[held]
    terms = psi_terms(a, b)
    rows = [
        Contribution(*row)
        for row in zip(names, (a / a.sum()).tolist(), (b / b.sum()).tolist(), terms.tolist(), strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: -row.psi))
