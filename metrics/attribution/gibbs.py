"""Gibbs sampling of many local-level models with regression at once: the chains of a study lie end to end.

The levels of all chains are one tridiagonal system with nothing between the chains, so a sweep costs a few calls for all of
them together. Level, static regression with spike and slab, and priors are those of Brodersen et al. (2015,
doi:10.1214/14-AOAS788).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from metrics.attribution.panel import Bools
from metrics.core.shapes import Floats, Ints

LEVEL_SIZE, OBS_DF, EXPECTED_R2, MODEL_SIZE = 32, 50, 0.8, 3
INFORMATION, SHRINK, OBS_LIMIT, LEVEL_LIMIT = 0.01, 0.5, 1.2, 1.0
BURN = 200


@dataclass(frozen=True)
class Chain:
    """A series before treatment (n,) with its controls (n, k), both in units of their spread; the level's prior."""

    y: Floats
    x: Floats
    level_sd: float


@dataclass(frozen=True)
class Drawn:
    """Draws of one chain: levels (B, n), or the last alone (B, 1); coefficients (B, k); spreads (B,)."""

    level: Floats
    beta: Floats
    obs: Floats
    drift: Floats


def joined(parts: Sequence[Drawn]) -> Drawn:
    """The draws of several chains of one series as one."""
    return Drawn(
        np.concatenate([p.level for p in parts]), np.concatenate([p.beta for p in parts]),
        np.concatenate([p.obs for p in parts]), np.concatenate([p.drift for p in parts]),
    )  # fmt: skip


@dataclass(frozen=True)
class _Flat:
    """Chains end to end: values (N,), controls, first and last row and length of each chain, the chain of each row."""

    y: Floats
    x: Floats  # (k, N)
    start: Ints
    last: Ints
    length: Ints
    chain: Ints
    joined: Floats  # (N,) 0 in the first row of a chain, 1 elsewhere
    cross: Floats  # (C, k, k)
    prior: Floats  # (C, k, k)
    prior_sd: Floats  # (C,)

    def sums(self, values: Floats) -> Floats:
        """Sums by chain of (N,) or (k, N)."""
        total: Floats = np.add.reduceat(values, self.start, axis=-1)
        return total

    def rows(self, values: Floats) -> Floats:
        """A value of each chain (C,) for each row (N,)."""
        found: Floats = values.take(self.chain)
        return found

    def explained(self, beta: Floats) -> Floats:
        """What controls say of each row, from coefficients (C, k)."""
        total: Floats = self.x[0] * self.rows(beta[:, 0])
        for j in range(1, len(self.x)):
            total += self.x[j] * self.rows(beta[:, j])
        return total


def sample(chains: Sequence[Chain], draws: int, rng: np.random.Generator, *, whole: bool) -> list[Drawn]:
    """`draws` draws of every chain after burning in; `whole`: keep levels of all periods, not the last alone."""
    flat = _end_to_end(chains)
    count, k = len(chains), len(flat.x)
    kept = np.arange(len(flat.y)) if whole else flat.last
    levels, betas = np.empty((draws, len(kept))), np.empty((draws, count, k))
    spreads = np.empty((2, draws, count))
    regression = _Regression(flat) if k <= MODEL_SIZE else _Selection(flat)
    obs, drift = np.full(count, math.sqrt(1 - EXPECTED_R2)), flat.prior_sd.copy()
    beta = np.zeros((count, k))
    walks = _Spreads((LEVEL_SIZE - 1 + flat.length) / 2, LEVEL_LIMIT, draws + BURN, rng)
    errors = _Spreads((OBS_DF + flat.length) / 2, OBS_LIMIT, draws + BURN, rng)
    for i in range(-BURN, draws):
        level = _levels(flat, flat.y - flat.explained(beta), obs, drift, rng)
        obs, beta = regression.draw(flat.y - level, errors, rng)
        drift = walks.below(_drift_rate(flat, level))
        if i >= 0:
            levels[i], betas[i], spreads[0, i], spreads[1, i] = level[kept], beta, obs, drift
    ends = np.cumsum(flat.length) if whole else np.arange(1, count + 1)
    parts = np.split(levels, ends[:-1], axis=1)
    return [Drawn(parts[c], betas[:, c], spreads[0, :, c], spreads[1, :, c]) for c in range(count)]


def _end_to_end(chains: Sequence[Chain]) -> _Flat:
    length = np.array([len(c.y) for c in chains])
    cross = np.stack([c.x.T @ c.x for c in chains])
    own = np.stack([np.diag(np.diag(m)) for m in cross])
    prior = INFORMATION * ((1 - SHRINK) * cross + SHRINK * own) / length[:, None, None]
    start, chain = np.cumsum(length) - length, np.repeat(np.arange(len(chains)), length)
    joined = np.ones(len(chain))
    joined[start] = 0.0
    return _Flat(
        np.concatenate([c.y for c in chains]), np.concatenate([c.x.T for c in chains], axis=1), start, start + length - 1, length,
        chain, joined, cross, prior, np.array([c.level_sd for c in chains]),
    )  # fmt: skip


