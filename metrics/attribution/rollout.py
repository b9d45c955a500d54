"""A staggered study whole: the chosen aggregation, the path, the other answers, the gates."""

from __future__ import annotations

import numpy as np

from metrics.attribution import gates, trends
from metrics.attribution.panel import two_way
from metrics.attribution.result import (
    Alternative,
    Answer,
    Diagnostic,
    Effect,
    PathPoint,
    StudyError,
    Verdict,
    by_t,
    share_of,
)
from metrics.attribution.staggered import (
    AGGREGATIONS,
    Cells,
    Rollout,
    by_event,
    cells_of,
    effect_of,
    forbidden_share,
    wald,
)

THIN = 10  # treated clusters below which influence functions give intervals too narrow (measured: 9 % at 6 of 20)
FORBIDDEN = 0.05  # weight of forbidden comparisons from which two-way effects are hidden


def estimate(study: Rollout, aggregation: str) -> Answer:
    """The effect by one aggregation; StudyError where no cohort can be compared."""
    cells = cells_of(study)
    counts = _counts(study)
    enough = counts[0] >= 6 and min(counts[1:]) >= 2
    effect = _effect(cells, study, aggregation, enough=enough)
    panel = study.panel
    on = study.start[:, None] <= np.arange(panel.periods)
    after = panel.outcome[on]
    there, observed = int(np.isfinite(after).sum()), float(np.nansum(after))
    return Answer(
        effect,
        f"average effect on treated units, {aggregation} aggregation",
        int(np.isfinite(panel.outcome).sum()),
        int((study.start < panel.periods).sum()),
        int((study.start >= panel.periods).sum()),
        cells=float(there),
        relative=None if effect.estimate is None else share_of(effect, observed / there - effect.estimate),
        path=_path(cells, study, enough=enough),
        alternatives=_others(cells, study, aggregation, enough=enough),
        diagnostics=_gates(cells, study, effect, counts),
        treated_total=observed,
    )


def _counts(study: Rollout) -> tuple[int, int, int]:
    """Clusters, those ever treated, those not treated at the end (or, for not-yet-treated, not at the start)."""
    groups = study.panel.groups
    ever = study.start < study.panel.periods
    size, treated = np.bincount(groups), np.bincount(groups, ever)
    controls = int((treated < size).sum())
    if study.not_yet:
        controls = max(controls, int(np.unique(groups[study.start > study.start.min()]).size))
    return int((size > 0).sum()), int((treated > 0).sum()), controls


def _effect(cells: Cells, study: Rollout, aggregation: str, *, enough: bool) -> Effect:
    controls = "not-yet-treated" if study.not_yet else "never-treated"
    method = f"Callaway-Sant'Anna, {aggregation}, {controls} comparison"
    part = AGGREGATIONS[aggregation](cells, study)
    if not enough:
        return Effect(part.value, method=method, reason="too few clusters for a standard error by cluster")
    return effect_of(part, study.panel, method)


def _path(cells: Cells, study: Rollout, *, enough: bool) -> tuple[PathPoint, ...]:
    points = []
    for part in by_event(cells, study):
        effect = Effect(part.value) if not enough else effect_of(part, study.panel, "")
        points.append(PathPoint(float(part.at), part.value, effect.low, effect.high))
    return tuple(points)


def _others(cells: Cells, study: Rollout, aggregation: str, *, enough: bool) -> tuple[Alternative, ...]:
    found = [_effect(cells, study, a, enough=enough) for a in AGGREGATIONS if a != aggregation]
    other = Rollout(study.panel, study.start, not study.not_yet, study.anticipation)
    if not study.not_yet or (study.start >= study.panel.periods).any():
        try:
            found.append(_effect(cells_of(other), other, aggregation, enough=enough))
        except StudyError as error:
            found.append(Effect(None, method="the other comparison group", reason=str(error)))
    if enough and forbidden_share(study) <= FORBIDDEN:
        on = (study.start[:, None] <= np.arange(study.panel.periods)).astype(float)
        beta, se = two_way(study.panel, on)
        if np.isfinite(se) and se > 0:
            groups = len(np.unique(study.panel.groups))
            found.append(by_t(beta, se, groups - 1, "two-way fixed effects", study.panel.largest))
    return tuple(Alternative.of(e) for e in found)


def _gates(
    cells: Cells, study: Rollout, effect: Effect, counts: tuple[int, int, int]
) -> tuple[Diagnostic, ...]:
    treated = study.start[study.start < study.panel.periods]
    length = int(np.median(treated - study.anticipation))
    statistic, rank, before = wald(cells, study)
    trend = (
        trends.pre_trend_of(statistic, rank, counts[0], before)
        if rank
        else trends.pre_trend(before, [], counts[0], 0)
    )
    horizon = float((cells.period - cells.cohort + 1)[cells.after()].mean())
    events = [p for p in by_event(cells, study) if p.at < -study.anticipation]
    noise = np.array([effect_of(p, study.panel, "").se or 0.0 for p in events]) ** 2
    drift = np.array([p.value for p in events])
    return (
        gates.clusters(*counts, thin=THIN),
        trends.baseline_length(length),
        *trend,
        trends.sensitivity(effect, drift, noise, horizon),
        _forbidden(forbidden_share(study)),
    )


def _forbidden(share: float) -> Diagnostic:
    """Gate 13: how much of a two-way estimate would rest on units already treated."""
    name, words = (
        "forbidden_comparisons",
        f"{share:.1%} of a two-way estimate would compare with units already treated",
    )
    if share > FORBIDDEN:
        return gates.diagnostic(
            name, share, FORBIDDEN, Verdict.WARN, f"{words}: it is hidden", "read this estimate, which makes no such comparison"
        )  # fmt: skip
    return gates.diagnostic(name, share, FORBIDDEN, Verdict.PASS, words)
