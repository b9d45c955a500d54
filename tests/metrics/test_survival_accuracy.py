import math

import numpy as np
import pytest

from metrics.core.survival import Transform, kaplan_meier, quantile, survival_at
from tests.metrics.survival_rows import from_rows


def curve_of(time, status):
    return kaplan_meier(*from_rows(time, status).one_cause)


def test_buckets_of_one_256th_with_their_mean_move_quantiles_by_less_than_half_a_percent():
    random = np.random.default_rng(5)
    for _ in range(20):
        wait, stop = random.lognormal(7, 1.2, 20_000), random.uniform(0, 9000, 20_000)
        time, status = np.minimum(wait, stop), (wait <= stop).astype(int)
        bucket = np.floor(np.log(time) / np.log1p(2**-8)).astype(int)
        _, at = np.unique(bucket, return_inverse=True)
        mean = np.bincount(at, time) / np.bincount(at)
        exact = curve_of(time, status)
        coarse = kaplan_meier(
            mean,
            np.bincount(at[status == 1], minlength=mean.size),
            np.bincount(at[status == 0], minlength=mean.size),
        )
        for p in (0.25, 0.5, 0.75):
            assert quantile(coarse, p).value == pytest.approx(quantile(exact, p).value, rel=0.005)


def test_the_intervals_cover_in_93_to_97_percent():
    random, hits, runs = np.random.default_rng(11), np.zeros(4), 2000
    truth, share = 3600 * math.log(2), math.exp(-1)
    for _ in range(runs):
        wait, stop = random.exponential(3600, 200), random.uniform(1800, 10_000, 200)
        curve = curve_of(np.minimum(wait, stop), (wait <= stop).astype(int))
        for i, transform in enumerate(Transform):
            found, at = quantile(curve, 0.5, transform), survival_at(curve, 3600, transform)
            hits[i] += found.low <= truth <= (found.high or math.inf)
            hits[2 + i] += at.low <= share <= at.high
    assert (hits / runs > 0.93).all(), hits
    assert (hits / runs < 0.97).all(), hits