def _levels(flat: _Flat, left: Floats, obs: Floats, drift: Floats, rng: np.random.Generator) -> Floats:
    """A draw of every random walk given what is left of its series: Gaussian with tridiagonal precision P.

    P = Q'Q with known Q, so P^-1 (pull + Q'z) with standard normal z has the mean and the covariance wanted: one solve.
    """
    after = flat.joined[1:]
    noise = flat.rows(1 / obs)
    step = flat.rows(1 / drift) * flat.joined + (
        1 - flat.joined
    )  # a chain's first level has variance 1 about its start
    own, between = rng.standard_normal((2, len(left)))
    between *= step
    pull = (left * noise + own) * noise + between
    pull[:-1] -= between[1:] * after
    pull[flat.start] += flat.y[flat.start]
    tight = step * step
    beside = tight[1:] * after
    diagonal = noise * noise + tight
    diagonal[:-1] += beside
    _, _, level, _ = lapack.dptsv(diagonal, -beside, pull[:, None], overwrite_d=1, overwrite_e=1)
    drawn: Floats = level[:, 0]
    return drawn


def _drift_rate(flat: _Flat, level: Floats) -> Floats:
    steps = (level[1:] - level[:-1]) * flat.joined[1:]
    squares = np.zeros(len(level))
    np.multiply(steps, steps, out=squares[1:])
    rate: Floats = (LEVEL_SIZE * flat.prior_sd**2 + flat.sums(squares)) / 2
    return rate


class _Regression:
    """Few controls: all of them are in the model, and what does not change from draw to draw is made once."""

    def __init__(self, flat: _Flat) -> None:
        self._flat = flat
        precision = flat.cross + flat.prior
        self._inverse = np.linalg.inv(precision)
        self._turn = np.swapaxes(np.linalg.inv(np.linalg.cholesky(precision)), 1, 2)

    def draw(self, left: Floats, errors: _Spreads, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Observation spreads (C,) and coefficients (C, k) given what the level leaves."""
        flat = self._flat
        cross = flat.sums(flat.x * left).T
        mean = np.einsum("cij,cj->ci", self._inverse, cross)
        squares = OBS_DF * (1 - EXPECTED_R2) + flat.sums(left * left) - (mean * cross).sum(axis=1)
        obs = errors.below(squares / 2)
        noise = rng.standard_normal(mean.shape)
        return obs, mean + obs[:, None] * np.einsum("cij,cj->ci", self._turn, noise)


class _Selection:
    """Many controls: each enters or leaves by its posterior odds, chain by chain."""

    def __init__(self, flat: _Flat) -> None:
        self._flat = flat
        self._used = np.zeros((len(flat.start), len(flat.x)), dtype=bool)

    def draw(self, left: Floats, errors: _Spreads, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Observation spreads (C,) and coefficients (C, k) given what the level leaves."""
        flat = self._flat
        held = [
            _Own(flat.cross[c], flat.prior[c], product, float(square), int(flat.length[c]))
            for c, (product, square) in enumerate(
                zip(flat.sums(flat.x * left).T, flat.sums(left * left), strict=True)
            )
        ]
        for c, own in enumerate(held):
            self._used[c] = own.chosen(self._used[c], rng)
        found = [own.posterior(np.flatnonzero(used)) for own, used in zip(held, self._used, strict=True)]
        obs = errors.below(np.array([squares for _, _, squares in found]) / 2)
        beta = np.zeros(self._used.shape)
        for c, (precision, mean, _) in enumerate(found):
            root = np.linalg.cholesky(precision)
            beta[c, self._used[c]] = mean + obs[c] * np.linalg.solve(root.T, rng.standard_normal(len(mean)))
        return obs, beta


@dataclass(frozen=True)
class _Own:
    """What one chain's regression needs: X'X, its prior, X'r, r'r and n."""

    cross: Floats
    prior: Floats
    product: Floats
    square: float
    n: int

    def posterior(self, picked: Ints) -> tuple[Floats, Floats, float]:
        """Precision, mean and sum of squares of the regression on some columns."""
        precision = (self.cross + self.prior)[np.ix_(picked, picked)]
        mean: Floats = np.linalg.solve(precision, self.product[picked]).astype(float)
        return precision, mean, OBS_DF * (1 - EXPECTED_R2) + self.square - float(mean @ self.product[picked])

    def chosen(self, used: Bools, rng: np.random.Generator) -> Bools:
        used = used.copy()
        odds = math.log(MODEL_SIZE / (len(used) - MODEL_SIZE))
        for j in rng.permutation(len(used)):
            score = [self._score(used, int(j), inside=inside) for inside in (False, True)]
            gain = odds + score[1] - score[0]
            used[j] = rng.random() < 1 / (1 + math.exp(-max(min(gain, 700), -700)))
        return used

    def _score(self, used: Bools, j: int, *, inside: bool) -> float:
        """Log marginal likelihood of a set of columns, up to a constant."""
        used[j] = inside
        picked = np.flatnonzero(used)
        precision, _, squares = self.posterior(picked)
        size = np.linalg.slogdet(self.prior[np.ix_(picked, picked)])[1] - np.linalg.slogdet(precision)[1]
        return 0.5 * float(size) - (OBS_DF + self.n) / 2 * math.log(squares)


class _Spreads:
    """Standard deviations whose precisions are gamma, below a limit; the gammas of all draws are made at once."""

    def __init__(self, shape: Floats, limit: float, draws: int, rng: np.random.Generator) -> None:
        self._shape, self._limit, self._rng = shape, limit, rng
        self._ahead = iter(1 / rng.standard_gamma(shape, (draws, len(shape))))

    def below(self, rate: Floats) -> Floats:
        """The next draw of each chain (C,), drawn again where it is not below the limit; the limit where none of 50 is."""
        sd: Floats = np.sqrt(rate * next(self._ahead))
        if sd.max() >= self._limit:
            for c in np.flatnonzero(sd >= self._limit):
                more = np.sqrt(rate[c] / self._rng.standard_gamma(self._shape[c], 49))
                sd[c] = next((float(m) for m in more if m < self._limit), self._limit)
        return sd
