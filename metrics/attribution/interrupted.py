"""An interrupted-series study whole: the model of its family, the others beside it, the back-test, the gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metrics.attribution.result import (
    Alternative,
    Answer,
    Diagnostic,
    Effect,
    PathPoint,
    Pretended,
    Share,
    StudyError,
    share_of,
)
from metrics.attribution.series import Series, ljung_box, poisson, segmented
from metrics.attribution.series_gates import (
    FALSE_ALARMS,
    FEWEST_DATES,
    all_gates,
    calibrated,
    controls_still,
    dispersion,
)
from metrics.attribution.structural import Impact, impacts, quick_effects
from metrics.core.intervals import Z
from metrics.core.shapes import Floats

PRIORS = (0.01, 0.03, 0.1)  # of the level, in units of the spread of the series
PSEUDO_DATES, SHORTEST, QUICK = 10, 3, 300


@dataclass(frozen=True)
class Interrupted:
    """A series with the family of its model; `flow`: whether values of periods may be added up."""

    series: Series
    family: str
    flow: bool


def estimate(study: Interrupted) -> Answer:
    """The effect of the interruption; the family and the presence of controls decide the model."""
    series = study.series
    late = len(series.outcome) - series.first
    if series.first < 8 or late < 1:
        raise StudyError(
            f"{series.first} periods before and {late} after treatment: 8 and 1 are the fewest possible"
        )
    if study.family != "gaussian":
        return _counts(study)
    return _structural(study) if series.controls.shape[1] else _segmented(study)


def _counts(study: Interrupted) -> Answer:
    series, quasi = study.series, study.family == "quasipoisson"
    fit = poisson(series, quasi=quasi)
    others = [
        poisson(series, quasi=not quasi).effect,
        _sloped(lambda: poisson(series, quasi=True, slope=True).effect),
        _before_after(series, relative=True),
    ]
    ratio = series.outcome / fit.expected
    reach = np.exp(Z * fit.error)
    path = _path(series, ratio - 1, ratio / reach - 1, ratio * reach - 1)
    e = fit.effect
    relative = None if e.estimate is None else Share(e.estimate, e.low, e.high)
    total = float(series.outcome[series.first :].sum())
    summed = _excess(relative, total) if study.flow else None
    quick = _tested(study, lambda s: poisson(s, quasi=quasi).effect)
    checks = all_gates(
        series,
        ljung_box(fit.residuals[: series.first]),
        _alarms(quick),
        dispersion(fit, series, quasi=quasi),
        flow=study.flow,
    )
    return replace(_answer(study, e, relative, path, others, checks, summed), pretended=quick or ())


def _sloped(model: Callable[[], Effect]) -> Effect:
    """The model with a change of slope; without an estimate where there are too few periods to tell a slope."""
    try:
        return model()
    except StudyError as error:
        return Effect(None, method="step and slope", reason=str(error))


def _excess(relative: Share | None, total: float) -> Share | None:
    """Counts above what would have been, from the rate ratio less 1 and the counts observed."""
    if relative is None or relative.low is None or relative.high is None:
        return None
    if relative.low <= -1:
        return None  # what would have been has no upper limit
    low, mid, high = (total * r / (1 + r) for r in (relative.low, relative.estimate, relative.high))
    return Share(mid, low, high)


def _segmented(study: Interrupted) -> Answer:
    series = study.series
    fit = segmented(series)
    others = [_sloped(lambda: segmented(series, slope=True).effect), _before_after(series, relative=False)]
    gap = series.outcome - fit.expected
    path = _path(series, gap, gap - Z * fit.error, gap + Z * fit.error)
    quick = _tested(study, lambda s: segmented(s).effect)
    checks = all_gates(series, ljung_box(fit.residuals[: series.first]), _alarms(quick), (), flow=study.flow)
    late = float(series.outcome[series.first :].mean())
    e = fit.effect
    relative = None if e.estimate is None else share_of(e, late - e.estimate)
    found = _answer(study, e, relative, path, others, checks, _sum(study, e))
    return replace(found, pretended=quick or ())


def _prior(study: Interrupted) -> tuple[int, tuple[Pretended, ...] | None]:
    """The smallest prior of the level whose pretended dates raise few alarms; the first, which warns, if none does."""
    early = study.series.baseline()
    dates = _dates(early)
    if not dates:
        return 0, None
    tried: list[tuple[Pretended, ...]] = []
    for priors in (PRIORS[:1], PRIORS[1:]):  # the first will mostly do
        for effects in quick_effects(early, dates, priors, QUICK):
            tried.append(_pretended(early, dates, effects))
            if sum(p.alarm for p in tried[-1]) <= FALSE_ALARMS * len(dates):
                return len(tried) - 1, tried[-1]
    return 0, tried[0]


def _structural(study: Interrupted) -> Answer:
    """With controls: a Bayesian structural series whose prior the back-test chose."""
    series = study.series
    best, quick = _prior(study)
    fits = impacts(series, PRIORS)
    fit = fits[best]
    others = [
        *(f.effect for f in fits if f is not fit),
        segmented(series).effect,
        _before_after(series, relative=False),
    ]
    path = _path(series, series.outcome - fit.expected, series.outcome - fit.high, series.outcome - fit.low)
    checks = all_gates(
        series,
        ljung_box(fit.residuals),
        _alarms(quick),
        (*controls_still(series), calibrated()),
        flow=study.flow,
    )
    e = fit.effect
    base = float(series.outcome[series.first :].mean()) - fit.draws
    found = _answer(study, e, _relative(fit, base), path, others, checks, _sum(study, e))
    return replace(found, draws=fit.draws, pretended=quick or ())


def _relative(fit: Impact, base: Floats) -> Share | None:
    """The effect over the counterfactual, draw by draw."""
    if (base <= 0).any():
        return None
    share = fit.draws / base
    low, high = np.quantile(share, (0.025, 0.975))
    return Share(float(share.mean()), float(low), float(high))


def _sum(study: Interrupted, effect: Effect) -> Share | None:
    """Gate 18: values of periods are added up only where they are flows, never stocks."""
    if not study.flow or effect.estimate is None:
        return None
    n = len(study.series.outcome) - study.series.first
    low = None if effect.low is None else n * effect.low
    high = None if effect.high is None else n * effect.high
    return Share(n * effect.estimate, low, high)


def _before_after(series: Series, *, relative: bool) -> Effect:
    method = "before and after (trend and season ignored)"
    rate = series.outcome if series.offset is None else series.outcome / series.offset
    before, after = float(rate[: series.first].mean()), float(rate[series.first :].mean())
    if relative:
        return Effect(after / before - 1 if before > 0 else None, method=method)
    return Effect(after - before, method=method)


def _path(series: Series, value: Floats, low: Floats, high: Floats) -> tuple[PathPoint, ...]:
    return tuple(
        PathPoint(float(t - series.first), float(value[t]), float(low[t]), float(high[t]), series.labels[t])
        for t in range(len(value))
    )


def _answer(
    study: Interrupted,
    effect: Effect,
    relative: Share | None,
    path: tuple[PathPoint, ...],
    others: list[Effect],
    checks: tuple[Diagnostic, ...],
    cumulative: Share | None,
) -> Answer:
    series = study.series
    late = series.outcome[series.first :]
    counts = study.family != "gaussian"
    return Answer(
        effect,
        "rate ratio less 1 after treatment" if counts else "average effect per period after treatment",
        len(series.outcome),
        len(late),
        series.first,
        cells=float(len(late)),
        relative=relative,
        path=path,
        alternatives=tuple(Alternative.of(e) for e in others),
        diagnostics=checks,
        cumulative=cumulative,
        treated_total=float(late.sum()),
        multiplicative=counts,
    )


def _tested(study: Interrupted, model: Callable[[Series], Effect]) -> tuple[Pretended, ...] | None:
    """The effect at pretended dates before the real one; None where there are too few periods for five."""
    early = study.series.baseline()
    dates = _dates(early)
    found = []
    for date in dates:
        try:
            found.append((date, model(early.pretend(date))))
        except StudyError:
            continue  # the model cannot be fitted at this date: it is not counted as tried
    if len(found) < FEWEST_DATES:
        return None
    return _pretended(early, [date for date, _ in found], [effect for _, effect in found])


def _dates(early: Series) -> tuple[int, ...]:
    """Pretended dates in a baseline, each with periods enough before and after it; none where there are too few."""
    least = max(early.first // 2, 10 + 2 * early.harmonics + early.controls.shape[1])
    for (
        control
    ) in early.controls.T:  # a control must have moved before a date from which it is to tell anything
        least = max(least, int(np.argmax(control != control[0])) + SHORTEST)
    last = early.first - SHORTEST
    dates = {int(d) for d in np.linspace(least, last, PSEUDO_DATES) if least <= int(d) <= last}
    return tuple(sorted(dates)) if len(dates) >= FEWEST_DATES else ()


def _pretended(early: Series, dates: Sequence[int], effects: Sequence[Effect]) -> tuple[Pretended, ...]:
    return tuple(
        Pretended(early.labels[date], e.estimate, e.low, e.high, _leaves_out_zero(e))
        for date, e in zip(dates, effects, strict=True)
    )


def _leaves_out_zero(effect: Effect) -> bool:
    return effect.low is not None and effect.high is not None and not effect.low <= 0 <= effect.high


def _alarms(found: tuple[Pretended, ...] | None) -> tuple[int, int] | None:
    """Alarms and dates, as the gates take them."""
    return None if found is None else (sum(p.alarm for p in found), len(found))
