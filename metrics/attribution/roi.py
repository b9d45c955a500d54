"""Return on an attributed effect: draws of the effect and of the unit's value, less the cost of ownership."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from metrics.attribution.result import LARGEST_EXPONENT, Effect, StudyError
from metrics.core.intervals import Z
from metrics.core.shapes import Floats

DRAWS = 20_000
DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Flows:
    """Money by day: `at` (n,) days since any epoch, `amount` (n,) in money."""

    at: Floats
    amount: Floats


@dataclass(frozen=True)
class Swing:
    """One bar of the tornado: the return with one input low and high, the others at their middle."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Return:
    """Value, cost and return. Undefined parts are None, `reason` says why."""

    value: float
    value_low: float
    value_high: float
    cost: float | None
    roi: float | None
    roi_low: float | None
    roi_high: float | None
    npv: float | None
    npv_low: float | None
    npv_high: float | None
    payback_days: float | None
    probability_positive: float | None
    break_even_effect: float | None
    recapture: float
    counted: bool
    tornado: tuple[Swing, ...]
    reason: str

    def message(self) -> str:
        gain = f"value {self.value:,.0f} ({self.value_low:,.0f} to {self.value_high:,.0f})"
        if self.roi is None or self.roi_low is None or self.roi_high is None:
            return f"{gain}; {self.reason}"
        return f"{gain}, ROI {self.roi:.2f} ({self.roi_low:.2f} to {self.roi_high:.2f})"


@dataclass(frozen=True)
class Worth:
    """What turns an effect into money: cells it holds for, sign of good, the unit's value, the part recaptured."""

    cells: float
    sign: float
    low: float
    mid: float
    high: float
    recapture: float
    discount_rate: float
    treated_total: float | None = None  # set where the effect is relative: it then says what the total is

    def amount(self, effect: Floats) -> Floats:
        """Units of the outcome gained, before money, from effects (n,)."""
        if self.treated_total is None:
            return self.cells * self.sign * self.recapture * effect
        return self.treated_total * self.sign * self.recapture * effect / (1 + effect)

    def of(self, effect: float) -> float:
        return float(self.amount(np.array([effect]))[0])


def effect_draws(effect: Effect, draws: Floats | None, seed: int, *, relative: bool = False) -> Floats | None:
    """Draws of the effect: those of the estimator, else normal about the estimate; None where it has no error.

    The quantiles are stratified and each side is as wide as the effect's own interval, so that the draws' 95 % interval is
    the effect's: with few clusters it is wider than its standard error says. A `relative` effect is drawn as log(1 + effect),
    the scale it was estimated on: on its own scale draws would fall below -1, where nothing is left to lose.
    """
    if draws is not None:
        return np.random.default_rng(seed).permutation(np.resize(draws, DRAWS))
    if effect.estimate is None or effect.se is None:
        return None
    if relative:
        logged = _logged(effect)
        drawn = None if logged is None else effect_draws(logged, None, seed)
        return None if drawn is None else np.expm1(np.minimum(drawn, LARGEST_EXPONENT))
    uniform = (np.arange(DRAWS) + 0.5) / DRAWS
    quantiles = ndtri(uniform)
    below = effect.se if effect.low is None else (effect.estimate - effect.low) / Z
    above = effect.se if effect.high is None else (effect.high - effect.estimate) / Z
    drawn = effect.estimate + np.where(quantiles < 0, below, above) * quantiles
    shuffled: Floats = np.random.default_rng(seed).permutation(drawn)
    return shuffled


def _logged(effect: Effect) -> Effect | None:
    """A relative effect on the log scale; None for one of -1 or below, of which nothing is left."""
    ends = (effect.estimate, effect.low, effect.high)
    if effect.se is None or any(e is not None and e <= -1 for e in ends) or effect.estimate is None:
        return None
    mid, low, high = (None if e is None else math.log1p(e) for e in ends)
    return Effect(mid, effect.se / (1 + effect.estimate), low, high)


def triangular(worth: Worth, seed: int) -> Floats:
    """Draws of the unit's value: triangular between low and high with its peak at mid."""
    u = np.random.default_rng(seed + 1).permutation((np.arange(DRAWS) + 0.5) / DRAWS)
    span = worth.high - worth.low
    if span == 0:
        return np.full(DRAWS, worth.mid)
    turn = (worth.mid - worth.low) / span
    rising = worth.low + np.sqrt(u * span * (worth.mid - worth.low))
    falling = worth.high - np.sqrt((1 - u) * span * (worth.high - worth.mid))
    return np.where(u < turn, rising, falling)


