"""Decisions by group: the rollup, and the five rates that the fairness family compares between groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.sql import Facts, day_number
from metrics.core.decisions import decided
from metrics.core.metric import ATTRIBUTES, Direction, Rollup
from metrics.core.shapes import Columns, Counts


@dataclass(frozen=True)
class Confusion:
    """Decisions of one group: tp, fp, fn, tn among the labelled; flagged, decided and total among all."""

    tp: int
    fp: int
    fn: int
    tn: int
    flagged: int
    decided: int
    total: int

    @classmethod
    def of(cls, columns: Columns) -> Confusion:
        decision, label, n = (columns[k].astype(np.int64) for k in ("decision", "label", "n"))

        def number(flag: int, outcome: int) -> int:
            return int(n[(decision == flag) & (label == outcome)].sum())

        return cls(
            tp=number(1, 1), fp=number(1, 0), fn=number(0, 1), tn=number(0, 0),
            flagged=int(n[decision == 1].sum()), decided=int(n[decision >= 0].sum()), total=int(n.sum()),
        )  # fmt: skip


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    rows = decided(facts)
    keyed = sa.select(
        day_number(rows.c.us).label("day"), *(rows.c[d] for d in facts.dims), rows.c.decision, rows.c.label
    ).subquery("keyed")
    keys = [keyed.c.day, *(keyed.c[d] for d in facts.dims), keyed.c.decision, keyed.c.label]
    return sa.select(*keys, sa.func.count().label("n")).group_by(*keys)


DECISIONS: Rollup[Confusion] = Rollup(
    key="fairness.decisions",
    title="Decisions by outcome and protected attribute",
    tables=("predictions", "labels"),
    dims=("model_id", "model_version", ATTRIBUTES),
    inner=("decision", "label"),
    shapes=(Counts(("n",)),),
    select=_select,
    cells=Confusion.of,
)


@dataclass(frozen=True)
class Rate:
    """One rate of a group's decisions, with the words that its metric, difference and ratio share.

    `parts` gives (numerator, denominator); `among` names the denominator's cases in a sentence.
    """

    name: str
    title: str
    short: str
    question: str
    definition: str
    why: str
    direction: Direction
    among: str
    parts: Callable[[Confusion], tuple[int, int]]

    def denominator(self, cells: Confusion) -> int:
        return self.parts(cells)[1]

    @property
    def worded(self) -> str:
        """The definition as the second half of a sentence about a difference or a ratio."""
        return f"The rate: {self.definition[0].lower()}{self.definition[1:]}"

    def nothing(self, cells: Confusion) -> str:
        """Why the rate does not exist for a group whose denominator is 0."""
        return f"no {self.among} among {cells.total:,} predictions of the group"


FALSE_POSITIVE = Rate(
    name="false_positive_rate",
    title="Wrongly flagged (false positive rate)",
    short="Wrongly flagged",
    question="Of those who should have been left alone, how many were flagged?",
    definition="Flagged with a negative outcome / all with a negative outcome and a decision.",
    why="A false alarm has a cost for the person who bears it; it should not depend on who that person is.",
    direction=Direction.LOWER,
    among="negative outcome with a decision",
    parts=lambda c: (c.fp, c.fp + c.tn),
)
FALSE_NEGATIVE = Rate(
    name="false_negative_rate",
    title="Wrongly passed over (false negative rate)",
    short="Wrongly passed over",
    question="Of the true cases, how many did the model pass over?",
    definition="Not flagged with a positive outcome / all with a positive outcome and a decision.",
    why="Where being flagged brings help or an offer, those passed over are the ones who lose.",
    direction=Direction.LOWER,
    among="positive outcome with a decision",
    parts=lambda c: (c.fn, c.fn + c.tp),
)
TRUE_POSITIVE = Rate(
    name="true_positive_rate",
    title="True cases caught (true positive rate)",
    short="True cases caught",
    question="Of the true cases, how many did the model flag?",
    definition="Flagged with a positive outcome / all with a positive outcome and a decision.",
    why=(
        "Equal opportunity asks that those who merit the decision get it equally often, whichever group "
        "they are in."
    ),
    direction=Direction.HIGHER,
    among="positive outcome with a decision",
    parts=lambda c: (c.tp, c.fn + c.tp),
)
SELECTION = Rate(
    name="selection_rate",
    title="Share flagged in the group (selection rate)",
    short="Share flagged",
    question="How many of the group did the model flag?",
    definition="Flagged / all with a decision, labelled or not.",
    why="It is the first figure a regulator asks for, and it needs no outcome, so it is known at once.",
    direction=Direction.NEITHER,
    among="decision or threshold",
    parts=lambda c: (c.flagged, c.decided),
)
PRECISION = Rate(
    name="precision",
    title="Flagged and right in the group (precision)",
    short="Flagged and right",
    question="Of those flagged in the group, how many were right?",
    definition="Flagged with a positive outcome / flagged with a known outcome.",
    why=(
        "Where it is lower for a group, the same flag means less about its members, and they are troubled "
        "for less."
    ),
    direction=Direction.HIGHER,
    among="flagged prediction with an outcome",
    parts=lambda c: (c.tp, c.tp + c.fp),
)
RATES = (FALSE_POSITIVE, FALSE_NEGATIVE, TRUE_POSITIVE, SELECTION, PRECISION)
