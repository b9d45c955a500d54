"""Gates on what happened before adoption: length, trend, and how far a drift could overturn the effect."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, fdtrc

from metrics.attribution import gates
from metrics.attribution.result import Diagnostic, Effect, Verdict
from metrics.core.shapes import Floats

ASYMPTOTIC = 20  # clusters for each restriction from which the chi-square needs no correction


def baseline_length(length: int, enough: int = 3) -> Diagnostic:
    """Gate 5: periods before adoption enough to see a trend."""
    if length >= enough:
        return gates.diagnostic(
            "baseline_length", length, enough, Verdict.PASS, f"{length} periods before adoption"
        )
    return gates.diagnostic(
        "baseline_length", length, enough, Verdict.WARN, f"{length} periods before adoption: too few for a trend",
        f"add earlier periods, {enough} or more before adoption",
    )  # fmt: skip


def pre_trend(before: Floats, scores: list[Floats], groups: int, length: int) -> tuple[Diagnostic, ...]:
    """Gate 6: joint test that the periods before adoption show no effect, and the bound that they allow.

    `before` (K, 2): coefficients and standard errors; `scores`: K arrays, a part for each cluster.
    """
    if length < 2 or not len(before):
        why = (
            "one period before adoption: the trend cannot be checked" if length < 2 else "no standard errors"
        )
        todo = "add earlier periods; without them the comparison rests on an assumption"
        return (
            gates.unknown("pre_trend", why, todo, 0.05),
            gates.unknown("pre_trend_equivalence", why, todo),
        )
    parts = np.column_stack(scores)
    cov = parts.T @ parts
    wald = float(before[:, 0] @ np.linalg.pinv(cov) @ before[:, 0])
    return pre_trend_of(wald, int(np.linalg.matrix_rank(cov)), groups, before)


def pre_trend_of(wald: float, k: int, groups: int, before: Floats) -> tuple[Diagnostic, ...]:
    """The two diagnostics from a Wald statistic with k restrictions on `groups` clusters."""
    bound = float((np.abs(before[:, 0]) + 1.6448536 * before[:, 1]).max())
    equivalence = gates.diagnostic(
        "pre_trend_equivalence", bound, None, Verdict.PASS,
        f"departures before adoption up to {bound:.3g} cannot be ruled out (no rejection is not proof)",
    )  # fmt: skip
    if groups <= k + 1 or k == 0:
        why = f"{k} coefficients before adoption on {groups} clusters: the joint test cannot be made"
        return gates.unknown("pre_trend", why, "use fewer periods or more clusters", 0.05), equivalence
    p = (
        float(chdtrc(k, wald))
        if groups >= ASYMPTOTIC * k
        else float(fdtrc(k, groups - k, wald / k * (groups - k) / (groups - 1)))
    )
    words = f"joint test that periods before adoption show no effect: Wald {wald:.6f} on {k}, p = {p:.5f}"
    if p < 0.05:
        return gates.diagnostic(
            "pre_trend", p, 0.05, Verdict.BLOCK, words,
            "the groups were already drifting apart: choose better comparison units, or synthetic control",
        ), equivalence  # fmt: skip
    return gates.diagnostic("pre_trend", p, 0.05, Verdict.PASS, words), equivalence


def sensitivity(effect: Effect, steps: Floats, noise: Floats, horizon: float) -> Diagnostic:
    """Gate 12: how many times the drift seen before, beyond its noise, would overturn the verdict if it went on.

    After Rambachan and Roth (2023, doi:10.1093/restud/rdad018), with the drift per period as a root mean square
    less its sampling variance. `steps`: changes between neighbouring coefficients before adoption; `horizon`: mean
    number of periods over which drift would add up.
    """
    name = "sensitivity"
    if effect.low is None or effect.high is None:
        return gates.unknown(name, "there is no interval to overturn", threshold=1)
    if not len(steps) or not len(noise):
        return gates.unknown(name, "too few periods before adoption to know a usual drift", threshold=1)
    if effect.low <= 0 <= effect.high:
        return gates.diagnostic(name, None, 1, Verdict.PASS, "the interval holds 0: no effect to overturn")
    margin = min(abs(effect.low), abs(effect.high))
    drift = float(np.sqrt(max(0.0, float((steps**2).mean()) - float(noise.mean()))))
    if drift == 0:
        return gates.diagnostic(name, None, 1, Verdict.PASS, "no drift beyond sampling noise before adoption")
    breakdown = margin / (drift * horizon)
    words = f"drift {breakdown:.2f} times that before adoption would bring the interval to 0"
    if breakdown < 1:
        return gates.diagnostic(
            name, breakdown, 1, Verdict.WARN, words, "treat it as an association; look for closer comparison units"
        )  # fmt: skip
    return gates.diagnostic(name, breakdown, 1, Verdict.PASS, words)
