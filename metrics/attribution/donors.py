"""A synthetic-control study whole: the chosen method, the others beside it, placebos, and the gates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from metrics.attribution import gates
from metrics.attribution.result import (
    Alternative,
    Answer,
    Diagnostic,
    Effect,
    LeftOut,
    PathPoint,
    Pretended,
    Verdict,
    by_t,
    share_of,
)
from metrics.attribution.synthetic import METHODS, NAMES, Blocks, Fitted, by_placebo, placebos
from metrics.core.shapes import Floats

ENOUGH_BEFORE, ENOUGH_DONORS, GAP_LIMIT = 10, 19, 1e-6
PSEUDO_DATES, PSEUDO_BEFORE = 5, 6
WORST_FIT = 0.9  # share of placebos that may fit better than the treated unit
HULL = 0.9
ALPHA, SEEN_TOO = 0.05, 0.1  # an effect counts where another method sees it too, at this p value at most


@dataclass(frozen=True)
class Control:
    """Blocks with the periods' labels and the donors' names."""

    blocks: Blocks
    labels: tuple[str, ...]
    names: tuple[str, ...]
    method: str
    seed: int


def estimate(study: Control) -> Answer:
    """Average effect on the treated units after treatment, with the other methods beside it."""
    blocks = study.blocks
    fits = {m: METHODS[m](blocks) for m in METHODS}
    others = {m: placebos(blocks, m, study.seed) for m in METHODS}
    effects = {m: by_placebo(fits[m].estimate, _values(others[m]), NAMES[m]) for m in METHODS}
    effect, fit = effects[study.method], fits[study.method]
    late = blocks.treated[blocks.first :]
    cells = blocks.count * len(late)
    normal = _normal(effect)
    pretended, left_out = _pretended(study), _without_each(study, fit)
    naive = Effect(
        float(late.mean() - blocks.treated[: blocks.first].mean()),
        method="before and after, treated only (nothing else is ruled out)",
    )
    beside = (*(effects[m] for m in METHODS if m != study.method), *normal, naive)
    return Answer(
        effect,
        "average effect on the treated units after treatment, per unit and period",
        (blocks.count + len(blocks.donors)) * len(blocks.treated),
        blocks.count,
        len(blocks.donors),
        cells=float(cells),
        relative=share_of(effect, float(late.mean()) - fit.estimate),
        path=_path(study, fit, others[study.method]),
        alternatives=tuple(Alternative.of(e) for e in beside),
        diagnostics=(
            *_gates(study, fits, others[study.method], effect), _in_time(pretended), _agreement(fits, effects, study.method),
            _leave_one_out(fit, left_out),
        ),
        treated_total=float(late.sum()) * blocks.count,
        placebos=tuple(o.estimate for o in others[study.method]),
        left_out=left_out,
        pretended=pretended,
    )  # fmt: skip


def _values(fits: tuple[Fitted, ...]) -> Floats:
    return np.array([f.estimate for f in fits])


def _normal(effect: Effect) -> tuple[Effect, ...]:
    if effect.estimate is None or effect.se is None:
        return ()
    return (by_t(effect.estimate, effect.se, np.inf, "the same, normal interval from the placebos' spread"),)


def _path(study: Control, fit: Fitted, others: tuple[Fitted, ...]) -> tuple[PathPoint, ...]:
    points = []
    for t, label in enumerate(study.labels):
        effect = by_placebo(float(fit.path[t]), np.array([o.path[t] for o in others]), "")
        points.append(
            PathPoint(float(t - study.blocks.first), float(fit.path[t]), effect.low, effect.high, label)
        )
    return tuple(points)


def _gates(
    study: Control, fits: dict[str, Fitted], others: tuple[Fitted, ...], effect: Effect
) -> tuple[Diagnostic, ...]:
    blocks, fit = study.blocks, fits[study.method]
    return (
        _length(blocks),
        _donors(len(blocks.donors)),
        _fit(fit, others),
        _optimal(max(f.gap for f in fits.values())),
        _hull(blocks, study.method),
        _in_space(effect),
    )


def _length(blocks: Blocks) -> Diagnostic:
    late = len(blocks.treated) - blocks.first
    needed = max(ENOUGH_BEFORE, late + 1)
    words = f"{blocks.first} periods before treatment, {late} after"
    if blocks.first >= needed:
        return gates.diagnostic("baseline_length", blocks.first, needed, Verdict.PASS, words)
    return gates.diagnostic(
        "baseline_length", blocks.first, needed, Verdict.WARN, words, f"add periods before treatment: {needed} or more"
    )  # fmt: skip


def _donors(count: int) -> Diagnostic:
    if count >= ENOUGH_DONORS:
        return gates.diagnostic("donors", count, ENOUGH_DONORS, Verdict.PASS, f"{count} untreated units")
    return gates.diagnostic(
        "donors", count, ENOUGH_DONORS, Verdict.WARN, f"{count} untreated units cannot reach p = 0.05 by placebo",
        f"add untreated units: {ENOUGH_DONORS} or more",
    )  # fmt: skip


def _fit(fit: Fitted, others: tuple[Fitted, ...]) -> Diagnostic:
    if not others:
        return gates.unknown("pre_fit", "no placebo to compare the fit with")
    better = float(np.mean([o.rmse < fit.rmse for o in others]))
    words = f"before treatment the fit errs by {fit.rmse:.4g}; {better:.0%} of placebos fit better"
    if better > WORST_FIT:
        return gates.diagnostic(
            "pre_fit", better, WORST_FIT, Verdict.WARN, words, "find donors that move like the treated unit"
        )
    return gates.diagnostic("pre_fit", better, WORST_FIT, Verdict.PASS, words)


def _optimal(gap: float) -> Diagnostic:
    name, words = "weight_optimality", "duality gap of the worst set of weights"
    if gap > GAP_LIMIT:
        return gates.diagnostic(
            name, gap, GAP_LIMIT, Verdict.BLOCK, f"{words}: these are not the best weights",
            "numbers of very different sizes lose their digits: leave out donors of another size",
        )  # fmt: skip
    return gates.diagnostic(name, gap, GAP_LIMIT, Verdict.PASS, words)


def _hull(blocks: Blocks, method: str) -> Diagnostic:
    """Share of periods before treatment in which the treated unit lies between the donors."""
    early, target = blocks.donors[:, : blocks.first], blocks.treated[: blocks.first]
    if method != "sc":
        early, target = early - early.mean(axis=1, keepdims=True), target - target.mean()
    inside = float(((target >= early.min(axis=0)) & (target <= early.max(axis=0))).mean())
    words = f"in {inside:.0%} of periods before treatment the treated unit lies between the donors"
    if inside < HULL:
        return gates.diagnostic(
            "convex_hull",
            inside,
            HULL,
            Verdict.WARN,
            words,
            "no average of these donors can follow it; add others",
        )
    return gates.diagnostic("convex_hull", inside, HULL, Verdict.PASS, words)


def _in_space(effect: Effect) -> Diagnostic:
    if effect.p_value is None:
        return gates.unknown("placebo_in_space", effect.reason, "add untreated units", 0.05)
    words = f"rank of the effect among placebos: p = {effect.p_value:.3f}"
    return gates.diagnostic("placebo_in_space", effect.p_value, 0.05, Verdict.PASS, words)


def _pretended(study: Control) -> tuple[Pretended, ...]:
    """The effect at pretended treatment dates before the real one; empty where there are too few periods or donors."""
    blocks = study.blocks
    dates = np.unique(
        np.linspace(max(PSEUDO_BEFORE, blocks.first // 2), blocks.first - 1, PSEUDO_DATES).astype(int)
    )
    if len(dates) < PSEUDO_DATES or dates[0] < PSEUDO_BEFORE or len(blocks.donors) < ENOUGH_DONORS:
        return ()
    return tuple(_pretend(study, int(date)) for date in dates)


def _pretend(study: Control, date: int) -> Pretended:
    """Only periods before the real treatment, as if it had begun at `date`."""
    blocks, cut = study.blocks, slice(0, study.blocks.first)
    early = replace(blocks, donors=blocks.donors[:, cut], treated=blocks.treated[cut], first=date)
    effect = by_placebo(
        METHODS[study.method](early).estimate, _values(placebos(early, study.method, study.seed)), ""
    )
    alarm = effect.p_value is not None and effect.p_value <= 0.05
    return Pretended(study.labels[date], effect.estimate, effect.low, effect.high, alarm)


def _in_time(pretended: tuple[Pretended, ...]) -> Diagnostic:
    """Pretended treatment dates before the real one must show nothing."""
    name = "placebo_in_time"
    if not pretended:
        why = "too few periods before treatment, or too few donors, for pretended dates"
        return gates.unknown(name, why, "add periods and donors", 0.1)
    rejected = sum(p.alarm for p in pretended)
    share = rejected / len(pretended)
    words = f"{rejected} of {len(pretended)} pretended dates before treatment show an effect"
    if share > 0.1:
        return gates.diagnostic(
            name, share, 0.1, Verdict.WARN, words, "the control does not follow the treated unit"
        )
    return gates.diagnostic(name, share, 0.1, Verdict.PASS, words)


def _agreement(fits: dict[str, Fitted], effects: dict[str, Effect], chosen: str) -> Diagnostic:
    """Gate 11: a sign that depends on the method is no finding, and neither is an effect that one method alone sees.

    Asking for the sign only would select among studies of nothing those with large differences: of the attributed ones
    7.2 % were called something when it did (docs/results/calibration.md).
    """
    name = "agreement"
    words = ", ".join(f"{m} {f.estimate:.4g}" for m, f in fits.items())
    if len({np.sign(f.estimate) for f in fits.values()}) > 1:
        return gates.diagnostic(
            name, 0, 1, Verdict.WARN, f"methods disagree on the sign: {words}",
            "do not attribute: the answer depends on the method",
        )  # fmt: skip
    others = [p for m, e in effects.items() if m != chosen and (p := e.p_value) is not None]
    own = effects[chosen].p_value
    if own is not None and own <= ALPHA and others and min(others) > SEEN_TOO:
        return gates.diagnostic(
            name, min(others), SEEN_TOO, Verdict.WARN,
            f"only one method sees an effect; the nearest other has p = {min(others):.3f} ({words})",
            "do not attribute: the answer depends on the method",
        )  # fmt: skip
    return gates.diagnostic(name, 1, 1, Verdict.PASS, f"methods agree on the sign: {words}")


def _without_each(study: Control, fit: Fitted) -> tuple[LeftOut, ...]:
    """The estimate without each donor that it leans on; empty where too few donors are left."""
    blocks = study.blocks
    used = np.flatnonzero(fit.weights > 0.01)
    if len(blocks.donors) < 3:
        return ()
    return tuple(
        LeftOut(
            study.names[i],
            METHODS[study.method](replace(blocks, donors=np.delete(blocks.donors, i, axis=0))).estimate,
        )
        for i in used
    )


def _leave_one_out(fit: Fitted, found: tuple[LeftOut, ...]) -> Diagnostic:
    name = "leave_one_out"
    if not found:
        return gates.unknown(name, "too few donors to leave one out")
    flips = [o.name for o in found if np.sign(o.estimate) != np.sign(fit.estimate)]
    values = [o.estimate for o in found]
    words = f"without one donor the estimate lies between {min(values):.4g} and {max(values):.4g}"
    if flips:
        return gates.diagnostic(
            name,
            len(flips),
            0,
            Verdict.WARN,
            f"{words}; the sign rests on {', '.join(flips[:3])}",
            "look at that donor",
        )
    return gates.diagnostic(name, 0, 0, Verdict.PASS, words)
