"""Looking more than once: group-sequential bounds, anytime-valid intervals, and several outcomes at a time."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from metrics.attribution.result import Effect
from metrics.core.shapes import Floats

ALPHA = 0.05
GRID = 2_001  # points of the density between looks
FARTHEST = 12.0  # bound on z beyond which an early look spends nothing


def spent(information: float, *, kind: str, alpha: float = ALPHA) -> float:
    """Error spent by an information fraction in (0, 1] (Lan and DeMets 1983): `obrien_fleming` or `pocock`."""
    if not 0 < information <= 1:
        raise ValueError(f"information fraction {information:g}: it lies above 0 and at most at 1")
    if kind == "pocock":
        return alpha * math.log(1 + (math.e - 1) * information)
    if kind == "obrien_fleming":
        # twice the one-sided spending at alpha / 2, as the published tables have it
        return 4 * (1 - float(ndtr(float(ndtri(1 - alpha / 4)) / math.sqrt(information))))
    raise ValueError(f"kind {kind!r}: obrien_fleming or pocock")


def lan_demets(information: tuple[float, ...], *, kind: str, alpha: float = ALPHA) -> tuple[float, ...]:
    """Two-sided bounds on z at looks with increasing information fractions."""
    if list(information) != sorted(set(information)):
        raise ValueError("information fractions must increase")
    bounds: list[float] = []
    density = _Density()
    before = 0.0
    for share in information:
        now = spent(share, kind=kind, alpha=alpha)
        step = now - before
        bound = _bound(density, share, step)
        density.move(share, bound)
        bounds.append(bound)
        before = now
    return tuple(bounds)


def _bound(density: _Density, share: float, step: float) -> float:
    """The bound on z that spends `step` at this look; the farthest one where there is next to nothing to spend."""
    if density.crossing(share, FARTHEST) >= step:
        return FARTHEST
    return float(brentq(lambda b: density.crossing(share, b) - step, 0.1, FARTHEST))


def peeking_rate(looks: int, alpha: float = ALPHA) -> float:
    """False-positive rate of `looks` equally spaced two-sided tests at alpha each (Armitage et al. 1969)."""
    z = float(ndtri(1 - alpha / 2))
    density, found = _Density(), 0.0
    for k in range(1, looks + 1):
        found += density.crossing(k / looks, z)
        density.move(k / looks, z)
    return found


class _Density:
    """Density of Brownian motion at the last look, given that no bound was crossed; by numerical integration."""

    def __init__(self) -> None:
        self.at = 0.0
        self.points: Floats = np.zeros(1)
        self.mass: Floats = np.ones(1)

    def crossing(self, share: float, bound: float) -> float:
        """Probability of crossing +-bound (in z) at this look, for the first time."""
        sd, limit = math.sqrt(share - self.at), bound * math.sqrt(share)
        out = ndtr((-limit - self.points) / sd) + ndtr((self.points - limit) / sd)
        return float(self.mass @ out)

    def move(self, share: float, bound: float) -> None:
        sd, limit = math.sqrt(share - self.at), bound * math.sqrt(share)
        points = np.linspace(-limit, limit, GRID)
        weight = np.full(GRID, points[1] - points[0]) / 3
        weight[1:-1:2] *= 4
        weight[2:-1:2] *= 2
        gap = (points[:, None] - self.points[None, :]) / sd
        kernel = np.exp(-0.5 * gap * gap) / (sd * math.sqrt(2 * math.pi))
        self.mass, self.points, self.at = (kernel @ self.mass) * weight, points, share


def anytime(estimate: float, se: float, n: int, tuned_for: int, alpha: float = ALPHA) -> Effect:
    """An interval that holds at every look at once (Waudby-Smith et al. 2023, equation 9).

    `n` units so far; `tuned_for`: the number at which it is to be narrowest.
    """
    if not (n > 0 and tuned_for > 0 and se > 0):
        raise ValueError(f"n={n}, tuned_for={tuned_for}, se={se:g}: all must be above 0")
    rho = math.sqrt((-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuned_for)
    spread = n * rho * rho
    reach = se * math.sqrt(2 * (spread + 1) / spread * math.log(math.sqrt(spread + 1) / alpha))
    return Effect(
        estimate, se, estimate - reach, estimate + reach, None, "confidence sequence, valid at every look"
    )


def holm(p_values: Floats) -> Floats:
    """Holm's adjusted p values (1979), for primary outcomes."""
    order = np.argsort(p_values, kind="stable")
    count = len(p_values)
    raised = np.maximum.accumulate(p_values[order] * (count - np.arange(count)))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p values (1995), for exploration."""
    order = np.argsort(p_values, kind="stable")
    count = len(p_values)
    ratio = p_values[order] * count / np.arange(1, count + 1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.minimum.accumulate(ratio[::-1])[::-1], 1.0)
    return adjusted
