"""Gaps between groups that need the score: whether it is as honest, and ranks as well, in each group.

Read from the cells of the score histogram that the model family keeps by protected attribute; nothing is stored twice.
"""

from __future__ import annotations

import math
from functools import partial

from metrics._model_rollups import SCORES, ScoreCells
from metrics._model_scores import excess, labelled, score_histogram
from metrics.core.delong import INDEPENDENT, independent
from metrics.core.discrimination import missing_class, rank
from metrics.core.intervals import Z
from metrics.core.metric import (
    ATTRIBUTES,
    Choice,
    Contrast,
    Dimension,
    Direction,
    Estimate,
    Metric,
    Setting,
    Unit,
    undefined,
)

REFERENCE = Setting("reference", "", "group to compare with; empty is the group with most known outcomes")
NORMAL = "normal, from the sums of squares"
OTHER = "the reference group: "


def _known(cells: ScoreCells) -> int:
    return int(cells.n[labelled(cells)].sum())


def _overstated(cells: ScoreCells) -> tuple[float, float]:
    """Mean score less share of positives, and its squared standard error; needs two known outcomes."""
    n = _known(cells)
    mean = excess(cells) / n
    return mean, max(float(cells.sq.sum()) - n * mean * mean, 0.0) / (n - 1) / n


def _calibration_gap(group: ScoreCells, reference: ScoreCells, _: Choice) -> Estimate:
    sizes = _known(group), _known(reference)
    for size, whose in zip(sizes, ("", OTHER), strict=True):
        if size < 2:
            return undefined(f"{whose}{size} known outcomes with a usable score: two are needed", sum(sizes))
    (a, of_a), (b, of_b) = _overstated(group), _overstated(reference)
    reach = Z * math.sqrt(of_a + of_b)
    return Estimate(a - b, max(a - b - reach, -2.0), min(a - b + reach, 2.0), sum(sizes), method=NORMAL)


def _auc_gap(group: ScoreCells, reference: ScoreCells, _: Choice) -> Estimate:
    bins = [score_histogram(c) for c in (group, reference)]
    for found, whose in zip(bins, ("", OTHER), strict=True):
        reason = missing_class(float(found.positives.sum()), float(found.negatives.sum()))
        if reason:
            return undefined(whose + reason, _known(group) + _known(reference))
    return independent(*(rank(b.positives, b.negatives) for b in bins))


_metric = partial(
    Metric[ScoreCells], dimension=Dimension.TECHNICAL, rollup=SCORES, owner="model owner", apart=("model_id",),
    settings=(REFERENCE,), unit=Unit.SCORE, direction=Direction.NEITHER,
)  # fmt: skip

CALIBRATION_GAP = _metric(
    key="fairness.calibration_difference",
    title="Promises kept: gap between groups (calibration)",
    question="Does the model overstate more for one group than for another?",
    definition=(
        "(Mean score - share of positive outcomes) in a group, less the same in the reference group, over predictions "
        "whose outcome is known; 0 is even."
    ),
    why="A score that promises one group more than comes true gives it chances that others are denied.",
    interval=NORMAL,
    contrast=Contrast(ATTRIBUTES, _calibration_gap, _known),
    references=("Kleinberg, Mullainathan and Raghavan 2017, doi:10.4230/LIPIcs.ITCS.2017.43",),
)
AUC_GAP = _metric(
    key="fairness.auc_difference",
    title="Ranking quality: gap between groups (AUC)",
    question="Does the model rank the members of one group worse than those of another?",
    definition="AUC inside a group - AUC inside the reference group; 0 is even.",
    why="Where the model cannot tell members of a group apart, its decisions on them are a lottery.",
    interval=INDEPENDENT,
    contrast=Contrast(ATTRIBUTES, _auc_gap, _known),
    references=("DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595",),
)

SCORE_GAPS = (CALIBRATION_GAP, AUC_GAP)
