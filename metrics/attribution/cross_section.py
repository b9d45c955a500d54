"""Difference-in-differences on rows that are no panel: other units in each period, as in repeated surveys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.attribution import gates, linear, trends
from metrics.attribution.result import (
    Alternative,
    Answer,
    Effect,
    PathPoint,
    StudyError,
    Verdict,
    by_t,
    share_of,
)
from metrics.core.shapes import Floats, Ints


@dataclass(frozen=True)
class Rows:
    """Rows with an outcome: treated group (0 or 1), period position, cluster code; treated from period `first` on."""

    outcome: Floats
    treated: Floats
    period: Ints
    cluster: Ints
    first: int
    labels: tuple[str, ...]


def estimate(rows: Rows) -> Answer:
    """Effect from group and period means; the grade never passes `modelled`, as no unit is followed."""
    post = (rows.period >= rows.first).astype(float)
    on = rows.treated * post
    if (
        not 0 < on.sum() < rows.treated.sum()
        or not 0 < post[rows.treated == 0].sum() < (rows.treated == 0).sum()
    ):
        raise StudyError("both groups need rows before and after the treatment began")
    fit = linear.least_squares(_design(rows, on[:, None]), rows.outcome)
    groups = int(rows.cluster.max()) + 1
    se = linear.cr1(fit, linear.one(1, fit.design.shape[1]), rows.cluster)
    value = float(fit.coefficients[1])
    effect = by_t(
        value, se, groups - 1, "difference-in-differences of group means, rows clustered by unit (CR1)"
    )
    after = rows.outcome[on == 1]
    counts = (groups, *(len(np.unique(rows.cluster[rows.treated == side])) for side in (1, 0)))
    naive = float(after.mean() - rows.outcome[(rows.treated == 1) & (post == 0)].mean())
    path, tests = _path(rows, groups)
    return Answer(
        effect,
        "average effect on the treated group after adoption, per row",
        len(rows.outcome),
        int(rows.treated.sum()),
        int((1 - rows.treated).sum()),
        cells=float(len(after)),
        relative=share_of(effect, float(after.mean()) - value),
        path=path,
        alternatives=(
            Alternative.of(
                Effect(naive, method="before and after, treated only (nothing else is ruled out)")
            ),
        ),
        diagnostics=(_no_panel(), gates.clusters(*counts), *tests),
        treated_total=float(after.sum()),
    )


def _design(rows: Rows, columns: Floats) -> Floats:
    """1, the effect columns, the group, and indicators of the periods but the first."""
    periods = (rows.period[:, None] == np.arange(1, len(rows.labels))).astype(float)
    return np.column_stack([np.ones(len(rows.outcome)), columns, rows.treated, periods])


def _path(rows: Rows, groups: int) -> tuple[tuple[PathPoint, ...], tuple[gates.Diagnostic, ...]]:
    """The gap between the groups in each period, against the last one before."""
    others = [t for t in range(len(rows.labels)) if t != rows.first - 1]
    columns = rows.treated[:, None] * (rows.period[:, None] == np.array(others))
    fit = linear.least_squares(_design(rows, columns), rows.outcome)
    points, before, scores = [], [], []
    for j, t in enumerate(others, start=1):
        contrast = linear.one(j, fit.design.shape[1])
        value, se = float(fit.coefficients[j]), linear.cr1(fit, contrast, rows.cluster)
        effect = by_t(value, se, groups - 1, "")
        points.append(PathPoint(float(t - rows.first), value, effect.low, effect.high, rows.labels[t]))
        if t < rows.first:
            before.append((value, se))
            scores.append(
                np.bincount(rows.cluster, (fit.design @ fit.bread[j]) * fit.residuals).astype(float)
            )
    tests = trends.pre_trend(np.array(before), scores, groups, rows.first)
    return tuple(points), (trends.baseline_length(rows.first), *tests)


def _no_panel() -> gates.Diagnostic:
    return gates.diagnostic(
        "panel", 0, 1, Verdict.WARN, "the unit column is in both groups, with several rows a period: no unit can be followed",
        "correct the unit column; until then group means are compared, and who is in a group may have changed",
    )  # fmt: skip
