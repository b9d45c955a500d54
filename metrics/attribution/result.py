"""What every estimator hands back: an effect with its interval, the path, the alternatives, the diagnostics."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit

from metrics.core.intervals import TAIL, Z
from metrics.core.shapes import Floats

ROUNDING = 4 * np.finfo(float).eps  # of the largest outcome: below it a standard error is rounding
LARGEST_EXPONENT = 700.0


class StudyError(ValueError):
    """The data cannot answer the study as it is designed. The message says why and what to do."""


class Verdict(Enum):
    """What a gate says of a study."""

    PASS = "pass"  # noqa: S105 (a verdict, not a secret)
    WARN = "warn"
    BLOCK = "block"
    UNKNOWN = "not computable"


@dataclass(frozen=True)
class Diagnostic:
    """One gate: its value beside the threshold, the verdict, the reason and what to do about it."""

    name: str
    value: float | None
    threshold: float | None
    verdict: Verdict
    why: str
    what_to_do: str = ""


@dataclass(frozen=True)
class Effect:
    """An effect in units of the outcome, two-sided 95 % interval. Undefined parts are None, with the reason."""

    estimate: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    method: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Share:
    """An effect relative to what would have been: 0.1 means one tenth more."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class PathPoint:
    """The effect at one period, or one event time (0 is the first treated period); `label` as the file writes it."""

    at: float
    estimate: float
    low: float | None
    high: float | None
    label: str = ""

    def exponentiated(self) -> PathPoint:
        return replace(self, estimate=math.expm1(self.estimate), low=_expm1(self.low), high=_expm1(self.high))


@dataclass(frozen=True)
class Alternative:
    """The same question by another method, shown beside the primary one and never chosen after the fact."""

    method: str
    estimate: float | None
    low: float | None
    high: float | None
    se: float | None = None
    p_value: float | None = None

    @classmethod
    def of(cls, effect: Effect) -> Alternative:
        return cls(effect.method, effect.estimate, effect.low, effect.high, effect.se, effect.p_value)

    def exponentiated(self) -> Alternative:
        se = None if self.se is None or self.estimate is None else math.exp(self.estimate) * self.se
        return replace(
            self, estimate=_expm1(self.estimate), low=_expm1(self.low), high=_expm1(self.high), se=se
        )


@dataclass(frozen=True)
class LeftOut:
    """The estimate without one comparison unit."""

    name: str
    estimate: float


@dataclass(frozen=True)
class Pretended:
    """The effect at a pretended date before the real one, where there can be none. `alarm`: it is called something."""

    label: str
    estimate: float | None
    low: float | None
    high: float | None
    alarm: bool


@dataclass(frozen=True)
class Answer:
    """A design's answer.

    `cells`: treated units, or treated unit-periods, that the estimate is an average over: what turns it into
    a total. `treated_total`: the sum of the outcome over those cells. `draws`: draws of the effect where it
    is not normal. `multiplicative`: the estimate is relative, so its total follows from `treated_total`. `placebos`:
    effects where nothing was done, one for each untreated unit. `left_out`: the estimate without each unit that it leans
    on. `pretended`: effects at dates before the treatment.
    """

    effect: Effect
    estimand: str
    n: int
    n_treated: int
    n_control: int
    cells: float
    relative: Share | None = None
    path: tuple[PathPoint, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    cumulative: Share | None = None
    warnings: tuple[str, ...] = ()
    treated_total: float | None = None
    draws: Floats | None = None
    multiplicative: bool = False
    placebos: tuple[float, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    pretended: tuple[Pretended, ...] = ()

    def exponentiated(self) -> Answer:
        """An answer on the log scale as a relative one, exp(b) - 1, path and alternatives too."""
        effect = exponentiated(self.effect)
        relative = None if effect.estimate is None else Share(effect.estimate, effect.low, effect.high)
        return replace(
            self,
            effect=effect,
            relative=relative,
            multiplicative=True,
            path=tuple(p.exponentiated() for p in self.path),
            alternatives=tuple(a.exponentiated() for a in self.alternatives),
            placebos=tuple(math.expm1(p) for p in self.placebos),
            left_out=tuple(replace(o, estimate=math.expm1(o.estimate)) for o in self.left_out),
            pretended=tuple(
                replace(p, estimate=_expm1(p.estimate), low=_expm1(p.low), high=_expm1(p.high))
                for p in self.pretended
            ),
        )


def by_t(estimate: float, se: float, df: float, method: str, size: float = 0.0) -> Effect:
    """An effect with Student's t interval and p value; `df` infinite means normal.

    `size`: the largest outcome in absolute value. A standard error below what rounding does to such numbers is none: a
    constant outcome would otherwise be judged by its last digit. Raises StudyError where there is no contrast.
    """
    if math.isfinite(estimate) and se <= ROUNDING * size:
        value = 0.0 if abs(estimate) <= 4 * ROUNDING * size else estimate
        return Effect(
            value,
            method=method,
            reason="the residuals have no spread beyond rounding: nothing to judge the effect by",
        )
    if not (math.isfinite(estimate) and math.isfinite(se) and df > 0):
        raise StudyError(
            f"{method}: the estimate cannot be computed from these data (no spread or no contrast)"
        )
    reach = (Z if math.isinf(df) else float(stdtrit(df, 1 - TAIL))) * se
    tail = float(ndtr(-abs(estimate) / se)) if math.isinf(df) else float(stdtr(df, -abs(estimate) / se))
    return Effect(estimate, se, estimate - reach, estimate + reach, min(1.0, 2 * tail), method)


def exponentiated(effect: Effect) -> Effect:
    """An effect on the log scale as a relative one, exp(b) - 1; the standard error by the delta method."""
    if effect.estimate is None:
        return effect
    value, low, high = _expm1(effect.estimate), _expm1(effect.low), _expm1(effect.high)
    if value is None:
        reason = f"exp({effect.estimate:.4g}) is beyond any number: the log scale does not fit these data"
        return Effect(None, p_value=effect.p_value, method=effect.method, reason=reason)
    se = None if effect.se is None else (1 + value) * effect.se
    reason = effect.reason
    if high is None and effect.high is not None:
        reason = f"the interval's upper end, exp({effect.high:.4g}), is beyond any number"
    return Effect(value, se, low, high, effect.p_value, effect.method, reason)


def _expm1(value: float | None) -> float | None:
    """exp(value) - 1; None where it is beyond any number."""
    return None if value is None or value > LARGEST_EXPONENT else math.expm1(value)


def largest(values: Floats) -> float:
    """The largest finite value in absolute size; 0 where there is none."""
    found = values[np.isfinite(values)] if not np.isfinite(values.sum()) else values
    return max(float(found.max()), -float(found.min()), 0.0) if found.size else 0.0


def share_of(effect: Effect, base: float) -> Share | None:
    """The effect over a base taken as known; None where the base is not above 0."""
    if effect.estimate is None or not base > 0:
        return None
    low = None if effect.low is None else effect.low / base
    high = None if effect.high is None else effect.high / base
    return Share(effect.estimate / base, low, high)
