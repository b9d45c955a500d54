import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import calibration_curve

from metrics.core.calibration import reliability_curve, slope
from metrics.core.intervals import wilson


def ones(x) -> np.ndarray:
    return np.ones(len(x))


@pytest.mark.parametrize(("truth", "offset"), [(1.0, 0.0), (0.4, -3.0), (-0.5, 6.0), (2.5, 1.0)])
def test_slope_and_interval_equal_statsmodels(truth, offset):
    rng = np.random.default_rng(8)
    x = rng.normal(offset, 1.5, 1500)
    y = rng.binomial(1, expit(truth * (x - offset) - 1))
    fit = sm.Logit(y, sm.add_constant(x)).fit(disp=0)
    found = slope(x, ones(x), y.astype(float))
    assert (found.value, found.low, found.high) == pytest.approx(
        (fit.params[1], *fit.conf_int()[1]), rel=1e-6
    )
    assert found.n == 1500


def test_repeated_rows_are_the_same_as_counts():
    x, n, p = np.array([-2.0, 0.0, 1.0]), np.array([40.0, 50.0, 30.0]), np.array([5.0, 30.0, 20.0])
    rows = np.repeat(x, n.astype(int))
    y = np.concatenate([[1.0] * int(a) + [0.0] * int(b - a) for a, b in zip(p, n, strict=True)])
    assert slope(x, n, p).value == pytest.approx(slope(rows, ones(rows), y).value, rel=1e-9)


@pytest.mark.parametrize(
    ("x", "p", "why"),
    [
        ([-1.0, 1.0], [0.0, 0.0], "no positive outcome"),
        ([-1.0, 1.0], [5.0, 5.0], "no negative outcome"),
        ([-1.0, 1.0], [0.0, 5.0], "separates the outcomes"),
        ([-1.0, 1.0], [5.0, 0.0], "separates the outcomes"),
        ([-1.0, 0.0, 1.0], [0.0, 2.0, 5.0], "separates the outcomes"),
        ([2.0], [2.0], "all scores are equal"),
    ],
)
def test_a_slope_that_does_not_exist_says_why(x, p, why):
    found = slope(np.array(x), np.full(len(x), 5.0), np.array(p))
    assert found.value is None
    assert why in found.reason


@given(
    st.lists(st.tuples(st.floats(-34, 34), st.integers(1, 10**6), st.floats(0, 1)), min_size=1, max_size=12)
)
def test_a_slope_is_in_its_interval_or_has_a_reason(cells):
    x, n, share = (np.array(v, dtype=float) for v in zip(*cells, strict=True))
    found = slope(x, n, np.rint(n * share))
    if found.value is None:
        assert found.reason
    else:
        assert found.low <= found.value <= found.high


def test_reliability_equals_scikit_learns_curve_with_wilson_limits():
    rng = np.random.default_rng(9)
    s = rng.uniform(size=5000)
    y = rng.binomial(1, s**2)
    observed, mean = calibration_curve(y, s, n_bins=10)
    found = reliability_curve((s * 10).astype(int), ones(s), s, y.astype(float))
    assert found.observed == pytest.approx(observed)
    assert found.score == pytest.approx(mean)
    assert found.n.sum() == 5000
    first = wilson(found.observed[0] * found.n[0], found.n[0])
    assert (found.low[0], found.high[0]) == pytest.approx((first.low, first.high))


def test_reliability_leaves_empty_tenths_out():
    found = reliability_curve(
        np.array([0, 9]), np.array([3.0, 2.0]), np.array([0.1, 1.9]), np.array([0.0, 2.0])
    )
    assert list(found.n) == [3, 2]
    assert list(found.observed) == [0, 1]
