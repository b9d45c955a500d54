import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.core.survival import kaplan_meier, quantile
from metrics.core.turnbull import distribution_at, interval_quantile, turnbull
from tests.cases import CASES, needs_cases
from tests.metrics.survival_rows import grouped

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifelines.fitters.npmle import npmle

INF = math.inf


def fitted(low, high, weight=None):
    low, high = np.array(low, dtype=float), np.array(high, dtype=float)
    return turnbull(low, high, np.ones(low.size, dtype=int) if weight is None else np.array(weight))


INTERVAL = st.tuples(st.integers(0, 20), st.one_of(st.integers(0, 8), st.just(INF)), st.integers(0, 3))


@st.composite
def intervals(draw: st.DrawFn):
    rows = draw(st.lists(INTERVAL, min_size=1, max_size=25))
    low = np.array([r[0] for r in rows], dtype=float)
    return low, low + np.array([r[1] for r in rows]), np.array([r[2] for r in rows])


def log_likelihood(curve, low, high, weight, mass) -> float:
    """Straight from the definition: each person's interval, support by support."""
    total = 0.0
    for lo, hi, w in zip(low, high, weight, strict=True):
        just_then = (curve.right == lo) & (hi == INF)  # known to be later than lo
        inside = (curve.left >= lo) & (curve.right <= hi) & ~just_then
        total += w * math.log(mass[inside].sum()) if w else 0.0
    return total


@needs_cases
def test_the_published_npmle_is_found():
    case = next(
        c for c in json.loads((CASES / "activation_cases.json").read_text()) if c["id"] == "turnbull-npmle"
    )
    ends = [INF if r is None else r for r in case["input"]["right"]]
    curve = fitted(case["input"]["left"], ends)
    assert curve.mass == pytest.approx(case["expected"]["p"], abs=case["tolerance"])
    assert curve.mass == pytest.approx([1 / 6, 1 / 3, 1 / 8, 3 / 8], abs=1e-7)
    assert (curve.left.tolist(), curve.right.tolist()) == ([7, 8, 37, 46], [7, 8, 44, INF])
    assert curve.converged


