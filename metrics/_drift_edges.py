"""The reference of a drift figure: its days, and the bins that its quantiles or categories set once."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from data.sql import date_of, day_of
from metrics._drift_cells import FINENESS, MISSING, SCORE, SHIFT, UNUSABLE, WORD, DriftCells, Values, value_at
from metrics.core.metric import Choice, Setting
from metrics.core.shapes import Floats, Ints

REFERENCE = Setting(
    "reference", "first 28 days", "days compared with: `first N days` of the model, or 2026-01-01/2026-01-28"
)
FIRST = re.compile(r"first ([1-9][0-9]{0,3}) days?")
BINS = 10  # quantile bins of a number
NUMERIC_SHARE = 0.99  # of the reference's values must be numbers, and
FEW_VALUES = 10  # more than so many different ones, else each value is a category
OWN_SHARE, MOST_OWN = 0.01, 19  # a category this common in the reference has a bin of its own, up to so many
NOT_THERE, NOT_A_NUMBER, NEW, OTHERS = "missing", "not a number", "new categories", "rarer categories"


@dataclass(frozen=True)
class Periods:
    """First and last day of the reference, both included (days since 1970)."""

    first: int
    last: int

    def words(self) -> str:
        return f"{date_of(self.first).isoformat()} to {date_of(self.last).isoformat()}"


def reference_days(choice: Choice, on: Ints) -> Periods:
    """The reference's days; ValueError for a setting that names none."""
    text = dict(choice.values).get("reference", REFERENCE.default)
    found = FIRST.fullmatch(text)
    if found:
        first = int(on.min())
        return Periods(first, first + int(found[1]) - 1)
    try:
        first_day, last_day = (dt.date.fromisoformat(part) for part in text.split("/"))
    except ValueError as wrong:
        raise ValueError(f"reference={text!r}: write `first 28 days` or 2026-01-01/2026-01-28") from wrong
    return Periods(day_of(first_day), day_of(last_day))


@dataclass(frozen=True)
class Halves:
    """The values of the reference, those of the days asked for outside it, and which days the reference has."""

    reference: Values
    current: Values
    days: Periods


def halves(cells: DriftCells, choice: Choice) -> Halves:
    """Split a slice's values into reference and current."""
    days = reference_days(choice, cells.whole.on)
    at, now = cells.whole.on, cells.now.on
    return Halves(
        cells.whole.where((at >= days.first) & (at <= days.last)),
        cells.now.where((now > days.last) | (now < days.first)),
        days,
    )


@dataclass(frozen=True)
class Edges:
    """Bins set by a reference. `cuts`: upper grid codes of all number bins but the last, ascending; None for categories.

    `own`: keys of the categories with a bin of their own; `known`: all keys of the reference. `score`: logit grid.
    """

    cuts: Ints | None
    own: tuple[str, ...]
    known: frozenset[str]
    score: bool

    @property
    def numeric(self) -> bool:
        return self.cuts is not None

    @property
    def size(self) -> int:
        """Bins in all; the last two hold what is missing and what is new or no number."""
        return (len(self.cuts) + 1 if self.cuts is not None else len(self.own) + 1) + 2

    def places(self, values: Values) -> Ints:
        """The bin of each cell, (C,)."""
        if self.cuts is not None:
            at = np.searchsorted(self.cuts, values.bin, side="left")
            at = np.where((values.bin == WORD) | (values.bin == UNUSABLE), self.size - 1, at)
        else:
            index = {key: i for i, key in enumerate(self.own)}
            rest, new = self.size - 3, self.size - 1
            keys = keys_of(values)
            at = np.array([index.get(k, rest if k in self.known else new) for k in keys], dtype=np.int64)
        return np.where(values.bin == MISSING, self.size - 2, at).astype(np.int64)

    def counts(self, values: Values) -> Floats:
        """Cases in each bin, (B,)."""
        return np.bincount(self.places(values), values.n, self.size).astype(float)

    def names(self) -> tuple[str, ...]:
        """What each bin holds, in words."""
        if self.cuts is None:
            return (*(_shown(k) for k in self.own), OTHERS, NOT_THERE, NEW)
        ends = [f"{upper(c, score=self.score):.3g}" for c in self.cuts.tolist()]
        if not ends:
            return ("any number", NOT_THERE, NOT_A_NUMBER)
        between = [f"{a} to {b}" for a, b in pairwise(ends)]
        return (f"up to {ends[0]}", *between, f"above {ends[-1]}", NOT_THERE, NOT_A_NUMBER)