def returns(
    effect: Effect,
    draws: Floats | None,
    worth: Worth,
    costs: Flows | None,
    gains_at: Floats | None,
    seed: int,
    *,
    counted: bool,
) -> Return | None:
    """The return of an effect. None where the effect has no error. `gains_at`: days on which the value arises."""
    drawn = effect_draws(effect, draws, seed, relative=worth.treated_total is not None)
    if drawn is None or effect.estimate is None:
        return None
    value = worth.amount(drawn) * triangular(worth, seed)
    mid = worth.of(effect.estimate) * worth.mid
    low, high = _limits(value)
    if costs is None:
        return _costless(mid, low, high, worth, counted=counted, reason="no costs were given: no return")
    total = float(costs.amount.sum())
    if total <= 0:
        return _costless(
            mid, low, high, worth, counted=counted, reason=f"the costs sum to {total:g}: no return"
        )
    roi_low, roi_high = ((v - total) / total for v in (low, high))
    factor, spent = _discounts(costs, gains_at, worth.discount_rate)
    npv = None if factor is None else tuple(v * factor - spent for v in (mid, low, high))
    return Return(
        mid, low, high, total, (mid - total) / total, roi_low, roi_high,
        npv[0] if npv else None, npv[1] if npv else None, npv[2] if npv else None,
        _payback(mid, costs, gains_at), float((value > total).mean()), _break_even(total, worth),
        worth.recapture, counted, _tornado(effect, worth, total, mid),
        "" if npv else "costs or periods have no dates: net present value and payback are not computable",
    )  # fmt: skip


def _costless(mid: float, low: float, high: float, worth: Worth, *, counted: bool, reason: str) -> Return:
    return Return(
        mid, low, high, None, None, None, None, None, None, None, None, None, None, worth.recapture, counted, (), reason
    )  # fmt: skip


def _limits(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def _break_even(total: float, worth: Worth) -> float | None:
    """The effect at which value and cost are equal."""
    unit = worth.sign * worth.recapture * worth.mid
    if not unit:
        return None
    if worth.treated_total is None:
        return total / (unit * worth.cells)
    part = total / (unit * worth.treated_total) if worth.treated_total else math.inf
    return part / (1 - part) if part < 1 else None


def _discounts(costs: Flows, gains_at: Floats | None, rate: float) -> tuple[float | None, float]:
    """Mean discount factor of the gains and the discounted costs, both to the first day of either."""
    if rate <= -1:
        raise StudyError(f"discount_rate {rate:g} is -100 % or less")
    if gains_at is None or not len(gains_at) or not np.isfinite(costs.at).all():
        return None, 0.0
    start = min(float(costs.at.min()), float(gains_at.min()))
    factors = (1 + rate) ** (-(gains_at - start) / DAYS_A_YEAR)
    spent = costs.amount * (1 + rate) ** (-(costs.at - start) / DAYS_A_YEAR)
    return float(factors.mean()), float(spent.sum())


def _payback(value: float, costs: Flows, gains_at: Floats | None) -> float | None:
    """Days from the first cost until the value so far stays at or above the cost so far; None if it never does."""
    if gains_at is None or not len(gains_at) or not np.isfinite(costs.at).all():
        return None
    at = np.concatenate([costs.at, gains_at])
    amount = np.concatenate([-costs.amount, np.full(len(gains_at), value / len(gains_at))])
    days = np.unique(at)
    balance = np.array([amount[at <= day].sum() for day in days])
    short = np.flatnonzero(balance < 0)
    if not len(short):
        return 0.0
    after = int(short[-1]) + 1
    return float(days[after] - costs.at.min()) if after < len(days) else None


def _tornado(effect: Effect, worth: Worth, total: float, mid: float) -> tuple[Swing, ...]:
    bars = []
    if effect.estimate is not None:
        ends = (worth.of(effect.estimate) * worth.low, worth.of(effect.estimate) * worth.high)
        bars.append(_swing("unit value", ends, total))
    if effect.low is not None and effect.high is not None:
        bars.append(
            _swing("effect", (worth.of(effect.low) * worth.mid, worth.of(effect.high) * worth.mid), total)
        )
    bars.append(Swing("cost 20 % higher or lower", mid / (1.2 * total) - 1, mid / (0.8 * total) - 1))
    return tuple(sorted(bars, key=lambda b: -abs(b.high - b.low)))


def _swing(name: str, values: tuple[float, float], total: float) -> Swing:
    low, high = sorted((v - total) / total for v in values)
    return Swing(name, low, high)
