"""Gates of an interrupted series: length, residuals, pretended dates, controls, spread of counts, flow or stock."""

from __future__ import annotations

from dataclasses import replace

from metrics.attribution import gates
from metrics.attribution.result import Diagnostic, Verdict
from metrics.attribution.series import Segments, Series, segmented

POINTS, SEASONS = 24, 2
FEWEST_DATES, FALSE_ALARMS = 5, 0.10
# Studies of nothing with AR(1) errors that the structural model calls something at 5 %; docs/results/calibration.md
STRUCTURAL_ALARMS, MOST_ALARMS = 0.20, 0.07


def all_gates(
    series: Series,
    autocorrelation: float | None,
    quick: tuple[int, int] | None,
    more: tuple[Diagnostic, ...],
    *,
    flow: bool,
) -> tuple[Diagnostic, ...]:
    return (
        _length(series),
        _autocorrelated(autocorrelation),
        _in_time(quick),
        *more,
        _summable(flow=flow),
    )


def _length(series: Series) -> Diagnostic:
    needed = max(POINTS, int(SEASONS * (series.season or 0)))
    words = f"{series.first} periods before treatment"
    if series.first >= needed:
        return gates.diagnostic("baseline_length", series.first, needed, Verdict.PASS, words)
    return gates.diagnostic(
        "baseline_length", series.first, needed, Verdict.WARN, words,
        f"{needed} are needed: {POINTS}, and {SEASONS} seasons",
    )  # fmt: skip


def _autocorrelated(p: float | None) -> Diagnostic:
    name = "autocorrelation"
    if p is None:
        return gates.unknown(name, "too few periods before treatment for the test", threshold=0.05)
    words = f"Ljung-Box test of residuals before treatment: p = {p:.3f}"
    if p < 0.05:
        return gates.diagnostic(
            name,
            p,
            0.05,
            Verdict.WARN,
            words,
            "model the season (season_period, harmonics) or add control series",
        )
    return gates.diagnostic(name, p, 0.05, Verdict.PASS, words)


def _in_time(quick: tuple[int, int] | None) -> Diagnostic:
    name = "placebo_in_time"
    if quick is None:
        return gates.unknown(
            name, f"too few periods before treatment for {FEWEST_DATES} pretended dates", "add earlier periods", FALSE_ALARMS
        )  # fmt: skip
    alarms, dates = quick
    words = f"{alarms} of {dates} pretended dates before treatment show an effect"
    if alarms > FALSE_ALARMS * dates:
        return gates.diagnostic(
            name, alarms / dates, FALSE_ALARMS, Verdict.WARN, words,
            "the model does not follow the series before treatment either: add controls or earlier periods",
        )  # fmt: skip
    return gates.diagnostic(name, alarms / dates, FALSE_ALARMS, Verdict.PASS, words)


def controls_still(series: Series) -> tuple[Diagnostic, ...]:
    """A control that itself moved at the treatment was met by it, or by something else at the time."""
    moved = []
    for j in range(series.controls.shape[1]):
        alone = replace(series, outcome=series.controls[:, j], controls=series.controls[:, :0])
        p = segmented(alone).effect.p_value
        if p is not None and p < 0.05 / series.controls.shape[1]:
            moved.append(j + 1)
    words = f"{len(moved)} of {series.controls.shape[1]} control series move at the treatment date"
    if moved:
        which = ", ".join(map(str, moved))
        return (
            gates.diagnostic(
                "controls", len(moved), 0, Verdict.WARN, f"{words} (number {which})",
                "use controls that the treatment cannot reach, and see what else happened then",
            ),
        )  # fmt: skip
    return (gates.diagnostic("controls", 0, 0, Verdict.PASS, words),)


def calibrated() -> Diagnostic:
    """Whether a stated 5 % is 5 %: for the structural model with controls it is not, whatever the back-test says."""
    return gates.diagnostic(
        "calibration", STRUCTURAL_ALARMS, MOST_ALARMS, Verdict.WARN,
        f"with control series this model called {STRUCTURAL_ALARMS:.0%} of studies of nothing something where 5 % is stated",
        "leave `controls` out, as the segmented regression holds its 5 %; or compare with untreated units: synthetic_control",
    )  # fmt: skip


def _summable(*, flow: bool) -> Diagnostic:
    if flow:
        return gates.diagnostic(
            "cumulative", 1, 1, Verdict.PASS, "the outcome is a flow: periods may be added up"
        )
    return gates.unknown(
        "cumulative", "no sum over periods: the plan does not say that the outcome is a flow", "write flow: true if it is"
    )  # fmt: skip


def dispersion(fit: Segments, series: Series, *, quasi: bool) -> tuple[Diagnostic, ...]:
    """Overdispersion: a plain Poisson interval is too narrow where counts vary more."""
    value = float(fit.residuals @ fit.residuals) / max(len(series.outcome) - 4 - 2 * series.harmonics, 1)
    words = f"counts vary {value:.1f} times as much as Poisson's"
    if value > 1.5 and not quasi:
        return (
            gates.diagnostic(
                "dispersion", value, 1.5, Verdict.BLOCK, f"{words}: the interval is too narrow", "write family: quasipoisson"
            ),
        )  # fmt: skip
    return (gates.diagnostic("dispersion", value, 1.5, Verdict.PASS, words),)
