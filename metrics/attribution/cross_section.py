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
    largest,
    share_of,
)
from metrics.core.shapes import Floats, Ints

FEW = 6  # clusters below which none of their standard errors holds


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
    for side, who in ((1, "treated"), (0, "untreated")):
        seen = np.bincount(rows.period[rows.treated == side], minlength=len(rows.labels))
        if not seen.all():
            gone = rows.labels[int(np.flatnonzero(seen == 0)[0])]
            raise StudyError(f"no row of the {who} group is of period {gone}; leave that period out")
    fit = linear.least_squares(_design(rows, on[:, None]), rows.outcome)
    value = float(fit.coefficients[1])
    counts = _counts(rows)
    effect = _effect(rows, fit, 1, counts)
    after = rows.outcome[on == 1]
    naive = float(after.mean() - rows.outcome[(rows.treated == 1) & (post == 0)].mean())
    path, tests = _path(rows, counts)
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


def _counts(rows: Rows) -> tuple[int, int, int]:
    """Clusters, those with treated rows, those with others."""
    there, other = (len(np.unique(rows.cluster[rows.treated == side])) for side in (1, 0))
    return int(rows.cluster.max()) + 1, there, other


def _effect(rows: Rows, fit: linear.Fit, j: int, counts: tuple[int, int, int]) -> Effect:
    """Coefficient j with its standard error by cluster, where there are clusters enough for one."""
    value = float(fit.coefficients[j])
    if counts[0] < FEW or min(counts[1:]) < 2:
        reason = (
            f"{counts[0]} clusters, {counts[1]} of them treated: no standard error by cluster can be trusted"
        )
        return Effect(value, method="difference-in-differences of group means", reason=reason)
    se = linear.cr1(fit, linear.one(j, fit.design.shape[1]), rows.cluster)
    name = "difference-in-differences of group means, rows clustered by unit (CR1)"
    return by_t(value, se, counts[0] - 1, name, largest(rows.outcome))


def _path(
    rows: Rows, counts: tuple[int, int, int]
) -> tuple[tuple[PathPoint, ...], tuple[gates.Diagnostic, ...]]:
    """The gap between the groups in each period, against the last one before."""
    others = [t for t in range(len(rows.labels)) if t != rows.first - 1]
    columns = rows.treated[:, None] * (rows.period[:, None] == np.array(others))
    fit = linear.least_squares(_design(rows, columns), rows.outcome)
    points, before, scores = [], [], []
    for j, t in enumerate(others, start=1):
        effect = _effect(rows, fit, j, counts)
        value = float(fit.coefficients[j])
        points.append(PathPoint(float(t - rows.first), value, effect.low, effect.high, rows.labels[t]))
        if t < rows.first and effect.se is not None:
            before.append((value, effect.se))
            scores.append(
                np.bincount(rows.cluster, (fit.design @ fit.bread[j]) * fit.residuals).astype(float)
            )
    tests = trends.pre_trend(np.array(before), scores, counts[0], rows.first)
    return tuple(points), (trends.baseline_length(rows.first), *tests)


def _no_panel() -> gates.Diagnostic:
    return gates.diagnostic(
        "panel", 0, 1, Verdict.WARN, "the unit column is in both groups, with several rows a period: no unit can be followed",
        "correct the unit column; until then group means are compared, and who is in a group may have changed",
    )  # fmt: skip
