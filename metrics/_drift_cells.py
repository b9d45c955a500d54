"""The rollup of the drift family: every score and feature value on a grid that no data can move.

The grid is fixed for all time (256 bins for each factor e of a number's size, 512 logit bins of a score), so one
outlier moves no edge. The reference's quantile edges are read off it: frozen with the days of the reference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from scipy.special import expit
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, double, micros, number_in, real, whole
from metrics.core.decisions import HUGE
from metrics.core.metric import Rollup
from metrics.core.shapes import Columns, Counts, Floats, Ints

SCORE = "score"
FINENESS = 256  # bins for each factor e: values in one bin differ by 0.4 % at most
TINY = 1e-9  # sizes below it are 0
SHIFT = 5400  # puts the code of the smallest size above 0
LOGIT_BINS, LOGIT_LIMIT = 512, 12.0
MISSING, WORD, UNUSABLE = -1_000_000, -1_000_001, -1_000_002
FEWEST = 1000  # a word below one in FEWEST of its day's values counts as RARE_WORD
RARE_WORD = "(rare)"
Words = NDArray[np.object_]


@dataclass(frozen=True)
class Values:
    """Counted values: whose (`named`), of which day, grid code, word (where the code is WORD), how many. All (C,)."""

    named: Words
    on: Ints
    bin: Ints
    word: Words
    n: Ints

    @classmethod
    def of(cls, columns: Columns, prefix: str = "") -> Values:
        named, word = (np.asarray(columns[f"{prefix}{k}"], dtype=object) for k in ("named", "word"))
        on, bin_, n = (columns[f"{prefix}{k}"].astype(np.int64) for k in ("on", "bin", "n"))
        return cls(named, on, bin_, word, n)

    def where(self, kept: NDArray[np.bool_]) -> Values:
        return Values(self.named[kept], self.on[kept], self.bin[kept], self.word[kept], self.n[kept])


@dataclass(frozen=True)
class DriftCells:
    """Values of the days asked for, and of all days (the reference is among them)."""

    now: Values
    whole: Values

    @classmethod
    def of(cls, columns: Columns) -> DriftCells:
        now = Values.of(columns)
        return cls(now, Values.of(columns, "all_") if "all_n" in columns else now)


def value_at(code: Ints, *, score: bool) -> Floats:
    """The value in the middle of each grid bin, (B,)."""
    if score:
        return np.asarray(expit((code + 0.5) * (2 * LOGIT_LIMIT / LOGIT_BINS) - LOGIT_LIMIT), dtype=float)
    size = np.exp((np.abs(code) - SHIFT + 0.5) / FINENESS)
    return np.asarray(np.where(code == 0, 0.0, np.sign(code) * size), dtype=float)


def _score_code(x: ColumnElement[float]) -> ColumnElement[int]:
    inside = sa.case(
        (sa.and_(x >= real(0), x <= real(1)), x * real(1 - 2e-15) + real(1e-15)), else_=real(0.5)
    )
    logit = sa.func.ln(inside) - sa.func.ln(real(1) - inside)
    step = sa.func.floor((logit + real(LOGIT_LIMIT)) * real(LOGIT_BINS / (2 * LOGIT_LIMIT)))
    top = real(LOGIT_BINS - 1)
    clamped = sa.case((step < real(0), real(0)), (step > top, top), else_=step)
    return sa.case(
        (x.is_(None), MISSING), (sa.and_(x >= real(0), x <= real(1)), whole(clamped)), else_=UNUSABLE
    )


def _number_code(x: ColumnElement[float], word: ColumnElement[str]) -> ColumnElement[int]:
    """Grid code of a number; each test is made once, for a feature of ten million values feels every one."""
    size = sa.func.abs(x)
    kept = sa.case((sa.and_(size > real(TINY), size <= real(HUGE)), size), else_=real(1))
    step = whole(sa.func.floor(sa.func.ln(kept) * real(FINENESS)) + real(SHIFT))
    return sa.case(
        (sa.or_(word.is_(None), word == sa.literal_column("''")), MISSING),
        (size <= real(TINY), 0),
        (sa.and_(x > real(0), x <= real(HUGE)), step),
        (sa.and_(x < real(0), x >= real(-HUGE)), -step),
        else_=WORD,
    )


def _raw(facts: Facts, column: str) -> sa.Subquery:
    """One row a prediction: time, dims, the value as a word and as a number."""
    p = facts["predictions"]
    none = sa.literal_column("''", sa.Text())
    kept = [p.c[d] for d in facts.dims if d in p.c]
    score = column == SCORE
    number = double(p.c.score) if score else number_in(p.c[column])
    rows = sa.select(
        micros(p.c.predicted_at).label("us"),
        *kept,
        (none if score else p.c[column]).label("word"),
        number.label("x"),
    )
    return rows.where(facts.within(p.c.predicted_at), facts.pinned(p)).subquery(f"raw_{column}")


def _counted(facts: Facts, column: str) -> sa.Select[tuple[object, ...]]:
    """Counts of one column's values by day, dims, grid code and word."""
    raw = _raw(facts, column)
    kept = [raw.c[d] for d in facts.dims if d in raw.c]
    code = _score_code(raw.c.x) if column == SCORE else _number_code(raw.c.x, raw.c.word)
    coded = sa.select(day_number(raw.c.us).label("day"), *kept, raw.c.word, code.label("bin")).subquery(
        f"coded_{column}"
    )
    word = sa.case((coded.c.bin == WORD, coded.c.word), else_=sa.literal_column("''", sa.Text()))
    keyed = sa.select(coded.c.day, *(coded.c[k.key] for k in kept), coded.c.bin, word.label("word")).subquery(
        f"keyed_{column}"
    )
    keys = list(keyed.c)
    named = sa.literal_column(f"'{column}'", sa.Text()).label("named")
    return sa.select(*keys, named, sa.func.count().label("n")).group_by(*keys)


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    features = sorted(c for c in facts["predictions"].c.keys() if c.startswith("feat_"))  # noqa: SIM118 (a column collection, not a dict)
    parts = sa.union_all(*(_counted(facts, c) for c in (SCORE, *features))).subquery("parts")
    dims = [parts.c[d] for d in facts.dims if d in parts.c]
    group = [parts.c.day, *dims, parts.c.named]
    total = sa.func.sum(parts.c.n).over(partition_by=group)
    sized = sa.select(*parts.c, total.label("total")).subquery("sized")
    rare = sa.and_(sized.c.bin == WORD, sized.c.n * FEWEST < sized.c.total)
    word = sa.case((rare, sa.literal_column(f"'{RARE_WORD}'", sa.Text())), else_=sized.c.word)
    merged = sa.select(
        sized.c.day,
        *(sized.c[d.key] for d in dims),
        sized.c.named,
        sized.c.bin,
        word.label("word"),
        sized.c.n,
    ).subquery("merged")
    keys = [merged.c.day, *(merged.c[d.key] for d in dims), merged.c.named, merged.c.bin, merged.c.word]
    feature = [merged.c.named.label("feature")] if "feature" in facts.dims else []
    return sa.select(
        *keys, *feature, merged.c.day.label("on"), whole(sa.func.sum(merged.c.n)).label("n")
    ).group_by(*keys)


VALUES: Rollup[DriftCells] = Rollup(
    key="drift.values",
    title="Scores and features by value",
    tables=("predictions",),
    dims=("model_id", "model_version", "feature"),
    inner=("named", "on", "bin", "word"),
    words=("named", "word"),
    history=True,
    shapes=(Counts(("n",)),),
    select=_select,
    cells=DriftCells.of,
)

assert math.log(TINY) * FINENESS + SHIFT > 1, "codes of positive numbers lie above 0"