@given(intervals())
def test_no_other_distribution_is_likelier(data):
    curve = turnbull(*data)
    if curve is None:
        assert not data[2].any()
        return
    assert curve.converged
    assert curve.mass.sum() == pytest.approx(1)
    best = log_likelihood(curve, *data, curve.mass)
    random = np.random.default_rng(0)
    for step in (0.5, 0.05, 0.005):
        for other in random.dirichlet(np.ones(curve.mass.size), 5):
            mixed = (1 - step) * curve.mass + step * other
            assert log_likelihood(curve, *data, mixed) <= best + 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_the_likelihood_is_at_least_that_of_lifelines_and_the_masses_agree(seed):
    random = np.random.default_rng(seed)
    wait, looks = random.exponential(20, 30), np.sort(random.uniform(0, 50, (30, 3)).round(2), axis=1)
    edges = np.column_stack([np.zeros(30), looks, np.full(30, INF)])
    at = (wait[:, np.newaxis] > edges).sum(axis=1)
    low, high = edges[np.arange(30), at - 1], edges[np.arange(30), at]
    weight = random.integers(1, 4, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        masses, places = npmle(low, high, weights=weight, tol=1e-7)
    curve = turnbull(low, high, weight)
    theirs = dict(zip(map(tuple, places), masses, strict=True))
    mapped = np.array([theirs.get(k, 0.0) for k in zip(curve.left, curve.right, strict=True)])
    ours = log_likelihood(curve, low, high, weight, curve.mass)
    assert ours >= log_likelihood(curve, low, high, weight, mapped / mapped.sum()) - 1e-6
    assert np.cumsum(curve.mass) == pytest.approx(np.cumsum(mapped), abs=5e-3)


@given(grouped(), st.sampled_from([0.25, 0.5, 0.75]))
def test_exact_and_right_censored_times_give_kaplan_meier(data, p):
    time, events, censored = data.one_cause
    ends = np.concatenate([time, np.full(time.size, INF)])
    curve, km = (
        turnbull(np.tile(time, 2), ends, np.concatenate([events, censored])),
        kaplan_meier(*data.one_cause),
    )
    for t, s in zip(km.time, km.survival, strict=True):
        least, most = distribution_at(curve, t)
        assert least == pytest.approx(1 - s, abs=2e-4)
        assert most >= least
    if abs(km.survival - (1 - p)).min() > 1e-3:
        assert interval_quantile(curve, p).value == quantile(km, p).value


@given(intervals(), st.randoms())
def test_order_and_grouping_of_intervals_do_not_matter(data, random):
    order = random.sample(range(data[0].size), data[0].size)
    one, other = turnbull(*data), turnbull(*(np.concatenate([c[order], c[order]]) for c in data))
    if one is None:
        assert other is None
        return
    assert other.n == 2 * one.n
    assert other.mass == pytest.approx(one.mass, abs=1e-6)


@given(intervals(), st.sampled_from([0.1, 0.5, 0.9]))
def test_a_quantile_lies_inside_its_limits(data, p):
    curve = turnbull(*data)
    if curve is None:
        return
    found = interval_quantile(curve, p)
    assert found.low is not None
    assert found.low <= (found.value if found.value is not None else INF)
    assert (found.high or INF) >= (found.value or 0)
    assert found.method == "Turnbull, likelihood ratio"


def test_the_low_limit_may_exist_where_the_median_is_not_reached():
    found = interval_quantile(fitted([0, 0, 5, 5, 5], [4, 4, INF, INF, INF]), 0.5)
    assert (found.value, found.high) == (None, None)
    assert found.low == 0


def test_nothing_observed_is_none():
    assert fitted([], []) is None
    assert fitted([1.0], [2.0], [0]) is None


def test_one_interval_is_all_that_is_known():
    curve = fitted([30], [1800], [4])
    assert distribution_at(curve, 29) == (0, 0)
    assert distribution_at(curve, 60) == (0, 1)
    assert distribution_at(curve, 1800) == (1, 1)
    found = interval_quantile(curve, 0.5)
    assert (found.value, found.low, found.high) == (1800, 30, 1800)


@pytest.mark.parametrize(("low", "high"), [(5, 4), (-1, 4), (math.nan, 4), (INF, INF)])
def test_an_impossible_interval_is_refused(low, high):
    with pytest.raises(ValueError, match="group 0: interval"):
        fitted([low], [high])


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="integers >= 0"):
        fitted([1.0], [2.0], [-1])


def test_many_intervals_converge_quickly_and_near_the_truth():
    random = np.random.default_rng(1)
    wait, period = random.exponential(100, 5000), random.integers(20, 90, 5000)
    run = np.floor(wait / period) * period
    curve = fitted(run, run + period)
    assert curve.converged
    found = interval_quantile(curve, 0.5)
    assert found.low <= 100 * math.log(2) <= found.high


def test_midpoints_are_not_used():
    curve = fitted([0] * 10, [100] * 10)
    assert curve.mass.tolist() == [1.0]
    assert (curve.left[0], curve.right[0]) == (0, 100)


@pytest.mark.slow
def test_the_median_interval_covers_at_least_93_percent():
    """Times seen only by hourly looks, a third of them exact; intervals of the estimate widen it above 95 %."""
    random, hits, runs = np.random.default_rng(6), 0, 300
    truth = 3600 * math.log(2)
    for _ in range(runs):
        wait, stop = random.exponential(3600, 80), random.uniform(3600, 14_000, 80)
        grid = random.uniform(200, 1200, 80)
        low, high = np.floor(wait / grid) * grid, np.ceil(wait / grid) * grid
        exact = random.random(80) < 1 / 3
        low, high = np.where(exact, wait, low), np.where(exact, wait, high)
        gone = wait > stop
        found = interval_quantile(fitted(np.where(gone, stop, low), np.where(gone, INF, high)), 0.5)
        hits += found.low <= truth <= (found.high or INF)
    assert hits / runs > 0.93
