"""The rollup of the generative family: reviewed items by what humans and judges said of them.

An item lies on the day of its first review, so that a human's verdict meets the judge's whenever it came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from data.sql import WHOLE, Facts, day_number, double, micros, real, whole
from metrics.core.agreement import Weighted
from metrics.core.metric import Reach, Rollup
from metrics.core.shapes import Columns, Counts, Floats, Ints, Sums


@dataclass(frozen=True)
class Reviewed:
    """Groups of like items, (G,): rubric, human reviews and how many of them said yes, the same of judges, items, weights."""

    rubric: NDArray[np.object_]
    humans: Ints
    human_yes: Ints
    judges: Ints
    judge_yes: Ints
    n: Ints
    weight: Floats
    weight2: Floats

    @classmethod
    def of(cls, columns: Columns) -> Reviewed:
        a, b, c, d, n = (
            columns[k].astype(np.int64) for k in ("humans", "human_yes", "judges", "judge_yes", "n")
        )
        weight, weight2 = (columns[k].astype(float) for k in ("weight", "weight2"))
        return cls(np.asarray(columns["named"], dtype=object), a, b, c, d, n, weight, weight2)

    def where(self, kept: NDArray[np.bool_]) -> Reviewed:
        a, b, c, d, n = (x[kept] for x in (self.humans, self.human_yes, self.judges, self.judge_yes, self.n))
        return Reviewed(self.rubric[kept], a, b, c, d, n, self.weight[kept], self.weight2[kept])

    def by(self, yes: Ints, of: Ints) -> Weighted:
        """The items as weighted values: the share of `of` reviews that said yes."""
        return Weighted(self.n.astype(float), self.weight, self.weight2, yes / np.maximum(of, 1))


def _items(facts: Facts) -> sa.Subquery:
    """One row an item and rubric: its first review's time, stratum, weight, and the verdicts of both kinds."""
    r = facts["reviews"]
    human = sa.case((r.c.reviewer_type == "human", 1), else_=0)
    rows = (
        sa.select(
            micros(r.c.reviewed_at).label("us"), r.c.model_id, r.c.rubric, r.c.item_id, r.c.stratum,
            sa.case((r.c.weight.is_(None), real(1)), else_=double(r.c.weight)).label("w"),
            human.label("human"), whole(r.c.verdict).label("yes"),
        )
        .where(r.c.verdict.is_not(None), facts.pinned(r))
        .subquery("reviews_")
    )  # fmt: skip
    keys = [rows.c.model_id, rows.c.rubric, rows.c.item_id]
    total = sa.func.sum
    return sa.select(
        *keys,
        sa.func.min(rows.c.us).label("us"),
        sa.func.max(rows.c.stratum).label("stratum"),
        sa.func.avg(rows.c.w).label("w"),
        whole(total(rows.c.human)).label("humans"),
        whole(total(rows.c.human * rows.c.yes)).label("human_yes"),
        whole(total(1 - rows.c.human)).label("judges"),
        whole(total((1 - rows.c.human) * rows.c.yes)).label("judge_yes"),
    ).group_by(*keys).subquery("items")  # fmt: skip


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    items = _items(facts)
    verdicts = [items.c[k] for k in ("humans", "human_yes", "judges", "judge_yes")]
    dated = sa.select(
        day_number(items.c.us).label("day"), *(items.c[d] for d in facts.dims), items.c.rubric.label("named"),
        *verdicts, items.c.w,
    ).subquery("dated")  # fmt: skip
    keys = [c for c in dated.c if c.key != "w"]
    statement = sa.select(
        *keys,
        sa.func.count().label("n"),
        sa.func.sum(dated.c.w).label("weight"),
        sa.func.sum(dated.c.w * dated.c.w).label("weight2"),
    ).group_by(*keys)
    if facts.span is None:
        return statement
    return statement.where(dated.c.day >= facts.span.first, dated.c.day <= facts.span.last)


def _touched(facts: Facts) -> sa.Select[tuple[int]]:
    """Days of the items that the new reviews speak of: an item's day is that of its first review, old or new."""
    new = facts["reviews"]
    items = _items(replace(facts, tables={**facts.tables, "reviews": facts[WHOLE]}, span=None))
    named = sa.select(new.c.model_id, new.c.rubric, new.c.item_id).distinct().subquery("named_")
    joined = items.join(
        named, sa.and_(*(items.c[k] == named.c[k] for k in ("model_id", "rubric", "item_id")))
    )
    dated = sa.select(day_number(items.c.us).label("day")).select_from(joined).subquery("dated_")
    return sa.select(dated.c.day).distinct()


VERDICTS: Rollup[Reviewed] = Rollup(
    key="generative.verdicts",
    title="Reviewed items by the verdicts on them",
    tables=("reviews",),
    dims=("model_id", "rubric", "stratum"),
    inner=("named", "humans", "human_yes", "judges", "judge_yes"),
    words=("named",),
    shapes=(Counts(("n",)), Sums(("weight", "weight2"))),
    select=_select,
    cells=Reviewed.of,
    touched=(("reviews", _touched),),
    reach=(("reviews", Reach.ALL),),
)