def upper(code: int, *, score: bool) -> float:
    """The value at the upper edge of a grid bin."""
    if score:
        return float(value_at(np.array([code + 0.5]), score=True)[0])
    if code == 0:
        return 0.0
    size = np.exp((abs(code) - SHIFT + (code > 0)) / FINENESS)
    return float(np.sign(code) * size)


def _shown(key: str) -> str:
    """A category as people write it; a number that is a category by its value."""
    return f"{value_at(np.array([int(key[1:])]), score=False)[0]:.3g}" if key.startswith("#") else key[1:]


def keys_of(values: Values) -> list[str]:
    """One text for each cell's category: `=word`, or `#code` for a number."""
    return [
        f"={w}" if b == WORD else f"#{b}"
        for b, w in zip(values.bin.tolist(), values.word.tolist(), strict=True)
    ]


def edges_of(reference: Values) -> Edges:
    """The bins of one feature's reference; it must hold some value."""
    score = bool(len(reference.named)) and reference.named[0] == SCORE
    present = reference.where(reference.bin != MISSING)
    number = (present.bin != WORD) & (present.bin != UNUSABLE)
    codes, counts = tally(present.bin[number], present.n[number])
    share = counts.sum() / max(float(present.n.sum()), 1.0)
    if score or (share >= NUMERIC_SHARE and len(codes) > FEW_VALUES):
        return Edges(_quantiles(codes, counts), (), frozenset(), score)
    keys, at = np.unique(np.array(keys_of(present), dtype=object).astype(str), return_inverse=True)
    total = np.bincount(at, present.n, len(keys))
    order = np.argsort(-total, kind="stable")[:MOST_OWN]
    own = tuple(str(keys[i]) for i in order if total[i] >= OWN_SHARE * total.sum())
    return Edges(None, own, frozenset(str(k) for k in keys), score)


def tally(codes: Ints, n: Ints) -> tuple[Ints, Floats]:
    """Distinct codes ascending, and their counts."""
    held, at = np.unique(codes, return_inverse=True)
    return held, np.bincount(at, n, len(held)).astype(float)


def _quantiles(codes: Ints, counts: Floats) -> Ints:
    """Upper codes of the quantile bins: tenths of the reference, fewer where one value fills several."""
    if len(codes) == 0:
        return np.empty(0, dtype=np.int64)
    cumulative = np.cumsum(counts)
    wanted = cumulative[-1] * np.arange(1, BINS) / BINS
    at = np.unique(np.searchsorted(cumulative, wanted * (1 - 1e-12)))
    cuts: Ints = codes[at[at < len(codes) - 1]]
    return cuts


def fine(edges: Edges, reference: Values, current: Values) -> tuple[Floats, Floats, Floats]:
    """Values ascending with the counts of both halves on the fine grid: numbers only."""
    kept = [v.where(_usable(v.bin)) for v in (reference, current)]
    codes = np.unique(np.concatenate([v.bin for v in kept]))
    counts = [np.bincount(np.searchsorted(codes, v.bin), v.n, len(codes)).astype(float) for v in kept]
    return value_at(codes, score=edges.score), counts[0], counts[1]


def _usable(bins: Ints) -> NDArray[np.bool_]:
    return np.asarray((bins != MISSING) & (bins != WORD) & (bins != UNUSABLE), dtype=bool)
